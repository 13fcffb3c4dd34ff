// Register and Get of every object type but symmetric keys and secrets: what comes back, what it is
// known by, and in which formats.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { readPrivateKey, readPublicKey } from '../../../src/crypto/key-formats.ts'
import { isPair } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import type { RequestPayload, ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, isLate, testEngine } from './engine.ts'
import { certificate, half, inClear, kinds, pairOf, plain } from './objects.ts'

type Register = Partial<RequestPayload<'Register'>>

const hex = (bytes: unknown) => Buffer.from(bytes as Uint8Array).toString('hex')
const sha256 = (bytes: Uint8Array) => hex(createHash('sha256').update(bytes).digest())
const blockOf = (got: ResponsePayload<'Get'>): KeyBlock =>
  (got.PrivateKey ?? got.PublicKey ?? got.SplitKey ?? got.PGPKey)!.KeyBlock
const materialOf = (got: ResponsePayload<'Get'>): unknown => {
  const { KeyValue } = blockOf(got)
  return KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : undefined
}

const formats = {
  RSA: {
    PrivateKey: ['PKCS_1', 'PKCS_8', 'TransparentRSAPrivateKey'],
    PublicKey: ['PKCS_1', 'X_509', 'TransparentRSAPublicKey'],
  },
  'P-256': {
    PrivateKey: ['PKCS_8', 'ECPrivateKey'],
    PublicKey: ['X_509'],
  },
  DSA: {
    PrivateKey: ['PKCS_8', 'TransparentDSAPrivateKey'],
    PublicKey: ['X_509', 'TransparentDSAPublicKey'],
  },
  DH: {
    PrivateKey: ['PKCS_8', 'TransparentDHPrivateKey'],
    PublicKey: ['X_509', 'TransparentDHPublicKey'],
  },
} as const

