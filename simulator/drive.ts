// A tape drive, modelled on public documents of LTO-4 to LTO-9 drives: one cartridge, a position,
// an encryption engine, and two ports over which parameters are set. No compression.
//
// Library-managed encryption: the drive asks its library for a key
//   write-bot  when a block is written and no block precedes it (overwriting from the beginning too)
//   append     when the last block before is encrypted and its key is not here
//   read       when a block is encrypted and its key is not here
// A tape is clear or encrypted as a whole: after a clear block it goes on clear, unasked.
// A failed read leaves the position before the block.

import type { Cartridge } from './cartridge.ts'
import { drawRandom, type RandomBytes } from './drive-cipher.ts'
import { askLibrary, type DriveControl, type KeyRequest } from './drive-control.ts'
import { encryptsUnderKad, EncryptionState } from './drive-encryption.ts'
import { answerIn, settingOf, settingOut, type Port } from './drive-pages.ts'
import { SimulatorError } from './errors.ts'
import { driveRow, mediumRow, type DriveGeneration, type KadLimits } from './generations.ts'
import { sameKad, type Kad } from './kad.ts'
import type { Medium } from './medium.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { kadOfDescriptors } from './security-protocol-page.ts'
import { CheckCondition, senseProfiles, type SenseProfile } from './sense.ts'
import type { ClearBlock, EncryptedBlock } from './tape-record.ts'

/** The longest block a drive takes, in bytes. */
export const longestBlock = 8 * 1024 * 1024

export interface DriveOptions {
  readonly generation: DriveGeneration
  readonly serial: string
  readonly control: DriveControl
  readonly senses?: SenseProfile
  readonly random?: RandomBytes
}

/** What a read came upon; the position is behind it, except at the end of data. */
export type ReadResult =
  | { readonly kind: 'block'; readonly data: Uint8Array; readonly encrypted: boolean }
  | { readonly kind: 'filemark' }
  | { readonly kind: 'end-of-data' }

interface Load {
  readonly cartridge: Cartridge
  readonly medium: Medium
  readonly kadLimits: KadLimits
  position: number
  /** Where writing goes on with the key that wrote the block before. */
  streaming: { readonly position: number; readonly keyInstance: number } | undefined
}

/** Commands that move tape are carried out one after the other; all may throw CheckCondition. */
export class Drive {
  readonly generation: DriveGeneration
  readonly serial: string
  readonly #senses: SenseProfile
  readonly #random: RandomBytes
  readonly #encryption: EncryptionState
  #control: DriveControl
  #load: Load | undefined
  readonly #inTurn = oneAtATime()

  constructor(options: DriveOptions) {
    this.generation = options.generation
    this.serial = options.serial
    this.#control = options.control
    this.#senses = options.senses ?? senseProfiles.t10
    this.#random = options.random ?? drawRandom
    this.#encryption = new EncryptionState(this.#random)
  }

  /** The loaded cartridge. */
  get cartridge(): Cartridge | undefined {
    return this.#load?.cartridge
  }

  /** The number of the object at the head; 0 without a cartridge. */
  get position(): number {
    return this.#load?.position ?? 0
  }

  /** Hands key management over; keys of the former manager are wiped. Only while empty. */
  setControl(control: DriveControl): void {
    if (this.#load !== undefined) {
      throw new SimulatorError('drive-in-use', `drive ${this.serial} holds a cartridge`)
    }
    this.#encryption.clear()
    this.#control = control
  }

