// docs/reference/audit-record.md: what is recorded, the fields of a record, and what verification says.
import { chainEvents } from '../../src/keystore/audit.ts'
import { operations } from '../../src/kmip/operations/index.ts'
import { spaced, block, code, sections, table } from './markdown.ts'

const intro = `
Whatever changes the state of an object or a client, and whatever releases key material, is recorded in the
same transaction. An act without its record cannot be committed, and a record is never there without its act.

Every writer has a chain of its own: \`serve\` for the server, \`cli\` for commands; on a shared database with the
node's name behind it, such as \`serve@kms-a\`. One row of the database
holds the records of one group commit; its MAC covers the MAC of the row before it
([formats](formats.md#audit-rows)). A new chain is announced in an older one.
`

const fields = [
  ['chain', 'the writer: `serve` or `cli`'],
  ['number', 'counts from 1 in each chain, without gaps'],
  ['time', 'when the group commit ran, in UTC'],
  [
    'actor',
    'who: `name` and `kind`. A client has the kind it was enrolled as (`library`) and its name, or `client/user` when a credential was sent; commands are `administrator` of kind `cli`; what the server does by itself is `keyreel`, `server` or `clock` of kind `server`',
  ],
  ['operation', 'the KMIP operation, or an event of the table below'],
  ['object', 'unique identifier of the object concerned, if any'],
  ['group', 'the group concerned, if any'],
  ['outcome', '`Success`, `OperationUndone`, or the Result Reason of a refusal'],
  [
    'details',
    'more, by operation: a Revoke its reason, a Get of a Deactivated or Compromised key that state, a wrapped Get the keys that wrapped it, an Import or a Put what it replaced and where that is kept, a Re-Provision the fingerprints of both certificates, a Notify, Set Constraints or Set Defaults the names of the attributes. Never a secret, never key material',
  ],
  [
    'changes',
    'each row that the act changed: `object` (unique identifier, or `kind/name` with `document` true), `revision` and `mac` (base64url). In `audit export` only',
  ],
] as const

const recorded = Object.values(operations)
  .filter(({ effect }) => effect === 'act')
  .map(({ name }) => spaced(name))

