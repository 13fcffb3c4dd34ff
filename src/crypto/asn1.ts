/**
 * ASN.1 as certificates use it, by asn1js and pkijs: reading with limits and as DER only (X.690
 * §10), and the object identifiers that pkijs has no name for.
 */
import { Constructed, fromBER, type AsnType, type BaseBlock } from 'asn1js'

/** Object identifiers of names, extended key usages and PKCS#12. */
export const oids = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  anyExtendedKeyUsage: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
  hmacWithSha256: '1.2.840.113549.2.9',
  pbkdf2: '1.2.840.113549.1.5.12',
  pbes2: '1.2.840.113549.1.5.13',
  pbeWithSha1And3KeyTripleDes: '1.2.840.113549.1.12.1.3',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
  pkcs8ShroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
} as const

/** No certificate nests deeper than 16 elements; asn1js itself refuses more than 10,000 of them. */
const limits = { maxDepth: 15, parseEmbedded: false }

/**
 * Reads exactly one element with everything in it. Throws an `Error` when the bytes are anything
 * else, or BER that is not DER: asn1js reads that too, but writes other bytes for it, and a Name or
 * key copied from it would no longer be the one that was read.
 */
export function readDer(bytes: Uint8Array): AsnType {
  const { offset, result } = fromBER(bytes, limits)
  if (offset === -1) throw new Error(`not ASN.1: ${result.error}`)
  makeCanonical(result)
  if (Buffer.compare(writeDer(result), bytes) !== 0)
    throw new Error('not DER, or more than one element')
  return result
}

/** The bytes of an element that asn1js or pkijs has built. */
export function writeDer(element: { toBER(): ArrayBuffer }): Uint8Array<ArrayBuffer> {
  return new Uint8Array(element.toBER())
}

/** asn1js keeps lengths in the form it read them: this makes each definite and the shortest. */
function makeCanonical(element: BaseBlock): void {
  element.lenBlock.isIndefiniteForm = false
  element.lenBlock.longFormUsed = false
  if (element instanceof Constructed) element.valueBlock.value.forEach(makeCanonical)
}
