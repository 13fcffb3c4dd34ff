// The changer of a library: numbered elements (picker, mail slots, drives, storage slots), one arm
// that moves cartridges between them, and a barcode reader. It knows labels, the drives do not.
// Senses as in SMC-3: 5/21/01 no such element, 5/3B/0E nothing to move, 5/3B/0D no room.

import { reportedBarcode, type BarcodeReporting } from './barcode.ts'
import type { Cartridge } from './cartridge.ts'
import type { Drive } from './drive.ts'
import { SimulatorError } from './errors.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { CheckCondition } from './sense.ts'

/** First element address of each kind, one row per library model as public documents list them. */
export const libraryModels = {
  'quantum-scalar': { picker: 0x0001, mail: 0x0010, drive: 0x0100, storage: 0x1000 },
  'ibm-ts3100': { picker: 0x0001, mail: 0x0010, drive: 0x0100, storage: 0x1000 },
  'ibm-ts3500': { picker: 0x0001, mail: 0x0300, drive: 0x0101, storage: 0x0400 },
  'hp-msl': { picker: 0x0001, mail: 0x01c0, drive: 0x01e0, storage: 0x0020 },
  'hp-eml': { picker: 0x0001, mail: 0x000a, drive: 0x01f4, storage: 0x03e8 },
  'stk-l': { picker: 0x0001, mail: 0x000a, drive: 0x01f4, storage: 0x03e8 },
  'spectra-treefrog': { picker: 86, mail: 99, drive: 31, storage: 1 },
  generic: { picker: 0x02f0, mail: 0x0300, drive: 0x0001, storage: 0x0400 },
} as const

export type LibraryModel = keyof typeof libraryModels
export type ElementKind = 'picker' | 'mail' | 'drive' | 'storage'

export interface RobotOptions {
  readonly model: LibraryModel
  readonly storageSlots: number
  readonly mailSlots: number
  readonly drives: readonly Drive[]
  /** How many characters of an eight-character label hosts are told; 8 unless given. */
  readonly barcodeReporting?: BarcodeReporting
}

/** One element as READ ELEMENT STATUS tells it. */
export interface ElementStatus {
  readonly address: number
  readonly kind: ElementKind
  /** As reported, perhaps six characters; absent when the element is empty. */
  readonly barcode?: string
  readonly driveSerial?: string
}

interface Element {
  readonly address: number
  readonly kind: ElementKind
  readonly drive?: Drive
  cartridge: Cartridge | undefined
}

/** Holds all cartridges of a library; its drives are loaded and emptied only by it. */
export class Robot {
  readonly #elements: ReadonlyMap<number, Element>
  readonly #barcodeReporting: BarcodeReporting
  readonly #inTurn = oneAtATime()

  /** Throws SimulatorError 'library-layout' when the model's addresses cannot hold so many. */
  constructor(options: RobotOptions) {
    this.#barcodeReporting = options.barcodeReporting ?? 8
    const first = libraryModels[options.model]
    const { storageSlots, mailSlots, drives } = options
    const all = [
      ...row('picker', first.picker, 1),
      ...row('mail', first.mail, mailSlots),
      ...row('drive', first.drive, drives.length, drives),
      ...row('storage', first.storage, storageSlots),
    ]
    this.#elements = new Map(all.map((element) => [element.address, element]))
    if (this.#elements.size !== all.length) {
      const message = `${options.model}: element addresses overlap, ask for fewer elements`
      throw new SimulatorError('library-layout', message)
    }
  }

  /** Every element in the order of addresses: what scanning the labels shows. */
  inventory(): ElementStatus[] {
    const rows = [...this.#elements.values()].sort((one, other) => one.address - other.address)
    return rows.map(({ address, kind, drive, cartridge }) => ({
      address,
      kind,
      ...(drive && { driveSerial: drive.serial }),
      ...(cartridge && { barcode: reportedBarcode(cartridge.barcode, this.#barcodeReporting) }),
    }))
  }

  /** Addresses of the elements of a kind, in order. */
  addresses(kind: ElementKind): number[] {
    return this.inventory()
      .filter((element) => element.kind === kind)
      .map((element) => element.address)
  }

  /** Where cartridges with this label (as printed) are; several when labels repeat. */
  find(label: string): number[] {
    return this.inventory()
      .map((element) => element.address)
      .filter((address) => this.#elements.get(address)?.cartridge?.barcode === label)
  }

  /** The cartridge in an element, as the library's controller sees it. */
  cartridgeAt(address: number): Cartridge | undefined {
    return this.#element(address).cartridge
  }

  /** The drive at an address; 5/21/01 when that is no drive. */
  driveAt(address: number): Drive {
    const { drive } = this.#element(address)
    if (drive !== undefined) return drive
    throw new CheckCondition('5/21/01', `element ${address} is not a drive`)
  }

  /**
   * MOVE MEDIUM. Into a drive loads it, out of a drive unloads it first where the host has not.
   * When a drive refuses the cartridge it stays where it was and the drive's sense is passed on.
   */
  move(from: number, to: number): Promise<void> {
    return this.#inTurn(() => this.#move(from, to))
  }

  /** An operator puts a cartridge into the first free mail slot; its address. 5/3B/0D when full. */
  insert(cartridge: Cartridge): number {
    return this.#place(cartridge, 'mail')
  }

  /** An operator takes a cartridge out of a mail slot: 5/3B/0E, or 5/21/01 for another element. */
  remove(address: number): Cartridge {
    const element = this.#element(address)
    if (element.kind !== 'mail') throw new CheckCondition('5/21/01', `${address} is no mail slot`)
    const { cartridge } = element
    if (cartridge === undefined) throw new CheckCondition('5/3B/0E', `mail slot ${address}`)
    element.cartridge = undefined
    return cartridge
  }

  /** Fills the first free storage slot with the door open, before the library runs. */
  stock(cartridge: Cartridge): number {
    return this.#place(cartridge, 'storage')
  }

  async #move(from: number, to: number): Promise<void> {
    const source = this.#element(from)
    const destination = this.#element(to)
    const { cartridge } = source
    if (cartridge === undefined) throw new CheckCondition('5/3B/0E', `element ${from}`)
    if (destination.cartridge !== undefined || destination.kind === 'picker') {
      throw new CheckCondition('5/3B/0D', `element ${to}`)
    }
    if (source.drive?.cartridge !== undefined) await source.drive.unload()
    if (destination.drive !== undefined) await destination.drive.load(cartridge)
    source.cartridge = undefined
    destination.cartridge = cartridge
  }

  #place(cartridge: Cartridge, kind: 'mail' | 'storage'): number {
    const free = this.addresses(kind).find((address) => !this.#element(address).cartridge)
    if (free === undefined) throw new CheckCondition('5/3B/0D', `every ${kind} slot`)
    this.#element(free).cartridge = cartridge
    return free
  }

  #element(address: number): Element {
    const element = this.#elements.get(address)
    if (element !== undefined) return element
    throw new CheckCondition('5/21/01', `there is no element ${address}`)
  }
}

const row = (
  kind: ElementKind,
  first: number,
  count: number,
  drives: readonly Drive[] = [],
): Element[] =>
  Array.from({ length: count }, (_, at) => {
    const drive = drives[at]
    const element = { address: first + at, kind, cartridge: undefined }
    return drive === undefined ? element : { ...element, drive }
  })
