// The folder of a journal: its files in order, what each holds, and what is wrong with them. A server's files are one
// sequence of frames; each command that makes keys has a file of its own, which is a sequence by itself.
import { lstat, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import {
  framesIn,
  isJournalFile,
  journalFormat,
  journalMagic,
  readFrame,
  readHeader,
  type JournalFrame,
  type JournalHeader,
} from './journal-format.ts'

/** A frame and where it stands. */
export interface PlacedFrame {
  readonly file: string
  readonly sequence: number
  readonly frame: JournalFrame
  readonly role: JournalRole
  /** What tells it from every other frame of the journal. */
  readonly key: string
}

/** Something that is not as it was written. */
export interface JournalFault {
  readonly kind: 'cut' | 'damage' | 'gap'
  /** Name of the file, and a position in it where there is one. */
  readonly where: string
  readonly message: string
}

/** What reading meets: a file's beginning, a frame, a fault. */
export type JournalItem =
  | { readonly kind: 'header'; readonly file: string; readonly header: JournalHeader }
  | ({ readonly kind: 'frame' } & PlacedFrame)
  | ({ readonly kind: 'fault' } & { readonly fault: JournalFault })

/** Who writes a file: the server, or a command beside it. */
export type JournalRole = 'server' | 'command'

const fileNames: Readonly<Record<JournalRole, RegExp>> = {
  server: /^(\d{8})\.journal$/,
  command: /^command-(\d{8})\.journal$/,
}

/** The name of a journal's file. */
export function journalFile(number: number, role: JournalRole = 'server'): string {
  const name = `${String(number).padStart(8, '0')}.journal`
  return role === 'server' ? name : `command-${name}`
}

/**
 * Names of a server's files in a folder, or of those of commands, in order. Throws UserError 'journal-link',
 * 'journal-missing', 'journal-no-folder'.
 */
export async function journalFilesIn(
  path: string,
  role: JournalRole = 'server',
): Promise<readonly string[]> {
  const found = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) throw missing(path)
  if (found.isSymbolicLink()) throw behindLink(path)
  if (!found.isDirectory()) throw noFolder(path)
  return (await readdir(path)).filter((name) => fileNames[role].test(name)).sort()
}

/** The number in a file's name. */
export function numberIn(file: string): number {
  return Number(/(\d{8})\.journal$/.exec(file)?.[1] ?? 0)
}

/** A file's bytes. Throws UserError 'journal-link' or 'journal-no-file' when it is something else. */
export async function readJournalFile(path: string, file: string): Promise<Buffer> {
  const whole = join(path, file)
  const found = await lstat(whole)
  if (found.isSymbolicLink()) throw behindLink(whole)
  if (!found.isFile()) throw noFile(whole)
  return readFile(whole)
}

/** The first frame of a file and the rest of it. */
export function headOf(bytes: Buffer): { header: JournalHeader; rest: number } | undefined {
  if (!isJournalFile(bytes)) return undefined
  const first = framesIn(bytes).next().value
  if (first?.kind !== 'frame') return undefined
  const header = readHeader(first.frame.payload)
  return header && { header, rest: first.frame.to }
}

/** Which files are read: all by default. */
export interface JournalPart {
  /** Name of the file of a server to begin with; those of commands are left out then. */
  readonly from?: string | undefined
  /** Only those of commands. */
  readonly only?: 'command' | undefined
  /** Only that one of a server. */
  readonly file?: string | undefined
}

/**
 * Reads everything, in order, what commands wrote last. Throws UserError 'journal-foreign' when a file is of another
 * keystore than `store`, 'journal-newer' for a form of a later release, 'journal-empty' when there is none.
 */
export async function* readJournal(
  path: string,
  store: string | undefined,
  { from, only, file: single }: JournalPart = {},
): AsyncGenerator<JournalItem> {
  const all = await journalFilesIn(path)
  if (all.length === 0) throw journalEmpty(path)
  const wanted = single === undefined ? all : [single]
  const files = only === undefined ? wanted.filter((file) => file >= (from ?? '')) : []
  const reading: Reading = { path, store, journal: undefined }
  yield* readInOrder(reading, files, 'server')
  if (from !== undefined || single !== undefined) return
  for (const file of await journalFilesIn(path, 'command'))
    yield* readInOrder(reading, [file], 'command')
}

interface Reading {
  readonly path: string
  readonly store: string | undefined
  /** The journal's identity, once a file has told it. */
  journal: string | undefined
}

