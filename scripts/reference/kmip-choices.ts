// What keyreel does where the KMIP specification leaves room, for docs/reference/kmip.md.
import { table } from './markdown.ts'

const messages = [
  [
    'A version that is not spoken',
    'Answered in the nearest version that is, with Unsupported Protocol Version (Invalid Message before 2.0). A later minor version of a known major is read as the newest of that major; fields that it adds are passed over.',
  ],
  [
    'A message that cannot be read',
    'Answered as far as it can be framed: a header and one item without Operation. When the stream can no longer be cut into messages, the connection is closed after that answer.',
  ],
  [
    'Unknown field in a known version',
    'The item fails, and is answered with as much of its operation and identifier as could be read; other items are not touched. Tags of the vendor range 54xxxx are passed over.',
  ],
  [
    'Order of fields',
    'Any order is read; a field that stands twice is refused. Answers have the order of the specification.',
  ],
  ['Unknown enumeration value', 'Kept as a number and refused where it means something.'],
  ['Time Stamp of a request', 'Not looked at. A client with a wrong clock is served.'],
  [
    'Message Extension',
    'All items are looked at before the first one runs. A critical extension refuses the whole message; others are passed over.',
  ],
  [
    'Asynchronous Indicator',
    'Mandatory: every item is answered Operation Pending, and the items run one after the other in the order of the message. Optional (True in 1.x): a Locate alone in its message is pending, everything else is answered at once. Poll, Cancel, Process and Query Asynchronous Requests are never asynchronous. A client whose profile has no Poll is answered at once, and refused Feature Not Supported for Mandatory.',
  ],
  [
    'Asynchronous requests',
    'Belong to the client, and to the user of its credential, that made them; for others they do not exist. What a request does and its answer become durable together; after a stop of the server it is run, or ends with General Failure where part of its batch had been done. Who it is for is looked up again when it runs. Forgotten after the limit `asynchronous-time`, and ten minutes after its answer was fetched.',
  ],
  [
    'Poll',
    'Waits up to the limit `poll-time` for a result; after Process until there is one. The result is answered as the operation that was polled for, with the Unique Batch Item ID of the Poll. An unknown value: Invalid Asynchronous Correlation Value, Item Not Found before 2.0.',
  ],
  [
    'Cancel',
    'Only takes back what has not begun. A value that names nothing is answered Unavailable.',
  ],
  [
    'Tickets',
    'Login and Delegated Login make one that stands for the credential they came with. It belongs to the client: another certificate cannot use it. Lives an hour unless Lease Time says otherwise, and no longer than the limit `ticket-time`. Request Count counts messages, Usage Limits count batch items. A Right may name Operations only. Only a digest of a ticket is kept.',
  ],
  [
    'Client Correlation Value',
    'Logged. Only a client that sends one gets a Server Correlation Value. It is the reference that the log shows.',
  ],
  [
    'Credentials',
    'Username and Password, Device, One Time Password, Hashed Password, and Ticket. Every credential that is sent must be right, also when none is asked for, and for every operation; the first says whose the objects are, and all of them narrow what may be done. Discover Versions and Query need none. A credential never adds to what the certificate allows. Attestation is refused.',
  ],
  [
    'Device',
    'Known by its Device Serial Number. The password, and every other identifier, that is kept of it must be sent; identifiers that are not kept are passed over, a password is not.',
  ],
  [
    'One Time Password',
    'Used up durably before anything is done, whatever comes of the message. A Password sent beside it is refused: none is kept.',
  ],
  [
    'Hashed Password',
    'Taken for users that were added with `--hashed`: S1 and S2 are kept for them, sealed. SHA-256, SHA-384, SHA-512 and SHA-3 of the same lengths; texts are hashed as UTF-8, Timestamp as its eight bytes in TTLV. The Timestamp must grow from message to message, and be at most an hour ahead of our clock. The Timestamp of Server Hashed Password is the one of the credential.',
  ],
] as const

