// docs/reference/bundles.md: Encryption Certificates and bundles, byte for byte. A test reads a bundle
// by this page alone, with openssl where openssl can.
import { furtherKeys } from '../../src/crypto/encryption-certificates.ts'
import { keyreelArc } from '../../src/crypto/cms-recipients.ts'
import { hybridCiphertextLength } from '../../src/crypto/hybrid-kem.ts'
import { keysPerPart } from '../../src/exchange/export-keys.ts'
import { backupFormat, backupTags } from '../../src/exchange/backup-manifest.ts'
import { tablesLeftOut } from '../../src/keystore/tables.ts'
import { exchangeFormat, exchangeTags, limits } from '../../src/exchange/manifest.ts'
import { block, code, sections, table } from './markdown.ts'

const intro = `
Enough to write a program that makes or reads bundles without keyreel. This is format ${exchangeFormat}. Everything is DER (X.690 §10): a
reader refuses lengths that are not the shortest, unknown fields, and bytes that are left over. Where an
algorithm has one form, that form is the only one.

## Encryption Certificate

X.509. The subject key is P-384, key usage keyAgreement. The file that \`keyreel exchange certificate export\` writes holds two
PEM blocks: this certificate, and that of the exchange identity that issued it (P-384, digitalSignature and
keyCertSign), which signs bundles.

- The Authority Key Identifier is the SHA-256 of the whole SubjectPublicKeyInfo of the identity, 32 bytes: the
  _pin_. A reader computes it anew. So the SHA-256 of the one certificate covers identity and all keys.
- Two extensions, not critical, hold the SubjectPublicKeyInfo of further keys of the same holder.

The object identifiers stand below \`${keyreelArc}\`, the arc of a UUID (X.667), which nobody else gives out.
`

const keyRows = [
  [code(furtherKeys.mlKem), 'extension: ML-KEM-1024 key'],
  [code(furtherKeys.rsa), 'extension: RSA key of 2048 bits or more'],
  [code(`${keyreelArc}.3`), 'KEM: ECDH P-384 and ML-KEM-1024 together'],
]

const file = `
## The file

One or more DER elements, one after the other, without anything between them. The first is a CMS ContentInfo:

${block(`ContentInfo signedData (RFC 5652 §5), version 3
└ eContentType id-ct-contentInfo (1.2.840.113549.1.9.16.1.6)
  └ ContentInfo authEnvelopedData (RFC 5083), version 0, AES-256-GCM, nonce of 12 bytes, tag of 16
    └ content, type id-data: an Exchange Bundle in TTLV`)}

One signer, named by issuer and serial number, its certificate inside, ECDSA with SHA-384 (read: also SHA-256 and SHA-512, and
RSA PKCS#1 v1.5 with these). Signed attributes: contentType, signingTime, messageDigest, no other.

The elements behind the first are the parts, each a ContentInfo authEnvelopedData for one recipient of the kind
KEKRecipientInfo (version 4, AES-256 key wrap): the identifier is the export id as text, the key is the Part Key of the manifest.
A part is at most ${limits.partBytes / 1024 / 1024} MiB; keyreel puts ${keysPerPart} keys into one, so that memory does not grow with the number of keys.

## Recipients

A recipient whose certificate carries an ML-KEM-1024 key beside a P-384 one gets the _hybrid_: OtherRecipientInfo with a
KEMRecipientInfo (RFC 9629), version 0, rid issuer and serial number, kem ${code(`${keyreelArc}.3`)} without parameters, kdf
HKDF with SHA-384 (1.2.840.113549.1.9.16.3.29), no salt, kekLength 32, no ukm, wrap AES-256 key wrap. \`kemct\` has ${hybridCiphertextLength} bytes:

${block(`kemct  = ephemeral P-384 point, uncompressed (97) ‖ ML-KEM-1024 ciphertext (1568)
secret = HMAC-SHA-384(key: "keyreel hybrid KEM P-384 ML-KEM-1024 v1",
           ML-KEM secret (32) ‖ ECDH secret, x coordinate (48) ‖ kemct
           ‖ ML-KEM-1024 public key (1568) ‖ P-384 public key, uncompressed point (97))
