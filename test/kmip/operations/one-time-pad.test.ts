// Encrypt and Decrypt with a One Time Pad: no byte of it encrypts twice, and what is refused.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { isLate, testEngine, type TestEngine } from './engine.ts'
import { active, bytes, hex, symmetric, usage } from './keys.ts'

/** Versions that have the algorithm. */
const padVersions: VersionText[] = ['1.3', '1.4', '2.0', '2.1']

const both = usage('Encrypt', 'Decrypt')
const material = 'fc932e1428bd00112233'
const pad = (engine: TestEngine, as: VersionText, digits = material) =>
  symmetric(engine, as, digits, [both, active], 'OneTimePad')
type Asked = Partial<RequestPayload<'Encrypt'>> & Partial<RequestPayload<'Decrypt'>>

describe.each(padVersions)('KMIP %s', (as) => {
  const exceeded = isLate(as) ? 'UsageLimitExceeded' : 'PermissionDenied'

  test('data is encrypted with bytes of the pad that were never used, and decrypted in the same order', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const encrypt = async (Data: string) =>
      hex((await engine.call(as, 'Encrypt', { UniqueIdentifier, Data: bytes(Data) })).Data)
    const decrypt = async (Data: string) =>
      hex((await engine.call(as, 'Decrypt', { UniqueIdentifier, Data: bytes(Data) })).Data)
    expect(await encrypt('010203040506')).toBe('fd912d102dbb')
    expect(await encrypt('0000')).toBe('0011')
    expect(await decrypt('fd912d102dbb')).toBe('010203040506')
    expect(await decrypt('0011')).toBe('0000')
    expect(await encrypt('0000')).toBe('2233')
  })

  test('a pad that is used up encrypts nothing more, and what does not fit uses up nothing', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const tried = (length: number) =>
      engine.refused(as, 'Encrypt', { UniqueIdentifier, Data: new Uint8Array(length) })
    expect(await tried(11)).toBe(exceeded)
    const whole = await engine.call(as, 'Encrypt', { UniqueIdentifier, Data: new Uint8Array(10) })
    expect(hex(whole.Data)).toBe(material)
    expect(await tried(1)).toBe(exceeded)
  })

  test('requests at the same time get bytes of their own', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const request = { UniqueIdentifier, Data: bytes('0000') }
    const all = await Promise.all(
      Array.from({ length: 5 }, () => engine.call(as, 'Encrypt', request)),
    )
    const taken = all.map(({ Data }) => hex(Data)).toSorted()
    expect(taken).toEqual(material.match(/.{4}/g)!.toSorted())
  })

  test('Random IV asks for the position, with which data is decrypted out of turn', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const CryptographicParameters = { RandomIV: true }
    const request = { UniqueIdentifier, CryptographicParameters, Data: bytes('0102') }
    await engine.call(as, 'Encrypt', request)
    const second = await engine.call(as, 'Encrypt', request)
    expect(hex(second.IVCounterNonce)).toBe('0000000000000002')
    for (let time = 0; time < 2; time++) {
      const { IVCounterNonce, Data } = second
      const back = await engine.call(as, 'Decrypt', {
        UniqueIdentifier,
        IVCounterNonce: IVCounterNonce!,
        Data: Data!,
      })
      expect(hex(back.Data)).toBe('0102')
    }
    const inTurn = { UniqueIdentifier, Data: bytes('0000') }
    expect(hex((await engine.call(as, 'Decrypt', inTurn)).Data)).toBe('fc93')
  })

  test('bytes and Usage Limits are spent together', async () => {
    const engine = await testEngine()
    const limits = { UsageLimitsTotal: 2n, UsageLimitsCount: 2n, UsageLimitsUnit: 'Object' }
    const attributes = [both, active, { tag: 'UsageLimits' as const, value: limits }]
    const UniqueIdentifier = await symmetric(engine, as, material, attributes, 'OneTimePad')
    const request = { UniqueIdentifier, Data: bytes('0000') }
    expect(hex((await engine.call(as, 'Encrypt', request)).Data)).toBe('fc93')
    expect(hex((await engine.call(as, 'Encrypt', request)).Data)).toBe('2e14')
    expect(await engine.refused(as, 'Encrypt', request)).toBe('PermissionDenied')
  })

  test('a pad is created in the length asked for', async () => {
    const engine = await testEngine()
    const made = await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: [
        both,
        { tag: 'CryptographicAlgorithm', value: 'OneTimePad' },
        { tag: 'CryptographicLength', value: 24 },
      ],
    })
    const { SymmetricKey } = await engine.call(as, 'Get', made)
    const { KeyValue } = SymmetricKey!.KeyBlock
    expect(KeyValue?.type === 'Structure' && KeyValue.value.KeyMaterial).toHaveLength(3)
  })

  test.each<[string, 'Encrypt' | 'Decrypt', Asked, string, string]>([
    [
      'a position of the client',
      'Encrypt',
      { IVCounterNonce: new Uint8Array(8) },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a mode',
      'Encrypt',
      { CryptographicParameters: { BlockCipherMode: 'CTR' } },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    ['data in parts', 'Encrypt', { InitIndicator: true }, 'InvalidField', 'InvalidField'],
    [
      'a position of another size',
      'Decrypt',
      { IVCounterNonce: new Uint8Array(1) },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a position behind the end',
      'Decrypt',
      { IVCounterNonce: new Uint8Array(8).fill(255) },
      'CryptographicFailure',
      'CryptographicFailure',
    ],
  ])('%s is refused', async (_, name, asked, early, late) => {
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const request = { UniqueIdentifier, Data: bytes('00'), ...asked }
    expect(await engine.refused(as, name, request)).toBe(isLate(as) ? late : early)
  })

  test('additional data is refused', async () => {
    if (as === '1.3') return
    const engine = await testEngine()
    const UniqueIdentifier = await pad(engine, as)
    const AuthenticatedEncryptionAdditionalData = bytes('00')
    const request = { UniqueIdentifier, Data: bytes('00'), AuthenticatedEncryptionAdditionalData }
    expect(await engine.refused(as, 'Encrypt', request)).toBe(
      isLate(as) ? 'BadCryptographicParameters' : 'InvalidField',
    )
  })
})
