// MAC, MAC Verify, Hash, RNG Retrieve and RNG Seed: published values, parts, and what is refused.
import { describe, expect, test } from 'vitest'
import { isLate, testEngine } from './engine.ts'
import {
  active,
  bytes,
  cipherVersions,
  hex,
  secretData,
  streamVersions,
  symmetric,
  usage,
} from './keys.ts'

const uses = [usage('MACGenerate', 'MACVerify'), active]
const key = '4a656665' // "Jefe", RFC 4231 test case 2
const text = '7768617420646f2079612077616e7420666f72206e6f7468696e673f'
const hmac = '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'
const byHmac = { CryptographicAlgorithm: 'HMAC_SHA256' } as const

describe.each(cipherVersions)('KMIP %s', (as) => {
  test('an HMAC is that of RFC 4231, from a symmetric key and from secret data', async () => {
    const engine = await testEngine()
    for (const UniqueIdentifier of [
      await symmetric(engine, as, key.repeat(4), uses, 'HMAC_SHA256'),
      await secretData(engine, as, key, uses),
    ]) {
      const asked = { UniqueIdentifier, CryptographicParameters: byHmac, Data: bytes(text) }
      const { MACData } = await engine.call(as, 'MAC', asked)
      expect(MACData).toHaveLength(32)
      const verify = { ...asked, MACData: MACData! }
      expect(await engine.call(as, 'MACVerify', verify)).toEqual({
        UniqueIdentifier,
        ValidityIndicator: 'Valid',
      })
      const other = { ...verify, Data: bytes('00') }
      expect((await engine.call(as, 'MACVerify', other)).ValidityIndicator).toBe('Invalid')
      const cut = { ...verify, MACData: MACData!.subarray(0, 16) }
      expect((await engine.call(as, 'MACVerify', cut)).ValidityIndicator).toBe('Invalid')
    }
    const UniqueIdentifier = await secretData(engine, as, key, uses)
    const asked = { UniqueIdentifier, CryptographicParameters: byHmac, Data: bytes(text) }
    expect(hex((await engine.call(as, 'MAC', asked)).MACData)).toBe(hmac)
  })

  test('a CMAC is that of NIST SP 800-38B', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await symmetric(engine, as, '2b7e151628aed2a6abf7158809cf4f3c', uses)
    const Data = bytes('6bc1bee22e409f96e93d7e117393172a')
    const { MACData } = await engine.call(as, 'MAC', { UniqueIdentifier, Data })
    expect(hex(MACData)).toBe('070a16b46b4d4144f79bdd9dd04a287c')
  })

  test('keys and requests that do not fit are refused', async () => {
    const engine = await testEngine()
    const mayNot = await symmetric(engine, as, '00'.repeat(16), [usage('Encrypt'), active])
    const UniqueIdentifier = await symmetric(engine, as, '00'.repeat(16), uses)
    const rows: [object, string, string][] = [
      [{ UniqueIdentifier: mayNot }, 'PermissionDenied', 'IncompatibleCryptographicUsageMask'],
      [{ Data: undefined }, 'InvalidMessage', 'InvalidMessage'],
      [
        { CryptographicParameters: { CryptographicAlgorithm: 'RSA' } },
        'FeatureNotSupported',
        'FeatureNotSupported',
      ],
    ]
    for (const [change, early, late] of rows) {
      const { Data, ...request } = { UniqueIdentifier, Data: bytes('00'), ...change }
      const asked = { ...request, ...(Data && { Data }) }
      expect(await engine.refused(as, 'MAC', asked)).toBe(isLate(as) ? late : early)
    }
    const unsaid = { UniqueIdentifier, Data: bytes('00') }
    expect(await engine.refused(as, 'MACVerify', unsaid)).toBe('InvalidMessage')
  })

  test('a hash is that of FIPS 180-4, and an unknown one is refused', async () => {
    const engine = await testEngine()
    const asked = (HashingAlgorithm: string, Data?: Uint8Array) =>
      ({ CryptographicParameters: { HashingAlgorithm }, ...(Data && { Data }) }) as never
    expect(hex((await engine.call(as, 'Hash', asked('SHA_256', bytes('616263')))).Data)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(await engine.refused(as, 'Hash', asked('MD2', bytes('00')))).toBe('FeatureNotSupported')
    expect(await engine.refused(as, 'Hash', asked('SHA_256'))).toBe('InvalidMessage')
    const none = { CryptographicParameters: {}, Data: bytes('00') }
    expect(await engine.refused(as, 'Hash', none)).toBe('InvalidField')
  })

  test('random bytes are as many as asked for, up to a bound', async () => {
    const engine = await testEngine()
    const one = await engine.call(as, 'RNGRetrieve', { DataLength: 32 })
    const two = await engine.call(as, 'RNGRetrieve', { DataLength: 32 })
    expect(one.Data).toHaveLength(32)
    expect(hex(one.Data)).not.toBe(hex(two.Data))
    for (const DataLength of [-1, 0, 65_537, 0x7fff_ffff])
      expect(await engine.refused(as, 'RNGRetrieve', { DataLength })).toBe('InvalidField')
  })

  test('all of a seed is used, which is what the answer says', async () => {
    const engine = await testEngine()
    expect(await engine.call(as, 'RNGSeed', { Data: new Uint8Array(64) })).toEqual({
      DataLength: 64,
    })
  })
})

