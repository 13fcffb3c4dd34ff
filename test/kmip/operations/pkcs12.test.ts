// Private keys as PKCS#12 files: opened by Register, put together by Get, under a password that is an
// object of its own (since KMIP 1.4).
import { describe, expect, test } from 'vitest'
import { readPkcs12, writePkcs12Entry } from '../../../src/crypto/key-formats/pkcs12.ts'
import { isPair } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import { readPrivateKey } from '../../../src/crypto/key-formats.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { isLate, started, testEngine, type TestEngine } from './engine.ts'
import { opensslDirectory } from '../../crypto/openssl.ts'
import { certificate, half, inClear, kinds, pairOf, plain } from './objects.ts'

type Version = '1.4' | '2.0' | '2.1'
const versions: Version[] = ['1.4', '2.0', '2.1']

const password = Buffer.from('open sesame')
const link = (LinkType: string, LinkedObjectIdentifier: string): AttributeInstance => ({
  tag: 'Link',
  value: { LinkType, LinkedObjectIdentifier },
})

async function passwordId(
  engine: TestEngine,
  as: Version,
  { bytes = password as Uint8Array, type = 'Password' as 'Password' | 'Seed', active = true } = {},
): Promise<string> {
  const KeyBlock = { KeyFormatType: 'Opaque' as const, KeyValue: inClear(bytes) }
  const { UniqueIdentifier } = await engine.call(as, 'Register', {
    ObjectType: 'SecretData',
    SecretData: { SecretDataType: type, KeyBlock },
    Attributes: active ? [{ tag: 'ActivationDate', value: started - 1n }] : [],
  })
  return UniqueIdentifier
}

/** Register of a file, as the published cases have it or with the bytes as Key Material. */
const fileOf = (
  file: Uint8Array,
  Attributes: AttributeInstance[],
  asMaterial = false,
): Partial<RequestPayload<'Register'>> => ({
  ObjectType: 'PrivateKey',
  PrivateKey: {
    KeyBlock: {
      KeyFormatType: 'PKCS_12',
      KeyValue: asMaterial ? inClear(file) : { type: 'ByteString', value: file },
    },
  },
  Attributes: [{ tag: 'CryptographicUsageMask', value: 1 }, ...Attributes],
})

const key = await pairOf(kinds.RSA!)
const chain = [certificate(key), certificate(await pairOf(kinds['P-256']!), 'issuer')]
const file = writePkcs12Entry(
  { key, friendlyName: 'tape robot', certificates: [chain[0]!] },
  password,
)

const linksOf = async (engine: TestEngine, as: Version, id: string) =>
  (await engine.attribute(as, id, 'Link')) as { LinkType: string; LinkedObjectIdentifier: string }[]

