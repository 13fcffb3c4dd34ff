/** How certificates and requests are signed: one row per algorithm that we write or accept. */
import { Null } from 'asn1js'
import type { KeyObject } from 'node:crypto'
import { AlgorithmIdentifier } from 'pkijs'

export interface SignatureAlgorithm {
  /** Object identifier of signature and digest together. */
  oid: string
  /** What node:crypto takes as digest; Ed25519 has its own. */
  digest: 'sha256' | 'sha384' | 'sha512' | null
  /** Whether NULL stands as its parameters (RFC 4055 §5); else there are none. */
  hasNull?: true
}

/** SHA-1 and MD5 are missing on purpose. */
export const signatureAlgorithms = {
  sha256WithRsa: { oid: '1.2.840.113549.1.1.11', digest: 'sha256', hasNull: true },
  sha384WithRsa: { oid: '1.2.840.113549.1.1.12', digest: 'sha384', hasNull: true },
  sha512WithRsa: { oid: '1.2.840.113549.1.1.13', digest: 'sha512', hasNull: true },
  ecdsaWithSha256: { oid: '1.2.840.10045.4.3.2', digest: 'sha256' },
  ecdsaWithSha384: { oid: '1.2.840.10045.4.3.3', digest: 'sha384' },
  ecdsaWithSha512: { oid: '1.2.840.10045.4.3.4', digest: 'sha512' },
  ed25519: { oid: '1.3.101.112', digest: null },
} as const satisfies Record<string, SignatureAlgorithm>

/** The algorithm that we sign with by this key. */
export function signatureAlgorithmOf(key: KeyObject): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'rsa') return signatureAlgorithms.sha256WithRsa
  if (key.asymmetricKeyType === 'ed25519') return signatureAlgorithms.ed25519
  return key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
    ? signatureAlgorithms.ecdsaWithSha384
    : signatureAlgorithms.ecdsaWithSha256
}

/** The algorithm as it stands in what it signs. */
export function algorithmIdentifier({ oid, hasNull }: SignatureAlgorithm): AlgorithmIdentifier {
  return new AlgorithmIdentifier({
    algorithmId: oid,
    ...(hasNull && { algorithmParams: new Null() }),
  })
}
