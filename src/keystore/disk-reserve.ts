// A file that keeps room on the disk of the data directory. When the disk is full it is given back, so that
// keys can still be handed out with their records; new keys are refused meanwhile. Made again once there
// is room.
import { rmSync, statfsSync, statSync } from 'node:fs'
import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { randomBytes } from '../crypto/primitives/random.ts'
import { moveIntoPlace, syncDirectorySync } from '../durable-files.ts'

/** Name of the file in the data directory. */
export const reserveFile = 'reserve'

/** Who keeps room for when there is none left. */
export interface RoomKeeper {
  /** Whether what room is left is for the records of what is handed out, so that nothing new is kept. */
  readonly isTight: boolean
  /** Told that the disk is full; whether there is room to give back, so that it is worth another try. */
  noteFull(): boolean
  /** Gives it back. */
  giveBack(): void
}

/** Told of it; a full disk is told once a minute. */
export interface ReserveLog {
  info(fields: object, text: string): void
  error(fields: object, text: string): void
}

const blockLength = 1024 * 1024
const toldEvery = 60_000

/** The reserve of a data directory. */
export class DiskReserve implements RoomKeeper {
  readonly #directory: string
  readonly #size: number
  readonly #log: ReserveLog
  #isTight: boolean
  #told = { text: '', at: 0 }

  /** `size` in bytes. A reserve that was given back before this start counts as given back. */
  constructor(directory: string, size: number, log: ReserveLog) {
    this.#directory = directory
    this.#size = size
    this.#log = log
    const { bavail, bsize } = statfsSync(directory)
    this.#isTight = !this.#isWhole() && bavail * bsize < size
  }

  get isTight(): boolean {
    return this.#isTight
  }

  noteFull(): boolean {
    const isWhole = this.#isWhole()
    this.#isTight = true
    if (!isWhole) {
      const what =
        'the disk is full and its reserve used up: nothing can be recorded, so no key is handed out'
      this.#alarm(what)
    }
    return isWhole
  }

  giveBack(): void {
    rmSync(this.#file, { force: true })
    // The room of a removed file is free for others once its directory is on the disk.
    syncDirectorySync(this.#directory)
    this.#isTight = true
    this.#alarm(
      'the disk is full: its reserve is given back; keys are handed out, new ones refused',
    )
  }

  #alarm(what: string): void {
    const now = performance.now()
    if (this.#told.text === what && now - this.#told.at < toldEvery) return
    this.#told = { text: what, at: now }
    this.#log.error({ alarm: true, directory: this.#directory }, what)
  }

  /** Makes the reserve where it is not, if the disk has twice that room; then everything goes on as before. */
  async restore(): Promise<void> {
    if (this.#isWhole()) return
    const { bavail, bsize } = await statfs(this.#directory)
    if (bavail * bsize < 2 * this.#size) return
    if (!(await this.#make())) return
    if (this.#isTight)
      this.#log.info({ directory: this.#directory }, 'there is room on the disk again')
    this.#isTight = false
  }

  get #file(): string {
    return join(this.#directory, reserveFile)
  }

  #isWhole(): boolean {
    return (statSync(this.#file, { throwIfNoEntry: false })?.size ?? -1) >= this.#size
  }

  /** Bytes that no file system can fold, on the disk before it counts; false when the room is gone. */
  async #make(): Promise<boolean> {
    const temporary = `${this.#file}.new`
    try {
      await using file = await open(temporary, 'w', 0o600)
      const block = randomBytes(Math.min(blockLength, this.#size))
      for (let left = this.#size; left > 0; left -= block.length)
        await file.writeFile(block.subarray(0, left))
      await file.sync()
      await moveIntoPlace(temporary, this.#file)
      return true
    } catch (error) {
      await rm(temporary, { force: true })
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
      throw error
    }
  }
}
