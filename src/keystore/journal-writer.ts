// Appends to the files of a journal. A frame counts once it is synced; whatever goes wrong, or takes too long,
// closes the file, and a frame that was cut off stays behind as the end of it: the next one begins a file.
import { mkdir, open, readdir, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomUuid } from '../crypto/primitives/random.ts'
import {
  framesIn,
  frameOf,
  frameText,
  journalFormat,
  journalMagic,
  readFrame,
  type JournalFrame,
  type JournalHead,
} from './journal-format.ts'
import {
  demandOurs,
  headOf,
  journalFile,
  journalFilesIn,
  numberIn,
  readJournalFile,
} from './journal-files.ts'
import { syncDirectory } from '../durable-files.ts'
import { UserError } from '../errors.ts'

/** How a journal is written. */
export interface JournalPlace {
  readonly path: string
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

/** What the newest file says when it is opened. */
export interface OpenedJournal {
  readonly journal: string
  /** Every audit row that the newest file holds, in order, with the number of its frame. */
  readonly tail: readonly {
    chain: string
    first: number
    last: number
    mac: string
    frame: number
  }[]
  /** Heads of the chains at the beginning of that file. */
  readonly before: readonly JournalHead[]
  /** Epochs whose wraps the newest file holds. */
  readonly epochs: ReadonlySet<number>
  /** Name of that file; undefined for a journal that has none yet. */
  readonly file: string | undefined
}

const defaultLength = 64 * 2 ** 20
const defaultPatience = 2_000

/** The newest file of a journal. */
export class JournalWriter {
  readonly #place: JournalPlace
  #journal = ''
  #file: FileHandle | undefined
  #number = 0
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
    return this.#inTime(async () => {
      if (expected === undefined) await makeFolder(path)
      const files = await journalFilesIn(path)
      if (files.length === 0) {
        if (expected !== undefined) throw gone(path)
        this.#journal = randomUuid()
        return {
          journal: this.#journal,
          tail: [],
          before: [],
          epochs: new Set<number>(),
          file: undefined,
        }
      }
      this.#bytes = 0
      for (const file of files) this.#bytes += (await stat(join(path, file))).size
      return this.#read(files)
    })
  }

  async #read(files: readonly string[]): Promise<OpenedJournal> {
    const { path, store } = this.#place
    const expected = this.#expected
    this.#number = numberIn(files.at(-1)!)
    // A file whose beginning was cut off holds nothing: the one before it is the newest.
    for (const file of files.toReversed()) {
      const bytes = await readJournalFile(path, file)
      const head = headOf(bytes)
      if (head === undefined) continue
      demandOurs(join(path, file), head.header, store, expected)
      this.#journal = head.header.journal
      const tail: OpenedJournal['tail'][number][] = []
      const epochs = new Set<number>()
      let isWhole = true
      for (const met of framesIn(bytes, head.rest)) {
        if (met.kind !== 'frame') isWhole = false
        if (met.kind !== 'frame') continue
        this.#sequence = met.frame.sequence
        for (const entry of readFrame(met.frame.payload)?.entries ?? []) {
          if (entry.kind === 'wrap') epochs.add(entry.row.epoch)
          if (entry.kind !== 'audit') continue
          const { chain, first, last, mac } = entry.row
          tail.push({ chain, first, last, mac: base64(mac), frame: met.frame.sequence })
        }
      }
      if (isWhole && file === files.at(-1)) {
        this.#file = await open(join(path, file), 'a', 0o600)
        this.#length = bytes.length
      }
      return { journal: this.#journal, tail, before: head.header.heads, epochs, file }
    }
    throw new UserError(
      'journal-damaged',
      `${path}: none of its files begins as it was written`,
      'keep them for  keyreel journal verify, and name another folder with --journal',
    )
  }

  /**
   * Whether the next frame begins a file: it has to hold what later ones rely on.
   */
  get beginsFile(): boolean {
    return this.#file === undefined || this.#length >= (this.#place.fileLength ?? defaultLength)
  }

  /** Appends a frame and syncs it. `heads` stand at the beginning of a new file. Throws what the file system throws. */
  async append(frame: JournalFrame, heads: readonly JournalHead[]): Promise<void> {
    try {
      await this.#inTime(async () => {
        if (this.beginsFile) await this.#begin(frame.time, heads)
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

  async #begin(time: number, heads: readonly JournalHead[]): Promise<void> {
    const { path, store } = this.#place
    await this.#file?.close()
    this.#file = undefined
    const number = this.#number + 1
    const name = join(path, journalFile(number))
    this.#file = await open(name, 'wx', 0o600)
    this.#length = 0
    const header = {
      ...{ format: journalFormat, journal: this.#journal, store, file: number, time, heads },
    }
    try {
      await this.#write(
        Buffer.concat([journalMagic, frameOf(this.#sequence, JSON.stringify(header))]),
      )
      await this.#sync()
      await syncDirectory(path)
      this.#number = number
    } catch (error) {
      // On a full disk this is tried again and again: nothing of it shall stay.
      await rm(name, { force: true }).catch(() => undefined)
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
      stat(join(this.#place.path, journalFile(this.#number))),
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
  async #inTime<T>(work: () => Promise<T>): Promise<T> {
    if (this.#stuck !== undefined) throw late()
    const patience = new AbortController()
    const running = work()
    const waited = delay(this.#place.patience ?? defaultPatience, late, { signal: patience.signal })
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

/** Makes the folder where only it is missing: a disk that is not mounted must not be filled in for. */
async function makeFolder(path: string): Promise<void> {
  const there = await readdir(dirname(path)).catch(() => undefined)
  if (there === undefined) return
  try {
    await mkdir(path, { mode: 0o700 })
    await syncDirectory(dirname(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

function gone(path: string): UserError {
  return new UserError(
    'journal-gone',
    `the journal that was in ${path} is gone`,
    'is its disk mounted? To begin another, name another folder with --journal',
  )
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}