describe.each(streamVersions)('KMIP %s', (as) => {
  test('a MAC and its verification in parts', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await secretData(engine, as, key, uses)
    const [head, tail] = [bytes(text).subarray(0, 9), bytes(text).subarray(9)]
    const asked = { UniqueIdentifier, CryptographicParameters: byHmac }
    const first = await engine.call(as, 'MAC', { ...asked, Data: head, InitIndicator: true })
    expect(first).toEqual({ UniqueIdentifier, CorrelationValue: first.CorrelationValue })
    const last = await engine.call(as, 'MAC', {
      UniqueIdentifier,
      CorrelationValue: first.CorrelationValue!,
      Data: tail,
      FinalIndicator: true,
    })
    expect(hex(last.MACData)).toBe(hmac)
    for (const [MACData, valid] of [
      [last.MACData!, 'Valid'],
      [bytes('00'), 'Invalid'],
    ] as const) {
      const begun = await engine.call(as, 'MACVerify', {
        ...asked,
        MACData,
        Data: head,
        InitIndicator: true,
      })
      const end = { UniqueIdentifier, CorrelationValue: begun.CorrelationValue! }
      expect(
        await engine.call(as, 'MACVerify', { ...end, Data: tail, FinalIndicator: true }),
      ).toEqual({ UniqueIdentifier, ValidityIndicator: valid })
    }
  })

  test('a hash in parts; nobody else goes on with it', async () => {
    const engine = await testEngine()
    const CryptographicParameters = { HashingAlgorithm: 'SHA_256' } as const
    const asked = { CryptographicParameters, Data: bytes('61'), InitIndicator: true }
    const { CorrelationValue } = await engine.call(as, 'Hash', asked)
    const last = {
      CryptographicParameters,
      CorrelationValue: CorrelationValue!,
      Data: bytes('6263'),
      FinalIndicator: true,
    }
    const UniqueIdentifier = await secretData(engine, as, key, uses)
    expect(
      await engine.refused(as, 'MAC', { UniqueIdentifier, CorrelationValue: CorrelationValue! }),
    ).toBe(isLate(as) ? 'InvalidCorrelationValue' : 'ItemNotFound')
    expect(hex((await engine.call(as, 'Hash', last)).Data)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    )
    expect(await engine.refused(as, 'Hash', last)).toBe(
      isLate(as) ? 'InvalidCorrelationValue' : 'ItemNotFound',
    )
  })
})