const batches = [
  ['Order', 'Items always run in order, whatever Batch Order Option says.'],
  [
    'Number of items',
    'Up to the limit `batch-items`. With more than one item each needs a Unique Batch Item ID.',
  ],
  [
    'Batch Error Continuation Option',
    'Stop when absent. Stop answers the items up to the failed one. Continue answers all. Undo takes everything back, in one transaction: such a batch has at most as many items as the limit `undo-items` says, and a longer one is an Invalid Message.',
  ],
  [
    'Undo',
    'Items that had succeeded are answered Operation Undone. A Get answers type and identifier only: the key is not handed out.',
  ],
  [
    'One unit',
    'A batch that changes nothing reads one snapshot. Any other is one unit on the disk: up to 100 items become durable together, with their audit records, before the answer leaves; longer batches are several such units. An item that fails leaves nothing behind, however far it had come, but its record and a state that time had brought about. After an answer that is too large, or an error of the server, the items are run again one by one.',
  ],
  [
    'Maximum Response Size',
    'Counts the whole answer. An item whose answer would not fit is rolled back and fails with Response Too Large. That failure may itself be longer than the maximum.',
  ],
  [
    'ID Placeholder',
    'Set by Create, Register, Re-key, Re-key Key Pair (the private key), Recover and by a Locate that means exactly one object; emptied by any other Locate, by one of these that fails, and by a denied Check. Never kept from one message to the next.',
  ],
  [
    'Unique Identifier of 2.x',
    'A text; a placeholder for what the most recent item of that operation answered; or a position in the list of identifiers that the batch has answered so far. A placeholder for several objects, as Create Key Pair is for both halves, is refused Feature Not Supported: there is one for each half.',
  ],
] as const

const wrapping = [
  [
    'Methods',
    'Encrypt, MAC/sign, Encrypt then MAC/sign, MAC/sign then Encrypt. TR-31 is refused with Feature Not Supported.',
  ],
  [
    'Modes',
    'NIST key wrap (RFC 3394), AES key wrap with padding (RFC 5649), GCM, CCM, CBC, CTR, CFB, OFB; RSA with OAEP, and with PKCS#1 v1.5 in a group that has `padding=pkcs1`. A fresh IV is made where the mode takes one; the tag of GCM and CCM, 16 bytes unless Tag Length says otherwise, stands behind the ciphertext.',
  ],
  [
    'Wrapping key',
    'Visible to the client, a key, on-line, Active, before its Protect Stop Date, with Wrap Key in its usage mask (MAC Generate or Sign for the key that authenticates). What it wraps counts against its Usage Limits. A public RSA key wraps too; a certificate does not, as Wrap Key is no use of certificates. A public key named for MAC/sign stands for the private key that it is linked to.',
  ],
  [
    'Cryptographic Parameters of the wrapping key',
    'Those given must agree with one instance of the key, in the fields that they have; the rest is completed from that instance. Without any the first instance is used. The answer repeats what was given, completed where the mode is none of the two key wraps.',
  ],
  [
    'What is wrapped',
    'Objects with a Key Block. A Certificate, Certificate Request or Opaque Object has none to wrap: Invalid Object Type, before 2.0 Illegal Operation. The Key Value in TTLV, in the form of the version of the request; with No Encoding the Key Material alone, which then must be bytes, and no attributes.',
  ],
  [
    'Objects registered wrapped',
    'Kept as given, also when the wrapping key is not here; wrapped bytes may stand as Key Value or, as in published cases, as Key Material. Algorithm and length must be said. They get a Wrapping Key Link and no Digest. Get hands them out as registered unless Key Wrap Type is Not Wrapped or another wrapping is asked for: then the server unwraps them. Clients of the profile `tape-library` always get them unwrapped. A key kept wrapped is opened in the same way to encrypt, sign and the like.',
  ],
  [
    'Unwrapping key',
    'Once Active, past its Process Start Date, with Unwrap Key in its mask; Wrap Key is enough when the client could get the wrapping key itself (published cases TC-WRAP-2, TC-WRAP-3). With Unwrap Key on a Sensitive wrapping key that also wraps, clients can have Sensitive keys opened: give one of the two bits.',
  ],
  [
    'Attribute Name inside a Key Wrapping Specification',
    'The names of 1.x in 2.x as well, where the field is still a text. Attributes that the object does not have are left out.',
  ],
] as const

