// docs/reference/formats.md: what stands in the database and in the key files, byte for byte. A test
// reads a keystore by this page alone (test/docs/stranger.ts).
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { argon2Cost } from '../../src/crypto/primitives/kdf.ts'
import { sealsPerEpoch } from '../../src/keystore/sealing.ts'
import { block, code, sections, table } from './markdown.ts'

const intro = `
Enough to write a program that reads a keystore without keyreel, given its master key. The database is not
trusted by keyreel: whatever matters is under a MAC, whatever is secret is sealed.

## Conventions

- Numbers in files are big-endian. Texts are UTF-8. \`‖\` joins byte strings.
- **Seal**: 12 bytes nonce ‖ ciphertext ‖ 16 bytes tag. AES-256-GCM with a random nonce. What else is bound
  is named as *additional data*.
- **MAC**: HMAC-SHA-256, 32 bytes.
- **Head(a, b, …)**: the fields as a JSON array without blanks, as \`JSON.stringify\` of JavaScript writes it,
  and one line feed (0A). Absent is \`null\`. \`Head("epoch","0a1b",1)\` is \`["epoch","0a1b",1]\` and 0A.
- A unique identifier is a UUID: in Head as lower-case text with dashes, in the column \`objects.id\` as 16 bytes.
- **TTLV**: the binary encoding of KMIP 2.1 §10.1.
`

const opening = `
## From the master key to the working keys

1. \`settings\` holds the identity of the store under \`store\`: a UUID as text.
2. \`epoch_wraps\` holds, for every epoch and every master key, the epoch's secret of 32 bytes, wrapped.
   \`provider\` says by which master key.
3. From each secret come four keys of 32 bytes by HKDF-SHA-256 (RFC 5869): salt is the identity of the store as
   text, info is the label.

| label               | for                           |
| ------------------- | ----------------------------- |
| \`keyreel 1 sealing\` | sealing of material and secrets |
| \`keyreel 1 records\` | MACs of objects and documents |
| \`keyreel 1 audit\`   | MACs of audit rows            |
| \`keyreel 1 checks\`  | check values of material      |

New rows use the highest epoch. The next one begins when half of ${sealsPerEpoch.toLocaleString('en')} seals are used.

### Master key file

72 bytes: the ASCII letters \`keyreel1\`, the key of 32 bytes, and the SHA-256 of those 40 bytes. Its provider is
\`file:\` and the first 8 bytes, in hexadecimal, of the MAC with this key over the text \`keyreel master key id\`.
The wrap is a seal of the secret with this key; additional data is Head("epoch", store, epoch).

### Passphrase

The provider is \`passphrase\`, for a passphrase that took the place of another \`passphrase:\` and eight hexadecimal
digits. The wrap is: version (1 byte, 1), memory in KiB (4), passes (4), lanes (4), salt
(16), then a seal of the secret. The sealing key is argon2id (RFC 9106) of the passphrase's bytes with that cost
and salt, 32 bytes. Additional data is the first 29 bytes of the wrap ‖ Head("epoch", store, epoch). New wraps use
${argon2Cost.memory} KiB, ${argon2Cost.passes} passes, ${argon2Cost.lanes} lanes.
`

const tokenText = `
### Token

The provider is \`pkcs11:\` and the CKA_ID of the key, 8 bytes in hexadecimal. The wrap is: version (1 byte, 1), nonce (12), and what
C_Encrypt with CKM_AES_GCM gives for the secret, ciphertext and tag of 16 bytes; additional data is Head("epoch", store, epoch).
`

const recoveryText = `
### Recovery key

The provider is \`recovery:\` and the identifier of the key, 16 hexadecimal digits: the first 8 bytes of the SHA-256 of both
SubjectPublicKeyInfos, P-384 then ML-KEM-1024. Both pairs come from a seed of 32 bytes by HKDF-SHA-384 without salt: the number of
P-384 is 56 bytes under the info \`keyreel 1 recovery key P-384\`, modulo the order less one, plus one; d ‖ z of ML-KEM (FIPS 203)
are 64 bytes under \`keyreel 1 recovery key ML-KEM-1024\`. The wrap is a ciphertext of the [hybrid KEM](bundles.md) (1,665 bytes), then
a seal of the epoch's secret; the sealing key is HKDF-SHA-256 of the KEM's secret, no salt, info
\`keyreel 1 recovery wrap\`; additional data is Head("epoch", store, epoch). The document \`recovery/key\` has the public keys,
the threshold and who has shares.

### Recovery share

The seed is shared byte by byte over GF(2^8) with the polynomial 0x11D; share number i is the value at i. 45 bytes: version (1),
identifier of the key (8), threshold (1), number (1), value (32), the first two bytes of the SHA-256 of those 43. They are printed
as 18 groups of four digits of 5 bits in Crockford's base 32 and a fifth that checks them: the number of the group from 0, plus
each value times x, x², x³, x⁴ in GF(2^5) with x⁵ + x² + 1.
`