KEK    = HKDF-SHA-384(secret, info: DER of CMSORIforKEMOtherInfo, 32 bytes)`)}

Why this is safe: the secret is HKDF-Extract over both secrets side by side, which NIST SP 800-56C revision 2 §2 provides for hybrids.
Whoever lacks one of the two cannot tell the result from random: a quantum computer that breaks the
curve still faces ML-KEM, and a flaw found in ML-KEM still leaves the curve. All inputs have fixed lengths, so no
two different inputs look alike. Both ciphertexts and both public keys are hashed in, so that a broken half cannot be
altered under an intact one, and a secret made for one recipient is none for another.

Other recipients get one message that openssl reads, with the parts inside: RSA keys by RSAES-OAEP with SHA-256 for hash and mask;
elliptic-curve keys by ECDH, X9.63 KDF with SHA-256, AES-256 key wrap (RFC 5753):

${block(
  `openssl cms -verify -noverify -inform DER -in FILE -out inner.der
openssl cms -decrypt -inform DER -in inner.der -recip cert.pem -inkey key.pem -out content.ttlv`,
  'sh',
)}

## The manifest

The content is an Exchange Bundle: the manifest, and with _Parts Enclosed_ one Part Content (byte string) per part. TTLV of
KMIP 2.1, fields in this order, tags in the extension range:
`

const meanings: Record<keyof typeof exchangeTags, readonly [string, string]> = {
  ExchangeBundle: ['Structure', 'Exchange Manifest, Part Content …'],
  ExchangeManifest: ['Structure', 'the fields from here on, down to Bundle Part'],
  ExchangeFormat: ['Integer', `${exchangeFormat}`],
  ExportIdentifier: ['Text String', 'UUID, lower case'],
  CreationDate: ['Date-Time', ''],
  ExpiryDate: ['Date-Time', 'optional: refused from then on'],
  SenderKeyDigest: ['Byte String', "the pin of the sender's identity"],
  SenderCertificateDigest: ['Byte String', "SHA-256 of the signer's certificate"],
  RecipientCertificateDigest: ['Byte String', 'SHA-256 of the Encryption Certificate'],
  SourceGroup: ['Text String', "the keys' group at the sender's"],
  Selection: ['Text String', '`all`, `used`, `current`, `barcode` or `key`'],
  KeyCount: ['Integer', 'of the bundle, or of a part'],
  TransportKeyIdentifier: ['Text String', 'what the items name the transport key by'],
  TransportKey: ['Byte String', '32 bytes: wraps every key'],
  PartKey: ['Byte String', '32 bytes: opens the parts; absent with Parts Enclosed'],
  PartsEnclosed: ['Boolean', 'whether the parts stand inside'],
  BundlePart: ['Structure', 'one per part: Part Number, Key Count, Part Digest'],
  PartNumber: ['Integer', 'from 1, in order'],
  PartDigest: [
    'Byte String',
    'SHA-256 of the part: of its DER in the file, or of its Part Content',
  ],
  PartContent: ['Byte String', 'a part in the clear'],
}

const parts = `
A reader refuses the bundle unless sender digests and outer signer agree, the recipient digest is that of one of its own
certificates, the parts are those of the digests, in this order, and nothing follows them.

## Parts

A part in the clear is a KMIP 2.1 Request Message of Import items (§6.1.25), one per key; a reader may give it to any KMIP server
that holds the transport key. Key Wrap Type is Not Wrapped: the server unwraps before it stores. Each Key Block has
Key Format Type Raw and Key Wrapping Data: Encrypt, AES key wrap with padding (RFC 5649), the Transport Key Identifier,
No Encoding, so that what is wrapped is the key itself. Attributes are all that the sender holds, but for those that the
importing server gives anew (State, Fresh, Lease Time, identifiers) and the sender's own \`y-Exchange…\`.

An imported key gets three attributes that say where it came from: \`y-ExchangePeer\`, \`y-ExchangeIdentifier\` (the export id) and
\`y-ExchangeDate\`.
`

