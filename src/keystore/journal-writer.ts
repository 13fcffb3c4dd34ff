// Appends to the files of a journal. A frame counts once it is synced; whatever goes wrong, or takes too long,
// closes the file, and a frame that was cut off stays behind as the end of it: the next one begins a file. A
// command writes to a file of its own, beside those of the server, which takes over from it what it holds.
import { open, rm, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomUuid } from '../crypto/primitives/random.ts'
import {
  frameOf,
  frameText,
  journalFormat,
  journalMagic,
  type JournalFrame,
  type JournalHeader,
} from './journal-format.ts'
import {
  demandOurs,
  headOf,
  journalFile,
  journalEmpty,
  journalFilesIn,
  numberIn,
  readJournalFile,
  readThere,
  type JournalRole,
} from './journal-files.ts'
import { syncDirectory } from '../durable-files.ts'
import {
  journalGone,
  makeFolder,
  noBeginning,
  readRows,
  type OpenedJournal,
} from './journal-opening.ts'

/** How a journal is written. */
export interface JournalPlace {
  readonly path: string
  /** Who writes: the one server by default. */
  readonly role?: JournalRole
  /** Identity of the keystore. */
  readonly store: string
  /** Identity of the journal that was there last time; undefined for a path that is new. */
  readonly expected: string | undefined
  /** Bytes after which a new file begins; 64 MiB by default. */
  readonly fileLength?: number
  /** Milliseconds that a write or sync may take; 2000 by default. */
  readonly patience?: number
  /** Makes the disk have what was written; `fdatasync` by default. */
  readonly sync?: (file: FileHandle) => Promise<void>
}

const defaultLength = 64 * 2 ** 20
const defaultPatience = 2_000
/** Nobody waits while a command looks what is there, as they do while it writes. */
const patienceOfCommands = 20_000

/** The newest file of a journal. */
export class JournalWriter {
  readonly #place: JournalPlace
  #journal = ''
  #file: FileHandle | undefined
  #number = 0
  /** Number of the newest file of the server. */
  #servers = 0
  #sequence = 0
  #length = 0
  #bytes = 0
  /** What has not come back in time, and may still. */
  #stuck: Promise<unknown> | undefined

  constructor(place: JournalPlace) {
    this.#place = place
  }

  /** Bytes of all its files. */
  get bytes(): number {
    return this.#bytes
  }

  /** Number of the last frame. */
  get sequence(): number {
    return this.#sequence
  }

  /** Whether something sent to the disk is still out: until then nothing more is. */
  get isStuck(): boolean {
    return this.#stuck !== undefined
  }

