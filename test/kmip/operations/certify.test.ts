// Certify, Re-certify and Validate: certificates of the group's own authority, their links and dates, and
// what a chain is worth.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import { writePrivateKey } from '../../../src/crypto/key-formats.ts'
import type { PrivateHalf } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { opensslDirectory } from '../../crypto/openssl.ts'
import { everyVersion, principal, started, testEngine, type TestEngine } from './engine.ts'
import { certificate, half, kinds, pairOf, plain } from './objects.ts'
import { describeRefusals, name, since14, type Row } from './refusals.ts'

const key = await pairOf(kinds['P-256']!)
const other = await pairOf({ algorithm: 'EC', recommendedCurve: 'P_384' })

/** A PKCS#10 request of openssl's for a key. */
function requestOf(one: PrivateHalf, ...options: string[]): { der: Buffer; pem: Buffer } {
  const openssl = opensslDirectory()
  openssl.write('key.der', writePrivateKey(one, 'PKCS_8') as Uint8Array)
  const made = ['req', '-new', '-key', 'key.der', '-keyform', 'DER', '-subj', '/O=Tapes/CN=drive 7']
  openssl.run(...made, ...options, '-outform', 'DER', '-out', 'request.der')
  openssl.run(...made, ...options, '-out', 'request.pem')
  return {
    der: readFileSync(openssl.path('request.der')),
    pem: readFileSync(openssl.path('request.pem')),
  }
}

const publicKey = async (
  engine: TestEngine,
  as: VersionText,
  one: PrivateHalf = key,
  ...more: AttributeInstance[]
) => {
  const request = half(one, 'PublicKey', 'X_509')
  const Attributes = [...request.Attributes!, ...more]
  return (await engine.call(as, 'Register', { ...request, Attributes })).UniqueIdentifier
}

const x509: AttributeInstance = { tag: 'CertificateType', value: 'X_509' }

async function certificateOf(engine: TestEngine, as: VersionText, UniqueIdentifier: string) {
  const { Certificate } = await engine.call(as, 'Get', { UniqueIdentifier })
  return new X509Certificate(Certificate!.CertificateValue)
}

const linksOf = async (engine: TestEngine, as: VersionText, id: string) =>
  Object.fromEntries(
    ((await engine.attribute(as, id, 'Link')) as Record<string, string>[]).map(
      ({ LinkType, LinkedObjectIdentifier }) => [LinkType, LinkedObjectIdentifier],
    ),
  ) as Record<string, string>

