// Encrypt and Decrypt at once: what comes back, and what is refused for which reason.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { isLate, testEngine, type TestEngine } from './engine.ts'
import { active, bytes, cipherVersions, hex, symmetric, usage } from './keys.ts'

const both = usage('Encrypt', 'Decrypt')
const material = '000102030405060708090a0b0c0d0e0f'
const key = (engine: TestEngine, as: VersionText, algorithm = 'AES', digits = material) =>
  symmetric(engine, as, digits, [both, active], algorithm)
type Asked = Partial<RequestPayload<'Encrypt'>> & Partial<RequestPayload<'Decrypt'>>
type Parameters = NonNullable<Asked['CryptographicParameters']>
const iv = new Uint8Array(16)

describe.each(cipherVersions)('KMIP %s', (as) => {
  test.each<[string, Parameters, Uint8Array | undefined, string?, string?]>([
    ['ECB', { BlockCipherMode: 'ECB' }, undefined],
    ['CBC with PKCS5', { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' }, iv],
    ['CTR', { BlockCipherMode: 'CTR' }, iv],
    ['CFB', { BlockCipherMode: 'CFB' }, iv],
    ['OFB', { BlockCipherMode: 'OFB' }, iv],
    ['key wrap', { BlockCipherMode: 'NISTKeyWrap' }, undefined],
    ['3DES CBC', { BlockCipherMode: 'CBC' }, iv.subarray(8), 'DES3', material + '1011121314151617'],
  ])('%s comes back as it went', async (_, CryptographicParameters, nonce, algorithm, digits) => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as, algorithm, digits)
    const Data = Uint8Array.from({ length: 32 }, (_, at) => at)
    const request: Asked = {
      UniqueIdentifier,
      CryptographicParameters,
      ...(nonce && { IVCounterNonce: nonce }),
    }
    const made = await engine.call(as, 'Encrypt', { ...request, Data })
    expect(made.UniqueIdentifier).toBe(UniqueIdentifier)
    expect(hex(made.Data)).not.toBe(hex(Data))
    const back = await engine.call(as, 'Decrypt', { ...request, Data: made.Data! })
    expect(hex(back.Data)).toBe(hex(Data))
  })

  test('a random IV is made when asked for, told once, and needed to decrypt', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const CryptographicParameters = { BlockCipherMode: 'CBC', RandomIV: true } as const
    const request = { UniqueIdentifier, CryptographicParameters }
    const Data = new Uint8Array(16)
    const [one, two] = [
      await engine.call(as, 'Encrypt', { ...request, Data }),
      await engine.call(as, 'Encrypt', { ...request, Data }),
    ]
    expect(one.IVCounterNonce).toHaveLength(16)
    expect(hex(one.IVCounterNonce)).not.toBe(hex(two.IVCounterNonce))
    expect(await engine.refused(as, 'Decrypt', { ...request, Data: one.Data! })).toBe(
      isLate(as) ? 'MissingInitializationVector' : 'InvalidMessage',
    )
    const { IVCounterNonce } = one
    const back = await engine.call(as, 'Decrypt', {
      ...request,
      Data: one.Data!,
      IVCounterNonce: IVCounterNonce!,
    })
    expect(hex(back.Data)).toBe('00'.repeat(16))
    const given = await engine.call(as, 'Encrypt', { ...request, Data, IVCounterNonce: iv })
    expect(given.IVCounterNonce).toBeUndefined()
  })

  const refusals: [string, Asked, string, string, ('Encrypt' | 'Decrypt')?][] = [
    [
      'data without its padding',
      { CryptographicParameters: { BlockCipherMode: 'ECB' }, Data: bytes('00') },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'no data',
      { CryptographicParameters: { BlockCipherMode: 'ECB' } },
      'InvalidMessage',
      'InvalidMessage',
    ],
    ['no mode at all', { Data: iv }, 'InvalidField', 'BadCryptographicParameters'],
    [
      'a mode that the cipher has not',
      { CryptographicParameters: { BlockCipherMode: 'PCBC' }, Data: iv },
      'FeatureNotSupported',
      'UnsupportedCryptographicParameters',
    ],
    [
      'a padding that is none',
      {
        CryptographicParameters: { BlockCipherMode: 'CBC', PaddingMethod: 'OAEP' },
        Data: iv,
        IVCounterNonce: iv,
      },
      'FeatureNotSupported',
      'UnsupportedCryptographicParameters',
    ],
    [
      'an IV of the wrong size',
      {
        CryptographicParameters: { BlockCipherMode: 'CBC' },
        Data: iv,
        IVCounterNonce: bytes('00'),
      },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'an IV where there is none',
      { CryptographicParameters: { BlockCipherMode: 'ECB' }, Data: iv, IVCounterNonce: iv },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'no IV',
      { CryptographicParameters: { BlockCipherMode: 'CBC' }, Data: iv },
      'InvalidMessage',
      'MissingInitializationVector',
    ],
    [
      'another algorithm than that of the key',
      {
        CryptographicParameters: { BlockCipherMode: 'ECB', CryptographicAlgorithm: 'DES3' },
        Data: iv,
      },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a tag of impossible length',
      {
        CryptographicParameters: { BlockCipherMode: 'GCM', TagLength: 32 },
        Data: iv,
        IVCounterNonce: iv.subarray(4),
      },
      'GeneralFailure',
      'BadCryptographicParameters',
    ],
    [
      'data with a wrong padding',
      {
        CryptographicParameters: { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' },
        Data: iv,
        IVCounterNonce: iv,
      },
      'CryptographicFailure',
      'CryptographicFailure',
      'Decrypt',
    ],
    [
      'a cut ciphertext',
      {
        CryptographicParameters: { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' },
        Data: bytes('0000'),
        IVCounterNonce: iv,
      },
      'CryptographicFailure',
      'CryptographicFailure',
      'Decrypt',
    ],
    [
      'a wrapped key that was changed',
      { CryptographicParameters: { BlockCipherMode: 'NISTKeyWrap' }, Data: new Uint8Array(24) },
      'CryptographicFailure',
      'CryptographicFailure',
      'Decrypt',
    ],
  ]
  test.each(refusals)('%s is refused', async (_, asked, early, late, way = 'Encrypt') => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const reason = await engine.refused(as, way, { UniqueIdentifier, ...asked })
    expect(reason).toBe(isLate(as) ? late : early)
  })

  test('ECB is refused to Encrypt where the group forbids it, and old data still opens', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const request = {
      UniqueIdentifier,
      CryptographicParameters: { BlockCipherMode: 'ECB' },
    } as const
    const { Data } = await engine.call(as, 'Encrypt', { ...request, Data: iv })
    await engine.policy('ecb=refuse')
    expect(await engine.refused(as, 'Encrypt', { ...request, Data: iv })).toBe('PermissionDenied')
    expect(hex((await engine.call(as, 'Decrypt', { ...request, Data: Data! })).Data)).toBe(hex(iv))
  })
})

