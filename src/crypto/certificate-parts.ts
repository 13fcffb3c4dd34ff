/** Parts of a certificate (RFC 5280 §4.1) that CMS names recipients and signers by, as they stand. */
import { contextTag, DerReader, derTag, oid, onlyElement } from './der.ts'

/** DER of the parts: views of the certificate. */
export interface CertificateParts {
  /** Name of the issuer, whole element. */
  readonly issuer: Uint8Array
  /** INTEGER, whole element. */
  readonly serialNumber: Uint8Array
  /** SubjectPublicKeyInfo, whole element. */
  readonly publicKeyInfo: Uint8Array
  /** Contents of an extension's OCTET STRING, and whether it is critical; undefined when absent. */
  extension(dotted: string): { value: Uint8Array; critical: boolean } | undefined
}

/** Takes a certificate apart. Throws CryptoRefusal `parameters`. */
export function certificateParts(der: Uint8Array): CertificateParts {
  const reader = new DerReader(onlyElement(der).contents).into()
  reader.optional(contextTag(0))
  const serialNumber = reader.next(derTag.integer).whole
  reader.next(derTag.sequence)
  const issuer = reader.next(derTag.sequence).whole
  reader.next(derTag.sequence)
  reader.next(derTag.sequence)
  const publicKeyInfo = reader.next(derTag.sequence).whole
  const found = new Map<string, { value: Uint8Array; critical: boolean }>()
  while (reader.tag !== undefined) {
    const part = reader.next()
    if (part.tag !== contextTag(3)) continue
    const extensions = new DerReader(part.contents).into()
    while (extensions.tag !== undefined) {
      const extension = extensions.into()
      const id = keyOf(extension.next(derTag.oid).whole)
      const critical = extension.optional(0x01)?.contents[0] === 0xff
      found.set(id, { value: extension.octets(), critical })
    }
  }
  return {
    issuer,
    serialNumber,
    publicKeyInfo,
    extension: (dotted) => found.get(keyOf(oid(dotted))),
  }
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
