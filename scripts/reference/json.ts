// docs/reference/json.md: the documents that --json prints, one row per field. A test runs the commands
// and compares.
import { code, sections, table } from './markdown.ts'

/** Field path → meaning. `[]` is an element of a list. */
type Fields = Readonly<Record<string, string>>

interface JsonOutput {
  /** Commands that print it. */
  readonly commands: readonly string[]
  readonly about: string
  readonly fields: Fields
}

const library: Fields = {
  name: 'of the client',
  kind: '`library` for whatever `library add` has enrolled, `peer` for `peer accept`',
  group: 'its group',
  profile: '`tape-library`, `general`, or `peer`',
  'allow[]': 'rules it is excused from: `weak-key`, `any-usage`',
  created: 'when it was enrolled',
  revoked: 'when it was revoked; absent otherwise',
  lastSeen: 'when the server last heard of it; absent when never',
  'usernames[]': 'user names of its credentials',
  'certificates[].subject': 'newest certificate first',
  'certificates[].issuer': '',
  'certificates[].fingerprint': 'SHA-256 of the DER, 64 hexadecimal digits',
  'certificates[].key': 'kind of key, such as `RSA-2048`',
  'certificates[].origin': '`generated` here, signed on `request`, or `given`',
  'certificates[].enrolled': '',
  'certificates[].notAfter': 'end of validity',
  'certificates[].revoked': 'when this certificate was revoked; absent otherwise',
}

const enrolled: Fields = {
  name: 'of the client',
  group: '',
  profile: '',
  kit: 'directory of the kit; absent when none was written',
  'certificate.subject': '',
  'certificate.fingerprint': 'SHA-256 of the DER',
  'certificate.notAfter': '',
  'certificate.pem': '',
  'authority.fingerprint': 'of the CA of this server',
  'authority.pem': '',
}

const serverCertificates: Fields = {
  'hosts[]': 'names and addresses in the certificates',
  'certificates[].key': '`P-256` and `RSA-3072`',
  'certificates[].subject': '',
  'certificates[].fingerprint': 'SHA-256 of the DER',
  'certificates[].notBefore': '',
  'certificates[].notAfter': '',
  'certificates[].renewal': 'when the server renews it by itself',
  'certificates[].pem': '',
  'authority.subject': '',
  'authority.fingerprint': '',
  'authority.notAfter': '',
  'authority.pem': '',
}

const schedule: Fields = {
  name: 'of the schedule',
  directory: 'where the files go',
  every: 'seconds from one to the next',
  at: 'time of day in UTC, `HH:MM`; null when there is none',
  keep: 'so many verified ones are always kept',
  keepDays: 'and all that are younger than so many days; null when there is no such rule',
  last: 'when the newest turn began; null when there was none',
  next: 'when one is due',
  running: 'whether the newest turn has not ended: it is under way, or was cut off',
  failed: 'why the newest turn failed; null when it did not',
}

const below = (prefix: string, fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([path, about]) => [`${prefix}.${path}`, about]))

const group: Fields = {
  name: '',
  created: '',
  'libraries[]': 'clients that are not revoked',
  destroy: '`now`, `30d` or any number of days, `refuse`',
  duplicates: '`refuse` or `allow`',
  short: '`refuse` or `allow`',
  retired: '`process` or `refuse`',
  ecb: '`allow` or `refuse`',
  padding: '`oaep` or `pkcs1`',
  approval: '`none` or `required`',
  rules: '`clients`, `fixed` or `off`',
  withdraw: '`apply` or `refuse`',
  reprovision: '`refuse`, `replace` or `beside`',
  export: 'as set; absent otherwise',
  ready: 'on how many copies new keys must be before they are handed out',
}

/** What was found in a journal. */
const replayed: Fields = {
  journal: 'identity of the journal',
  store: 'identity of the keystore',
  files: '',
  frames: '',
  whole: 'whether it held everything in the keystore once',
  first: 'moment of its first frame',
  last: 'moment of its last frame',
  'faults[].kind': '`cut` (an end), `damage` or `gap`',
  'faults[].where': 'file, and position in it',
  'faults[].message': '',
  undone: 'frames that were never committed, left out',
  objects: 'new objects that were put back, or would be',
  changes: 'newer states of objects',
  documents: 'clients, certificates, policies and the like',
  wiped: 'destroyed keys whose bytes were forgotten again',
  auditRecords: 'records appended to their chains',
  auditLeft: 'records that stay in the journal only: their chain has gone on otherwise',
  'doubled[]': 'objects whose name or tape another object has by now',
  'problems[].subject': 'what was not put back',
  'problems[].message': '',
}

