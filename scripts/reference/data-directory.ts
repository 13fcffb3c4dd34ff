// docs/reference/data-directory.md: what lies in a data directory and in an enrolment kit.
import { ownConfigFile } from '../../src/config.ts'
import { masterKeyFile } from '../../src/keystore/master-key-choice.ts'
import { lastSeenFile } from '../../src/keystore/last-seen.ts'
import { refusedPinFile } from '../../src/keystore/refused-pins.ts'
import { reserveFile } from '../../src/keystore/disk-reserve.ts'
import { databaseFile, nodeFile } from '../../src/keystore/data-directory.ts'
import { code, sections, table } from './markdown.ts'

const intro = `
\`keyreel init\`, or the first \`keyreel serve\`, makes the data directory with mode 0700: beside its place
first, then renamed, so that it is there whole or not at all. In a directory that exists and is empty, such as one
that a service manager has made, it is built inside. Keep it on a local disk: SQLite's write-ahead log does not work
on network shares.
`

/** Files of a data directory; a test compares them with those of a running server. */
export const dataFiles = [
  [
    databaseFile,
    'always',
    'the keystore: an SQLite database in WAL mode. [Formats](formats.md) says what is in it',
  ],
  [
    `${databaseFile}-wal`,
    'while opened',
    "SQLite's write-ahead log. It is part of the database: never copy one without the other",
  ],
  [
    `${databaseFile}-shm`,
    'while opened',
    "SQLite's index of the log; made anew when it is missing",
  ],
  [
    masterKeyFile,
    'unless the key is elsewhere',
    'the master key, 72 bytes, mode 0600. Refused when others can read it. Not there with a passphrase or with `--master-key-file`',
  ],
  [
    'serve.lock',
    'once served',
    'locked by the running server, so that a second one is refused. Freed by the operating system when the process ends, however it ends',
  ],
  ['serve.lock-journal', 'while served', "SQLite's journal of that lock"],
  [
    'serve.pid',
    'while served',
    'number of the server process, for the error that a second server shows',
  ],
  [
    'serve.sock',
    'while served',
    'socket over which `keyreel master-key unseal` gives a server what opens its keystore; mode 0600',
  ],
  [
    'server-state.json',
    'once served',
    'where the server listens and when each client was last heard of, for `status`, `library list` and `doctor`. Written every 30 s; nothing trusts it',
  ],
  [
    nodeFile,
    'with a database elsewhere',
    'which node this is of which keystore; the directory belongs to no other',
  ],
  [
    lastSeenFile,
    'once served, with a database elsewhere',
    'how far the database had come, every 10 s and at the end, under a MAC: this node refuses a database that is behind it. Move it away where an older database is meant',
  ],
  [
    refusedPinFile,
    'after a wrong PIN in a file',
    'which token has refused the PIN in which file, and how the file was then; nothing of the PIN. As long as the file is as it was, it is not tried again. Gone with the right one',
  ],
  [
    reserveFile,
    'while served, unless the disk is full',
    'room that is given back when the disk is full, so that keys can still be handed out; of the size of the setting `disk-reserve`. Holds nothing: leave it out of copies',
  ],
  [
    ownConfigFile,
    'if wanted',
    'settings ([settings](settings.md)); `init --master-key-file` writes one that names the key',
  ],
] as const

const careful = `
Never open \`${databaseFile}\` with another program while keyreel runs: a program that closes the file may drop
the locks of the process it runs in, and one that writes makes rows that keyreel refuses. A file
\`${databaseFile}-journal\` is never keyreel's; when one lies there keyreel does not start, because SQLite
would roll it into the database.

To copy the directory, stop the server first and copy everything: [Copy the keystore](../how-to/copy-the-keystore.md).
`

const kitFiles = [
  ['ca.pem', 'always', 'the certificate of the CA, which the library must trust'],
  ['certificate.pem', 'always', "the library's certificate"],
  ['key.pem', 'unless `--csr`', 'its private key, PKCS#8 PEM without a password'],
  ['client.p12', 'unless `--csr`', 'key, certificate and CA as PKCS#12'],
  ['password.txt', 'unless `--csr`', 'the password of `client.p12`, one line'],
  ['README.txt', 'always', 'what to enter where'],
] as const

export const dataDirectoryPage = {
  title: 'Data directory and enrolment kit',
  about: 'the files that keyreel writes and what each is for',
  body: () =>
    sections(
      intro,
      table(['file', 'there', 'what it is'], dataFiles.map(row)),
      careful,
      '## The enrolment kit',
      '`keyreel library add NAME --out DIR` writes it: the directory with mode 0700, the files with 0600. It is complete on the disk before the library is enrolled. A directory that exists is refused.',
      table(['file', 'there', 'what it is'], kitFiles.map(row)),
      'The private key is nowhere else. Whoever has the kit can act as the library: keep it like a password, or delete it once the library works and make a new one with `keyreel library renew` when needed.',
    ),
}

function row([file, when, what]: readonly [string, string, string]) {
  return [code(file), when, what]
}