async function verdict(
  engine: TestEngine,
  as: VersionText,
  request: Partial<RequestPayload<'Validate'>>,
) {
  const asked = { Certificate: [], UniqueIdentifier: [], ...request }
  return (await engine.call(as, 'Validate', asked)).ValidityIndicator
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test('a request is certified for the public key it is of', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await publicKey(engine, as)
    const made = await engine.call(as, 'Certify', {
      UniqueIdentifier,
      CertificateRequestType: 'PKCS_10',
      CertificateRequest: requestOf(key, '-addext', 'subjectAltName=DNS:drive7.example').der,
      Attributes: [x509],
    })
    const id = made.UniqueIdentifier
    const issued = await certificateOf(engine, as, id)
    expect(issued.subject).toBe('O=Tapes\nCN=drive 7')
    expect(issued.subjectAltName).toBe('DNS:drive7.example')
    expect(issued.issuer).toBe('CN=keyreel certificates of default')
    expect(issued.checkPrivateKey(key.privateKey)).toBe(true)
    expect(issued.ca).toBe(false)
    expect(await linksOf(engine, as, id)).toEqual({ PublicKeyLink: UniqueIdentifier })
    expect(await linksOf(engine, as, UniqueIdentifier)).toEqual({ CertificateLink: id })
    expect(await engine.attribute(as, id, 'CertificateType')).toEqual(['X_509'])
    if (as >= '1.4')
      expect(await engine.attribute(as, id, 'CertificateSubjectCN')).toEqual(['drive 7'])
    const entry = (await engine.audited()).find(({ operation }) => operation === 'Certify')
    expect(entry).toMatchObject({ object: id, outcome: 'Success' })
  })

  test('a public key alone is certified under its Name, and again by the same authority', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await publicKey(engine, as, key, name('robot'))
    const one = await engine.call(as, 'Certify', { UniqueIdentifier, Attributes: [x509] })
    const two = await engine.call(as, 'Certify', { UniqueIdentifier, Attributes: [x509] })
    const [first, second] = [
      await certificateOf(engine, as, one.UniqueIdentifier),
      await certificateOf(engine, as, two.UniqueIdentifier),
    ]
    expect([first.subject, second.subject]).toEqual(['CN=robot', 'CN=robot'])
    expect(first.serialNumber).not.toBe(second.serialNumber)
    expect(await verdict(engine, as, { UniqueIdentifier: [one.UniqueIdentifier] })).toBe('Valid')
    expect(await linksOf(engine, as, UniqueIdentifier)).toEqual({
      CertificateLink: two.UniqueIdentifier,
    })
    const authorities = await engine.store.read((work) => work.documents('issuing-authority'))
    expect(authorities.map((document) => document.name)).toEqual(['default'])
  })

  test('the key of a new pair is certified in the same batch', async () => {
    const engine = await testEngine()
    const Attributes: AttributeInstance[] = [x509]
    const CommonAttributes: AttributeInstance[] = [
      { tag: 'CryptographicAlgorithm', value: 'ECDSA' },
      { tag: 'CryptographicDomainParameters', value: { RecommendedCurve: 'P_256' } },
      { tag: 'CryptographicUsageMask', value: 1 },
    ]
    const pair = await engine.call(as, 'CreateKeyPair', { CommonAttributes })
    const UniqueIdentifier = pair.PublicKeyUniqueIdentifier
    const [made, got] = await engine.batch(as, [
      ['Certify', { UniqueIdentifier, Attributes }],
      ['Get', {}],
    ])
    expect(made?.ResultStatus).toBe('Success')
    expect(got?.ResponsePayload).toMatchObject({ ObjectType: 'Certificate' })
  })

  test('a renewed certificate takes the place of the old one', async () => {
    const engine = await testEngine()
    const day = 86_400n
    const UniqueIdentifier = await publicKey(engine, as)
    const { UniqueIdentifier: old } = await engine.call(as, 'Certify', {
      UniqueIdentifier,
      Attributes: [
        x509,
        name('robot'),
        { tag: 'ActivationDate', value: started },
        { tag: 'DeactivationDate', value: started + 30n * day },
      ],
    })
    engine.time.seconds = started + 20n * day
    const { UniqueIdentifier: id } = await engine.call(as, 'ReCertify', {
      UniqueIdentifier: old,
      Offset: 60,
      Attributes: [],
    })
    expect(await engine.attribute(as, id, 'Name')).toHaveLength(1)
    expect(await engine.attribute(as, old, 'Name')).toEqual([])
    expect(await linksOf(engine, as, old)).toMatchObject({ ReplacementObjectLink: id })
    expect(await linksOf(engine, as, id)).toEqual({
      ReplacedObjectLink: old,
      PublicKeyLink: UniqueIdentifier,
    })
    expect(await linksOf(engine, as, UniqueIdentifier)).toEqual({ CertificateLink: id })
    expect(await engine.attribute(as, id, 'ActivationDate')).toEqual([started + 20n * day + 60n])
    expect(await engine.attribute(as, id, 'DeactivationDate')).toEqual([started + 50n * day + 60n])
    const [before, after] = [
      await certificateOf(engine, as, old),
      await certificateOf(engine, as, id),
    ]
    expect(after.subject).toBe(before.subject)
    expect(after.publicKey.equals(before.publicKey)).toBe(true)
    expect(after.serialNumber).not.toBe(before.serialNumber)
    expect(BigInt(Date.parse(after.validTo)) / 1000n).toBe(started + 50n * day + 60n)
    const identifiers =
      as >= '1.1' ? await engine.attribute(as, id, 'X_509CertificateIdentifier') : []
    if (as >= '1.1') {
      expect(identifiers).toHaveLength(1)
      expect(plain(identifiers)).not.toEqual(
        plain(await engine.attribute(as, old, 'X_509CertificateIdentifier')),
      )
    }
  })

  test('a renewal without a request keeps alternative names, key usage and purposes', async () => {
    const engine = await testEngine()
    const { der } = requestOf(
      key,
      ...['-addext', 'subjectAltName=DNS:drive-7.example'],
      ...['-addext', 'keyUsage=digitalSignature,keyCertSign'],
      ...['-addext', 'extendedKeyUsage=clientAuth'],
    )
    const UniqueIdentifier = await publicKey(engine, as)
    const old = await engine.call(as, 'Certify', {
      UniqueIdentifier,
      CertificateRequestType: 'PKCS_10',
      CertificateRequest: der,
      Attributes: [x509],
    })
    const renewed = await engine.call(as, 'ReCertify', { ...old, Attributes: [] })
    const before = await certificateOf(engine, as, old.UniqueIdentifier)
    const after = await certificateOf(engine, as, renewed.UniqueIdentifier)
    expect(after.subjectAltName).toBe('DNS:drive-7.example')
    expect(after.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(after.ca).toBe(false)
    const openssl = opensslDirectory()
    const usageOf = ({ raw }: X509Certificate) => {
      openssl.write('one.der', raw)
      return openssl.run('x509', '-inform', 'DER', '-in', 'one.der', '-noout', '-ext', 'keyUsage')
    }
    expect(usageOf(after)).toContain('Digital Signature')
    expect(usageOf(after)).toBe(usageOf(before))
  })

  test('a chain is Valid, Invalid or Unknown', async () => {
    const engine = await testEngine()
    const root = certificate(key, 'root')
    const Certificate = [{ CertificateType: 'X_509' as const, CertificateValue: root }]
    expect(await verdict(engine, as, { Certificate })).toBe('Unknown')
    const request = {
      ObjectType: 'Certificate' as const,
      Certificate: Certificate[0]!,
      Attributes: [],
    }
    const { UniqueIdentifier: id } = await engine.call(as, 'Register', request)
    expect(await verdict(engine, as, { UniqueIdentifier: [id] })).toBe('Valid')
    const late = started + 86_400n * 400n
    expect(await verdict(engine, as, { UniqueIdentifier: [id], ValidityDate: late })).toBe(
      'Invalid',
    )
    const forged = Uint8Array.from(root)
    forged[forged.length - 1]! ^= 1
    const changed = [{ CertificateType: 'X_509' as const, CertificateValue: forged }]
    expect(await verdict(engine, as, { Certificate: changed })).toBe('Invalid')
    await engine.call(as, 'Revoke', {
      UniqueIdentifier: id,
      RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
    })
    engine.time.seconds += 1n
    expect(await verdict(engine, as, { UniqueIdentifier: [id] })).toBe('Invalid')
    const pgp = [{ CertificateType: 'PGP' as const, CertificateValue: Uint8Array.of(1) }]
    expect(await verdict(engine, as, { Certificate: pgp })).toBe('Unknown')
  })
})