describe.each<VersionText>(['1.4', '2.0', '2.1'])('KMIP %s', (as) => {
  const gcm = { BlockCipherMode: 'GCM', TagLength: 16 } as const
  const aead: [string, string, string, Parameters][] = [
    ['GCM', 'AES', material, gcm],
    ['CCM', 'AES', material, { BlockCipherMode: 'CCM', TagLength: 16 }],
    ['ChaCha20-Poly1305', 'ChaCha20Poly1305', material + material, {}],
  ]
  test.each(aead)('%s authenticates data and additional data', async (...row) => {
    const [, algorithm, digits, CryptographicParameters] = row
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as, algorithm, digits)
    const asked = {
      UniqueIdentifier,
      CryptographicParameters,
      IVCounterNonce: new Uint8Array(12),
      AuthenticatedEncryptionAdditionalData: bytes('0102'),
    }
    const made = await engine.call(as, 'Encrypt', { ...asked, Data: bytes('616263') })
    expect(made.Data).toHaveLength(3)
    expect(made.AuthenticatedEncryptionTag).toHaveLength(16)
    const sealed = {
      ...asked,
      Data: made.Data!,
      AuthenticatedEncryptionTag: made.AuthenticatedEncryptionTag!,
    }
    expect(hex((await engine.call(as, 'Decrypt', sealed)).Data)).toBe('616263')
    const changes: Asked[] = [
      { Data: bytes('616264') },
      { AuthenticatedEncryptionAdditionalData: bytes('0103') },
      { AuthenticatedEncryptionTag: new Uint8Array(16) },
      { IVCounterNonce: bytes('ff'.repeat(12)) },
    ]
    for (const change of changes)
      expect(await engine.refused(as, 'Decrypt', { ...sealed, ...change })).toBe(
        'CryptographicFailure',
      )
  })

  test('nothing but that it failed is said of a wrong tag', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const [item] = await engine.batch(as, [
      [
        'Decrypt',
        {
          UniqueIdentifier,
          CryptographicParameters: gcm,
          Data: iv,
          IVCounterNonce: new Uint8Array(12),
          AuthenticatedEncryptionTag: iv,
        },
      ],
    ])
    expect(item!.ResultMessage).toBe('cryptographic failure')
    expect(item!.ResponsePayload).toBeUndefined()
  })
})