/** Reads files whose frames are one sequence. */
async function* readInOrder(
  reading: Reading,
  files: readonly string[],
  role: JournalRole,
): AsyncGenerator<JournalItem> {
  const { path, store } = reading
  let number: number | undefined
  let sequence: number | undefined
  const fault = (kind: JournalFault['kind'], where: string, message: string): JournalItem => ({
    kind: 'fault',
    fault: { kind, where, message },
  })
  for (const file of files) {
    const before = number
    number = numberIn(file)
    if (before !== undefined && number !== before + 1)
      yield fault('gap', file, `the file before it is ${journalFile(before)}: others are gone`)
    const bytes = await (role === 'server' ? readJournalFile : readThere)(path, file)
    if (bytes === undefined) continue
    const head = headOf(bytes)
    if (head === undefined) {
      const kind = isBeginning(bytes) ? 'cut' : 'damage'
      yield fault(kind, file, 'its beginning is not as it was written')
    } else {
      demandOurs(join(path, file), head.header, store, reading.journal)
      reading.journal = head.header.journal
      yield { kind: 'header', file, header: head.header }
    }
    if (!isJournalFile(bytes)) continue
    for (const met of framesIn(bytes, head?.rest)) {
      if (met.kind !== 'frame') {
        const bounds = `bytes ${met.from} to ${met.to}`
        const what =
          met.kind === 'cut'
            ? `it was cut off in the middle of a frame (${bounds})`
            : `${bounds} are damaged`
        yield fault(met.kind, `${file}/${met.from}`, what)
        if (met.kind === 'damage') sequence = undefined
        continue
      }
      const { frame: raw } = met
      const expected: number | undefined = sequence === undefined ? undefined : sequence + 1
      if (expected !== undefined && raw.sequence > expected)
        yield fault('gap', `${file}/${raw.from}`, `frame ${raw.sequence} follows on ${sequence}`)
      sequence = raw.sequence
      const frame = readFrame(raw.payload)
      if (frame === undefined)
        yield fault(
          'damage',
          `${file}/${raw.from}`,
          `frame ${raw.sequence} is of a form not known here`,
        )
      else {
        const key = `${role === 'server' ? '' : file}/${raw.sequence}`
        yield { kind: 'frame', file, role, sequence: raw.sequence, frame, key }
      }
    }
  }
}

/** The bytes of a command's file; undefined when a server has taken it over meanwhile. */
export async function readThere(path: string, file: string): Promise<Buffer | undefined> {
  try {
    return await readJournalFile(path, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whether these are the first bytes of a file whose first frame was cut off. */
function isBeginning(bytes: Buffer): boolean {
  if (!isJournalFile(bytes)) return bytes.equals(journalMagic.subarray(0, bytes.length))
  const first = framesIn(bytes).next().value
  return first === undefined || first.kind === 'cut'
}

/** Throws UserError unless the file is one of that keystore, and of that journal where one is known. */
export function demandOurs(
  file: string,
  header: JournalHeader,
  store: string | undefined,
  journal?: string,
): void {
  if (header.format > journalFormat) {
    throw new UserError(
      'journal-newer',
      `${file}: written by a newer keyreel (form ${header.format}; this one knows ${journalFormat})`,
      'run the keyreel version that wrote it, or a newer one',
    )
  }
  if (store !== undefined && header.store !== store) {
    throw new UserError(
      'journal-foreign',
      `${file}: the journal of another keystore (${header.store}; this one is ${store})`,
      'name a folder of this keystore alone with --journal',
    )
  }
  if (journal === undefined || header.journal === journal) return
  throw new UserError(
    'journal-mixed',
    `${file}: of another journal (${header.journal}) than expected (${journal})`,
    'keep the files of each journal in a folder of their own',
  )
}

function missing(path: string): UserError {
  return new UserError(
    'journal-missing',
    `there is no folder ${path}`,
    `is its disk mounted? If so, make it:  mkdir -m 700 ${path}`,
  )
}

/** There is no journal in that folder. */
export function journalEmpty(path: string): UserError {
  return new UserError(
    'journal-empty',
    `there is no journal in ${path}`,
    'name the folder that  keyreel serve --journal  was given',
  )
}

function behindLink(path: string): UserError {
  return new UserError(
    'journal-link',
    `${path} is a symbolic link: it may lead anywhere tomorrow`,
    'name the folder itself',
  )
}

function noFolder(path: string): UserError {
  return new UserError(
    'journal-no-folder',
    `${path} is no folder`,
    'name a folder on another disk or share',
  )
}

function noFile(path: string): UserError {
  return new UserError(
    'journal-no-file',
    `${path} is no file`,
    'name a folder of the journal alone with --journal',
  )
}
