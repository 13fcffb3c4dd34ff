/** People with keys and certificates of their own, for tests of operators and approvals. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { issueCertificate, type CertificateUse } from '../../src/crypto/certificates-issue.ts'

/** A certificate and its private key, PEM. */
export interface Person {
  readonly certificate: string
  readonly key: string
}

const pairs = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  Ed25519: () => generateKeyPairSync('ed25519'),
  'RSA-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'RSA-1024': () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
}

export type KindOfKey = keyof typeof pairs

const years = 366n * 86_400n

/** Makes one, certified by itself from a year before `now` to five years after it, unless told otherwise. */
export function person(
  name: string,
  now: bigint,
  {
    kind = 'P-256',
    use = 'client',
    notBefore = now - years,
    notAfter = now + 5n * years,
    renews,
  }: {
    kind?: KindOfKey
    use?: CertificateUse
    notBefore?: bigint
    notAfter?: bigint
    /** The pair of keys that a further certificate is made for. */
    renews?: { publicKey: KeyObject; privateKey: KeyObject }
  } = {},
): Person & { pair: { publicKey: KeyObject; privateKey: KeyObject } } {
  const pair = renews ?? pairs[kind]()
  const { publicKey, privateKey } = pair
  const certificate = issueCertificate(
    { subject: { commonName: name }, publicKey, use, notBefore, notAfter },
    { privateKey },
  )
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return { certificate: certificate.pem, key, pair }
}