const moving = [
  [
    'Export',
    'Hands out what Get would, wrapped when asked, with all attributes that the version has. Fresh stays as it is. Of a destroyed object the attributes leave, and of a key a Key Block without Key Value. Not in the profile `tape-library`.',
  ],
  [
    'Import: the identifier',
    'Kept as given: any 1 to 255 printable characters. One that is taken, also by an object that the client may not see, is refused with Object Already Exists.',
  ],
  [
    'Import: attributes',
    'Have the values given, whoever sets them otherwise, indexes included. What every object has and the request leaves out follows from the object (algorithm, length, Digest) or is as for Register (Initial Date, Fresh, Lease Time). Short Unique Identifier, Protection Storage Mask and Key Format Type are what they are here. The client that imports owns the object.',
  ],
  [
    'Import: the state',
    'Follows from the dates. Active and Deactivated are also kept without a date, as other servers have them; any other State that the dates do not give is refused. A destroyed object is imported without its key.',
  ],
  [
    'Import: Replace Existing',
    'Takes the right to see and to destroy the existing object, in whatever state it is, and a group whose policy allows Destroy. The object that is replaced is kept under another identifier, destroyed, until that policy wipes it; the audit record names it.',
  ],
  [
    'Import: wrapped keys',
    'Unwrapped when Key Wrap Type is Not Wrapped, else kept as they are. Attributes inside the Key Value stay there.',
  ],
  [
    'Put',
    'Taken as Import takes an object, wrapped keys as they are; before 1.4 a key has to come with its Cryptographic Usage Mask, as for Register. An identifier that is taken is refused with Object Already Exists, unless the very same object is there: then the answer is Success and nothing is changed. Replace takes the right to see and to destroy the object that is replaced, in whatever state it is, and a group whose policy allows Destroy; that object is destroyed, and kept under its identifier until that policy wipes it. Where there is none, or it was destroyed before, Replace means New, as the standard has it.',
  ],
  [
    'Notify',
    'Changes nothing: the audit record has the names of the attributes, without values. Names that are not known are noted as well.',
  ],
  [
    'Put, Notify: the header',
    'Before 2.0 a message with one of them is refused, Invalid Message, when its header has Maximum Response Size, Asynchronous Indicator, Batch Error Continuation Option or Batch Order Option.',
  ],
] as const

