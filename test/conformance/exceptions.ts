// Published cases that no correct server can pass as they stand, with the clause that shows the slip. They
// run all the same, and their answers may differ in the lines given here and in no other way. The
// list only shrinks: one that conforms is reported as an error until its row is taken out. The rows about the
// facts of other servers are in other-servers.ts.
import { otherServers } from './other-servers.ts'

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
    case: 'TC-NP-1-14',
    clause: 'KMIP 1.4 §5.2 Put, §3.1 Unique Identifier',
    why: 'its key is made by the server, and then put as new under the same identifier with key material that was printed beforehand: to take it would overwrite a key',
    differences: [
      'request 2: ResponseMessage/BatchItem[0]: expected Success, found OperationFailed ObjectAlreadyExists "there is another object … already"',
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
  ...otherServers,
]