/** What became of a withdrawal. */
const withdrawalCounts: Fields = {
  withdrawn: 'keys out of use',
  absent: 'keys that were not there',
  refused: 'keys that stay in use',
}

/** A copy of a key at another site. */
const copy: Fields = {
  key: 'copies that went to other sites, newest first',
  peer: '',
  exportId: 'as in `exchange log`',
  way: '`bundle`, `push` or `pull`: in a file, brought over KMIP, or taken over KMIP',
  time: '',
  by: 'who sent it, or the peer that took it',
  approver: 'operator who approved; absent without one',
  state:
    '`sent`: no word of the peer yet; `received`; `not taken`; `withdrawing`: it was told to use it no longer; `withdrawn`: it has said that it does not',
  since: 'when the peer said so; absent while `sent`',
  reason: 'why it was not taken',
}

const cartridge: Fields = {
  barcode: 'as the library read it',
  volume: 'the barcode without media identifier',
  mediumSerial: 'absent when no library told it',
  librarySerial: 'likewise',
  group: '',
  'libraries[]': 'that made its keys',
  currentKey:
    'newest key that is not destroyed; one that came from another site only once a library here has fetched it, or when there is no other; absent when there is none',
  'hold.since': '`hold` is there while the cartridge is on hold',
  'hold.reason': '',
  'keys[].id': 'newest first',
  'keys[].created': '',
  'keys[].owner': 'client, or `client/user`',
  'keys[].withdrawn':
    'since when the site that it came from wants it used no longer; absent otherwise',
  'keys[].state': '',
  'keys[].namespace': 'of the Application Specific Information',
  'keys[].data': 'its Application Data',
  'keys[].used': 'whether a client has fetched it',
  'keys[].from': 'the peer that it came from; absent for keys made here',
  'keys[].held': 'whether it is on hold, for itself or with its cartridge',
  'keys[].current': '',
  'keys[].lastUse': 'when it was last fetched; in `show` only',
}

/** Who still needs a key. */
const dependents = {
  cartridge: 'barcode; absent when the key names none',
  'users[].client': 'that has fetched it',
  'users[].lastUse': '',
  'hold.reason': '`hold` is absent unless the key is held',
  'hold.since': '',
  'hold.cartridge': 'absent when the key is held for itself',
  historyComplete: 'false when there are more audit records than were looked through',
} as const

const key: Fields = {
  id: 'Unique Identifier',
  group: '',
  type: 'Object Type',
  state: '',
  algorithm: 'absent for objects without one',
  length: 'in bits',
  barcode: 'of the cartridge; absent when none was told',
  owner: 'client, or `client/user`',
  hasMaterial: 'whether sealed material is still kept',
  created: '',
  destroyed: 'absent unless destroyed',
  wipeAfter: 'when a destroyed key is wiped',
  withdrawn: 'since when the site that it came from wants it used no longer; absent otherwise',
}

const record: Fields = {
  chain: '',
  number: '',
  time: '',
  'actor.name': '',
  'actor.kind': '',
  operation: '',
  object: 'absent when the record is about none',
  group: 'likewise',
  outcome: '',
  details: 'by operation; absent when there are none',
}

const exchangeCertificate: Fields = {
  fingerprint: 'SHA-256 of the DER, 64 hexadecimal digits',
  notBefore: '',
  notAfter: 'end of validity',
  pem: '',
}

const nested = (prefix: string, fields: Fields): Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([field, meaning]) => [`${prefix}${field}`, meaning]),
  )

const exchangeIdentity: Fields = {
  ...nested('identity.', exchangeCertificate),
  'identity.key': 'SHA-256 of its SubjectPublicKeyInfo: what it is known by, also after renewal',
}

const ownExchange: Fields = {
  ...nested('certificate.', exchangeCertificate),
  'certificate.words[]': 'the fingerprint to be read aloud, four words in each line',
  ...exchangeIdentity,
  ...nested('earlier[].', exchangeCertificate),
}

const exchangePeer: Fields = {
  peer: 'its name here',
  added: '',
  revoked: 'absent unless revoked',
  mode: '`hybrid` (P-384 and ML-KEM-1024), `ec` or `rsa`',
  ...nested('certificate.', exchangeCertificate),
  ...nested('earlier[].', exchangeCertificate),
  ...exchangeIdentity,
}

