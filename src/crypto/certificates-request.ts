/** PKCS#10 certificate requests (RFC 2986) from libraries: only subject and key are ever taken. */
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { CertificationRequest, type PublicKeyInfo } from 'pkijs'
import { UserError } from '../errors.ts'
import { readDer, writeDer } from './asn1.ts'
import { keyStrength, type KeyStrength } from './key-pairs.ts'
import { signatureAlgorithms } from './signature-algorithms.ts'

/** What a request asks for. Its extensions and attributes are not looked at. */
export interface CertificateRequest {
  /** DER of the subject Name, as the library wrote it; undefined when it left the subject empty. */
  subject: Uint8Array | undefined
  publicKey: KeyObject
  key: KeyStrength
}

const largestInput = 64 * 1024
const largestSubject = 1024
const pemBlock =
  /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]+)-----END (?:NEW )?CERTIFICATE REQUEST-----/

/**
 * Reads a request as PEM or DER and verifies that its sender holds the private key. Throws
 * `UserError`: 'not-a-request', 'request-signature' (wrong, or by SHA-1 or MD5), 'weak-key'.
 */
export function parseCertificateRequest(
  input: string | Uint8Array,
  what = 'the input',
): CertificateRequest {
  const request = requestFrom(input, what)
  const subject = new Uint8Array(request.subject.valueBeforeDecode)
  if (subject.length > largestSubject)
    throw notARequest(what, `its subject is longer than ${largestSubject} bytes`)

  const publicKey = publicKeyFrom(request.subjectPublicKeyInfo, what)
  const key = keyStrength(publicKey)
  if (!key.strong)
    throw new UserError(
      'weak-key',
      `${what} asks for a certificate for a weak key: ${key.name}`,
      'have the library make a key of RSA-2048 or more, or P-256, P-384, P-521',
    )

  const named = request.signatureAlgorithm.algorithmId
  const accepted = Object.values(signatureAlgorithms).find(({ oid }) => oid === named)
  if (accepted === undefined)
    throw new UserError(
      'request-signature',
      `${what} is signed with an algorithm that is not accepted`,
      'have the library sign its request with SHA-256 or stronger (SHA-1 and MD5 are refused)',
    )
  const signature = request.signatureValue.valueBlock.valueHexView
  if (!isSignedBy(publicKey, accepted.digest, request.tbsView, signature))
    throw new UserError(
      'request-signature',
      `the signature of ${what} does not fit its key`,
      'the file was changed or cut short: export the request from the library again',
    )

  const isEmpty = request.subject.typesAndValues.length === 0
  return { subject: isEmpty ? undefined : subject, publicKey, key }
}

function requestFrom(input: string | Uint8Array, what: string): CertificationRequest {
  if (input.length > largestInput)
    throw notARequest(what, `it is larger than ${largestInput} bytes`)
  const bytes = derOf(input, what)
  try {
    return new CertificationRequest({ schema: readDer(bytes) })
  } catch (cause) {
    throw notARequest(what, 'it cannot be decoded', cause)
  }
}

function derOf(input: string | Uint8Array, what: string): Uint8Array {
  if (typeof input !== 'string' && input[0] === 0x30) return input
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('latin1')
  const base64 = pemBlock.exec(text)?.[1]
  if (base64 === undefined) {
    const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1]
    throw notARequest(what, label ? `it is a ${label.toLowerCase()}` : 'it is neither PEM nor DER')
  }
  return Buffer.from(base64, 'base64')
}

function publicKeyFrom(info: PublicKeyInfo, what: string): KeyObject {
  try {
    const key = Buffer.from(writeDer(info.toSchema()))
    return createPublicKey({ key, format: 'der', type: 'spki' })
  } catch (cause) {
    throw notARequest(what, 'its public key cannot be decoded', cause)
  }
}

/** A signature of the wrong form for its key makes node:crypto throw: that is a wrong signature too. */
function isSignedBy(
  publicKey: KeyObject,
  digest: string | null,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    return verify(digest, bytes, publicKey, signature)
  } catch {
    return false
  }
}

function notARequest(what: string, found: string, cause?: unknown): UserError {
  const hint = / certificate$/.test(found)
    ? 'pass a certificate with --certificate instead'
    : 'give a PKCS#10 request as PEM (-----BEGIN CERTIFICATE REQUEST-----) or DER'
  return new UserError('not-a-request', `${what} is not a certificate request: ${found}`, hint, {
    cause,
  })
}
