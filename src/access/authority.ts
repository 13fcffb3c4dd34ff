/**
 * The server's own identity: its certificate authority and the two certificates it shows (an RSA
 * and a P-256 one, so that old libraries connect too), kept as documents with sealed private keys.
 */
import {
  issueCertificate,
  parseHosts,
  validityFrom,
  type Issuer,
} from '../crypto/certificates-issue.ts'
import { certificateNames, parseCertificate, type Certificate } from '../crypto/certificates.ts'
import {
  generateKeyPair,
  privateKeyDer,
  privateKeyFrom,
  privateKeyPem,
  type KeyType,
} from '../crypto/key-pairs.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import {
  administrator,
  allOf,
  bodyOf,
  putBody,
  type ActingStore,
  type DocumentKind,
  type Documents,
} from './documents.ts'

/** One certificate of each kind is shown; a client takes the one it can check. */
const serverKeyTypes = ['p256', 'rsa3072'] as const satisfies KeyType[]

/** So that programs on the server's own machine can check it too. */
const loopback = ['localhost', '127.0.0.1', '::1']

/** The server's certificates with what else an administrator is shown. */
export interface ServerIdentity {
  authority: Certificate
  certificates: Certificate[]
  hosts: string[]
}

/**
 * Makes authority and server certificates for these hosts and the group `default`, in one act.
 * Throws `UserError` 'host-name', or 'already-initialised' when there is an authority.
 */
export async function createServerIdentity(
  store: ActingStore,
  hosts: readonly string[],
  actor: AuditActor = administrator,
): Promise<ServerIdentity> {
  const names = hostNames(hosts)
  const now = await store.read(async (work) => work.now)
  const { privateKey, publicKey } = await generateKeyPair('p256')
  const authority = issueCertificate(
    {
      subject: { commonName: `keyreel CA ${names[0]}`, organization: 'keyreel' },
      publicKey,
      use: 'authority',
      ...validityFrom(now, 'authority'),
    },
    { privateKey },
  )
  const issued = await issueServerCertificates({ certificate: authority, privateKey }, names, now)
  return store.act(async (work) => {
    if ((await bodyOf(work, 'authority', 'ca')) !== undefined)
      throw new UserError(
        'already-initialised',
        'this keystore has a certificate authority already',
        'renew the server certificate instead:  keyreel server certificate renew',
      )
    const body = { pem: authority.pem, created: Number(now) }
    await putBody(work, 'authority', 'ca', body, privateKeyDer(privateKey))
    await putBody(work, 'group', 'default', { created: Number(now) })
    return putServerCertificates(work, authority, issued, names, 'server certificate create', actor)
  })
}

/**
 * Renews the server certificates under the same authority, with new keys: for the hosts given, or
 * else for the same as before. The server shows them after its next reload.
 */
export async function renewServerCertificates(
  store: ActingStore,
  hosts: readonly string[] = [],
  actor: AuditActor = administrator,
): Promise<ServerIdentity> {
  const { authority, now, before } = await store.read(async (work) => ({
    authority: await openAuthority(work),
    now: work.now,
    before: await serverIdentity(work),
  }))
  const names = hosts.length === 0 ? before.hosts : hostNames(hosts)
  const issued = await issueServerCertificates(authority, names, now)
  return store.act((work) =>
    putServerCertificates(
      work,
      authority.certificate,
      issued,
      names,
      'server certificate renew',
      actor,
    ),
  )
}

/**
 * Renews when two thirds of a server certificate's life are over, and what was issued while the clock was ahead:
 * it is valid only later, so that libraries would refuse it. Undefined when neither is so. A clock that is behind
 * is told by the authority, which is not valid yet either: then nothing is renewed.
 */
export async function renewServerCertificatesWhenDue(
  store: ActingStore,
): Promise<ServerIdentity | undefined> {
  const isDue = await store.read(async (work) => {
    const { authority, certificates } = await serverIdentity(work)
    const isEarly = work.now < authority.notBefore
    return certificates.some(
      (certificate) =>
        work.now >= renewalTime(certificate) || (work.now < certificate.notBefore && !isEarly),
    )
  })
  if (!isDue) return undefined
  return renewServerCertificates(store, [], { name: 'server', kind: 'server' })
}

/** When a certificate has lived two thirds of its life, in seconds since 1970. */
export function renewalTime({ notBefore, notAfter }: Certificate): bigint {
  return notBefore + ((notAfter - notBefore) * 2n) / 3n
}