/** Events that are no KMIP operations; a test looks for each in the source, and the other way round. */
export const events = [
  [chainEvents.created, 'a keystore was made; first record of the first chain', 'store, chain'],
  [chainEvents.announced, 'another writer begins a chain; stands in an older chain', 'chain'],
  [chainEvents.started, 'first record of that chain', 'parent, number'],
  [
    'server certificate create',
    'certificates of CA and server were made',
    'hosts, authority, certificates',
  ],
  [
    'server certificate renew',
    'the server certificates were renewed, by a command or by the server',
    'hosts, authority, certificates',
  ],
  [
    'Damage Found',
    'the server came upon something stored that is not as it was written',
    'kind, subject, found',
  ],
  ['key hold', 'a key was put on hold', 'reason'],
  ['key release', 'a held key was released', ''],
  ['cartridge hold', 'a key was put on hold with its cartridge', 'cartridge, reason'],
  ['cartridge release', 'it was released', 'cartridge'],
  ['Message', 'a request was refused as a whole, before any of its operations', ''],
  ['library add', 'a client was enrolled', 'library, profile, fingerprint, subject, issuer'],
  ['library renew', 'a client got a further certificate', 'as library add'],
  ['library revoke', 'a client was revoked', 'library'],
  ['certificate revoke', 'one certificate of a client was revoked', 'library, fingerprint'],
  [
    'library credential add',
    'a user name and password, or a device, were set',
    'library, username, ownOnly, kind, hashed',
  ],
  ['one-time password', 'a one-time password was used up', 'library, username'],
  [
    'library listener set',
    'the server sends a client Notify or Put from now on',
    'library, address, fingerprint, kmip, notify, put',
  ],
  ['library listener remove', 'it sends it nothing more', 'library'],
  [
    'library put',
    'a new object was released to be put to a client; stands beside the Get by which it was read, and before it is sent',
    'library',
  ],
  [
    'library push given up',
    'something was not taken in time, or refused, and is sent no more',
    'library, objects, why',
  ],
  [
    'library push lost',
    'more waits for a client than is kept: of further objects it is told nothing',
    'library, waiting',
  ],
  ['group set', 'the policies of a group were changed', 'the settings'],
  ['operator add', 'a person may approve from now on', 'operator, fingerprint, subject'],
  ['operator revoke', 'a person may approve no longer', 'operator, fingerprint'],
  ['key destroy', 'an administrator destroyed a key', 'wipeAfter'],
  [
    'key recover',
    'an administrator brought a key back, or lifted a withdrawal',
    'withdrawn: since when it was',
  ],
  [
    'exchange identity create',
    'exchange identity and exchange keys were made, by `init` or once for an older directory',
    'fingerprint, notAfter',
  ],
  ['exchange certificate renew', 'new exchange keys were made', 'fingerprint, notAfter'],
  [
    'exchange certificate import',
    'the certificate of a peer was trusted; `confirmed` says how, `replaced` that it took the place of another identity, or of a newer certificate',
    'peer, fingerprint, identity, confirmed, replaced',
  ],
  ['exchange certificate revoke', 'a peer is trusted no longer', 'peer'],
  [
    'exchange approval request',
    'an export waits for a second person; `object` is the id that it will have',
    'peer, recipient, selection, keys, digest, requester, requested, expires',
  ],
  [
    'exchange approval part',
    'the keys of one step of what the request is about',
    'peer, keys: id, barcode',
  ],
  [
    'exchange approve',
    'an operator, the actor, has approved it',
    'peer, recipient, keys, digest, requester, operator, fingerprint',
  ],
  [
    'exchange export begin',
    'an export was begun; `object` is the export id here and below',
    'peer, recipient, selection, started, expires, requester, approver',
  ],
  [
    'exchange export',
    'a copy of this key was unsealed for a bundle or a push, or a peer, the actor, has taken it; for a bundle `outcome` is `OperationPending`: the record that the export ended, or failed, says what became of it',
    'peer, export',
  ],
  ['exchange export part', 'the keys of one step of an export', 'peer, keys, leftOut'],
  ['exchange export end', 'the bundle is on disk', 'as begin, and finished, keys, digest'],
  [
    'exchange export failed',
    'there is no bundle after all, and its approval counts still',
    'as begin, and failed',
  ],
  [
    'exchange request',
    'a request for the keys of foreign tapes was signed; `object` is its id',
    'peer, recipient, tapes',
  ],
  [
    'exchange receipt',
    'the peer has signed what became of a bundle; the entry of the export is closed',
    'as end, and receipt',
  ],
  [
    'exchange not taken',
    'by its receipt the peer has no copy of this key from that export; `receipt` is the import id, or the id of the push',
    'peer, export, receipt, verdict, reason',
  ],
  [
    'exchange withdraw begin',
    'a withdrawal was made; `object` is its id here, in part and in end',
    'peer, reason, keys',
  ],
  [
    'exchange withdraw',
    'the peer shall use its copies of this key no longer',
    'peer, notice, reason',
  ],
  ['exchange withdraw part', 'the keys of one step of a withdrawal', 'peer, keys: id, barcode'],
  ['exchange withdraw end', 'the peer has said what became of them', 'peer, applied, counts'],
  [
    'exchange not withdrawn',
    'the peer has said that it goes on using this key',
    'peer, notice, reason',
  ],
  [
    'exchange withdrawal begin',
    'the notice of a peer was applied; `object` is its id here, in part and in end',
    'peer, reason, signed, keys',
  ],
  [
    'exchange withdrawn',
    'this key was taken out of use as the site wants that it came from',
    'peer, notice, reason',
  ],
  [
    'exchange withdrawal part',
    'what became of each key of one step',
    'peer, keys: id, barcode, verdict, reason',
  ],
  ['exchange withdrawal end', 'every key was looked at', 'peer, counts'],
  [
    'exchange import begin',
    'an import was begun; `object` is the import id here and below',
    'export, peer, sender, started, keys, counts',
  ],
  [
    'exchange import part',
    'what became of each key of one step; stands beside the Import of each new key',
    'peer, export, keys: id, barcode, verdict, reason',
  ],
  ['exchange import end', 'every key was looked at', 'as begin, and finished'],
  [
    'peer add',
    'where a peer serves KMIP, and as whom we go there',
    'peer, host, port, fingerprint, plain',
  ],
  [
    'peer push begin',
    'keys are sent over KMIP; `object` is the export id, and each key has its `exchange export`',
    'as exchange export begin, and live',
  ],
  ['peer push end', 'every key was offered to the peer', 'as begin, and finished'],
  ['peer push failed', 'the push ended early; what the peer has taken stays there', 'and failed'],
  ['StateReached', 'a date has passed, and the new state is about to be shown', 'state'],
  ['Rotate', 'a key with Rotate Automatic was replaced, or could not be', 'replaced, alarms'],
  ['Wipe', 'the sealed material of a destroyed key was forgotten for good', ''],
  ['Alarm', 'something an administrator must hear of that belongs to no single request', 'alarms'],
  ['Database Moved', 'the keystore was moved from a file into a database', 'to, node'],
  ['Epoch Begun', 'what is sealed from now on has a new secret', 'epoch'],
  [
    'Sealed Anew',
    'what was under earlier epochs was sealed under the newest one; its revision grows, nothing else changes',
    'sealed, damaged',
  ],
  [
    'recovery setup',
    'a recovery key was made and its shares handed out; the one of before opens nothing any more',
    'id, threshold, shares',
  ],
  [
    'key destruction',
    'the record of a wiped key was written for somebody outside',
    'digest (of the text that is signed)',
  ],
  [
    'Index Rebuilt',
    'columns and index rows that were not those of the records were made anew (`doctor --repair`)',
    'objects, removed, auditRows',
  ],
  ['backup create', 'a backup was written', 'digest, objects, recovery'],
  ['backup verify', 'a copy of a backup was found whole', 'digest, objects, recovery'],
  [
    'backup schedule set',
    'the server is to make backups by itself; times in seconds',
    'schedule, directory, every, at, keep, keepDays, elsewhere',
  ],
  ['backup schedule remove', 'it makes them no longer; the files stay', 'schedule'],
  [
    'backup schedule run',
    'a backup that was due was not made, or is not whole',
    'schedule, file, failed',
  ],
  [
    'backup remove',
    'the server deleted the file of a backup that was kept for long enough; or had done so, but was cut off before it could say so',
    'file, schedule, found',
  ],
  [
    'backup restore',
    'the keystore was made anew out of a backup: what the chains have after the heads named was not in it',
    'digest, created, journal, heads, damaged',
  ],
  ['Journal Begun', 'a server has begun a journal', 'path, journal'],
  ['Journal Left', 'a server was started without a journal that it kept before', 'path, journal'],
  [
    'journal replay',
    'rows were put back from a journal; what was under way when a server ended is taken over so, too',
    'journal, rows',
  ],
  ['journal prune', 'files of a journal are removed that the backup replaces', 'path, files, last'],
  ['journal restore', 'the keystore was made anew out of a journal', 'journal, heads'],
  ['Master Key Added', 'another master key opens the keystore as well', 'provider'],
  ['Master Key Removed', 'a master key no longer opens it', 'provider'],
] as const

