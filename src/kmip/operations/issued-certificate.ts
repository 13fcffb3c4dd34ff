/**
 * Certificates that this server issues – KMIP 1.4 §4.7, §4.8; KMIP 2.1 §6.1.6, §6.1.45: what is asked
 * for, from a certificate request or attributes, and the signature of the group's own authority.
 */
import {
  keepIssuingAuthority,
  newIssuingAuthority,
  openIssuingAuthority,
} from '../../access/issuing-authority.ts'
import { issueCertificate, readCertificateRequest } from '../../crypto/certify.ts'
import type { CertificateRequestFacts, CertifyPlan } from '../../crypto/certify.ts'
import type { Issuer } from '../../crypto/certificates-issue.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { nameOfParts, nameParts, type NamePart } from '../../crypto/distinguished-names.ts'
import { privateHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { JsonValue } from '../../keystore/work.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import { KmipError } from '../model/result.ts'
import type { LongMakingContext, MakingContext } from './operation.ts'

/** How long a certificate is good when nobody says, in seconds: a year. */
const usualLife = 365n * 86_400n

/** Reads and proves a request. @throws KmipError `InvalidCSR` */
export function requestFacts(type: unknown, bytes: Uint8Array): CertificateRequestFacts {
  if (type === undefined)
    throw new KmipError('InvalidField', 'a Certificate Request needs its Certificate Request Type')
  if (type !== 'PKCS_10' && type !== 'PEM')
    throw new KmipError('FeatureNotSupported', `${String(type)} requests are not read here`)
  try {
    return readCertificateRequest(bytes)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw new KmipError('InvalidCSR', error.message, { before20: 'InvalidField', cause: error })
  }
}

const subjectTag = 'CertificateSubject'

/** The parts of a subject among attributes, and the attributes without them. */
export function subjectIn(given: readonly AttributeInstance[]): {
  subject: Uint8Array | undefined
  rest: AttributeInstance[]
} {
  const parts: Partial<Record<NamePart, string[]>> = {}
  const rest: AttributeInstance[] = []
  for (const instance of given) {
    const part = partOf(instance.tag)
    if (part === undefined) rest.push(instance)
    else (parts[part] ??= []).push(instance.value as string)
  }
  if (Object.keys(parts).length === 0) return { subject: undefined, rest }
  return { subject: named(parts), rest }
}

/** A subject that is no more than a common name. */
export function commonName(name: string): Uint8Array {
  return named({ CN: [name] })
}

function partOf(tag: string): NamePart | undefined {
  const part = tag.startsWith(subjectTag) ? tag.slice(subjectTag.length) : ''
  return Object.hasOwn(nameParts, part) ? (part as NamePart) : undefined
}

function named(parts: Partial<Record<NamePart, readonly string[]>>): Uint8Array {
  try {
    return nameOfParts(parts)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw new KmipError('InvalidField', error.message, { cause: error })
  }
}

/** A certificate that was issued, and the authority that was made for it. */
export interface Issued {
  certificate: Uint8Array
  newAuthority: Issuer | undefined
}

/**
 * Issues a certificate under the authority of the client's group. It is good from the Activation to the
 * Deactivation Date of `object`, or a year from now, and never longer than the authority. Nothing is kept
 * yet: `keepAuthority` does, once nothing can be refused any more.
 */
export async function issued(
  context: LongMakingContext,
  object: ManagedObject,
  plan: Pick<CertifyPlan, 'subject' | 'publicKey' | 'extensions'>,
): Promise<Issued> {
  const { work, principal, now } = context
  const { group } = principal
  const { ActivationDate: notBefore = now, DeactivationDate } = object.vitals
  const notAfter = DeactivationDate ?? notBefore + usualLife
  const known = await openIssuingAuthority(work, group)
  const issuer =
    known ?? context.aside(`issuing authority ${group}`, () => newIssuingAuthority(group, now))
  const authority = { certificate: issuer.certificate.der, key: privateHalf(issuer.privateKey) }
  try {
    const certificate = issueCertificate({ ...plan, notBefore, notAfter }, authority)
    return { certificate, newAuthority: known === undefined ? issuer : undefined }
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    const reason = error.code === 'failure' ? 'CryptographicFailure' : 'InvalidField'
    throw new KmipError(reason, error.message, { cause: error })
  }
}

/** Keeps the authority of the group when it was made for this certificate. */
export async function keepAuthority(
  context: MakingContext,
  { newAuthority }: Issued,
): Promise<void> {
  const { work, principal, now } = context
  if (newAuthority === undefined) return
  await keepIssuingAuthority(work, principal.group, newAuthority, now)
  const details = (context.noted.details ?? {}) as Record<string, JsonValue>
  context.noted.details = { ...details, newAuthority: newAuthority.certificate.fingerprint }
}