test('an undone batch shows nothing that was decrypted', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await key(engine, '2.1')
  const asked = { UniqueIdentifier, CryptographicParameters: { BlockCipherMode: 'ECB' } } as const
  const [first] = await engine.batch(
    '2.1',
    [
      ['Decrypt', { ...asked, Data: iv }],
      ['Get', { UniqueIdentifier: 'none' }],
    ],
    { BatchErrorContinuationOption: 'Undo' },
  )
  expect(first!.ResultStatus).toBe('OperationUndone')
  expect(first!.ResponsePayload).toEqual({ UniqueIdentifier })
})

test('much data is encrypted outside the act, and comes out right', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await key(engine, '2.1')
  const request = { UniqueIdentifier, CryptographicParameters: { BlockCipherMode: 'CTR' } } as const
  const Data = new Uint8Array(300_000)
  const made = await engine.call('2.1', 'Encrypt', { ...request, Data, IVCounterNonce: iv })
  const start = await engine.call('2.1', 'Encrypt', {
    ...request,
    Data: Data.subarray(0, 32),
    IVCounterNonce: iv,
  })
  expect(hex(made.Data!.subarray(0, 32))).toBe(hex(start.Data))
  const [create] = await engine.batch('2.1', [
    ['Decrypt', { ...request, Data: made.Data!, IVCounterNonce: iv }],
  ])
  expect(create!.ResultStatus).toBe('Success')
})

describe.each<VersionText>(['1.4', '2.0', '2.1'])('published vectors in KMIP %s', (as) => {
  const shared = material + '101112131415161718191a1b1c1d1e1f'
  test.each<[string, string, string, Parameters, string, string, string]>([
    [
      'ChaCha20 from a counter (RFC 8439 §2.4.2)',
      'ChaCha20',
      shared,
      { InitialCounterValue: 1 },
      '000000000000004a00000000',
      Buffer.from('Ladies and Gentl').toString('hex'),
      '6e2e359a2568f98041ba0728dd0d6981',
    ],
    [
      'ChaCha20 with the counter in front of the nonce (RFC 8439 §2.4.2)',
      'ChaCha20',
      shared,
      {},
      '01000000000000000000004a00000000',
      Buffer.from('Ladies and Gentl').toString('hex'),
      '6e2e359a2568f98041ba0728dd0d6981',
    ],
    [
      'AES-128 XTS (IEEE 1619 vector 2)',
      'AES',
      '11'.repeat(16) + '22'.repeat(16),
      { BlockCipherMode: 'XTS' },
      '3333333333' + '00'.repeat(11),
      '44'.repeat(32),
      'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0',
    ],
  ])('%s', async (_, algorithm, digits, CryptographicParameters, nonce, clear, encrypted) => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as, algorithm, digits)
    const request = { UniqueIdentifier, CryptographicParameters, IVCounterNonce: bytes(nonce) }
    const made = await engine.call(as, 'Encrypt', { ...request, Data: bytes(clear) })
    expect(hex(made.Data)).toBe(encrypted)
    const back = await engine.call(as, 'Decrypt', { ...request, Data: made.Data! })
    expect(hex(back.Data)).toBe(clear)
  })
})
