/** Encryption Certificates of other sites as they come in a file: read, and judged before anybody is asked. */
import { dateOf } from '../access/identity.ts'
import { parseCertificateChain, type Certificate } from '../crypto/certificates.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import {
  encryptionCertificate,
  isSelfIssued,
  isSignedBy,
  mayBeUsedFor,
  pinOf,
  type EncryptionCertificate,
} from '../crypto/encryption-certificates.ts'
import { UserError } from '../errors.ts'

/** What a file offers: where keys may be sent to, and whose bundles may be taken. */
export interface Offered {
  readonly certificate: Certificate
  /** The exchange identity that issued it; undefined for a certificate that stands alone. */
  readonly identity: Certificate | undefined
  /** The identity's pin. */
  readonly pin: string | undefined
  readonly encryption: EncryptionCertificate
}

/**
 * Reads and judges: validity, kind and size of key, usage, who signed whom. `file` names the input in
 * messages. Throws UserError 'not-a-certificate', 'certificate-expired', 'certificate-not-yet-valid',
 * 'weak-key', 'wrong-usage' or 'certificate-forged'.
 */
export function readOffered(input: Uint8Array, file: string, now: bigint): Offered {
  const [certificate, second] = parseCertificateChain(input, file)
  if (certificate === undefined) throw new Error('a chain is never empty')
  judgeDates(certificate, file, now)
  const encryption = judgeKey(certificate, file)
  const identity = identityIn(certificate, second, encryption, file)
  if (identity !== undefined) judgeDates(identity, `the identity in ${file}`, now)
  return { certificate, identity, pin: identity && pinOf(identity), encryption }
}

/** Clocks of two sites differ; a certificate may be younger than ours says, by this many seconds. */
const clockDifference = 86_400n

function judgeDates({ notBefore, notAfter }: Certificate, file: string, now: bigint): void {
  if (now > notAfter)
    throw new UserError(
      'certificate-expired',
      `the certificate in ${file} expired ${dateOf(notAfter)}`,
      'ask the other site for a new one; there:  keyreel exchange certificate renew',
    )
  if (now + clockDifference < notBefore)
    throw new UserError(
      'certificate-not-yet-valid',
      `the certificate in ${file} is valid from ${dateOf(notBefore)} on`,
      'compare the clocks of both machines (timedatectl shows them)',
    )
}

function judgeKey(certificate: Certificate, file: string): EncryptionCertificate {
  const { name, strong } = certificate.key
  const cannot = (code: string, why: string, cause?: unknown) =>
    new UserError(
      code,
      `keys cannot be encrypted to the certificate in ${file}: ${why}`,
      'ask the other site for an Encryption Certificate: RSA from 2048 bits, P-256, P-384 or P-521',
      { cause },
    )
  if (!strong) throw cannot('weak-key', `its key is ${name}`)
  let encryption: EncryptionCertificate
  let usable: boolean
  try {
    encryption = encryptionCertificate(certificate)
    const isRsa = encryption.recipient.kind === 'rsa'
    usable = mayBeUsedFor(certificate, isRsa ? 'keyEncipherment' : 'keyAgreement')
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw cannot('weak-key', error.message, error)
  }
  if (!usable) throw cannot('wrong-usage', 'its key usage does not allow it')
  const { purposes } = certificate
  if (purposes.length > 0 && !purposes.some((purpose) => purposesAllowed.has(purpose)))
    throw cannot('wrong-usage', 'its extended key usage is for something else')
  return encryption
}

/** anyExtendedKeyUsage and emailProtection, which stands for CMS: RFC 5280 §4.2.1.12. */
const purposesAllowed = new Set(['2.5.29.37.0', '1.3.6.1.5.5.7.3.4'])

/** The second certificate, when it is the exchange identity that issued the first. */
function identityIn(
  certificate: Certificate,
  second: Certificate | undefined,
  { issuerPin }: EncryptionCertificate,
  file: string,
): Certificate | undefined {
  const forged = (why: string) =>
    new UserError(
      'certificate-forged',
      `${file} is not what a key server writes: ${why}`,
      'have the other site write it again, and compare fingerprints; there:  keyreel exchange certificate export',
    )
  if (second === undefined) {
    if (isSelfIssued(certificate) && !isSignedBy(certificate, certificate))
      throw forged('the signature of the certificate is wrong')
    return undefined
  }
  if (!isSignedBy(certificate, second))
    throw forged('the second certificate did not issue the first')
  // A public CA vouches for many: it is nobody's exchange identity.
  if (issuerPin === undefined) return undefined
  if (issuerPin !== pinOf(second))
    throw forged('the first certificate names another identity than the second')
  if (!second.key.strong || !mayBeUsedFor(second, 'digitalSignature'))
    throw forged('the identity may not sign')
  return second
}