/** Authority and server certificates as they are now. Throws `UserError` 'not-initialised'. */
export async function serverIdentity(work: Documents): Promise<ServerIdentity> {
  const authority = await authorityCertificate(work)
  const documents = await allOf(work, 'server-certificate')
  return {
    authority,
    certificates: documents.map(({ body }) => parseCertificate(body.pem)),
    hosts: documents[0]?.body.hosts ?? [],
  }
}

/** What a TLS listener is given: PEM, keys in the clear. `ca` holds the issuers of enrolled clients. */
export async function serverCertificates(
  store: Pick<ActingStore, 'read'>,
): Promise<{ key: string[]; cert: string[]; ca: string[] }> {
  return store.read(async (work) => {
    const key: string[] = []
    const cert: string[] = []
    for (const { name, body } of await allOf(work, 'server-certificate')) {
      key.push(privateKeyPem(await openKey(work, 'server-certificate', name)))
      cert.push(body.pem)
    }
    return { key, cert, ca: await clientAuthorities(work) }
  })
}

/** PEM of our authority and of the issuers of every client that is not revoked, each name once. */
export async function clientAuthorities(work: Documents): Promise<string[]> {
  const revoked = new Set<string>()
  for (const { name, body } of await allOf(work, 'client'))
    if (body.revoked !== undefined) revoked.add(name)
  const byName = new Map<string, string>()
  const add = (pem: string) => {
    const { subject } = certificateNames(parseCertificate(pem).der)
    const name = Buffer.from(subject).toString('hex')
    if (!byName.has(name)) byName.set(name, pem)
  }
  add((await authorityCertificate(work)).pem)
  for (const { body } of await allOf(work, 'certificate'))
    if (body.authority !== undefined && body.revoked === undefined && !revoked.has(body.client))
      add(body.authority)
  return [...byName.values()]
}

/** The authority with its private key, for signing; `UserError` 'not-initialised' when there is none. */
export async function openAuthority(
  work: Documents & Pick<Work, 'documentSecret'>,
): Promise<Issuer> {
  const certificate = await authorityCertificate(work)
  return { certificate, privateKey: await openKey(work, 'authority', 'ca') }
}

async function openKey(work: Pick<Work, 'documentSecret'>, kind: DocumentKind, name: string) {
  const secret = await work.documentSecret(kind, name)
  try {
    return privateKeyFrom(secret)
  } finally {
    secret.wipe()
  }
}

async function authorityCertificate(work: Documents): Promise<Certificate> {
  const authority = await bodyOf(work, 'authority', 'ca')
  if (authority === undefined)
    throw new UserError(
      'not-initialised',
      'this keystore has no certificate authority',
      'initialise it:  keyreel init',
      { exitStatus: exitStatus.notInitialised },
    )
  return parseCertificate(authority.pem)
}

function hostNames(hosts: readonly string[]): string[] {
  return parseHosts([...hosts, ...loopback])
}

async function issueServerCertificates(
  authority: Issuer,
  hosts: readonly string[],
  now: bigint,
): Promise<(Issuer & { keyType: KeyType })[]> {
  const pairs = await Promise.all(serverKeyTypes.map((keyType) => generateKeyPair(keyType)))
  return pairs.map(({ publicKey, privateKey }, i) => {
    const subject = { commonName: (hosts[0] ?? 'keyreel').slice(0, 64), organization: 'keyreel' }
    const validity = validityFrom(now, 'key-server')
    const plan = { subject, publicKey, use: 'key-server', hosts, ...validity } as const
    const certificate = issueCertificate(plan, authority)
    return { certificate, privateKey, keyType: serverKeyTypes[i] ?? 'p256' }
  })
}

async function putServerCertificates(
  work: Work,
  authority: Certificate,
  issued: readonly (Issuer & { keyType: KeyType })[],
  hosts: string[],
  operation: string,
  actor: AuditActor,
): Promise<ServerIdentity> {
  for (const { certificate, privateKey, keyType } of issued) {
    const body = { pem: certificate.pem, hosts, issued: Number(work.now) }
    await putBody(work, 'server-certificate', keyType, body, privateKeyDer(privateKey))
  }
  const certificates = issued.map(({ certificate }) => certificate)
  work.audit({
    actor,
    operation,
    outcome: 'Success',
    details: {
      hosts,
      authority: authority.fingerprint,
      certificates: certificates.map(({ fingerprint }) => fingerprint),
    },
  })
  return { authority, certificates, hosts }
}