describe.each(versions)('KMIP %s', (as) => {
  test.each([false, true])('a file becomes a key and its certificate', async (asMaterial) => {
    const engine = await testEngine()
    const secret = await passwordId(engine, as)
    const Attributes = [link('PKCS_12PasswordLink', secret)]
    const made = await engine.call(as, 'Register', fileOf(file, Attributes, asMaterial))
    const id = made.UniqueIdentifier
    const { KeyBlock } = (await engine.call(as, 'Get', made)).PrivateKey!
    expect(KeyBlock).toMatchObject({
      KeyFormatType: 'PKCS_8',
      CryptographicAlgorithm: 'RSA',
      CryptographicLength: 1024,
    })
    const { KeyValue } = KeyBlock
    const material = KeyValue?.type === 'Structure' && KeyValue.value.KeyMaterial
    expect(isPair(readPrivateKey('PKCS_8', material), key)).toBe(true)
    expect(await engine.attribute(as, id, 'PKCS_12FriendlyName')).toEqual(['tape robot'])
    const links = await linksOf(engine, as, id)
    expect(links.map(({ LinkType }) => LinkType)).toEqual([
      'PKCS_12PasswordLink',
      'PKCS_12CertificateLink',
    ])
    const got = await engine.call(as, 'Get', { UniqueIdentifier: links[1]!.LinkedObjectIdentifier })
    expect(plain(got.Certificate!.CertificateValue)).toBe(plain(chain[0]))
  })

  test('its certificate shows the serial number bare, and is found by it with and without its DER header', async () => {
    const engine = await testEngine()
    const Attributes = [link('PKCS_12PasswordLink', await passwordId(engine, as))]
    const made = await engine.call(as, 'Register', fileOf(file, Attributes))
    const links = await linksOf(engine, as, made.UniqueIdentifier)
    const UniqueIdentifier = links[1]!.LinkedObjectIdentifier
    const [shown] = await engine.attribute(as, UniqueIdentifier, 'X_509CertificateIdentifier')
    const { CertificateSerialNumber: bare } = shown as { CertificateSerialNumber: Uint8Array }
    const inDer = Uint8Array.of(0x02, bare.length, ...bare)
    expect(Buffer.from(chain[0]!).includes(inDer)).toBe(true)
    for (const CertificateSerialNumber of [bare, inDer]) {
      const value = { CertificateSerialNumber }
      const wanted = { tag: 'X_509CertificateIdentifier' as const, value }
      const found = await engine.call(as, 'Locate', { Attributes: [wanted] })
      expect(found.UniqueIdentifier).toEqual([UniqueIdentifier])
    }
    const [digest] = await engine.attribute(as, UniqueIdentifier, 'Digest')
    expect(digest).not.toHaveProperty('KeyFormatType')
  })

  test('the key shows the digest of PKCS#8, and from 2.0 on that of the default format', async () => {
    const engine = await testEngine()
    const Attributes = [link('PKCS_12PasswordLink', await passwordId(engine, as))]
    const made = await engine.call(as, 'Register', fileOf(file, Attributes))
    const digests = await engine.attribute(as, made.UniqueIdentifier, 'Digest')
    const formats = digests.map((one) => (one as { KeyFormatType: string }).KeyFormatType)
    expect(formats).toEqual(isLate(as) ? ['PKCS_8', 'PKCS_1'] : ['PKCS_8'])
  })

  test('a key leaves with the certificates that its links lead to', async () => {
    const engine = await testEngine()
    const secret = await passwordId(engine, as)
    const certificates: string[] = []
    for (const CertificateValue of chain) {
      const Certificate = { CertificateType: 'X_509' as const, CertificateValue }
      const request = { ObjectType: 'Certificate' as const, Certificate, Attributes: [] }
      certificates.push((await engine.call(as, 'Register', request)).UniqueIdentifier)
    }
    const [one, issuer] = certificates as [string, string]
    await engine.call(as, 'AddAttribute', {
      UniqueIdentifier: one,
      NewAttribute: link('CertificateLink', issuer),
    })
    const open = half(key, 'PublicKey', 'PKCS_1')
    open.Attributes = [...open.Attributes!, link('CertificateLink', one)]
    const publicKey = await engine.call(as, 'Register', open)
    const closed = half(key, 'PrivateKey', 'TransparentRSAPrivateKey')
    closed.Attributes = [
      ...closed.Attributes!,
      link('PublicKeyLink', publicKey.UniqueIdentifier),
      link('PKCS_12PasswordLink', secret),
    ]
    const made = await engine.call(as, 'Register', closed)
    const got = await engine.call(as, 'Get', { ...made, KeyFormatType: 'PKCS_12' })
    const { KeyBlock } = got.PrivateKey!
    expect(KeyBlock).toEqual({
      KeyFormatType: 'PKCS_12',
      KeyValue: { type: 'ByteString', value: expect.any(Uint8Array) as Uint8Array },
    })
    const bytes = (KeyBlock as KeyBlock).KeyValue!.value as Uint8Array
    const entry = readPkcs12(bytes, password)
    expect(isPair(entry.key, key)).toBe(true)
    expect(entry.friendlyName).toBe('alias')
    expect(plain(entry.certificates[0])).toBe(plain(chain[0]))
  })

  test('since 2.0 a certificate leaves with those above it, and without any key', async () => {
    const engine = await testEngine()
    const links: AttributeInstance[] = []
    const made: { UniqueIdentifier: string }[] = []
    for (const CertificateValue of chain.toReversed()) {
      const Certificate = { CertificateType: 'X_509' as const, CertificateValue }
      const request = { ObjectType: 'Certificate' as const, Certificate, Attributes: [...links] }
      const { UniqueIdentifier } = await engine.call(as, 'Register', request)
      made.push({ UniqueIdentifier })
      links.push(link('CertificateLink', UniqueIdentifier))
      links.push(link('PKCS_12PasswordLink', await passwordId(engine, as)))
    }
    const [, { UniqueIdentifier }] = made as [unknown, { UniqueIdentifier: string }]
    const asked = { UniqueIdentifier, KeyFormatType: 'PKCS_12' as const }
    if (!isLate(as)) {
      expect(await engine.refused(as, 'Get', asked)).toBe('KeyFormatTypeNotSupported')
      return
    }
    const { Certificate } = await engine.call(as, 'Get', asked)
    expect(Certificate!.CertificateType).toBe('X_509')
    const openssl = opensslDirectory()
    openssl.write('chain.p12', Certificate!.CertificateValue)
    const opened = openssl.run('pkcs12', '-in', 'chain.p12', '-passin', `pass:${String(password)}`)
    const names = [...opened.matchAll(/subject=(.*)/g)].map(([, subject]) => subject)
    expect(names).toHaveLength(2)
    expect(names[0]).toContain('site')
    expect(names[1]).toContain('issuer')
    expect(opened).toContain('friendlyName: alias')
    expect(opened).not.toContain('PRIVATE KEY')
    // The issuer is linked to no password.
    const issuer = { ...made[0]!, KeyFormatType: 'PKCS_12' as const }
    expect(await engine.refused(as, 'Get', issuer)).toBe('InvalidField')
  })

  test.each<[string, Parameters<typeof passwordId>[2], string, string]>([
    ['a wrong password', { bytes: Buffer.from('wrong') }, 'InvalidField', 'BadPassword'],
    ['a password that is not Active', { active: false }, 'PermissionDenied', 'BadPassword'],
    ['a seed for a password', { type: 'Seed' }, 'InvalidField', 'BadPassword'],
  ])('a file is refused with %s', async (_, kind, before20, late) => {
    const engine = await testEngine()
    const secret = await passwordId(engine, as, kind)
    const request = fileOf(file, [link('PKCS_12PasswordLink', secret)])
    expect(await engine.refused(as, 'Register', request)).toBe(isLate(as) ? late : before20)
    const { UniqueIdentifier } = await engine.call(as, 'Locate', { Attributes: [] })
    expect(UniqueIdentifier).toEqual([secret])
  })

  test('a file is refused without a password, with two, and when it is none', async () => {
    const engine = await testEngine()
    const secret = await passwordId(engine, as)
    const expected = isLate(as) ? 'BadPassword' : 'InvalidField'
    expect(await engine.refused(as, 'Register', fileOf(file, []))).toBe(expected)
    const twice = [link('PKCS_12PasswordLink', secret), link('PKCS_12PasswordLink', 'another')]
    expect(await engine.refused(as, 'Register', fileOf(file, twice))).toBe(expected)
    const broken = fileOf(file.subarray(0, 100), [link('PKCS_12PasswordLink', secret)])
    expect(await engine.refused(as, 'Register', broken)).toBe('InvalidField')
    const claims = fileOf(file, [
      link('PKCS_12PasswordLink', secret),
      { tag: 'CryptographicLength', value: 2048 },
    ])
    expect(await engine.refused(as, 'Register', claims)).toBe('InvalidField')
  })

  test('a key without certificate or password does not leave as a file', async () => {
    const engine = await testEngine()
    const made = await engine.call(as, 'Register', half(key, 'PrivateKey', 'PKCS_1'))
    const request = { ...made, KeyFormatType: 'PKCS_12' as const }
    expect(await engine.refused(as, 'Get', request)).toBe('InvalidField')
    const open = await engine.call(as, 'Register', half(key, 'PublicKey', 'PKCS_1'))
    expect(await engine.refused(as, 'Get', { ...open, KeyFormatType: 'PKCS_12' })).toBe(
      'KeyFormatTypeNotSupported',
    )
  })
})