const notes = `
## Messages between sites

Receipts, requests and withdrawals are files of one form: CMS SignedData as above, around a ContentInfo of type id-data whose octets
are JSON in UTF-8: \`{"signer": …, "note": …}\`. \`signer\` is the SHA-256 of the signer's certificate, hexadecimal; \`note\` has exactly
the members of its kind, \`keyreel\` first. Not encrypted: they name barcodes and identifiers of keys, never a key.

| \`keyreel\` | members | who signs |
| --- | --- | --- |
| \`receipt 1\` | export, import, imported, counts (new, here, conflict, refused), digest (SHA-256 of the file), left: key, verdict, reason | the site that has imported a bundle |
| \`request 1\` | request, to, tapes: barcode, or namespace and data | the site that looks for keys |
| \`withdrawal 1\` | notice, to, reason (withdrawn or compromised), exports, keys: key, barcode | the site that has sent the keys |
| \`withdrawal receipt 1\` | notice, applied, counts (withdrawn, absent, refused), refused: key, reason | the site that has the copies |

\`to\` is the SHA-256 of the Encryption Certificate of the site that is meant. Moments are seconds since 1970. A withdrawal touches keys
that have come from its signer by the exports it names, no other; its \`notice\` is applied once.

Over KMIP the same is said by a Revoke (KMIP 2.1 §6.1.44) with a Revocation Message: of the transport key \`keyreel receipt: new N, here N,
conflict N, refused N\` closes the entry of keys that were taken; of a key that was brought, with Privilege Withdrawn or Key Compromise,
\`keyreel withdrawal NOTICE\` withdraws it. Without these texts both work as well.
`

const backupText = `
## Backups

A backup (\`keyreel backup create\`) is a file of the same form: the signed and encrypted manifest, then the parts, each an
AuthEnvelopedData under the Part Key with the Export Identifier as key identifier. Its recipients are the recovery key and the
newest Encryption Certificate of the server that made it, both by the hybrid KEM. The recovery key is no certificate: it is
named by the issuer \`CN=keyreel recovery key ID\` and a serial number of 01 and the eight bytes of its identifier. The content is a
Backup Manifest instead of an Exchange Bundle:
`

const backupMeanings: Record<keyof typeof backupTags, readonly [string, string]> = {
  BackupManifest: [
    'Structure',
    'Backup Format, Export Identifier, Creation Date, Store Identifier, Schema Version, Recovery Key Identifier, Sender Key Digest, Sender Certificate Digest, Object Count, Part Key, Bundle Part …',
  ],
  BackupFormat: ['Integer', `${backupFormat}`],
  StoreIdentifier: ['Text String', 'UUID of the keystore'],
  SchemaVersion: ['Integer', 'of the tables'],
  RecoveryKeyIdentifier: ['Text String', '16 hexadecimal digits'],
  ObjectCount: ['Integer', ''],
}

const backupParts = `
A part is text, UTF-8, one JSON value a line, each line ended by a line feed. The first has \`table\` and \`columns\`, an object of
column names and kinds (\`integer\`, \`text\`, \`bytes\`) in order; each further line is an array with the values of one row: integers
as numbers, beyond 2^53 as decimal text, byte strings in base64, null. Key Count of a Bundle Part is its number of rows. The rows are those of the
[tables](formats.md) as they stand in the database, keys sealed, all of one moment; ${Object.entries(
  tablesLeftOut,
)
  .map(([name, why]) => `\`${name}\` is left out (${why})`)
  .join(', ')}.
`

export const bundlesPage = {
  title: 'Bundles',
  about: 'Encryption Certificates and bundles of keys, byte for byte',
  body: () =>
    sections(
      intro,
      table(['object identifier', 'what'], keyRows),
      file,
      table(
        ['item', 'tag', 'type', 'content'],
        Object.entries(exchangeTags).map(([name, [tag]]) => [
          name,
          code(tag.toString(16).toUpperCase()),
          ...meanings[name as keyof typeof exchangeTags],
        ]),
      ),
      parts,
      notes,
      backupText,
      table(
        ['item', 'tag', 'type', 'content'],
        Object.entries(backupTags).map(([name, [tag]]) => [
          name,
          code(tag.toString(16).toUpperCase()),
          ...backupMeanings[name as keyof typeof backupTags],
        ]),
      ),
      backupParts,
    ),
}
