/**
 * The authority that signs what Certify issues: one per group, apart from the authority of the server,
 * so that a certificate that a client asked for never stands where a server or library is meant. Its
 * private key is sealed in the keystore, and is made when it is first needed.
 */
import { issueCertificate, validityFrom, type Issuer } from '../crypto/certificates-issue.ts'
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import { generateKeyPair, privateKeyDer, privateKeyFrom } from '../crypto/key-pairs.ts'
import type { Work } from '../keystore/work.ts'
import { bodyOf, putBody } from './documents.ts'

const kind = 'issuing-authority'

/** The group's authority, or undefined before it has issued anything. */
export async function issuingCertificate(
  work: Pick<Work, 'document'>,
  group: string,
): Promise<Certificate | undefined> {
  const body = await bodyOf(work, kind, group)
  return body && parseCertificate(body.pem)
}

/** The group's authority with its private key, for signing. */
export async function openIssuingAuthority(
  work: Pick<Work, 'document' | 'documentSecret'>,
  group: string,
): Promise<Issuer | undefined> {
  const certificate = await issuingCertificate(work, group)
  if (certificate === undefined) return undefined
  const secret = await work.documentSecret(kind, group)
  try {
    return { certificate, privateKey: privateKeyFrom(secret) }
  } finally {
    secret.wipe()
  }
}

/** Makes an authority for the group. Nothing is kept yet. */
export async function newIssuingAuthority(group: string, now: bigint): Promise<Issuer> {
  const { privateKey, publicKey } = await generateKeyPair('p256')
  const subject = { commonName: `keyreel certificates of ${group}`.slice(0, 64) }
  const plan = { subject, publicKey, use: 'authority' as const, ...validityFrom(now, 'authority') }
  return { certificate: issueCertificate(plan, { privateKey }), privateKey }
}

/** Keeps the authority of a group. */
export async function keepIssuingAuthority(
  work: Pick<Work, 'putDocument'>,
  group: string,
  { certificate, privateKey }: Issuer,
  now: bigint,
): Promise<void> {
  const der = privateKeyDer(privateKey)
  await putBody(work, kind, group, { pem: certificate.pem, created: Number(now) }, der)
  der.fill(0)
}
