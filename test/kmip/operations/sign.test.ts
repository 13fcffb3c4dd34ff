// Sign and Signature Verify: by data, by digest and in parts, with every kind of key; and what is refused.
import { constants, createHash, createPrivateKey, privateDecrypt, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { opensslDirectory } from '../../crypto/openssl.ts'
import { isLate, testEngine, type TestEngine } from './engine.ts'
import {
  bytes,
  cipherVersions,
  hex,
  pair,
  streamVersions,
  symmetric,
  usage,
  active,
} from './keys.ts'

type Parameters = NonNullable<RequestPayload<'Sign'>['CryptographicParameters']>
const rsa = { CryptographicAlgorithm: 'RSA', HashingAlgorithm: 'SHA_256' } as const
const ways: [string, 'rsa' | 'P-256', Parameters, VersionText?][] = [
  ['RSA PKCS#1 v1.5', 'rsa', { ...rsa, PaddingMethod: 'PKCS1V1_5' }],
  ['RSA PSS', 'rsa', { ...rsa, PaddingMethod: 'PSS' }],
  [
    'RSA by its Digital Signature Algorithm',
    'rsa',
    { DigitalSignatureAlgorithm: 'SHA_256WithRSAEncryption' },
  ],
  ['ECDSA', 'P-256', { CryptographicAlgorithm: 'ECDSA', HashingAlgorithm: 'SHA_256' }],
]
const signing = { private: [usage('Sign')], public: [usage('Verify')] }
const data = bytes('000102030405060708')

describe.each(cipherVersions)('KMIP %s', (as) => {
  test.each(ways)('%s: a signature is Valid, and Invalid of other data', async (...way) => {
    const [, type, CryptographicParameters] = way
    const engine = await testEngine()
    const { privateId, publicId } = await pair(engine, as, type, signing)
    const made = await engine.call(as, 'Sign', {
      UniqueIdentifier: privateId,
      CryptographicParameters,
      Data: data,
    })
    const SignatureData = made.SignatureData!
    const asked = { UniqueIdentifier: publicId, CryptographicParameters, SignatureData }
    expect(await engine.call(as, 'SignatureVerify', { ...asked, Data: data })).toEqual({
      UniqueIdentifier: publicId,
      ValidityIndicator: 'Valid',
    })
    for (const wrong of [
      { ...asked, Data: bytes('00') },
      { ...asked, Data: data, SignatureData: bytes('00') },
    ])
      expect((await engine.call(as, 'SignatureVerify', wrong)).ValidityIndicator).toBe('Invalid')
  })

  test('keys and requests that do not fit are refused', async () => {
    const engine = await testEngine()
    const { privateId, publicId } = await pair(engine, as, 'rsa', signing)
    const secret = await symmetric(engine, as, '00'.repeat(16), [usage('Sign'), active])
    const CryptographicParameters = { ...rsa, PaddingMethod: 'PKCS1V1_5' } as const
    const rows: ['Sign' | 'SignatureVerify', object, string, string][] = [
      ['Sign', { UniqueIdentifier: publicId, Data: data }, 'PermissionDenied', 'InvalidObjectType'],
      ['Sign', { UniqueIdentifier: secret, Data: data }, 'PermissionDenied', 'InvalidObjectType'],
      [
        'SignatureVerify',
        { UniqueIdentifier: privateId, Data: data, SignatureData: data },
        'PermissionDenied',
        'InvalidObjectType',
      ],
      ['Sign', { UniqueIdentifier: privateId }, 'InvalidMessage', 'InvalidMessage'],
      [
        'SignatureVerify',
        { UniqueIdentifier: publicId, Data: data },
        'InvalidMessage',
        'InvalidMessage',
      ],
      [
        'Sign',
        {
          UniqueIdentifier: privateId,
          Data: data,
          CryptographicParameters: { CryptographicAlgorithm: 'ECDSA' },
        },
        'InvalidField',
        'BadCryptographicParameters',
      ],
      [
        'Sign',
        {
          UniqueIdentifier: privateId,
          Data: data,
          CryptographicParameters: { PaddingMethod: 'PKCS1V1_5' },
        },
        'InvalidField',
        'BadCryptographicParameters',
      ],
      [
        'Sign',
        {
          UniqueIdentifier: privateId,
          Data: data,
          CryptographicParameters: { ...rsa, PaddingMethod: 'OAEP' },
        },
        'FeatureNotSupported',
        'UnsupportedCryptographicParameters',
      ],
      ['Sign', { UniqueIdentifier: 'none', Data: data }, 'ItemNotFound', 'ObjectNotFound'],
    ]
    for (const [operation, request, early, late] of rows) {
      const asked = { CryptographicParameters, ...request }
      expect(await engine.refused(as, operation, asked)).toBe(isLate(as) ? late : early)
    }
  })
})

describe.each(streamVersions)('KMIP %s', (as) => {
  test.each(ways)('%s: data in parts', async (...way) => {
    const [, type, CryptographicParameters] = way
    const engine = await testEngine()
    const { privateId, publicId } = await pair(engine, as, type, signing)
    const SignatureData = await signedInParts(engine, as, privateId, CryptographicParameters)
    const whole = { UniqueIdentifier: publicId, CryptographicParameters, SignatureData, Data: data }
    expect((await engine.call(as, 'SignatureVerify', whole)).ValidityIndicator).toBe('Valid')
    for (const [given, valid] of [
      [SignatureData, 'Valid'],
      [bytes('00'), 'Invalid'],
    ] as const) {
      const first = await engine.call(as, 'SignatureVerify', {
        UniqueIdentifier: publicId,
        CryptographicParameters,
        Data: data.subarray(0, 4),
        InitIndicator: true,
      })
      expect(first.ValidityIndicator).toBeUndefined()
      const last = await engine.call(as, 'SignatureVerify', {
        UniqueIdentifier: publicId,
        CorrelationValue: first.CorrelationValue!,
        Data: data.subarray(4),
        SignatureData: given,
        FinalIndicator: true,
      })
      expect(last).toEqual({ UniqueIdentifier: publicId, ValidityIndicator: valid })
    }
  })
})

async function signedInParts(
  engine: TestEngine,
  as: VersionText,
  UniqueIdentifier: string,
  CryptographicParameters: Parameters,
) {
  const first = await engine.call(as, 'Sign', {
    UniqueIdentifier,
    CryptographicParameters,
    Data: data.subarray(0, 5),
    InitIndicator: true,
  })
  expect(first.SignatureData).toBeUndefined()
  const last = await engine.call(as, 'Sign', {
    UniqueIdentifier,
    CorrelationValue: first.CorrelationValue!,
    Data: data.subarray(5),
    FinalIndicator: true,
  })
  return last.SignatureData!
}

describe.each<VersionText>(['1.4', '2.0', '2.1'])('KMIP %s', (as) => {
  test.each(ways)('%s: a digest in place of the data', async (...way) => {
    const [, type, CryptographicParameters] = way
    const engine = await testEngine()
    const { privateId, publicId } = await pair(engine, as, type, signing)
    const DigestedData = Uint8Array.from(createHash('sha256').update(data).digest())
    const asked = { CryptographicParameters, DigestedData }
    const { SignatureData } = await engine.call(as, 'Sign', {
      UniqueIdentifier: privateId,
      ...asked,
    })
    const verify = { UniqueIdentifier: publicId, SignatureData: SignatureData! }
    for (const request of [
      { ...verify, CryptographicParameters, Data: data },
      { ...verify, ...asked },
    ])
      expect((await engine.call(as, 'SignatureVerify', request)).ValidityIndicator).toBe('Valid')
    const other = { ...verify, ...asked, DigestedData: new Uint8Array(32) }
    expect((await engine.call(as, 'SignatureVerify', other)).ValidityIndicator).toBe('Invalid')
  })

  test('a digest beside data, in parts, or of another length is refused', async () => {
    const engine = await testEngine()
    const { privateId } = await pair(engine, as, 'rsa', signing)
    const CryptographicParameters = { ...rsa, PaddingMethod: 'PSS' } as const
    const asked = {
      UniqueIdentifier: privateId,
      CryptographicParameters,
      DigestedData: bytes('00'),
    }
    expect(await engine.refused(as, 'Sign', { ...asked, Data: data })).toBe('InvalidField')
    expect(await engine.refused(as, 'Sign', { ...asked, InitIndicator: true })).toBe('InvalidField')
    expect(await engine.refused(as, 'Sign', asked)).toBe(
      isLate(as) ? 'BadCryptographicParameters' : 'InvalidField',
    )
  })
})

test.each<VersionText>(['2.0', '2.1'])('KMIP %s: Ed25519 signs', async (as) => {
  const engine = await testEngine()
  const { privateId, publicId } = await pair(engine, as, 'ed25519', signing)
  const { SignatureData } = await engine.call(as, 'Sign', {
    UniqueIdentifier: privateId,
    Data: data,
  })
  expect(SignatureData).toHaveLength(64)
  const asked = { UniqueIdentifier: publicId, Data: data, SignatureData: SignatureData! }
  expect((await engine.call(as, 'SignatureVerify', asked)).ValidityIndicator).toBe('Valid')
})

test.each(cipherVersions)(
  'KMIP %s: RSA encrypts for its private key, and not too much',
  async (as) => {
    const engine = await testEngine()
    const uses = { private: [usage('Decrypt')], public: [usage('Encrypt')] }
    const { privateId, publicId } = await pair(engine, as, 'rsa', uses)
    for (const PaddingMethod of ['OAEP', 'PKCS1V1_5'] as const) {
      const CryptographicParameters = { PaddingMethod }
      const to = { UniqueIdentifier: publicId, CryptographicParameters }
      const { Data } = await engine.call(as, 'Encrypt', { ...to, Data: data })
      const from = { UniqueIdentifier: privateId, CryptographicParameters, Data: Data! }
      expect(hex((await engine.call(as, 'Decrypt', from)).Data)).toBe(hex(data))
      expect(await engine.refused(as, 'Encrypt', { ...to, Data: new Uint8Array(300) })).toBe(
        isLate(as) ? 'BadCryptographicParameters' : 'InvalidField',
      )
      expect(await engine.refused(as, 'Decrypt', { ...from, Data: data })).toBe(
        'CryptographicFailure',
      )
    }
  },
)

test.each(cipherVersions)('KMIP %s: the key of a certificate verifies and encrypts', async (as) => {
  const engine = await testEngine()
  const files = opensslDirectory()
  const subject = ['-subj', '/CN=test', '-days', '30']
  files.run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'key',
    '-out',
    'crt',
    ...subject,
  )
  files.run('x509', '-in', 'crt', '-outform', 'DER', '-out', 'der')
  const { UniqueIdentifier } = await engine.call(as, 'Register', {
    ObjectType: 'Certificate',
    Attributes: [usage('Verify', 'Encrypt'), active],
    Certificate: { CertificateType: 'X_509', CertificateValue: readFileSync(files.path('der')) },
  } as never)
  const privateKey = createPrivateKey(readFileSync(files.path('key')))
  const SignatureData = Uint8Array.from(sign('sha256', data, privateKey))
  const asked = { UniqueIdentifier, CryptographicParameters: rsa, Data: data, SignatureData }
  expect((await engine.call(as, 'SignatureVerify', asked)).ValidityIndicator).toBe('Valid')
  const { Data } = await engine.call(as, 'Encrypt', {
    UniqueIdentifier,
    CryptographicParameters: { PaddingMethod: 'PKCS1V1_5' },
    Data: data,
  })
  const opened = privateDecrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, Data!)
  expect(hex(opened)).toBe(hex(data))
})