const objects = [
  [
    'Unique Identifier',
    'A random UUID, lower case with dashes. Chosen by the server, never by the client.',
  ],
  [
    'Create without length or usage mask',
    'In 2.x AES with 256 bits, Encrypt and Decrypt. Before 2.0 algorithm and mask must be given; a length that is left out becomes the usual one. Secret Data, from 1.4 on, is random bytes, 256 bits unless a length is given.',
  ],
  [
    'State',
    'Follows from the dates and the clock when it is asked for. A change that time alone has brought about is recorded with the object before a client sees it, and does not go back when the clock does.',
  ],
  [
    'Get',
    'Serves Pre-Active, Active, Deactivated and Compromised keys, so that old tapes can be read and libraries need not activate keys. A Destroyed key is not served. Get takes away Fresh.',
  ],
  [
    'Activate',
    'A Process Start Date that is past stays as it is, and has no effect any more. A replacement made by Re-key begins with its Activation Date instead.',
  ],
  [
    'Destroy',
    'Pre-Active, Deactivated and Compromised objects. An Active one must be revoked first. Final for clients at once; attributes stay readable. The destroy policy of the group says when the material is wiped; until then an administrator can bring the key back.',
  ],
  [
    'Revoke',
    'A compromise is taken in every state but Destroyed Compromised. Any other reason only deactivates an Active object; a Protect Stop Date that was still to come is then the Deactivation Date.',
  ],
  [
    'Discover Versions',
    'Works with a header of KMIP 1.0 too, which does not have it: a client of that version has no other way to learn which are spoken. Query does not list it there.',
  ],
  ['Name', 'Unique in a group among objects that are not Destroyed.'],
  [
    'Create Key Pair',
    'RSA from 2048 to 8192 bits, DSA and Diffie-Hellman from 2048, curves from 160; shorter ones when the group says `short=allow`, and in test mode. Without an algorithm, in 2.x, EC when a curve is named and RSA otherwise; Diffie-Hellman keys are of the groups of RFC 3526. Algorithm, length and domain parameters may be given for either half and hold for both. Without a Key Format Type keys have the default format of KMIP 2.1 Table 81.',
  ],
  [
    'Registered keys of pairs',
    'Read, and refused when algorithm, length or numbers are not as said. A key of an algorithm that is not known here, one in Opaque format and an encrypted PKCS#8 key are kept as their bytes and served in that format only.',
  ],
  [
    'Key Format Type of Get',
    'Without one a key leaves as it came, in every version. RSA, DSA, DH and EC keys leave in any format of their kind; transparent curve keys under the name the version has for them. Before 1.2, which brought the algorithm EC, such a key is one of ECDSA.',
  ],
  [
    'PKCS#12',
    'Register opens the file with the one Active password that the key links to, keeps the key as PKCS#8 and each certificate as an object, linked by PKCS#12 Certificate Links. Get writes AES-256 and HMAC-SHA-256 (PBES2), the Friendly Name or `alias`, and the certificates that links lead to: those of the key itself before those of its public key, PKCS#12 Certificate Links before Certificate Links. Since 2.0 a certificate with a PKCS#12 Password Link of its own leaves so as well, in its Certificate Value, with those above it and without any key. As published cases have it, the Digest of such a certificate names no format and its X.509 Certificate Identifier has the serial number without DER header; Locate finds any certificate by both forms.',
  ],
  [
    'Certify and Re-certify',
    'X.509 only. Each group has an authority of its own for this, P-256, thirty years, made by its first Certify and sealed in the keystore; the authority of the server and its libraries signs none of these. Subject, alternative names and key usage come from a PKCS#10 or PEM request, which wins over Certificate Subject attributes; without either the subject is the Name of the key or its identifier. No certificate is an authority. Re-certify without a request keeps subject, alternative names, key usage and purposes of the old certificate. It is good from the Activation to the Deactivation Date given, or for a year. A request may be signed with SHA-1, as the signature only shows who holds the key. The Certificate Link of the public key leads to the newest certificate.',
  ],
  [
    'Validate',
    'Trusted are the authority of the group and self-signed authorities that are objects of the group, unless they are revoked. Invalid: a wrong signature, a certificate that is not valid at that date or is no authority, or an object that was revoked by then. Unknown: nothing is wrong, but the chain leads to nobody who is trusted, or is of PGP. Certificates that are no one chain are refused.',
  ],
  [
    'Digest',
    'SHA-256, of the format a key came in and, where that is another, of the default format of KMIP 2.1 Table 81, which peers of 1.x are not shown.',
  ],
  [
    'Certificates',
    'X.509 certificates are read for their attributes, not validated; an attribute that says something else is refused. PGP certificates, PGP keys and CRMF requests are kept as data. Register sets no Cryptographic Usage Mask on a certificate, and no link that the client does not give.',
  ],
  [
    'Objects without their value',
    'From 1.2 on a key may be registered without material. Only its attributes are kept, and Get says so.',
  ],
  [
    'Application Specific Information',
    'In the namespaces of tape libraries a pair of namespace and data belongs to at most one symmetric key of a group that is not Destroyed. A second one is refused and raises an alarm, unless the group says `duplicates=allow`. Other namespaces are free.',
  ],
  [
    'Custom and vendor attributes',
    'Any item type, also changed from one type to another; before 2.0 structures hold no structures. `x-` of 1.x is vendor `x` of 2.x. `y-` and vendor `y` belong to the server.',
  ],
  [
    'Attribute Index',
    'Given by the server from 0 and never changed; a new instance gets one more than the highest that is held. A request that adds an attribute with an index is refused.',
  ],
  [
    'Templates',
    'May be registered and named until 1.4. Explicit values win over those of a template, and among templates the last one wins.',
  ],
  [
    'Sensitive, Extractable',
    'Kept. A Sensitive object leaves encrypted only: MAC/sign alone does not count as wrapping. One that is not Extractable never leaves.',
  ],
  [
    'Lease Time',
    '3600 seconds, shown as an attribute. Obtain Lease gives it for Pre-Active and Active objects; for any other state, and for objects without Lease Time, it answers Permission Denied.',
  ],
  [
    'Archive, Recover',
    'An archived object stays in the database and refuses every other operation with Object Archived. Recover of an object that is on-line succeeds and changes nothing.',
  ],
  [
    'Usage Limits',
    'Get Usage Allocation takes one unit or more, only of an Active object before its Protect Stop Date whose usage mask has a use that protects. The count never goes below nothing; a batch that is undone gives it back.',
  ],
  [
    'Re-key',
    'Once for a key, in any state but Destroyed. Attributes of the request win over single values taken over and stand beside several. In the namespaces of tape libraries the old key gives its Application Specific Information to the new one. The new key has the owner of the old one. In 2.1 the old key gets the Rotate Date, and Rotate Latest and Rotate Generation are kept.',
  ],
  [
    'Re-key Key Pair',
    'As Re-key, for both halves; the private key is named, and its Link says which public key belongs to it.',
  ],
  [
    'Rotate Automatic',
    'A symmetric key, a private or public key, or a certificate whose Rotate Interval is over since its Initial Date is replaced within a minute as by Re-key, Re-key Key Pair or Re-certify, with its Rotate Offset; then the new one rotates. One half rotates the whole pair. Objects of other types, and the key of a tape, do not rotate. One that cannot be replaced rotates no more; its record says why, with an alarm. One whose group lacks copies is replaced once they are there.',
  ],
  [
    'Adjust Attribute',
    'A number that is not there counts as 0, a Boolean as false; a date that is not there is refused. A vendor attribute that is not there takes its type from the Adjustment Value.',
  ],
  ['Digest', 'SHA-256 over the material, made when the object is.'],
] as const