const objectText = `
## Objects

One row of \`objects\` is one managed object.

- **MAC** with the records key of the row's epoch over Head("object", id, type, group, epoch, revision) ‖ record.
  Type is the number of the Object Type.
- **sealed**, when it is not null: a seal with the sealing key of the row's epoch; additional data is
  Head("object", id, type, group, epoch). Inside is the object as one TTLV item of KMIP 2.1, for example a Symmetric
  Key with its Key Block. Null once wiped, and for objects without material.
- **revision** is 1 at first and grows by one with every change. From revision 2 on \`revisions\` holds the same
  revision and MAC under the row's \`n\`.
- The other columns, \`entries\`, \`attribute_index\` and \`unique_entries\` follow from the record. They are there to
  find rows and are never believed.
- The record of an object with material has a **check value** of it (below). Unsealed bytes that do not match are not served: the
  seal of an earlier key of the same identifier would open, but is not what the record speaks of.

### The record

One TTLV item. Tags without a name in KMIP are of the range for extensions:
`

const recordRows = [
  ['ObjectRecord', '54A000', 'Structure', 'the whole'],
  ['RecordFormat', '54A001', 'Integer', '1'],
  ['Vitals', '54A002', 'Structure', 'see below'],
  ['HeldAttributes', '54A006', 'Structure', 'any number of HeldAttribute'],
  [
    'HeldAttribute',
    '54A007',
    'Structure',
    'Attribute Reference (an Enumeration: the tag of the attribute; 420008 for vendor attributes), Attribute Index (Integer), Attribute Value (as that attribute has it in KMIP 2.1)',
  ],
] as const

const vitalRows = [
  ['Owner', '54A003', 'Text String', 'client, or client/user'],
  ['Fresh', 'KMIP', 'Boolean', ''],
  ['Sensitive', 'KMIP', 'Boolean', ''],
  ['Extractable', 'KMIP', 'Boolean', ''],
  ['Key Format Type', 'KMIP', 'Enumeration', 'optional'],
  ['Initial Date', 'KMIP', 'Date-Time', ''],
  [
    'Activation Date, Deactivation Date, Compromise Date, Destroy Date, Archive Date',
    'KMIP',
    'Date-Time',
    'optional',
  ],
  ['Last Change Date', 'KMIP', 'Date-Time', ''],
  ['Lease Time', 'KMIP', 'Interval', ''],
  [
    'ShownState',
    '54A004',
    'Enumeration',
    'optional: the last state shown to a client that time alone had brought about',
  ],
  ['WipeAfter', '54A005', 'Date-Time', 'optional: when a destroyed object may be wiped'],
  [
    'PadEncrypted',
    '54A008',
    'Integer',
    'optional: how many bytes of a One Time Pad have encrypted',
  ],
  [
    'PadDecrypted',
    '54A009',
    'Integer',
    'optional: how many bytes of a One Time Pad have decrypted in their turn',
  ],
  [
    'CheckValue',
    '54A00A',
    'Byte String',
    'optional: an epoch (4 bytes), and the MAC with the checks key of that epoch over Head("check", id, type, group, epoch) ‖ the unsealed bytes',
  ],
  [
    'Withdrawn',
    '54A00B',
    'Date-Time',
    'optional: since when the site that the key came from wants it used no longer',
  ],
] as const

const derivedText = `
### Index entries

\`attribute_index\` finds objects by equality. A value of more than 256 characters stands as \`sha256:\` and the
hexadecimal SHA-256 of its text. Attributes and values are the bytes of the text in UTF-8, those of an attribute cut
at 512. \`unique_entries\` holds what only one object of a group may have while it is not
destroyed: kind \`name\` with the Name's value, and kind \`asi\` with a tape namespace and its data.
`

const indexRows = [
  ['Name, AlternativeName', 'the value, without its type'],
  [
    'ApplicationSpecificInformation',
    'namespace (of a tape library: without a vendor in front), the character U+0000, data',
  ],
  ['Link', 'the linked identifier'],
  ['ObjectGroup, ContactInformation', 'the text'],
  ['vendor-name', 'the text of a vendor attribute'],
  ['cartridge, volume', 'barcode of a symmetric key, and the barcode without media identifier'],
] as const

