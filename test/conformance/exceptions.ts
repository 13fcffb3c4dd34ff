// Published cases that no correct server can pass as they stand, with the clause that shows the slip. They
// run all the same, and their answers may differ in the lines given here and in no other way. The
// list only shrinks: one that conforms is reported as an error until its row is taken out.

/** A case whose published answer contradicts the standard. */
export interface Exception {
  readonly case: string
  /** What the published answer breaks. */
  readonly clause: string
  readonly why: string
  /** The differences it always shows, in their order; `…` stands for any text. */
  readonly differences: readonly string[]
}

/** The rows. */
export const exceptions: readonly Exception[] = [
  {
    case: 'OMOS-O-1-14',
    clause: 'KMIP 1.4 §6.1 Protocol Version',
    why: 'its last request is of version 1.4, and the answer shown for it says 1.3',
    differences: [
      'request 2: ResponseMessage/ResponseHeader/ProtocolVersion/ProtocolVersionMinor: expected 3, found 4',
    ],
  },
  {
    case: 'TC-ECC-2-14',
    clause: 'KMIP 1.4 §2.1.3 Key Block, §9.1.3.2.3 Key Format Type',
    why: 'it registers an encrypted PKCS#8 key, never says the password, and shows the decrypted EC private key under the name of PKCS#8',
    differences: [
      'request 6: ResponseMessage/BatchItem[0]/ResponsePayload/PrivateKey/KeyBlock/KeyValue/KeyMaterial: expected 118 secret bytes, found 172 secret bytes',
    ],
  },
  {
    case: 'TC-PKCS12-2-14',
    clause: 'KMIP 1.4 §3.10 X.509 Certificate Identifier, §3.17 Digest',
    why: 'its Locate gives the serial number in DER and finds the certificate, whose attribute it then shows without the DER header; it shows one digest of a private key in PKCS#8, without that of the default format',
    differences: [
      'request 5: ResponseMessage/BatchItem[0]/ResponsePayload: Attribute(Digest) is not expected',
      'request 9: ResponseMessage/BatchItem[0]/ResponsePayload/Attribute(X509CertificateIdentifier)/AttributeValue/CertificateSerialNumber: expected bytes 00d2f5bad76a5ac8f9, found bytes 020900d2f5bad76a5ac8f9',
      'request 9: ResponseMessage/BatchItem[0]/ResponsePayload/Attribute(Digest)/AttributeValue: KeyFormatType is not expected',
    ],
  },
  {
    case: 'TC-SJ-4-14',
    clause: 'KMIP 1.4 §4.11 Get',
    why: 'it asks for the fourth part of a key, and the answer shown bears the identifier of the first',
    differences: [
      'request 6: ResponseMessage/BatchItem[0]/ResponsePayload/UniqueIdentifier: expected $UNIQUE_IDENTIFIER_1, which is …, found …',
    ],
  },
]