const service = [
  [
    'Set Constraints, Set Defaults: who, and for whom',
    'Clients of the profile `general` set them for their group; not a user who sees its own objects alone, and nobody in a group with `rules=fixed` or `rules=off`. They count for clients of that profile. Libraries of the profile `tape-library`, peers and imports of bundles are never refused a key, or given another, because of them; `rules=off` takes all of their force away. At most 100 entries and 64 KiB.',
  ],
  [
    'Constraints',
    'Held against every object that is made, brought or put, in every version, before it is kept; later changes of its attributes are not held against them. All constraints for its type and groups have to be satisfied. Several values of one attribute in a constraint are alternatives; a usage mask is the most that is allowed; of a structure the fields count that are named; an attribute that the type does not have is not asked for. One without Attributes asks nothing. The refusal is Constraint Violation, before 2.1 Permission Denied.',
  ],
  [
    'Defaults',
    'Used for what a request of 2.x leaves out: in Create and Create Key Pair every attribute, in Register, Derive Key and Join Split Key those that do not follow from the material. Those for an Object Group of the object go before those for all. A length is the default of the algorithm that stands beside it, and of no other. Until some are set, those of the server count: AES, 256 bits, Encrypt and Decrypt. Without Defaults Information all are removed, the server’s own too: Create then wants algorithm and usage mask. Name, Application Specific Information and Link are no defaults.',
  ],
  [
    'Notify and Put that are sent',
    'Only to clients for which the administrator has said so, over a connection made to their listener or turned round by them. Notify names what changed since the last one, whoever changed it: Last Change Date, then the attributes as they are when it is sent, then those that are gone; Fresh is no news. Put is sent of every object that is new in the group, Replace where it has a Replaced Object Link or took the place of another under its identifier, with all attributes; nothing is put that Get would refuse, nor a Template. A message is repeated until it is answered: at least once, in no order between objects. A refusal is final.',
  ],
  [
    'Re-Provision',
    'For clients of the profile `general` in a group with `reprovision=replace` or `beside`; a group begins with `refuse`, Permission Denied: whoever has stolen a certificate could hold on to it. A PKCS#10 request is signed by the server’s authority under the name of the client, whatever subject it asks for; a certificate of the client’s own is taken as given. Without either it is refused Feature Not Supported: a private key among the objects of the group would be there for every client of the group. With `replace` the certificate that is shown is refused from then on and its connections end within seconds, so Get the new one in the same batch; with `beside` it stays good until it ends or the administrator revokes it. Users of a credential and holders of tickets are refused, and so is a certificate whose object was revoked. At most eight certificates are good at a time.',
  ],
  [
    'Set Endpoint Role',
    'Server is accepted and changes nothing. Client turns the connection round once the answer is written, for a client to which something is sent (`library listener set`); for any other it is refused Permission Denied, over HTTPS Feature Not Supported. From then on the server asks, in the version of that request, and nothing the client asks is answered there. What is sent by then behind the request ends the connection. Losing the right to be here ends a turned connection like any other.',
  ],
  [
    'PKCS#11',
    'There is no token: each of the 92 functions of the interface PKCS 11 returns CKR_FUNCTION_NOT_SUPPORTED, whatever its parameters. Other functions, those of vendors included: PKCS#11 Invalid Function; other interfaces: PKCS#11 Invalid Interface; more than 64 KiB of parameters: PKCS#11 Codec Error.',
  ],
  ['Operations and Object Types in Query', 'Listed in the order of the published cases.'],
  ['Server Information', 'An empty structure in every version, as the profiles show it.'],
  [
    'Operations in Query',
    'Those that this client may use, in its version and its group as it is now: Set Constraints, Set Defaults and Re-Provision only where the group lets it. Notify and Put are named because they are taken; what is sent is for the administrator to say, not for Query.',
  ],
  [
    'Profiles in Query',
    'Those whose mandatory cases pass; the profiles of HTTPS, XML and JSON where there is an HTTPS port.',
  ],
  [
    'Client Registration Methods in Query',
    'All four. The methods are the administrator’s: a kit whose key the server makes (Server Pre-Generated for the client, Server On-Demand for the administrator), a certificate request of the client, a certificate of its own.',
  ],
  [
    'Capabilities in Query',
    'No attestation and no shredding: deleted material is overwritten in the database file, and no more is claimed. Wrapped keys are kept as they come (Unwrap Mode Not Processed).',
  ],
  [
    'Random Number Generators in Query',
    'One, without DRBG Algorithm; as an attribute of keys it says CTR.',
  ],
  [
    'Log',
    'The message, up to 4096 characters, is the details of an audit record. Control characters become question marks.',
  ],
  [
    'Interop',
    'Only with `serve --test-mode`; elsewhere Operation Not Supported. Begin and End leave an audit record. Reset destroys and wipes, in whatever state, what the client itself has made since the server was started; a group that refuses Destroy refuses it.',
  ],
] as const

