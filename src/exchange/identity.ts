/**
 * What this server is to other sites: an exchange identity that signs bundles, and Encryption
 * Certificates with their private keys. All of it lies sealed under the master key and is apart from TLS.
 */
import {
  administrator,
  allOf,
  bodyOf,
  putBody,
  type ActingStore,
  type Documents,
} from '../access/documents.ts'
import type { Issuer } from '../crypto/certificates-issue.ts'
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import { signerOf, type Signer } from '../crypto/detached-signatures.ts'
import type { Opener } from '../crypto/cms-recipients.ts'
import {
  makeEncryptionCertificate,
  makeExchangeIdentity,
  openerOf,
  packExchangeKeys,
  pinOf,
  unpackExchangeKeys,
  type ExchangeKeys,
} from '../crypto/encryption-certificates.ts'
import { privateKeyDer, privateKeyFrom } from '../crypto/key-pairs.ts'
import type { AuditActor, Work } from '../keystore/work.ts'

/** What may be shown to anybody. */
export interface OwnCertificates {
  readonly identity: Certificate
  /** SHA-256 of the identity's SubjectPublicKeyInfo, hexadecimal. */
  readonly pin: string
  /** The Encryption Certificate to hand out: the newest. */
  readonly current: Certificate
  /** Earlier ones, newest first; bundles made for them still open. */
  readonly earlier: readonly Certificate[]
}

const ownName = 'own'

/**
 * Makes identity and Encryption Certificate where there are none yet: at `init`, and once for data
 * directories made before keyreel exchanged keys. Durable and audited when it returns.
 */
export async function ensureExchange(
  store: ActingStore,
  actor: AuditActor = administrator,
): Promise<OwnCertificates> {
  const found = await store.read(findOwn)
  if (found !== undefined) return found
  const now = await store.read((work) => Promise.resolve(work.now))
  const identity = await makeExchangeIdentity(now)
  const made = await makeEncryptionCertificate(identity, now)
  return store.act(async (work) => {
    // Another process may have been faster; its certificates stand.
    const other = await findOwn(work)
    if (other !== undefined) return other
    const { pem } = identity.certificate
    const body = { pem, created: Number(work.now) }
    await putBody(work, 'exchange-identity', ownName, body, privateKeyDer(identity.privateKey))
    await keep(work, made, 'exchange identity create', actor)
    return own(work)
  })
}

/** Makes new exchange keys under the same identity. The earlier ones still open what was made for them. */
export async function renewEncryptionCertificate(
  store: ActingStore,
  actor: AuditActor = administrator,
): Promise<OwnCertificates> {
  await ensureExchange(store, actor)
  const { identity, now } = await store.read(async (work) => ({
    identity: await openIdentity(work),
    now: work.now,
  }))
  const made = await makeEncryptionCertificate(identity, now)
  return store.act(async (work) => {
    await keep(work, made, 'exchange certificate renew', actor)
    return own(work)
  })
}

/** The certificates; undefined in a directory that has none yet. */
export async function findOwn(work: Documents): Promise<OwnCertificates | undefined> {
  const body = await bodyOf(work, 'exchange-identity', ownName)
  if (body === undefined) return undefined
  const identity = parseCertificate(body.pem)
  const documents = await allOf(work, 'exchange-certificate')
  const [current, ...earlier] = documents
    .map(({ body: { pem, issued } }) => ({ certificate: parseCertificate(pem), issued }))
    .toSorted((a, b) => b.issued - a.issued)
    .map(({ certificate }) => certificate)
  if (current === undefined) throw new Error('there is an exchange identity without a certificate')
  return { identity, pin: pinOf(identity), current, earlier }
}

/** The certificates, which {@link ensureExchange} has made. */
export async function own(work: Documents): Promise<OwnCertificates> {
  const found = await findOwn(work)
  if (found === undefined) throw new Error('this keystore has no exchange identity yet')
  return found
}

/** The identity with its private key, for signing. */
export async function openIdentity(
  work: Documents & Pick<Work, 'documentSecret'>,
): Promise<Issuer> {
  const { identity } = await own(work)
  const secret = await work.documentSecret('exchange-identity', ownName)
  try {
    return { certificate: identity, privateKey: privateKeyFrom(secret) }
  } finally {
    secret.wipe()
  }
}

/** The identity as it signs checkpoints of the audit record. */
export async function checkpointSigner(
  work: Documents & Pick<Work, 'documentSecret'>,
): Promise<{ identity: Certificate; signer: Signer }> {
  const { certificate, privateKey } = await openIdentity(work)
  return { identity: certificate, signer: signerOf(privateKey) }
}

/** The exchange keys of every certificate of ours, newest first. */
export async function openExchangeKeys(
  work: Documents & Pick<Work, 'documentSecret'>,
): Promise<{ certificate: Certificate; opener: Opener }[]> {
  const { current, earlier } = await own(work)
  const opened: { certificate: Certificate; opener: Opener }[] = []
  for (const certificate of [current, ...earlier]) {
    const secret = await work.documentSecret('exchange-certificate', certificate.fingerprint)
    try {
      opened.push({ certificate, opener: openerOf(certificate, unpackExchangeKeys(secret)) })
    } finally {
      secret.wipe()
    }
  }
  return opened
}

async function keep(
  work: Work,
  { certificate, keys }: { certificate: Certificate; keys: ExchangeKeys },
  operation: string,
  actor: AuditActor,
): Promise<void> {
  const { fingerprint, pem } = certificate
  const before = await allOf(work, 'exchange-certificate')
  // The newest is the current one, also when two are made within a second.
  const issued = Math.max(Number(work.now), ...before.map(({ body }) => body.issued + 1))
  const secret = packExchangeKeys(keys)
  await putBody(work, 'exchange-certificate', fingerprint, { pem, issued }, secret)
  secret.fill(0)
  const details = { fingerprint, notAfter: Number(certificate.notAfter) }
  work.audit({ actor, operation, outcome: 'Success', details })
}