const refusals = `
Refusals of enrolled clients are recorded too: one record per client, operation and reason in a minute, with
\`details.repeated\` for those that were counted. What only looks (Query, Discover Versions, Locate, Check, Get
Attributes, Get Attribute List, Obtain Lease, Ping) goes to the log when it succeeds. Strangers leave log lines, never records.

Alarms are log lines with \`alarm: true\` and stand in \`details.alarms\` of their record: a second key for the
same tape identifier; an object that failed its integrity check; another certificate shown for a known peer; more than ten Destroys by one client within an
hour.
`

const problems = [
  ['audit-changed', 'records were changed, or the chain went another way after a checkpoint'],
  ['audit-gap', 'records are missing between two others'],
  ['audit-truncated', 'the chain ends before a record that the checkpoint knows'],
  ['chain-missing', 'a chain that another one announces is gone'],
  ['chain-unannounced', 'a chain that no other one announces, or that several do'],
  ['changed', 'an object or document is not what keyreel wrote'],
  [
    'derived',
    'columns or index rows by which an object is found are not those of its record; a search may miss it. `doctor --repair` makes them anew',
  ],
  ['replayed', 'an earlier state was put back'],
  ['missing', 'the chain knows of an object or document whose row is gone'],
  ['unaudited', 'a row that the chains do not know, or not in that revision'],
] as const

const example = {
  chain: 'serve',
  number: 27,
  time: '2026-11-22T12:04:00Z',
  actor: { name: 'alpha', kind: 'library' },
  operation: 'Create',
  object: '6f1c0d2e-54a1-4d0f-9c3b-0a5f2f6b7c11',
  group: 'default',
  outcome: 'Success',
  changes: [
    {
      object: '6f1c0d2e-54a1-4d0f-9c3b-0a5f2f6b7c11',
      revision: 1,
      mac: 'qxk1…',
    },
  ],
}

export const auditPage = {
  title: 'Audit record',
  about: 'what is recorded, the fields of a record, and what verification reports',
  body: () =>
    sections(
      intro,
      '## Fields',
      table(
        ['field', 'meaning'],
        fields.map(([field, meaning]) => [code(field), meaning]),
      ),
      'One line of `keyreel audit export`, laid out for reading:',
      block(JSON.stringify(example, undefined, 2), 'json'),
      '## What is recorded',
      `KMIP operations: ${recorded.join(', ')}. Besides these:`,
      table(
        ['operation', 'what happened', 'details'],
        events.map(([name, what, details]) => [code(name), what, details]),
      ),
      refusals,
      '## What verification reports',
      'Kinds of problem in `keyreel audit verify`. Verification goes on after the first one, but nothing that follows a changed record of a chain is believed.',
      table(
        ['kind', 'meaning'],
        problems.map(([kind, meaning]) => [code(kind), meaning]),
      ),
    ),
}