const locating = [
  [
    'Several attributes',
    'All must match. An attribute that an object does not have does not match.',
  ],
  [
    'A date',
    'Once: equal. Twice: from the first to the second, both included. The largest date: objects without that date. More than twice: Invalid Message.',
  ],
  ['Usage mask', 'The object must have all the bits that are asked for.'],
  [
    'Structures',
    'Fields that are left out match anything. Text is compared exactly, upper and lower case differ.',
  ],
  [
    'Storage Status Mask',
    'Absent: on-line objects. Destroyed objects only with the bit for them (2.x).',
  ],
  ['Order', 'Newest first, the same in every version.'],
  [
    'Object Group Member',
    'Fresh: members that Get has not served. Default: the newest member. Where the reserved group `default` has none, and the search asks for nothing but Object Type, algorithm, length and usage mask, a symmetric key is made, AES with 256 bits unless the search says otherwise, and audited as a Create.',
  ],
  [
    'Limits',
    'At most `located-items` identifiers; at most `scanned-objects` rows are looked at when an attribute has no index.',
  ],
  ['Located Items', 'Answered when Offset Items is in the request.'],
  [
    'Attributes with an index',
    'Name, Alternative Name, Application Specific Information, Link, Object Group, Contact Information, and vendor attributes that are text. Dates, algorithm, length, usage mask and object type are columns. Everything else is compared object by object.',
  ],
  [
    'What an index says',
    'Is not believed: every hit is compared with the record of the object, whose MAC is checked first. An object that fails that check is left out of a list, with an alarm; a search by identifier or by an indexed value fails instead, so that its answer does not read as "there is no such key".',
  ],
] as const

