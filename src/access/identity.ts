/**
 * Who a client is: the SHA-256 of the certificate it proved to hold is looked up among those
 * enrolled. Who signed it plays no part. Validity, strength and use are judged here, with our clock.
 */
import {
  fingerprintOf,
  parseCertificate,
  servesClients,
  type Certificate,
} from '../crypto/certificates.ts'
import { UserError } from '../errors.ts'
import {
  bodyOf,
  type Allowance,
  type Body,
  type ClientKind,
  type Documents,
  type ProfileName,
} from './documents.ts'

/** A client whose certificate, and credential where it has one, have been proven. */
export interface Principal {
  name: string
  /** `server` where the server acts for a client without being asked. */
  kind: ClientKind | 'server'
  group: string
  profile: ProfileName
  /** SHA-256 of its certificate, lower-case hexadecimal. */
  fingerprint: string
  /** Owner of the objects it makes: its name, or `name/user` once a credential was proven. */
  owner: string
  /** Whether it may use its own objects only. */
  ownOnly: boolean
  /** The only operations it may ask for, when its ticket says so. */
  rights?: readonly string[]
  /** Whether its messages must also carry a credential. */
  credentialRequired: boolean
}

/** Why a client gets nothing; stable words for log and metrics. */
export type RefusalReason =
  | 'not-a-certificate'
  | 'not-enrolled'
  | 'client-revoked'
  | 'certificate-revoked'
  | 'not-yet-valid'
  | 'expired'
  | 'weak-key'
  | 'wrong-usage'
  | 'credential-missing'
  | 'credential-wrong'
  | 'attestation'

/**
 * An identity, with what proves the server to a client that sent a Hashed Password; or why there is none.
 * `detail` is for the log, never for the client.
 */
export type Identified =
  | { ok: true; principal: Principal; serverHashedPassword?: Uint8Array }
  | { ok: false; reason: RefusalReason; detail: Record<string, string> }

/**
 * Identifies the holder of `shown` (DER; that the peer holds its key is proven by the handshake).
 * `now` is seconds since 1970.
 */
export async function identify(
  work: Pick<Documents, 'document'>,
  shown: Uint8Array,
  now: bigint,
): Promise<Identified> {
  const fingerprint = fingerprintOf(shown)
  const certificate = readShown(shown)
  const refuse = (reason: RefusalReason, why: string, client?: string): Identified => ({
    ok: false,
    reason,
    detail: {
      why,
      ...(client === undefined ? {} : { client }),
      ...namesOf(certificate),
      fingerprint,
    },
  })
  if (certificate === undefined)
    return refuse('not-a-certificate', 'what the client showed cannot be decoded')
  const enrolled = await bodyOf(work, 'certificate', fingerprint)
  if (enrolled === undefined) return refuse('not-enrolled', 'this certificate is not enrolled')
  const name = enrolled.client
  const client = await bodyOf(work, 'client', name)
  if (client === undefined) return refuse('not-enrolled', 'its client is no longer enrolled', name)
  if (client.revoked !== undefined)
    return refuse('client-revoked', `${name} was revoked ${dateOf(BigInt(client.revoked))}`, name)
  if (enrolled.revoked !== undefined) {
    const date = dateOf(BigInt(enrolled.revoked))
    return refuse('certificate-revoked', `this certificate was revoked ${date}`, name)
  }
  const fault = certificateFault(certificate, client.allow, now)
  if (fault !== undefined) return refuse(fault.reason, fault.why, name)
  const credential = await bodyOf(work, 'credential', name)
  return { ok: true, principal: principalOf(name, client, credential, fingerprint) }
}

/** Identifies once more, now, who held the certificate of that fingerprint when a request came in. */
export async function identifyAgain(
  work: Pick<Documents, 'document'>,
  fingerprint: string,
  now: bigint,
): Promise<Identified> {
  const enrolled = await bodyOf(work, 'certificate', fingerprint)
  const detail = { why: 'this certificate is not enrolled', fingerprint }
  if (enrolled === undefined) return { ok: false, reason: 'not-enrolled', detail }
  return identify(work, parseCertificate(enrolled.pem).der, now)
}

/** What makes a certificate unfit for a client of ours, or undefined. The same at enrolment and later. */
export function certificateFault(
  certificate: Certificate,
  allow: readonly Allowance[],
  now: bigint,
): { reason: RefusalReason; why: string } | undefined {
  const { notBefore, notAfter, key } = certificate
  if (now < notBefore)
    return { reason: 'not-yet-valid', why: `it is valid from ${dateOf(notBefore)} on` }
  if (now > notAfter) return { reason: 'expired', why: `it expired ${dateOf(notAfter)}` }
  if (!key.strong && !allow.includes('weak-key'))
    return { reason: 'weak-key', why: `its key is ${key.name}` }
  if (!servesClients(certificate) && !allow.includes('any-usage'))
    return { reason: 'wrong-usage', why: 'its extended key usage leaves out TLS clients' }
  return undefined
}

/** A time as people read it: `2026-11-22`. */
export function dateOf(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10)
}

function principalOf(
  name: string,
  { kind, group, profile }: Body<'client'>,
  credential: Body<'credential'> | undefined,
  fingerprint: string,
): Principal {
  const credentialRequired = (credential?.users.length ?? 0) > 0
  return {
    name,
    kind,
    group,
    profile,
    fingerprint,
    owner: name,
    ownOnly: false,
    credentialRequired,
  }
}

function readShown(shown: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(shown, 'the certificate shown')
  } catch (error) {
    if (error instanceof UserError) return undefined
    throw error
  }
}

function namesOf(certificate: Certificate | undefined): Record<string, string> {
  if (certificate === undefined) return {}
  return { subject: certificate.subject, issuer: certificate.issuer }
}