  /** Loads a cartridge at its beginning: 5/3B/0D when there is one, 3/30/00 for other formats. */
  load(cartridge: Cartridge): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#load !== undefined) throw new CheckCondition('5/3B/0D', `drive ${this.serial}`)
      if (!driveRow(this.generation).reads.includes(cartridge.format)) {
        throw new CheckCondition(
          '3/30/00',
          `${cartridge.format} in an LTO-${this.generation} drive`,
        )
      }
      const medium = await cartridge.mount()
      const { kadLimits } = mediumRow(cartridge.format)
      this.#load = { cartridge, medium, kadLimits, position: 0, streaming: undefined }
    })
  }

  /**
   * Unloads and gives the cartridge back. The key is wiped when the library manages keys or the
   * page set CKOD; a host's key without CKOD stays for the next cartridge.
   */
  unload(): Promise<Cartridge> {
    return this.#inTurn(async () => {
      const { cartridge, medium } = this.#loaded()
      this.#encryption.demount(this.#control.kind === 'library')
      this.#load = undefined
      await medium.close()
      return cartridge
    })
  }

  /** Power off and on: keys and wrong-key count are gone, the tape is rewound. */
  powerCycle(): Promise<void> {
    return this.#inTurn(async () => {
      this.#encryption.powerCycle()
      if (this.#load !== undefined) Object.assign(this.#load, { position: 0, streaming: undefined })
    })
  }

  rewind(): Promise<void> {
    return this.locate(0)
  }

  /** Goes behind the last recorded object. */
  spaceToEndOfData(): Promise<void> {
    return this.#inTurn(async () => {
      const load = this.#loaded()
      load.position = load.medium.count
    })
  }

  /** Goes before object `n`; behind the last one and 8/00/05 when there are fewer. */
  locate(n: number): Promise<void> {
    return this.#inTurn(async () => {
      const load = this.#loaded()
      load.position = Math.min(n, load.medium.count)
      if (n > load.position) throw new CheckCondition('8/00/05', `object ${n}`)
    })
  }

  /**
   * Writes one block at the position and forgets what was recorded behind it. The bytes are on the
   * medium when this returns; `data` may then be reused.
   */
  write(data: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const load = this.#writable()
      if (data.length > longestBlock) {
        throw new CheckCondition('5/24/00', `block of ${data.length} bytes exceeds ${longestBlock}`)
      }
      if (data.length === 0) return
      const block = await this.#seal(load, data)
      await load.medium.write(load.position, block)
      load.position += 1
      const keyInstance = this.#encryption.keyInstanceCounter
      const streaming = { position: load.position, keyInstance }
      load.streaming = block.kind === 'encrypted' ? streaming : undefined
    })
  }

  /** Writes filemarks, which are never encrypted and need no key, and flushes the medium. */
  writeFilemarks(count = 1): Promise<void> {
    return this.#inTurn(async () => {
      const load = this.#writable()
      for (let written = 0; written < count; written += 1) {
        await load.medium.write(load.position, { kind: 'filemark' })
        load.position += 1
      }
      load.streaming = undefined
      await load.medium.sync()
    })
  }

  /** Reads the object at the position. */
  read(): Promise<ReadResult> {
    return this.#inTurn(async (): Promise<ReadResult> => {
      const load = this.#loaded()
      const object = await load.medium.read(load.position)
      if (object === undefined) return { kind: 'end-of-data' }
      if (object.kind === 'filemark') {
        load.position += 1
        return { kind: 'filemark' }
      }
      const encrypted = object.kind === 'encrypted'
      if (encrypted && this.#control.kind === 'library' && !this.#encryption.answers(object)) {
        await this.#ask(load, { reason: 'read', kad: kadOf(object) })
      }
      const data = this.#encryption.read(object, load.position)
      load.position += 1
      return { kind: 'block', data, encrypted }
    })
  }

  /** SECURITY PROTOCOL IN: the page, cut to the allocation length of the descriptor block. */
  securityProtocolIn(port: Port, cdb: Uint8Array): Promise<Uint8Array> {
    return answerIn(cdb, {
      port,
      managedBy: this.#control.kind,
      encryption: this.#encryption,
      kadLimits: this.#kadLimits(),
      medium: this.#load?.medium,
      position: this.position,
      random: this.#random,
    })
  }

  /**
   * SECURITY PROTOCOL OUT, the only way a key enters. Copies the key; the caller wipes `data`.
   * 5/74/21 on the port that does not manage keys, 5/24/00 for wrong lengths, 5/26/00 for junk.
   */
  securityProtocolOut(port: Port, cdb: Uint8Array, data: Uint8Array): void {
    const page = settingOut(cdb, data, { port, managedBy: this.#control.kind })
    this.#encryption.set(page, this.#kadLimits())
  }

  async #seal(load: Load, data: Uint8Array): Promise<ClearBlock | EncryptedBlock> {
    const n = load.position
    const keyInstance = this.#encryption.keyInstanceCounter
    const streams = load.streaming?.position === n && load.streaming.keyInstance === keyInstance
    if (this.#control.kind === 'library' && !streams) {
      const last = await load.medium.blockBefore(n)
      if (last?.kind === 'clear') return { kind: 'clear', data }
      if (last === undefined) await this.#ask(load, { reason: 'write-bot' })
      if (last !== undefined) await this.#demandKeyToAppend(load, last)
    }
    return this.#encryption.seal(data, n, load.kadLimits)
  }

  async #demandKeyToAppend(load: Load, last: EncryptedBlock): Promise<void> {
    const encryption = this.#encryption
    if (!encryption.answers(last) || encryption.page.encryptionMode !== 'encrypt') {
      await this.#ask(load, { reason: 'append', kad: kadOf(last) })
    }
    encryption.demandKeyOf(last)
    if (encryption.page.encryptionMode !== 'encrypt' || !sameKad(encryption.kad, last)) {
      throw new CheckCondition('7/74/0B', 'the tape would not go on under its own key')
    }
  }

  async #ask(
    load: Load,
    wanted: { reason: 'write-bot' } | { reason: 'append' | 'read'; kad: Kad },
  ): Promise<void> {
    if (this.#control.kind !== 'library') return
    if (this.#encryption.refusesKeys) throw new CheckCondition('7/26/10', 'no key is asked for')
    const { format, mediumSerial } = load.cartridge
    const request: KeyRequest = { ...wanted, format, mediumSerial, kadLimits: load.kadLimits }
    // Between this command's key and the next cartridge's there is none: a failed request must
    // not leave the former key to write with.
    this.#encryption.clear()
    const bytes = await askLibrary(this.#control, request, this.#senses)
    try {
      const page = settingOf(bytes)
      const clear = page.encryptionMode === 'off' && page.decryptionMode === 'off'
      if (wanted.reason === 'write-bot' && !clear && !encryptsUnderKad(page)) {
        throw new CheckCondition('5/26/00', 'a new key needs encrypt mode and a KAD')
      }
      const answers = 'kad' in wanted ? wanted.kad : kadOfDescriptors(page.kads)
      this.#encryption.set(page, load.kadLimits, answers)
    } catch (error) {
      if (!(error instanceof CheckCondition)) throw error
      const detail = 'the library sent a page the drive does not take'
      throw new CheckCondition(this.#senses.controlError, detail, { cause: error })
    } finally {
      bytes.fill(0)
    }
  }

  #kadLimits(): KadLimits {
    return this.#load?.kadLimits ?? driveRow(this.generation).kadLimits
  }

  #loaded(): Load {
    if (this.#load !== undefined) return this.#load
    throw new CheckCondition('2/3A/00', `drive ${this.serial} is empty`)
  }

  #writable(): Load {
    const load = this.#loaded()
    const { cartridge, medium, position } = load
    const found = `${cartridge.format} cartridge ${cartridge.mediumSerial}`
    if (cartridge.writeProtected) throw new CheckCondition('7/27/00', found)
    if (!driveRow(this.generation).writes.includes(cartridge.format)) {
      throw new CheckCondition('7/30/05', `${found} in an LTO-${this.generation} drive`)
    }
    if (cartridge.worm && position < medium.count) throw new CheckCondition('7/30/0C', found)
    return load
  }
}

const kadOf = ({ ukad, akad }: Kad): Kad => ({ ukad, akad })