const visibility = [
  ['Objects of another group', 'Answer exactly like objects that do not exist.'],
  [
    'Objects of another client of the group',
    'Shared. A user whose credential was added with `--owner-only` finds only what it made, and is refused Permission Denied for an identifier of anything else of the group, as the default operation policy of 1.x has it; certificates and public keys it may read.',
  ],
  ['Owner', 'The client, or `client/user` when a credential was sent.'],
  ['A profile that does not allow an operation', 'Permission Denied.'],
] as const

const https = [
  [
    'What is taken',
    'POST to `/kmip` (setting `https-path`) with `Content-Type` `application/octet-stream` (TTLV), `text/xml` or `application/json`, in UTF-8; the answer comes in the same encoding. The same mutual TLS, clients and engine as on the binary port.',
  ],
  [
    'What is not',
    'HTTP 404 for another path, 405 for another method, 415 for another content type, character set or a compressed body, 413 for a body over the limit `message-bytes`, 408 for one that does not come in time, 400 and 431 for what is no HTTP request. The connection ends after each of them.',
  ],
  [
    'A body that is no message',
    'HTTP 200, and Invalid Message in the encoding of the body, in the version that its header says as far as one can be made out. In XML and JSON a name that keyreel does not know makes the whole message invalid; in hexadecimal it is judged as in TTLV.',
  ],
  [
    'Limits',
    "`message-bytes` counts the body, and the message in TTLV as well; `message-depth` and `message-items` hold for XML and JSON. Document types, and so entities of one's own, are refused.",
  ],
  [
    'Numbers and strings of JSON',
    'What cannot be written in TTLV is Invalid Message: a lone surrogate in a string, a number beyond 2^53 (write `0x` and hexadecimal digits), a Big Integer in a string without `0x`. Of members that occur twice in an object the last one counts.',
  ],
  ['Maximum Response Size', 'The length in TTLV, whatever the encoding of the answer.'],
  [
    'Several requests on a connection',
    'Kept alive, and answered one at a time in order. While some wait nothing more is read, as on the binary port; all that was read is answered, also where the client has closed its side, before what is no HTTP request behind them is refused, and when the server stops.',
  ],
  [
    'A failure of keyreel before there is an answer in KMIP',
    'HTTP 500 with a reference to the log; the connection goes on.',
  ],
  [
    'Text that XML has no characters for',
    'In an answer: the operation is done, and the answer is Invalid Message saying so. TTLV and JSON carry such text. In a request: Invalid Message.',
  ],
] as const