test('groups have authorities of their own', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await publicKey(engine, '1.4')
  const made = await engine.call('1.4', 'Certify', { UniqueIdentifier, Attributes: [x509] })
  const { Certificate } = await engine.call('1.4', 'Get', made)
  const stranger = principal({ name: 'gamma', group: 'other' })
  const asked = { Certificate: [Certificate!], UniqueIdentifier: [] }
  const judged = await engine.call('1.4', 'Validate', asked, stranger)
  expect(judged.ValidityIndicator).toBe('Unknown')
  expect(await verdict(engine, '1.4', { Certificate: [Certificate!] })).toBe('Valid')
})

test.each(['2.0', '2.1'] as const)('in %s a request that is an object is certified', async (as) => {
  const engine = await testEngine()
  const { der, pem } = requestOf(key)
  for (const [CertificateRequestType, CertificateRequestValue] of [
    ['PKCS_10', der],
    ['PEM', pem],
  ] as const) {
    const CertificateRequest = { CertificateRequestType, CertificateRequestValue }
    const kept = await engine.call(as, 'Register', {
      ObjectType: 'CertificateRequest',
      CertificateRequest,
      Attributes: [],
    })
    const got = await engine.call(as, 'Get', kept)
    expect(plain(got.CertificateRequest)).toEqual(plain(CertificateRequest))
    expect(await engine.attribute(as, kept.UniqueIdentifier, 'CryptographicLength')).toEqual([256])
    const made = await engine.call(as, 'Certify', { ...kept, Attributes: [x509] })
    const issued = await certificateOf(engine, as, made.UniqueIdentifier)
    expect(issued.subject).toBe('O=Tapes\nCN=drive 7')
    const renewed = await engine.call(as, 'ReCertify', {
      ...made,
      CertificateRequestUniqueIdentifier: kept.UniqueIdentifier,
      Attributes: [],
    })
    const again = await certificateOf(engine, as, renewed.UniqueIdentifier)
    expect(again.subject).toBe(issued.subject)
  }
})

test.each(['1.4', '2.1'] as const)('in %s a subject may be given in parts', async (as) => {
  const engine = await testEngine()
  const UniqueIdentifier = await publicKey(engine, as)
  const parts: AttributeInstance[] = [
    { tag: 'CertificateSubjectO', value: 'Tapes' },
    { tag: 'CertificateSubjectCN', value: 'drive 8' },
  ]
  const made = await engine.call(as, 'Certify', { UniqueIdentifier, Attributes: [x509, ...parts] })
  const issued = await certificateOf(engine, as, made.UniqueIdentifier)
  expect(issued.subject).toBe('O=Tapes\nCN=drive 8')
  expect(await engine.attribute(as, made.UniqueIdentifier, 'CertificateSubjectCN')).toEqual([
    'drive 8',
  ])
})

const request = (more: object) =>
  ({ CertificateRequestType: 'PKCS_10', Attributes: [x509], ...more }) as never