/** Every document; a test runs the commands and looks for their fields here. */
export const jsonOutputs: readonly JsonOutput[] = [
  {
    commands: ['init'],
    about: 'What was made.',
    fields: {
      joined: 'whether this is a further node of a keystore that was there',
      directory: 'the data directory, absolute',
      masterKey: 'path of the master key file, or `passphrase`, or `pkcs11`',
      'hosts[]': 'names and addresses in the server certificates',
      'authority.subject': '',
      'authority.fingerprint': 'SHA-256 of the DER',
      'certificates[].key': '',
      'certificates[].fingerprint': '',
      'certificates[].notAfter': '',
      'next[]': 'commands to go on with',
    },
  },
  {
    commands: ['status'],
    about:
      'One object. While sealed: `sealed`, `reason`, `remedy` and `server` only, and exit status 11.',
    fields: {
      sealed: 'whether the keystore could not be opened',
      reason: 'why it is sealed',
      remedy: 'what to do about it',
      store: 'identity of the keystore',
      'server.running': '',
      'server.kmip': 'HOST:PORT; absent unless running',
      'server.https': 'likewise, and absent without `--https`',
      'server.pid': 'likewise',
      'server.started': 'likewise',
      'nodes[].name': 'the nodes on one database; absent where the keystore is in a file',
      'nodes[].running': 'whether it has said something within 30 s',
      'nodes[].leads': 'whether it does the work that must be done once',
      'nodes[].version': 'its release',
      'nodes[].kmip': 'HOST:PORT',
      'nodes[].https': 'likewise, absent without `--https`',
      'nodes[].started': '',
      'nodes[].heard': 'when it last said something, by its own clock',
      'nodes[].clockAheadMilliseconds': "its clock against the database's",
      'nodes[].contacts[].client': 'clients that have been there',
      'nodes[].contacts[].connections': 'open ones',
      'nodes[].contacts[].lastContact': '',
      'groups[].name': '',
      'groups[].objects': 'objects that are not destroyed',
      'groups[].atLeast': 'true when counting stopped at that number',
      'libraries[].name': 'clients that are not revoked, last seen first',
      'libraries[].group': '',
      'libraries[].lastSeen': 'absent when never',
      'certificates[].of':
        '`authority`, `server`, `library`, `exchange` (own) or `peer`; soonest end first',
      'certificates[].name': '',
      'certificates[].key': 'P-256, RSA-3072 and so on',
      'certificates[].notAfter': '',
      'certificates[].daysLeft': 'negative once ended',
      'certificates[].warning':
        '90, 30, 14, 7 or 1: the days below which it is; 0 once ended; absent before',
      lastBackup: 'when the newest backup was made; null when there is none',
      'backup.last': 'the same',
      'backup.verified': 'when the newest that was verified was made; null when none was',
      'backup.missing': 'objects made since that one',
      'backup.changed': 'objects in it that were changed since',
      'backup.atLeast': 'true when counting stopped at one of these numbers',
      'backup.since':
        'since when the first of them has been in no verified backup; null when all are',
      'backup.alarm':
        'whether that is too many and too old (settings `backup.alarm-keys`, `backup.alarm-age`)',
      'disk.free': 'bytes',
      journal:
        'null where no server runs that keeps one; else `path`, `state` (`current`, `behind` or `away`), `reason` and `bytes` of the first',
      'journals[].path': 'the same of each that the server keeps',
      'journals[].state': '',
      'journals[].reason': 'why it is away',
      'journals[].bytes': 'of its files',
      'disk.reserveReleased':
        'whether a server that runs has given its reserve back: new keys are refused',
      'unready[].group':
        'of each group whose libraries get no new key, because it wants more copies than there are',
      'unready[].wanted': 'how many copies that is',
      scrub:
        'null before the server has once looked through everything; else `started`, `finished`, and how many `objects`, `documents`, `auditRows`, `others` (rows of all other tables) and `damaged`',
    },
  },
  {
    commands: ['database move'],
    about: 'What was moved.',
    fields: {
      database: 'URL of where the keystore is now, without password',
      node: 'name of this node',
      left: 'path of what was the keystore',
      'tables[].table': 'empty when an earlier run had copied everything',
      'tables[].rows': '',
      'tables[].digest': 'SHA-256 over all rows, the same on both sides',
    },
  },
  {
    commands: ['master-key show'],
    about: 'What opens the keystore.',
    fields: {
      provider: 'the master key in use: its kind and identifier',
      'others[]': 'further master keys that open it: of a rotation that was cut off',
      recovery: 'the recovery key; absent when there is none',
      epoch: 'the newest',
      waiting: 'objects and documents under earlier epochs',
      total: 'objects and documents in all',
      'epochs[].epoch': '',
      'epochs[].providers[]': 'what opens it',
      'epochs[].objects': 'objects under it',
      'epochs[].documents': 'documents under it',
    },
  },
  {
    commands: ['master-key rotate'],
    about: 'What opens the keystore from now on.',
    fields: {
      provider: 'the new master key',
      place: 'where it is: path of its file, or words',
      'retired[]': 'what opens the keystore no longer',
      epochs: 'how many epochs were wrapped for it',
      keptAs: 'where the key file of before is kept; absent when there was none',
    },
  },
  {
    commands: ['master-key reseal'],
    about: 'What was done.',
    fields: { epoch: 'the newest', sealed: 'objects and documents sealed under it' },
  },
  {
    commands: ['master-key unseal'],
    about: 'What the server says.',
    fields: { answer: 'one sentence' },
  },
  {
    commands: ['recovery setup'],
    about: 'What was handed out.',
    fields: {
      key: 'identifier of the recovery key',
      threshold: 'how many shares are needed',
      'shares[].number': '',
      'shares[].holder': 'subject of the certificate, or words for paper',
      'shares[].file': 'where the share was written',
      directory: 'where all was written',
      replaces:
        'with `--dry-run` only, which has no `key` and no files: the recovery key that would be worthless; null for none',
      dryRun: 'true with `--dry-run`, absent without',
    },
  },
  {
    commands: ['recovery show'],
    about: 'The recovery key; nothing of it is secret.',
    fields: {
      key: 'its identifier',
      created: '',
      threshold: 'how many shares are needed',
      complete: 'whether it opens every epoch',
      'shares[].number': '',
      'shares[].officer': 'subject of the certificate; absent for a share on paper',
      'shares[].fingerprint': 'SHA-256 of the certificate; absent for a share on paper',
    },
  },
  {
    commands: ['recovery sheet'],
    about: 'The sheet for the safe.',
    fields: {
      'sheet.title': '',
      'sheet.facts[][]': 'pairs of name and value',
      'sheet.steps[]': 'what to do; commands begin with two blanks',
      file: 'where it was written; absent without --out',
    },
  },
  {
    commands: ['recovery verify'],
    about: 'Whether the shares open the keystore.',
    fields: {
      key: 'identifier of the recovery key',
      epochs: 'how many epochs they open',
      of: 'how many epochs there are',
    },
  },
  {
    commands: ['key destruction'],
    about:
      'What was written; the fields of the signed text itself are in [Formats](formats.md#destruction-records).',
    fields: {
      file: 'the signed record',
      key: 'its identifier',
      group: '',
      cartridge: 'barcode; null when the key names none',
      destroyed: '',
      by: 'absent when the record of it was not found among the newest',
      wipeAfter: 'until then it could have been brought back; absent when it was wiped at once',
      wiped: 'when its bytes were wiped in the live database',
      liveDatabase: '`wiped`',
      'mayBeIn[]': 'other places that may still have it, in words',
      signer: 'SHA-256 of the certificate of the identity that signed',
      digest: 'SHA-256 of the text that is signed',
    },
  },
  {
    commands: ['backup create'],
    about: 'What was written.',
    fields: {
      id: 'of the backup',
      recovery: 'identifier of the recovery key whose shares open it',
      identity: 'SHA-256 of the key of the identity that signed it',
      objects: 'how many are in it',
      bytes: '',
      digest: 'SHA-256 of the file',
      file: 'where it is',
      'warnings[]': 'what speaks against that place',
    },
  },
  {
    commands: ['backup verify'],
    about: 'What was found in it.',
    fields: {
      backup: 'its identifier',
      created: '',
      identity: 'SHA-256 of the key of the identity that signed it',
      recovery: 'identifier of the recovery key whose shares open it',
      objects: '',
      documents: 'clients, certificates, policies and the like',
      compared: 'whether it was compared with the live keystore',
      digest: 'SHA-256 of the file',
      'problems[].kind': '',
      'problems[].subject': 'what it is about',
      'problems[].message': '',
    },
  },
  {
    commands: ['backup restore'],
    about: 'What came back.',
    fields: {
      directory: 'the data directory that was made',
      backup: 'identifier of the backup',
      created: 'when the backup was made',
      objects: '',
      masterKey: 'path of the new key file, or `passphrase`, `pkcs11`',
      journal: 'what came back from a journal, as `journal replay` has it; null without one',
      'problems[].kind': 'what is damaged, with --accept-damage; as `backup verify` has it',
      'problems[].subject': '',
      'problems[].message': '',
      'next[]': 'commands to go on with',
    },
  },
  {
    commands: ['journal verify', 'journal replay'],
    about: 'What the keystore lacks of a journal.',
    fields: { ...replayed, applied: 'whether it was put back' },
  },
  {
    commands: ['journal prune'],
    about: 'Which files the backup replaces.',
    fields: {
      backup: 'its id',
      'files[]': 'names of the files that were removed',
      kept: 'how many files are left',
      dryRun: 'true: nothing was removed',
    },
  },
  {
    commands: ['journal restore'],
    about: 'What came back.',
    fields: {
      directory: 'the data directory that was made',
      objects: '',
      masterKey: 'path of the new key file, or `passphrase`, `pkcs11`',
      ...Object.fromEntries(
        Object.entries(replayed).map(([path, what]) => [`journal.${path}`, what]),
      ),
      'next[]': 'commands to go on with',
    },
  },
  {
    commands: ['backup list'],
    about: 'Backups that were made, newest first.',
    fields: {
      'backups[].id': '',
      'backups[].created': '',
      'backups[].file': 'where it was written',
      'backups[].recovery': 'identifier of the recovery key whose shares open it',
      'backups[].digest': 'SHA-256 of the file',
      'backups[].objects': '',
      'backups[].verified': 'when a copy was last found whole; null when never',
      'backups[].bytes': 'size of the file; null when that was not kept',
      'backups[].schedule': 'the schedule that made it; null when a person did',
      ...below('schedules[]', schedule),
    },
  },
  {
    commands: ['backup schedule set'],
    about: 'The schedule as it is now.',
    fields: { ...schedule, 'warnings[]': 'what speaks against that place' },
  },
  {
    commands: ['backup schedule list'],
    about: 'All schedules.',
    fields: below('schedules[]', schedule),
  },
  {
    commands: ['backup schedule remove'],
    about: 'What was taken away.',
    fields: { schedule: 'its name', dryRun: 'true with `--dry-run`, absent without' },
  },
  {
    commands: ['recovery open'],
    about: 'What was written.',
    fields: { file: 'the readable share' },
  },
  {
    commands: ['doctor'],
    about: 'One object.',
    fields: {
      'checks[].name': '',
      'checks[].status': '`ok`, `warning` or `failed`',
      'checks[].found': 'one line',
      'checks[].remedy': 'absent when all is well',
      sealed: 'whether the keystore could not be opened',
      'repaired.objects':
        'with `--repair`: objects whose columns, entries or index rows were made anew',
      'repaired.removed': 'index rows taken away that no object has',
      'repaired.auditRows': 'rows of the audit record that were indexed again',
      'repaired.damaged': 'objects that are damaged themselves, and were left alone',
    },
  },
  {
    commands: ['library add', 'library renew'],
    about: 'The client and its new certificate.',
    fields: enrolled,
  },
  {
    commands: ['library list', 'library show'],
    about: 'A list of clients, or one.',
    fields: library,
  },
  {
    commands: ['library revoke'],
    about: 'One object.',
    fields: {
      library: 'its name',
      revoked: 'when; false with `--dry-run`',
      group: 'with `--dry-run` only',
    },
  },
  {
    commands: ['library credential add'],
    about: 'One object.',
    fields: {
      library: 'its name',
      username: 'or the serial number of the device',
      ownerOnly: '',
      kind: '`password`, `one-time` or `device`',
      hashed: 'whether a Hashed Password is taken as well',
    },
  },
  {
    commands: ['library listener set', 'library listener list'],
    about: 'One object, or a list.',
    fields: {
      library: 'its name',
      to: 'HOST:PORT; absent when it turns round connections of its own',
      notify: 'whether it is told of changed attributes',
      put: 'whether it is sent new objects',
      fingerprint: 'as given; absent when its own certificates count',
      kmip: 'version as given; absent when it is agreed on',
      added: '',
      waiting: 'objects about which something waits to be sent; of `list` only',
      oldest: 'since when the first of them waits; absent when none does',
    },
  },
  {
    commands: ['library listener remove'],
    about: 'One object.',
    fields: { library: 'its name' },
  },
  {
    commands: ['group list', 'group show', 'group set'],
    about: 'A list of groups, or one.',
    fields: group,
  },
  {
    commands: ['server certificate show', 'server certificate renew'],
    about: 'One object.',
    fields: serverCertificates,
  },
  {
    commands: ['cartridge list', 'cartridge show'],
    about:
      'A list of cartridges, also in `show`: a barcode is not unique. `show` has the fields from `exports` on as well.',
    fields: {
      ...cartridge,
      ...nested('exports[].', copy),
      ...nested('events[].', record),
      eventsComplete: 'false when there are more records than were looked through',
    },
  },
  {
    commands: ['key list'],
    about: 'One object.',
    fields: {
      ...nested('keys[].', key),
      'keys[].held': 'whether it is on hold, for itself or with its cartridge',
      more: 'whether `--limit` cut the list',
    },
  },
  {
    commands: ['key show'],
    about: 'One key with its attributes.',
    fields: {
      ...key,
      ...dependents,
      'destruction.destroyed': '`destruction` is there once the key was destroyed',
      'destruction.by': 'absent when the record of it was not found among the newest',
      'destruction.wipeAfter': 'until then it can be brought back',
      'destruction.wiped': 'when its bytes were overwritten in the live database; absent before',
      'destruction.liveDatabase': '`kept`, `log` (wiped, and its log not cut off yet) or `wiped`',
      'destruction.mayBeIn[]': 'other places that may still have it, in words',
      'attributes[].name': 'as in KMIP 2.x; vendor attributes as `vendor-name`',
      'attributes[].index': 'Attribute Index',
      'attributes[].value': 'numbers, texts, structures as objects; bytes as hexadecimal',
      ...nested('exports[].', copy),
    },
  },
  {
    commands: ['key destroy', 'key recover'],
    about: 'The key as it is now.',
    fields: {
      ...key,
      wouldWipeAfterDays: 'this and what follows with `--dry-run` only',
      wouldBeRefused: '`held` or `refused-by-policy`, instead of the days; the exit status is 13',
      ...dependents,
      ...nested('exports[].', copy),
    },
  },
  {
    commands: ['key hold', 'key release', 'cartridge hold', 'cartridge release'],
    about: 'What was held or released.',
    fields: {
      group: '',
      'keys[]': 'Unique Identifiers',
      'cartridges[]': 'barcodes; none when a key was named',
    },
  },
  {
    commands: ['exchange certificate export', 'exchange certificate renew'],
    about: 'The Encryption Certificate of this server.',
    fields: { file: 'what was written; `export` only', ...ownExchange },
  },
  {
    commands: ['exchange certificate import'],
    about: 'The peer and what was taken for it.',
    fields: {
      peer: 'its name here',
      ...nested('certificate.', exchangeCertificate),
      ...exchangeIdentity,
      mode: '`hybrid` (P-384 and ML-KEM-1024), `ec` or `rsa`',
      exportsOnly: 'true when the certificate came without an exchange identity',
      known: 'true when it was trusted already',
    },
  },
  {
    commands: ['exchange certificate list'],
    about: 'One object.',
    fields: { ...nested('own.', ownExchange), ...nested('peers[].', exchangePeer) },
  },
  {
    commands: ['exchange certificate revoke'],
    about: 'The peer as it is now.',
    fields: { ...exchangePeer, dryRun: 'true with `--dry-run`, absent without' },
  },
  {
    commands: ['exchange export'],
    about: 'One object. Exit status 3 when `missing` or `leftOut` has entries.',
    fields: {
      id: 'export id',
      file: '',
      peer: '',
      recipient: 'fingerprint of the certificate that the keys are encrypted to',
      mode: '`hybrid`, `ec` or `rsa`',
      group: '',
      scope: '`all`, `used`, `current`, `barcode` or `key`',
      keys: 'how many are in the bundle',
      bytes: 'of the file',
      digest: 'SHA-256 of the file',
      expires: 'absent when it does not',
      'warnings[]': '',
      'missing[]': 'barcodes, or with `--request` tapes, of which the group has no key',
      'leftOut[].id': 'keys that may not leave',
      'leftOut[].barcode': '',
      'leftOut[].reason': '',
    },
  },
  {
    commands: ['exchange approve'],
    about: 'A list of what has waited, newest first; with an id, one of them.',
    fields: {
      id: 'that the export will have',
      state:
        '`waiting`, `approved`, `used`, `expired`, or `void`: approved by somebody who may do so no longer',
      peer: '',
      recipient: 'fingerprint of the certificate that the keys will be encrypted to',
      group: '',
      selection: '`all`, `used`, `current`, `barcode` or `key`',
      keys: 'how many',
      digest: 'SHA-256 over the sorted identifiers of the keys, each followed by a line feed',
      requester: 'operator who asked, or `administrator`',
      requested: '',
      expires: 'when nobody waits any longer',
      approver: 'operator who approved; absent before',
      approved: 'absent before',
      used: 'when the export was begun; absent before',
      'selected[].id': 'with an id only: every key that would be released',
      'selected[].barcode': '',
      dryRun: 'true with `--dry-run`, absent without',
    },
  },
  {
    commands: ['exchange inspect'],
    about: 'One object; the fields from `exportId` on only when this server opens the bundle.',
    fields: {
      file: '',
      bytes: '',
      'sender.fingerprint': 'of the certificate that signed it',
      'sender.key': 'SHA-256 of its SubjectPublicKeyInfo',
      'sender.peer': 'name of the trusted peer with that identity; absent for strangers',
      signed: "by the sender's word",
      opens: 'whether this server can open it',
      forUs: 'whether it is encrypted to this server; absent when it is too damaged to tell',
      reason: 'why not, or why it would be refused',
      exportId: '',
      made: '',
      expires: '',
      group: "of the sender's",
      selection: '',
      keys: '',
      parts: '',
    },
  },
  {
    commands: ['exchange import'],
    about: 'One object. Exit status 3 when some keys are in conflict or refused.',
    fields: {
      importId: 'absent with `--dry-run`',
      exportId: '',
      peer: 'name of the sender here',
      sender: "SHA-256 of the SubjectPublicKeyInfo of the sender's identity",
      group: 'that the keys belong to now',
      keys: 'in the bundle',
      dryRun: '',
      'counts.new': '',
      'counts.here': 'already here, and left as they are',
      'counts.conflict': '',
      'counts.refused': '',
      'reports[].id': 'Unique Identifier of each key',
      'reports[].barcode': 'absent when the key names no cartridge',
      'reports[].verdict': '`new`, `here`, `conflict` or `refused`',
      'reports[].reason': 'absent when there is nothing to say',
      receipt: 'file that was written; with `--receipt` only',
    },
  },
  {
    commands: ['exchange request'],
    about: 'One object.',
    fields: { id: '', peer: 'that is asked', tapes: 'how many', file: '' },
  },
  {
    commands: ['exchange request show'],
    about: 'One object.',
    fields: {
      id: 'of the request',
      peer: 'who asks',
      group: 'that was looked in',
      signed: "by the peer's word",
      'tapes[].barcode': 'or else:',
      'tapes[].namespace': '',
      'tapes[].data': 'identifier on the tape',
      'tapes[].keys[]': 'Unique Identifiers of the keys that would be released',
    },
  },
  {
    commands: ['exchange receipt'],
    about:
      'One object: the export, or the withdrawal, as it is now. Exit status 3 when withdrawn keys stay in use there.',
    fields: {
      withdrawalId:
        'of a withdrawal; then `withdrawal` and `applied` stand for `counts` and what follows',
      ...nested('withdrawal.', withdrawalCounts),
      applied: "by the peer's word",
      exportId: '',
      importId: "of the peer's",
      peer: '',
      group: '',
      keys: 'in the bundle',
      'counts.new': 'there',
      'counts.here': 'there already',
      'counts.conflict': '',
      'counts.refused': '',
      imported: "by the peer's word",
      received: '',
    },
  },
  {
    commands: ['peer accept'],
    about: 'One object.',
    fields: { peer: '', group: '', kit: 'directory', certificate: 'fingerprint' },
  },
  {
    commands: ['peer add', 'peer list'],
    about: 'One object, or a list of them.',
    fields: {
      peer: '',
      host: '',
      port: '',
      subject: 'of the certificate that we show there',
      notAfter: 'when it ends',
      plain: 'true for a key server that knows nothing of keyreel',
      unwrappingKey: 'as given',
      wrappingKey: 'as given',
    },
  },
  {
    commands: ['peer push', 'peer pull'],
    about: 'One object. Exit status 3 when some keys are in conflict, refused or missing.',
    fields: {
      peer: '',
      group: 'of this server',
      keys: 'how many were selected',
      'counts.new': '',
      'counts.here': 'there already, or here already, and left as they are',
      'counts.conflict': '',
      'counts.refused': '',
      'reports[].id': 'Unique Identifier of each key',
      'reports[].barcode': 'absent when the key names no cartridge',
      'reports[].verdict': '`new`, `here`, `conflict` or `refused`',
      'reports[].reason': 'absent when there is nothing to say',
      'missing[]': 'barcodes of which there is no key',
      exportId: 'of a push; `exchange log` has it too',
      importId: 'of a pull; `exchange log` has it too',
    },
  },
  {
    commands: ['exchange withdraw', 'exchange withdraw apply', 'peer withdraw'],
    about:
      'One object. Exit status 3 when some keys stay in use, or were never sent. `apply` reads the notice of a peer.',
    fields: {
      id: 'of the withdrawal; absent with `peer withdraw --dry-run`',
      peer: '',
      reason: '`withdrawn` or `compromised`',
      file: '`exchange withdraw` only',
      'keys[].id': 'those that are meant; not for `apply`',
      'keys[].barcode': '',
      'missing[]': 'barcodes and keys of which no copy went there',
      signed: 'by the word of the peer; `apply` only',
      applied: 'when the notice was applied; absent before',
      dryRun: '',
      ...nested('withdrawal.', withdrawalCounts),
      'reports[].id': '`apply` and `peer withdraw` only',
      'reports[].barcode': '',
      'reports[].group': 'of the key here',
      'reports[].verdict':
        '`withdrawn`, `already`, `absent` or `refused`; with `--dry-run` what it would be',
      'reports[].reason': '',
      receipt: 'file that was written',
    },
  },
  {
    commands: ['peer ask'],
    about: 'One object. Exit status 3 when the peer does not answer for some tapes.',
    fields: {
      peer: '',
      'tapes[].namespace': '',
      'tapes[].data': 'identifier on the tape',
      'tapes[].answer': '`held`, `not held` or `refused`',
      'tapes[].keys[]': 'Unique Identifiers there',
      'tapes[].reason': 'why the peer does not answer',
    },
  },
  {
    commands: ['exchange log'],
    about:
      'A list of exports, imports and withdrawals, newest first; with an id, one of them with `reports`.',
    fields: {
      id: '',
      kind: '`export`, `import`, `withdrawal` (by us, at a peer) or `withdrawn` (by a peer, here)',
      peer: '',
      group: 'absent for withdrawals',
      way: '`file`; `push` or `pull` over KMIP; `live` for a withdrawal over KMIP',
      entry:
        'a number that grows with each entry, for those that began in the same second; absent in entries of early releases',
      started: '',
      finished: 'absent when it was interrupted',
      failed: 'why an export came to nothing',
      keys: '',
      ...nested('counts.', {
        new: 'imports only',
        here: '',
        conflict: '',
        refused: '',
      }),
      exportId: 'of the bundle',
      selection: 'exports only',
      recipient: 'exports only: fingerprint',
      digest: 'exports only: SHA-256 of the file',
      requester: 'exports only: who asked, where somebody was named or had to approve',
      approver: 'exports only: operator who approved',
      reason: 'withdrawals only: `withdrawn` or `compromised`',
      ...nested('withdrawal.', withdrawalCounts),
      'receipt.importId': 'exports only, once a receipt has come; absent over KMIP',
      'receipt.imported': "by the peer's word",
      'receipt.received': '',
      ...nested('receipt.counts.', { new: '', here: '', conflict: '', refused: '' }),
      'reports[].id': 'Unique Identifier of the key',
      'reports[].barcode': '',
      'reports[].verdict':
        '`new` (also: exported), `here`, `conflict` or `refused` (also: left out); of `withdrawn` as `exchange withdraw apply` has it',
      'reports[].reason': '',
    },
  },
  {
    commands: ['operator add', 'operator list', 'operator revoke'],
    about: 'One object, or a list of them.',
    fields: {
      name: '',
      subject: 'of the certificate',
      fingerprint: 'SHA-256 of its DER',
      key: 'kind of key, such as `P-256`',
      notAfter: 'end of validity',
      added: '',
      revoked: 'absent unless revoked',
      dryRun: 'true with `--dry-run`, absent without',
    },
  },
  {
    commands: ['audit list'],
    about: 'A list of [records](audit-record.md), oldest first.',
    fields: nested('[].', record),
  },
  {
    commands: ['audit verify'],
    about: 'One object.',
    fields: {
      sound: 'true when nothing is wrong',
      'problems[].kind': '[kinds](audit-record.md#what-verification-reports)',
      'problems[].subject': 'unique identifier, `kind/name`, or `chain/number`',
      'problems[].message': '',
      more: 'whether there are more problems than are listed',
      'chains[].chain': 'heads of the chains',
      'chains[].number': '',
      'chains[].mac': 'base64url',
      objects: 'how many were examined',
      documents: '',
      checkpoint: 'when the checkpoint that was compared was written; absent without one',
    },
  },
  { commands: ['audit export'], about: 'One object.', fields: { file: '', records: '' } },
]

const intro = `
\`--json\` prints one JSON document on standard output. Fields are only ever added. A field without a value is
absent. Moments are ISO 8601 in UTC. \`keyreel serve\` prints none; its one line on standard output is
\`ready kmip=HOST:PORT\`. \`keyreel ttlv decode\` and \`ttlv call\` print a list of messages in the JSON encoding of the
KMIP profiles, secret values replaced by their length; \`ttlv encode\` prints \`hex\`, a list of messages in hexadecimal. With
\`--out\` \`ttlv decode\` and \`encode\` print \`messages\`, their number, and \`out\`, the file.
`

export const jsonPage = {
  title: 'JSON output',
  about: 'the fields of every document that `--json` prints',
  body: () =>
    sections(
      intro,
      ...jsonOutputs.flatMap(({ commands, about, fields }) => [
        `## ${commands.join(', ')}`,
        about,
        table(
          ['field', 'meaning'],
          Object.entries(fields).map(([path, meaning]) => [code(path), meaning]),
        ),
      ]),
    ),
}