const using = [
  [
    'When a key may be used',
    'To protect (Encrypt, Sign, MAC, Derive Key): Active and before Protect Stop Date. To process (Decrypt, Signature Verify, MAC Verify): from Process Start Date on, also Deactivated or Compromised, unless the group says `retired=refuse`; the audit record names the state. The Cryptographic Usage Mask must have the bit, and never more than the bit.',
  ],
  [
    'Usage Limits',
    'Taken off by Encrypt, Sign and MAC, in the act that uses the key: bytes of data, or one object for an operation or for all parts of one. A use that fails takes nothing. Encrypt and Sign are refused with Permission Denied, as their text has it in every version; MAC with Usage Limit Exceeded, before 2.0 with Permission Denied.',
  ],
  [
    'Cryptographic Parameters',
    'Those of the request, as they are; without any, the first instance of the key. Algorithm and key have to agree. A key without any is asked for the Block Cipher Mode.',
  ],
  [
    'IV/Counter/Nonce',
    'Has to have the size of the mode. Made here when Random IV asks for it and none is given. CTR and ChaCha20 take a whole block or its beginning. A missing one is Missing Initialization Vector, before 2.0 Invalid Message.',
  ],
  [
    'One Time Pad',
    'A symmetric key of up to a MiB. Encrypt takes the next bytes that never encrypted; how far that has come is kept with the object, in the same act. Decrypt takes bytes in the same order, from a position of its own. Random IV makes Encrypt tell the position, as IV/Counter/Nonce of 8 bytes; with it Decrypt takes those bytes, out of turn and as often as need be. A pad with too few bytes left is Usage Limit Exceeded, before 2.0 Permission Denied. Data comes at once, without mode, padding, additional data or tag.',
  ],
  [
    'ECB',
    'Done, since published cases use it. A group with `ecb=refuse` does not Encrypt with it; what was encrypted opens still.',
  ],
  [
    'Data that does not open',
    'A wrong tag, padding, length or key is Cryptographic Failure and nothing else. Nothing of authenticated data leaves before its tag was right, so decryption in parts gives all of it with the last part, up to 1 MiB.',
  ],
  [
    'Signatures and MACs that are wrong',
    'Validity Indicator Invalid, with success. A shortened MAC is Invalid. In parts only the last answer says it.',
  ],
  [
    'Padding of RSA signatures',
    'PKCS#1 v1.5 when the parameters say nothing. Ed25519 and Ed448 sign data only, not digests.',
  ],
  [
    'Parts',
    'Begun with Init Indicator, ended with Final Indicator; Final alone, or both, is all at once. What is under way lives in the process and belongs to the client, the operation and the key; to others, after the end, after the limits `streams-per-client`, `stream-time` and `stream-bytes`, and after a restart it is unknown. One that a client begins when it has no other with the same key gets the same Correlation Value each time, as published cases have it. The key is judged again at every part. A part that was undone, or that could not be kept, was not taken: sent once more it is answered, another one in its place ends the operation.',
  ],
  [
    'Hash and random numbers',
    'RNG Retrieve gives up to 65,536 bytes. RNG Seed uses all that it is given: it goes into a key stream that lies over the random bytes of the crypto library, so that a seed can only add; keys are made without it. Neither these nor Hash are audited.',
  ],
  [
    'Derive Key',
    'From one object, or from a key and a Secret Data object that holds the Derivation Data, or from the private and the public key that agree on a secret. The result is cut to the length asked for; a longer one is a Cryptographic Failure. Up to 5,000,000 iterations of PBKDF2 and 8,192 bytes; so many at a time as the limits `long-work` and `long-work-per-client` say, key pairs included, and the rest waits. A base has as many links as an attribute has instances; then it derives no more.',
  ],
  [
    'Create Split Key and Join Split Key',
    'Symmetric keys, secret data and private keys kept as bytes; 2 to 255 parts. Splitting and joining are no cryptographic use: no state and no bit of the usage mask is asked for. Parts say algorithm, length and usage as their key does, and have no Name given. They leave no more freely than the key (Sensitive, Extractable), nor does what is joined from them. GF(2^8) is that of the published cases (0x11d). Joined are symmetric keys and secret data.',
  ],
] as const

const part = (rows: readonly (readonly [string, string])[]) =>
  table(['about', 'what keyreel does'], rows)

/** Headings and tables. */
export const choices: readonly string[] = [
  '## Choices',
  'The standard leaves these to the server, or says them in several ways.',
  '### Messages',
  part(messages),
  '### HTTPS, XML and JSON',
  part(https),
  '### Batches',
  part(batches),
  '### Objects and attributes',
  part(objects),
  '### Use of keys',
  part(using),
  '### Key wrapping',
  part(wrapping),
  '### Import, Export, Put and Notify',
  part(moving),
  '### Locate',
  part(locating),
  '### The server',
  part(service),
  '### Who sees what',
  part(visibility),
]
