/**
 * A PKI for development and tests: an authority, a server, two libraries and a peer, and beside
 * them the bad certificates a server must refuse. `npm run certs` writes it to certs/out, which git
 * ignores: no private key is ever committed.
 */
import { generateKeyPair as generate } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  issueCertificate,
  validityFrom,
  type CertificateUse,
  type Issuer,
} from '../src/crypto/certificates-issue.ts'
import { generateKeyPair, privateKeyPem, type KeyType } from '../src/crypto/key-pairs.ts'

const day = 86_400n

interface Row {
  /** For certs/README.md and whoever lists the files. */
  about: string
  use: CertificateUse
  key: KeyType | 'rsa1024'
  issuer: 'ca' | 'foreign-ca' | 'self'
  hosts?: readonly string[]
  /** Days from now; without it the validity of a certificate of this use. */
  days?: readonly [from: bigint, to: bigint]
}

/** Every certificate made, in the order of making: an issuer stands before what it issues. */
export const developmentCertificates = {
  ca: { about: 'the authority', use: 'authority', key: 'p256', issuer: 'self' },
  server: {
    about: 'a key server on this machine',
    use: 'server',
    key: 'p256',
    issuer: 'ca',
    hosts: ['localhost', '127.0.0.1', '::1'],
  },
  alpha: { about: 'a library', use: 'client', key: 'rsa2048', issuer: 'ca' },
  beta: { about: 'another library', use: 'client', key: 'p256', issuer: 'ca' },
  peer: { about: 'another key server, as a client', use: 'client', key: 'p384', issuer: 'ca' },
  expired: {
    about: 'ended yesterday',
    use: 'client',
    key: 'p256',
    issuer: 'ca',
    days: [-30n, -1n],
  },
  'not-yet-valid': {
    about: 'begins in a month',
    use: 'client',
    key: 'p256',
    issuer: 'ca',
    days: [30n, 60n],
  },
  'foreign-ca': {
    about: 'an authority nobody here knows',
    use: 'authority',
    key: 'p256',
    issuer: 'self',
  },
  foreign: { about: 'issued by it', use: 'client', key: 'p256', issuer: 'foreign-ca' },
  'self-signed': { about: 'vouches for itself', use: 'client', key: 'p256', issuer: 'self' },
  'wrong-usage': { about: 'for servers only', use: 'server', key: 'p256', issuer: 'ca' },
  weak: { about: 'RSA of 1,024 bits', use: 'client', key: 'rsa1024', issuer: 'ca' },
  revoked: { about: 'good, for tests to revoke', use: 'client', key: 'p256', issuer: 'ca' },
} as const satisfies Record<string, Row>

export type DevelopmentCertificate = keyof typeof developmentCertificates
export type DevelopmentPki = Record<DevelopmentCertificate, Issuer>

/** Makes them all in memory; `now` is seconds since 1970. */
export async function makeCertificates(now: bigint): Promise<DevelopmentPki> {
  const made = new Map<string, Issuer>()
  for (const [name, row] of Object.entries<Row>(developmentCertificates)) {
    const pair = await keyPairOf(row.key)
    const issuer = made.get(row.issuer) ?? { privateKey: pair.privateKey }
    const validity = row.days && {
      notBefore: now + row.days[0] * day,
      notAfter: now + row.days[1] * day,
    }
    const plan = {
      subject: { commonName: name, organization: 'keyreel development' },
      publicKey: pair.publicKey,
      use: row.use,
      ...(row.hosts === undefined ? {} : { hosts: row.hosts }),
      ...(validity ?? validityFrom(now, row.use)),
    }
    const certificate = issueCertificate(plan, issuer)
    made.set(name, { certificate, privateKey: pair.privateKey })
  }
  return Object.fromEntries(made) as DevelopmentPki
}

/** Writes `NAME.pem` and `NAME.key.pem` of each into a directory, which is made when absent. */
export async function writeCertificates(pki: DevelopmentPki, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const [name, { certificate, privateKey }] of Object.entries(pki)) {
    await writeFile(join(directory, `${name}.pem`), certificate.pem, { mode: 0o600 })
    await writeFile(join(directory, `${name}.key.pem`), privateKeyPem(privateKey), { mode: 0o600 })
  }
}

function keyPairOf(key: Row['key']) {
  return key === 'rsa1024'
    ? promisify(generate)('rsa', { modulusLength: 1024 })
    : generateKeyPair(key)
}

if (import.meta.main) {
  const out = fileURLToPath(new URL('out', import.meta.url))
  await writeCertificates(await makeCertificates(BigInt(Math.floor(Date.now() / 1000))), out)
  process.stdout.write(`development certificates are in ${out}\n`)
}