const rows: Row[] = [
  [
    'to certify what is not there',
    () => ['Certify', request({ UniqueIdentifier: 'nothing' })],
    'ItemNotFound',
    'ItemNotFound',
  ],
  [
    'to certify a symmetric key',
    async (engine, as) => ['Certify', request({ UniqueIdentifier: await engine.key(as, 'A') })],
    'PermissionDenied',
    'InvalidObjectType',
  ],
  [
    'a request that is none',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        CertificateRequest: Uint8Array.of(1, 2),
      }),
    ],
    'InvalidField',
    'InvalidCSR',
  ],
  [
    'a request of another key',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        CertificateRequest: requestOf(other).der,
      }),
    ],
    'InvalidField',
    'InvalidCSR',
  ],
  [
    'a request without its type',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        CertificateRequest: requestOf(key).der,
        CertificateRequestType: undefined,
      }),
    ],
    'InvalidField',
    'InvalidField',
  ],
  [
    'a request of a type that is not read',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        CertificateRequest: Uint8Array.of(1),
        CertificateRequestType: 'CRMF',
      }),
    ],
    'FeatureNotSupported',
    'FeatureNotSupported',
  ],
  [
    'a PGP certificate',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        Attributes: [{ tag: 'CertificateType', value: 'PGP' }],
      }),
    ],
    'FeatureNotSupported',
    'FeatureNotSupported',
  ],
  [
    'a subject of what is no country',
    async (engine, as) => [
      'Certify',
      request({
        UniqueIdentifier: await publicKey(engine, as),
        Attributes: [x509, { tag: 'CertificateSubjectC', value: 'Tapeland' }],
      }),
    ],
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'to renew a public key',
    async (engine, as) => [
      'ReCertify',
      request({ UniqueIdentifier: await publicKey(engine, as), Attributes: [] }),
    ],
    'PermissionDenied',
    'InvalidObjectType',
  ],
  [
    'to renew a certificate twice',
    async (engine, as) => {
      const UniqueIdentifier = await publicKey(engine, as)
      const made = await engine.call(as, 'Certify', { UniqueIdentifier, Attributes: [x509] })
      await engine.call(as, 'ReCertify', { ...made, Attributes: [] })
      return ['ReCertify', { ...made, Attributes: [] }] as never
    },
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'to renew with an Offset and dates',
    async (engine, as) => {
      const UniqueIdentifier = await publicKey(engine, as)
      const made = await engine.call(as, 'Certify', { UniqueIdentifier, Attributes: [x509] })
      const Attributes = [{ tag: 'ActivationDate', value: started }]
      return ['ReCertify', { ...made, Offset: 5, Attributes }] as never
    },
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'to validate nothing',
    () => ['Validate', { Certificate: [], UniqueIdentifier: [] }],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'to validate certificates that have nothing to do with each other',
    () => [
      'Validate',
      {
        Certificate: [certificate(key, 'one'), certificate(other, 'two')].map(
          (CertificateValue) => ({ CertificateType: 'X_509' as const, CertificateValue }),
        ),
        UniqueIdentifier: [],
      },
    ],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'to validate a key',
    async (engine, as) => [
      'Validate',
      { Certificate: [], UniqueIdentifier: [await engine.key(as, 'A')] },
    ],
    'InvalidMessage',
    'InvalidObjectType',
  ],
]

describeRefusals('certificates:', rows)

test('a refused Certify leaves no authority behind', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await publicKey(engine, '2.1')
  await engine.key('2.1', 'taken')
  const Attributes = [x509, name('name of taken')]
  expect(await engine.refused('2.1', 'Certify', { UniqueIdentifier, Attributes })).toBe(
    'NonUniqueNameAttribute',
  )
  const authorities = await engine.store.read((work) => work.documents('issuing-authority'))
  expect(authorities).toEqual([])
})

test('a tape library has no certificates issued, and none judged', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await publicKey(engine, '2.1')
  const tape = principal({ profile: 'tape-library' })
  const asked = { UniqueIdentifier, Attributes: [x509] }
  expect(await engine.refused('2.1', 'Certify', asked, tape)).toBe('PermissionDenied')
  const CertificateRequest = requestOf(key).der
  const alone = { CertificateRequestType: 'PKCS_10' as const, CertificateRequest, Attributes: [] }
  expect(await engine.refused('2.1', 'Certify', alone, tape)).toBe('PermissionDenied')
  const Certificate = [{ CertificateType: 'X_509' as const, CertificateValue: certificate(key) }]
  const chain = { Certificate, UniqueIdentifier: [] }
  expect(await engine.refused('2.1', 'Validate', chain, tape)).toBe('PermissionDenied')
})