describe.each(everyVersion)('KMIP %s', (as) => {
  const transparentCurve = as < '1.3' ? 'TransparentECDSA' : 'TransparentEC'

  test.each(Object.keys(formats))('a pair of %s comes back in every format', async (kind) => {
    const engine = await testEngine()
    const key = await pairOf(kinds[kind]!)
    for (const type of ['PrivateKey', 'PublicKey'] as const) {
      const all: string[] = [...formats[kind as keyof typeof formats][type]]
      if (kind === 'P-256') all.push(`${transparentCurve}${type}`)
      for (const format of all) {
        const request = half(key, type, format)
        const made = await engine.call(as, 'Register', request)
        const same = await engine.call(as, 'Get', made)
        expect(plain(blockOf(same))).toEqual(plain(request[type]!.KeyBlock))
        for (const other of all) {
          const KeyFormatType = other as KeyBlock['KeyFormatType']
          const got = await engine.call(as, 'Get', { ...made, KeyFormatType })
          expect(plain(blockOf(got))).toEqual(plain(half(key, type, other)[type]!.KeyBlock))
        }
        expect(await engine.attribute(as, made.UniqueIdentifier, 'CryptographicLength')).toEqual([
          key.length,
        ])
      }
    }
  })

  test('a key kept in a transparent curve format is served to every version', async () => {
    const engine = await testEngine()
    const key = await pairOf(kinds['P-256']!)
    const made = await engine.call(
      as,
      'Register',
      half(key, 'PublicKey', `${transparentCurve}PublicKey`),
    )
    for (const other of everyVersion) {
      const got = await engine.call(other, 'Get', made)
      const { KeyFormatType } = blockOf(got)
      const read = readPublicKey(KeyFormatType, materialOf(got))
      expect(isPair(read, key), other).toBe(true)
    }
    // A later change writes the record anew.
    const contact = { tag: 'ContactInformation' as const, value: 'somebody' }
    await engine.call(as, 'AddAttribute', { ...made, NewAttribute: contact })
    expect(await engine.attribute(as, made.UniqueIdentifier, 'ContactInformation')).toEqual([
      'somebody',
    ])
  })

  test('a point leaves in the form asked for', async () => {
    const engine = await testEngine()
    const key = await pairOf(kinds['P-256']!)
    const made = await engine.call(as, 'Register', half(key, 'PublicKey', 'X_509'))
    const KeyCompressionType = 'ECPublicKeyTypeX9_62CompressedPrime'
    const got = await engine.call(as, 'Get', { ...made, KeyCompressionType })
    expect(blockOf(got).KeyCompressionType).toBe(KeyCompressionType)
    const whole = await engine.call(as, 'Get', made)
    expect(hex(materialOf(got)).length).toBe(hex(materialOf(whole)).length - 64)
    expect(isPair(readPublicKey('X_509', materialOf(got)), key)).toBe(true)
    const request = { ...made, KeyCompressionType: 'ECPublicKeyTypeX9_62CompressedChar2' } as const
    expect(await engine.refused(as, 'Get', request)).toBe('KeyCompressionTypeNotSupported')
    const other = await engine.call(as, 'Register', half(key, 'PrivateKey', 'PKCS_8'))
    expect(await engine.refused(as, 'Get', { ...other, KeyCompressionType })).toBe(
      'KeyCompressionTypeNotSupported',
    )
  })

  test('digests are of the format kept, and from 2.0 on of the default one too', async () => {
    const engine = await testEngine()
    const key = await pairOf(kinds.RSA!)
    const digests = async (format: string) => {
      const made = await engine.call(as, 'Register', half(key, 'PrivateKey', format))
      return engine.attribute(as, made.UniqueIdentifier, 'Digest')
    }
    const bytes = (format: string) =>
      materialOf({ PrivateKey: half(key, 'PrivateKey', format).PrivateKey } as never) as Uint8Array
    const digest = (format: 'PKCS_1' | 'PKCS_8') =>
      expect.objectContaining({
        HashingAlgorithm: 'SHA_256',
        DigestValue: new Uint8Array(createHash('sha256').update(bytes(format)).digest()),
        ...(as !== '1.0' && { KeyFormatType: format }),
      }) as unknown
    expect(await digests('PKCS_1')).toEqual([digest('PKCS_1')])
    expect(await digests('PKCS_8')).toEqual(
      isLate(as) ? [digest('PKCS_8'), digest('PKCS_1')] : [digest('PKCS_8')],
    )
  })

  test('a key that is not understood is kept as the bytes it is', async () => {
    const engine = await testEngine()
    const bytes = Uint8Array.of(1, 2, 3)
    const KeyBlock = {
      KeyFormatType: 'Opaque' as const,
      KeyValue: inClear(bytes),
      CryptographicAlgorithm: 'RSA' as const,
      CryptographicLength: 2048,
    }
    const Attributes = [{ tag: 'CryptographicUsageMask' as const, value: 1 }]
    const request = { ObjectType: 'PrivateKey' as const, PrivateKey: { KeyBlock }, Attributes }
    const made = await engine.call(as, 'Register', request)
    expect(hex(materialOf(await engine.call(as, 'Get', made)))).toBe('010203')
    expect(await engine.refused(as, 'Get', { ...made, KeyFormatType: 'PKCS_8' })).toBe(
      'KeyFormatTypeNotSupported',
    )
  })

  test('a certificate comes back, and is known by what it says', async () => {
    const engine = await testEngine()
    const CertificateValue = certificate(await pairOf(kinds['P-256']!))
    const request: Register = {
      ObjectType: 'Certificate',
      Certificate: { CertificateType: 'X_509', CertificateValue },
      Attributes: [{ tag: 'CertificateType', value: 'X_509' }],
    }
    const made = await engine.call(as, 'Register', request)
    const got = await engine.call(as, 'Get', made)
    expect(got.ObjectType).toBe('Certificate')
    expect(hex(got.Certificate!.CertificateValue)).toBe(hex(CertificateValue))
    const attribute = (tag: Parameters<typeof engine.attribute>[2]) =>
      engine.attribute(as, made.UniqueIdentifier, tag)
    expect(await attribute('CertificateType')).toEqual(['X_509'])
    expect(await attribute('CryptographicLength')).toEqual([256])
    if (as >= '1.1') {
      expect(await attribute('CertificateLength')).toEqual([CertificateValue.length])
      expect(await attribute('DigitalSignatureAlgorithm')).toEqual(['ECDSAWithSHA256'])
      expect(await attribute('X_509CertificateSubject')).toHaveLength(1)
    }
    if (!isLate(as)) {
      expect(await attribute('CertificateSubject')).toMatchObject([
        { CertificateSubjectDistinguishedName: 'CN=site,O=Tapes' },
      ])
    }
    if (as >= '1.4') expect(await attribute('CertificateSubjectCN')).toEqual(['site'])
    const [digest] = await attribute('Digest')
    expect(hex((digest as { DigestValue: Uint8Array }).DigestValue)).toBe(sha256(CertificateValue))
  })

  test('a certificate is refused when the attributes say something else', async () => {
    const engine = await testEngine()
    const CertificateValue = certificate(await pairOf(kinds['P-256']!))
    const Certificate = { CertificateType: 'X_509' as const, CertificateValue }
    for (const one of [
      { tag: 'CertificateType' as const, value: 'PGP' },
      { tag: 'CryptographicAlgorithm' as const, value: 'RSA' },
      { tag: 'CryptographicLength' as const, value: 257 },
    ]) {
      const request = { ObjectType: 'Certificate' as const, Certificate, Attributes: [one] }
      expect(await engine.refused(as, 'Register', request)).toBe('InvalidField')
    }
  })

  test('a PGP certificate and a part of a key are kept as they are', async () => {
    const engine = await testEngine()
    const CertificateValue = Uint8Array.of(0x99, 1, 2)
    const pgp = await engine.call(as, 'Register', {
      ObjectType: 'Certificate',
      Certificate: { CertificateType: 'PGP', CertificateValue },
      Attributes: [],
    })
    const { Certificate } = await engine.call(as, 'Get', pgp)
    expect(hex(Certificate!.CertificateValue)).toBe('990102')
    const SplitKey = {
      SplitKeyParts: 3,
      KeyPartIdentifier: 3,
      SplitKeyThreshold: 2,
      SplitKeyMethod: 'XOR' as const,
      KeyBlock: {
        KeyFormatType: 'Raw' as const,
        KeyValue: inClear(Uint8Array.of(7, 8)),
        CryptographicAlgorithm: 'AES' as const,
        CryptographicLength: 128,
      },
    }
    const Attributes = [{ tag: 'CryptographicUsageMask' as const, value: 12 }]
    const part = await engine.call(as, 'Register', { ObjectType: 'SplitKey', SplitKey, Attributes })
    expect((await engine.call(as, 'Get', part)).SplitKey).toMatchObject({
      ...SplitKey,
      KeyBlock: { ...SplitKey.KeyBlock, KeyValue: { value: { KeyMaterial: Uint8Array.of(7, 8) } } },
    })
  })

  test('a private key is a half of its public key', async () => {
    const engine = await testEngine()
    const key = await pairOf(kinds.DSA!)
    const one = await engine.call(as, 'Register', half(key, 'PrivateKey', 'PKCS_8'))
    const got = await engine.call(as, 'Get', { ...one, KeyFormatType: 'TransparentDSAPrivateKey' })
    expect(isPair(readPrivateKey('TransparentDSAPrivateKey', materialOf(got)), key)).toBe(true)
  })
})

test.each(['1.2', '1.3', '1.4', '2.0', '2.1'] as const)(
  'in %s a PGP key comes back as it was',
  async (as) => {
    const engine = await testEngine()
    const PGPKey = {
      PGPKeyVersion: 4,
      KeyBlock: {
        KeyFormatType: 'Raw' as const,
        KeyValue: inClear(Buffer.from('-----BEGIN PGP PUBLIC KEY BLOCK-----')),
        CryptographicAlgorithm: 'RSA' as const,
        CryptographicLength: 2048,
      },
    }
    const made = await engine.call(as, 'Register', { ObjectType: 'PGPKey', PGPKey, Attributes: [] })
    const got = await engine.call(as, 'Get', { ...made, KeyFormatType: 'Raw' })
    expect(got.PGPKey?.PGPKeyVersion).toBe(4)
    expect(String(Buffer.from(materialOf(got) as Uint8Array))).toMatch(/BEGIN PGP/)
    expect(await engine.attribute(as, made.UniqueIdentifier, 'CryptographicLength')).toEqual([2048])
  },
)