const documentText = `
## Documents

Everything that is no managed object: one row of \`documents\` per kind and name, \`body\` as JSON, some with a sealed
secret. A deleted document keeps its row with \`body\` null, so that its revision goes on.

- **MAC** with the records key over Head("document", kind, name, epoch, revision, body, length of sealed) ‖ sealed. Body is
  the text as it stands; without a sealed part the length is \`null\` and nothing follows.
- **sealed**: a seal with the sealing key; additional data is Head("document", kind, name, epoch).
`

const documentRows = [
  [
    'group',
    'its name',
    'created, destroy, duplicates, short, export, ready, retired, ecb, padding, approval, rules, withdraw, reprovision',
    '',
  ],
  ['listener', 'name of a client', 'address, fingerprint, kmip, notify, put, added', ''],
  [
    'journal',
    '`place`',
    'journals, each with path and journal: where the server keeps its journals, and which ones; path and journal alone where there is one of an earlier release',
    '',
  ],
  ['constraints', 'a group', 'ttlv (Constraints of KMIP 2.1, base64), count, by, set', ''],
  [
    'object-defaults',
    'a group',
    'ttlv (Defaults Information of KMIP 2.1, base64), count, by, set',
    '',
  ],
  ['client', 'its name', 'kind, group, profile, allow, created, revoked', ''],
  [
    'certificate',
    'SHA-256 of the DER, hexadecimal',
    'client, pem, authority (of the issuer, when it is not ours), origin, enrolled, revoked, object (that it is as well)',
    '',
  ],
  ['credential', 'the client', 'users: username, hash, ownOnly, added', ''],
  ['operator', 'its name', 'pem, fingerprint, added, revoked', ''],
  ['authority', '`ca`', 'pem, created', 'private key, PKCS#8 DER'],
  ['issuing-authority', 'name of its group', 'pem, created', 'private key, PKCS#8 DER'],
  ['server-certificate', '`p256`, `rsa3072`', 'pem, hosts, issued', 'private key, PKCS#8 DER'],
  ['exchange-identity', '`own`', 'pem, created', 'private key, PKCS#8 DER'],
  [
    'exchange-certificate',
    'SHA-256 of the DER, hexadecimal',
    'pem, issued; the newest is handed out',
    'DER SEQUENCE of three OCTET STRINGs: private keys P-384, ML-KEM-1024, RSA-3072, PKCS#8 DER each',
  ],
  [
    'exchange-peer',
    'its name',
    'added, revoked, identity (pem, pin), certificates (pem, fingerprint, added, confirmed), newest last',
    '',
  ],
  [
    'peer-link',
    'name of the peer',
    'url, ca, certificate, added, plain (unwrappingKey, wrappingKey)',
    'private key, PEM',
  ],
  ['peer-wrapping-key', 'name of the peer', 'added', 'AES key that both sides hold'],
  [
    'exchange-approval',
    'export id',
    'peer, recipient, group, selection, keys, digest, requester, requested, expires, used, approval (operator, fingerprint, signature in base64, approved); signed are the lines `keyreel approval 1`, `export ID`, `recipient FINGERPRINT`, `selection DIGEST`, `group NAME`, `requester NAME`, each with a line feed: RSA as PKCS#1 v1.5 with SHA-256, ECDSA with SHA-256, SHA-384 (P-384) or SHA-512 (P-521), or Ed25519',
    '',
  ],
  [
    'exchange-export',
    'export id',
    'peer, recipient, group, selection, started, finished, failed, expires, keys, digest, requester, approver, receipt (import, imported, received, counts), live, taken',
    '',
  ],
  [
    'exchange-import',
    'import id',
    'export, peer, sender, group, live, started, finished, keys, counts',
    '',
  ],
  [
    'backup',
    'backup id',
    'created, begun, file, bytes, recovery, digest, objects, newest, verified, schedule, node, removed',
    '',
  ],
  [
    'backup-schedule',
    'name of the schedule',
    'directory, every, at, keep, keepDays, elsewhere, added',
    '',
  ],
  [
    'exchange-withdrawal',
    'id of the notice',
    'direction (sent or received), peer, reason, signed, exports, keys, live, applied, counts (withdrawn, absent, refused), absentParts',
    '',
  ],
  [
    'exchange-withdrawn',
    'notice/number, from 0',
    'keys that were not here when the notice was applied: its exports do not bring them',
    '',
  ],
] as const