  /** The journal that has to be there: that of last time, or of this process. */
  get #expected(): string | undefined {
    return this.#journal === '' ? this.#place.expected : this.#journal
  }

  /** Looks at what is there. Throws UserError, or an error of the file system. */
  async open(): Promise<OpenedJournal> {
    const { path } = this.#place
    const expected = this.#expected
    return this.#inTime(
      async () => {
        if (this.#role === 'server' && expected === undefined) await makeFolder(path)
        const files = await journalFilesIn(path)
        if (files.length === 0) {
          if (expected !== undefined) throw journalGone(path)
          if (this.#role === 'command') throw journalEmpty(path)
          this.#journal = randomUuid()
          return {
            journal: this.#journal,
            tail: [],
            before: [],
            epochs: new Set<number>(),
            isWhole: false,
            file: undefined,
          }
        }
        this.#bytes = 0
        for (const file of files) this.#bytes += (await stat(join(path, file))).size
        return this.#read(files)
      },
      this.#role === 'command' ? patienceOfCommands : this.#place.patience,
    )
  }

  async #read(files: readonly string[]): Promise<OpenedJournal> {
    const { path, store } = this.#place
    const expected = this.#expected
    this.#servers = numberIn(files.at(-1)!)
    this.#number = this.#servers
    // A file whose beginning was cut off holds nothing: the one before it is the newest.
    for (const file of files.toReversed()) {
      const bytes = await readJournalFile(path, file)
      const head = headOf(bytes)
      if (head === undefined) continue
      demandOurs(join(path, file), head.header, store, expected)
      const { journal, heads: before } = head.header
      this.#journal = journal
      const read = readRows(bytes, head.rest)
      const { epochs, tail } = read
      const isWhole = head.header.whole || read.isWhole
      if (this.#role === 'command') {
        const more = await this.#readCommands()
        return { journal, before, tail: [...tail, ...more], epochs: new Set(), isWhole, file }
      }
      this.#sequence = read.sequence ?? this.#sequence
      if (read.isSound && file === files.at(-1)) {
        this.#file = await open(join(path, file), 'a', 0o600)
        this.#length = bytes.length
      }
      return { journal, before, tail, epochs, isWhole, file }
    }
    throw noBeginning(path)
  }

  /** What commands have written that the server has not taken over yet. */
  async #readCommands(): Promise<OpenedJournal['tail']> {
    const { path, store } = this.#place
    const tail: OpenedJournal['tail'][number][] = []
    this.#number = 0
    for (const file of await journalFilesIn(path, 'command')) {
      this.#number = numberIn(file)
      const bytes = await readThere(path, file)
      const head = bytes && headOf(bytes)
      if (head === undefined) continue
      demandOurs(join(path, file), head.header, store, this.#journal)
      tail.push(...readRows(bytes!, head.rest).tail)
    }
    return tail
  }

  get #role(): JournalRole {
    return this.#place.role ?? 'server'
  }

  /**
   * Whether the next frame begins a file: it has to hold what later ones rely on.
   */
  get beginsFile(): boolean {
    return this.#file === undefined || this.#length >= (this.#place.fileLength ?? defaultLength)
  }

  /**
   * Appends a frame and syncs it. `heads` and `whole` stand at the beginning of a new file. Throws what the file
   * system throws.
   */
  async append(frame: JournalFrame, begin: Pick<JournalHeader, 'heads' | 'whole'>): Promise<void> {
    try {
      await this.#inTime(async () => {
        if (this.beginsFile || (await this.#isAbsorbed())) await this.#begin(frame.time, begin)
        else await this.#demandThere()
        const before = this.#length
        const bytes = frameOf(this.#sequence + 1, frameText(frame))
        try {
          await this.#write(bytes)
          await this.#sync()
        } catch (error) {
          await this.#takeBack(before)
          throw error
        }
        this.#sequence += 1
      })
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Leaves the file; the next frame begins another, unless `open` comes before. */
  close(): void {
    // Whatever closing says, what was synced is there.
    this.#file?.close().catch(() => undefined)
    this.#file = undefined
  }

  async #begin(time: number, begin: Pick<JournalHeader, 'heads' | 'whole'>): Promise<void> {
    const { path, store } = this.#place
    // Where its disk was unmounted there are no files: what is written there is no copy.
    if (this.#servers > 0 && !(await this.#isThere(this.#servers, 'server'))) throw elsewhere()
    await this.#file?.close()
    this.#file = undefined
    const number = await this.#openNext()
    const name = join(path, journalFile(number, this.#role))
    this.#length = 0
    const of = { format: journalFormat, journal: this.#journal, store, file: number, time }
    const header: JournalHeader = { ...of, ...begin }
    try {
      await this.#write(
        Buffer.concat([journalMagic, frameOf(this.#sequence, JSON.stringify(header))]),
      )
      await this.#sync()
      await syncDirectory(path)
      this.#number = number
      if (this.#role === 'server') this.#servers = number
    } catch (error) {
      // On a full disk this is tried again and again: nothing of it shall stay.
      await rm(name, { force: true }).catch(() => undefined)
      throw error
    }
  }

  /** Makes the next file; answers its number. Several commands may make theirs at the same time. */
  async #openNext(): Promise<number> {
    for (let number = this.#number + 1; ; number++) {
      try {
        const name = join(this.#place.path, journalFile(number, this.#role))
        this.#file = await open(name, 'wx', 0o600)
        return number
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EEXIST'
        if (!isTaken || this.#role === 'server') throw error
      }
    }
  }

  /** Whether the server has taken over the file of this command. */
  async #isAbsorbed(): Promise<boolean> {
    return this.#role === 'command' && !(await this.#isThere(this.#number, 'command'))
  }

  async #isThere(number: number, role: JournalRole): Promise<boolean> {
    try {
      await stat(join(this.#place.path, journalFile(number, role)))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    }
  }

  #sync(): Promise<void> {
    const file = this.#file!
    return this.#place.sync?.(file) ?? file.datasync()
  }

  /** What is written to a file that was moved away, or over which something was mounted, is no copy. */
  async #demandThere(): Promise<void> {
    const [ours, there] = await Promise.all([
      this.#file!.stat(),
      stat(join(this.#place.path, journalFile(this.#number, this.#role))),
    ])
    if (ours.ino !== there.ino || ours.dev !== there.dev) throw elsewhere()
  }

  /** Takes back what was written of a frame, so that the file stays whole; else it ends there. */
  async #takeBack(length: number): Promise<void> {
    try {
      await this.#file?.truncate(length)
      this.#length = length
    } catch {
      // The file ends in the middle of a frame, and the next frame begins another.
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#file!.writeFile(bytes)
    this.#length += bytes.length
    this.#bytes += bytes.length
  }

  /** A share that hangs must not stop the server: what does not come back in time counts as failed. */
  async #inTime<T>(
    work: () => Promise<T>,
    longest = this.#place.patience ?? defaultPatience,
  ): Promise<T> {
    if (this.#stuck !== undefined) throw late()
    const patience = new AbortController()
    const running = work()
    const waited = delay(longest, late, { signal: patience.signal })
    const outcome = await Promise.race([running.then(() => undefined), waited]).catch(
      (error: unknown) => {
        patience.abort()
        throw error
      },
    )
    patience.abort()
    if (outcome === undefined) return running
    this.#stuck = running
      .catch(() => undefined)
      .finally(() => {
        this.#stuck = undefined
        this.close()
      })
    throw late()
  }
}

function elsewhere(): Error {
  return Object.assign(new Error('another file is in its place'), { code: 'ENOENT' })
}

function late(): Error {
  return Object.assign(new Error('its disk does not answer'), { code: 'ETIMEDOUT' })
}
