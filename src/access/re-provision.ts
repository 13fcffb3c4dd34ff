/**
 * A client that gives itself another certificate, in the place of the one that it shows (KMIP 2.1 §6.1.48),
 * where its group lets it. Whoever holds the key of a certificate could then hold on to it for good, so a
 * group begins without.
 */
import type { Certificate } from '../crypto/certificates.ts'
import { UserError } from '../errors.ts'
import type { Work } from '../keystore/work.ts'
import { openAuthority, serverIdentity } from './authority.ts'
import { allOf, bodyOf, clientOf, putBody, type Body } from './documents.ts'
import { certificateFrom, checkFit, checkUnknown, type CertificateSource } from './enrolment.ts'
import type { Principal } from './identity.ts'

/** Most certificates of one client that are good at a time, for it to make another itself. */
const mostCertificates = 8

/** A certificate that is to be enrolled, and whose name the handshake is to give as an issuer. */
export interface NewCertificate {
  readonly certificate: Certificate
  readonly issuer?: Certificate
}

/** The certificate that the client shows now; undefined when it counts no longer. */
export async function shownCertificate(
  work: Pick<Work, 'document'>,
  { name, fingerprint }: Principal,
): Promise<Body<'certificate'> | undefined> {
  const body = await bodyOf(work, 'certificate', fingerprint)
  return body?.client === name && body.revoked === undefined ? body : undefined
}

/**
 * What makes the certificate: signs a request under the client's own name, or takes it as given. To be
 * called outside the act. Throws UserError for one that cannot be read or is too weak.
 */
export async function newCertificate(
  work: Work,
  { name }: Principal,
  source: Exclude<CertificateSource, { generate: unknown }>,
): Promise<() => Promise<NewCertificate>> {
  const authority = await openAuthority(work)
  const { now } = work
  return () => certificateFrom(source, name, authority, now, { commonName: name })
}

/** Enrols it; `replaces` makes the one that is shown invalid. Throws UserError for one that may not be. */
export async function enrolAnother(
  work: Work,
  { name, fingerprint }: Principal,
  { certificate, issuer }: NewCertificate,
  { origin, replaces, object }: { origin: 'request' | 'given'; replaces: boolean; object: string },
): Promise<void> {
  const { allow } = await clientOf(work, name)
  const { authority, certificates } = await serverIdentity(work)
  checkFit(certificate, authority, allow, work.now)
  if (certificates.some((own) => own.fingerprint === certificate.fingerprint))
    throw unfit('this is the certificate of this server')
  await checkUnknown(work, certificate)
  const own = (await allOf(work, 'certificate')).filter(
    ({ body }) => body.client === name && body.revoked === undefined,
  )
  if (own.length >= mostCertificates) throw unfit(`${name} has ${own.length} certificates already`)
  await putBody(work, 'certificate', certificate.fingerprint, {
    client: name,
    pem: certificate.pem,
    origin,
    enrolled: Number(work.now),
    object,
    ...(issuer && { authority: issuer.pem }),
  })
  const shown = own.find((one) => one.name === fingerprint)
  if (replaces && shown !== undefined)
    await putBody(work, 'certificate', fingerprint, { ...shown.body, revoked: Number(work.now) })
}

function unfit(message: string): UserError {
  return new UserError(
    'certificate-unfit',
    message,
    'the administrator revokes those that are not used:  keyreel library show NAME',
  )
}