const transientText = `
Times are seconds since 1970. A password hash is in the PHC form: \`$argon2id$v=19$m=65536,t=3,p=4$salt$hash\`, of the
password in Unicode form NFC.

## Transients

What is forgotten when its time is over: one row of \`transients\` per kind and name, \`body\` as JSON, some with a sealed
secret. Kind \`push\`, by \`client/object\`, is what waits to be sent to a client: object, put (no, new, in-place), changed
(attributes without values), since. From \`expires\` on a row does not count, and is deleted a little later. There are no revisions.

- **MAC** with the records key over Head("transient", kind, name, owner, expires as a text, epoch, body, length of
  sealed) ‖ sealed, as for documents.
- **sealed**: a seal with the sealing key; additional data is Head("transient", kind, name, owner, epoch).
`

const auditText = `
## Audit rows

One row of \`audit\` holds the records \`first\` to \`last\` of one group commit in one chain; \`body\` is a JSON array of
them ([fields](audit-record.md#fields), without \`chain\`; \`time\` in seconds).

- **MAC** with the audit key of the row's epoch over Head("audit", chain, first, last, epoch) ‖ MAC of the row before
  it in the chain ‖ body. Before the first row stand 32 zero bytes.
- \`first\` of a row is \`last\` of the one before it plus one.
- \`audit_objects\` and \`audit_indexed\` are an index that is filled behind the chains.

## Checkpoints

A file, and one or more messages to syslog with up to 8 chains each. JSON: \`store\` (identity), \`time\` (seconds), \`chains\`: a list of \`chain\`, \`number\` (of the last record) and \`mac\` (of its
row, base64url without padding), \`signer\` (SHA-256 of the SubjectPublicKeyInfo of the exchange identity, hexadecimal), \`signature\`
(ECDSA on P-384 with SHA-384, DER, base64). Signed is this text, every line with a line feed behind it, chains by name, their names as JSON:

\`\`\`
keyreel checkpoint 1
store 0a1b…
time 1800000000
chain "serve" 1042 q3…
\`\`\`

\`openssl dgst -sha384 -verify identity.pub -signature signature.der text\` checks it; the identity is the second certificate of
\`keyreel exchange certificate export\`. Files of early releases have no signature.
`

const destructionText = `
## Destruction records

\`keyreel key destruction\` writes CMS SignedData (RFC 5652) around plain data, in PEM, signed by the exchange identity. The data is JSON:

- \`keyreel\`: \`destruction 1\`; \`statement\`: what is claimed, in words; \`store\`: identity of the keystore; \`issued\`: when
- \`key\`: \`id\`, \`group\`, \`type\`, \`owner\`, \`algorithm\`, \`length\`, \`created\`
- \`cartridge\`: \`barcode\`, \`mediumSerial\`, \`librarySerial\`; null when the key names none
- \`destroyed\`: \`at\`, \`by\`, \`record\` (\`chain\` and \`number\` in the audit record)
- \`wiped\`: \`at\`, \`how\`, \`record\`
- \`mayStillBeIn\`: places that may still have the key, each with \`kind\` and \`where\`; nothing is claimed of others
- \`allRecordsLookedThrough\`: false when there are more records of the key than were looked through

\`openssl cms -verify -inform PEM -in FILE -CAfile IDENTITY.pem\` checks and prints it; IDENTITY.pem is the second certificate of \`keyreel
exchange certificate export\`, and whether it is the right one is a question of its fingerprint.
`

const folder = join(import.meta.dirname, '../../src/keystore/migrations')

function schema(): string {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'))
  return files
    .toSorted()
    .map((file) => block(readFileSync(join(folder, file), 'utf8').trim(), 'sql'))
    .join('\n\n')
}

export const formatsPage = {
  title: 'Formats',
  about: 'keys, seals, MACs, records and tables, byte for byte',
  body: () =>
    sections(
      intro,
      opening,
      tokenText,
      recoveryText,
      objectText,
      table(['item', 'tag', 'type', 'content'], recordRows),
      'Vitals are what every operation looks at. Their order is that of this table.',
      table(['item', 'tag', 'type', ''], vitalRows),
      derivedText,
      table(
        ['attribute', 'value'],
        indexRows.map(([attribute, value]) => [code(attribute), value]),
      ),
      documentText,
      table(
        ['kind', 'name', 'body', 'sealed secret'],
        documentRows.map(([kind, ...rest]) => [code(kind), ...rest]),
      ),
      transientText,
      auditText,
      destructionText,
      '## Tables',
      `Number of the schema: \`settings\`, name \`schema\`. A keyreel that knows only older schemas refuses the database.`,
      schema(),
    ),
}
