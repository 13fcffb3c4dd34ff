// docs/reference/journals.md: the form of a journal, byte for byte.
import { journalFormat } from '../../src/keystore/journal-format.ts'
import { code, table } from './markdown.ts'

const entries = [
  [
    '`object`',
    'identifier, group, type, revision, epoch, MAC, record, sealed',
    'a row of `objects` as it was written; without `sealed` the sealed bytes stayed as they were, `null` means that there are none',
  ],
  ['`wipe`', 'identifier, revision', 'the sealed bytes of that revision were forgotten'],
  [
    '`document`',
    'kind, name, revision, epoch, MAC, body, sealed',
    'a row of `documents`; body is `null` once deleted',
  ],
  ['`wrap`', 'epoch, provider, bytes', "a wrap of an epoch's secret"],
  [
    '`audit`',
    'chain, first, last, epoch, MAC, body',
    'a row of `audit`: the records of one commit',
  ],
]

/** The page. */
export const journalsPage = {
  title: 'Journals',
  about: 'the files that serve --journal writes, byte for byte',
  body: () => `
A journal is a folder of files, \`00000001.journal\` and so on, mode 0600. This is format ${journalFormat}. A new file begins after 64 MiB, after a start whose
newest file was cut off, and after trouble with the disk. These are the server's files; they are never changed, and
removed by ${code('journal prune')} only, the first one first: a journal whose first file is not ${code('00000001.journal')} needs a backup.

A command that makes keys writes a file of its own beside them, ${code('command-00000001.journal')} and so on, of the same form. Its frames are a sequence by themselves, from 1 on. The
server removes it once its own files hold all of it.

## Files and frames

A file begins with the 16 octets \`keyreel journal\` and a line feed. Then come frames, one after the other:

| octets | what |
| --- | --- |
| 4 | ${code('KRJF')} |
| 8 | sequence number, unsigned, most significant first; one more in each frame, across files |
| 4 | length of the payload |
| length | payload: JSON in UTF-8 |
| 32 | SHA-256 of everything before, from ${code('KRJF')} on |

The digest finds damage. It keeps nobody from making frames: what is in them is under the keystore's MACs ([Formats](formats.md)), and is believed under
those only. A reader that meets something else than a frame looks for the next ${code('KRJF')} that begins one. What is left over at the
end of a file was cut off, and never acknowledged.

The first frame of a file has the number of the frame before it, and as payload the object ${code('format')}, ${code('journal')} (a UUID of the journal), ${code('store')} (that of the
keystore), ${code('file')} (the number in its name), ${code('time')} (seconds since 1970), ${code('whole')} (whether the journal held everything in the keystore once before) and ${code('heads')}: for each audit chain the last record that the files before
hold, with the MAC of its row. A reader refuses a higher format.

## Entries

Every other payload is an object: ${code('time')}; ${code('whole')}, true where the journal held everything in the keystore once the frame was written; and ${code('entries')}, each an
array that begins with its kind. Byte strings are in base64. What is not in an entry follows from the record: columns, index, unique values.

${table(['kind', 'fields', 'what'], entries)}

Each file holds the wraps of every epoch under which its rows are, so that it can be read without those before.

## What was committed

A frame is synced before its transaction is committed: what was answered is in the journal, but what is in the journal need not have been committed. Its
audit rows tell. When a later frame has a row of the same chain with the same or an earlier first number and another MAC, the frame
was undone and is left out, whole. The last frame of a chain counts, as does a commit whose answer was lost. Frames may hold a row a second time, with the same MAC: the server
caught up with something after trouble.

A command's frame was undone where the server's files have audit rows of the same numbers with other MACs, and those of commands are read after the
server's.

What the keystore keeps for a while only (waiting requests, tickets) is not in a journal.

A transaction that only records (a Get) has no frame of its own: its audit row comes with the next one, or within a second.
`,
}
