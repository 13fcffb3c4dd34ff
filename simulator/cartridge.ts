// A cartridge: a directory with the label, the chip and the tape. `cartridge.json` says what it is,
// `index` and `data` are the tape (medium.ts). The barcode is the label and can be replaced; the
// medium serial number is in the chip and stays.

import { mkdir, open, readFile, rename, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { parseBarcode } from './barcode.ts'
import { SimulatorError } from './errors.ts'
import { formatOfMediaId, mediumFormats, mediumRow, type MediumFormat } from './generations.ts'
import { Medium } from './medium.ts'

const fileFormat = { kind: 'keyreel-simulator-cartridge', version: 1 } as const

interface Description {
  readonly barcode: string
  readonly mediumSerial: string
  readonly format: MediumFormat
  readonly worm: boolean
  readonly writeProtected: boolean
}

/** What a new cartridge is. */
export interface CartridgeSpecification {
  /** The label; its media identifier decides format and WORM when these are not given. */
  readonly barcode: string
  /** The serial number in the cartridge memory. */
  readonly mediumSerial: string
  readonly format?: MediumFormat
  readonly worm?: boolean
}

/** One cartridge on disk; at most one mount at a time within this process. */
export class Cartridge {
  readonly directory: string
  #description: Description
  #mounted = false

  private constructor(directory: string, description: Description) {
    this.directory = directory
    this.#description = description
  }

  /** Makes a blank cartridge; throws SimulatorError 'cartridge-exists' where there is one. */
  static async create(
    directory: string,
    specification: CartridgeSpecification,
  ): Promise<Cartridge> {
    const { barcode, mediumSerial } = specification
    parseBarcode(barcode)
    const marked = formatOfMediaId(barcode.length === 8 ? barcode.slice(6) : '')
    const format = specification.format ?? marked?.format
    if (format === undefined) {
      throw new SimulatorError('cartridge-format', `label ${barcode} does not tell the format`)
    }
    const worm = specification.worm ?? marked?.worm ?? false
    if (worm && mediumRow(format).wormId === undefined) {
      throw new SimulatorError('cartridge-format', `there is no WORM medium of format ${format}`)
    }
    const description = { barcode, mediumSerial, format, worm, writeProtected: false }
    await mkdir(directory, { recursive: true })
    try {
      const file = join(directory, 'cartridge.json')
      await writeFile(file, serialise(description), { flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      const message = `there is a cartridge in ${directory}`
      throw new SimulatorError('cartridge-exists', message, { cause: error })
    }
    for (const name of ['index', 'data']) await writeFile(join(directory, name), '')
    return new Cartridge(directory, description)
  }

  /** Finds an existing cartridge; throws SimulatorError 'cartridge-format' for anything else. */
  static async open(directory: string): Promise<Cartridge> {
    const text = await readFile(join(directory, 'cartridge.json'), 'utf8')
    return new Cartridge(directory, parse(text, directory))
  }

  /** The label as printed. */
  get barcode(): string {
    return this.#description.barcode
  }

  get volser(): string {
    return parseBarcode(this.#description.barcode).volser
  }

  get mediumSerial(): string {
    return this.#description.mediumSerial
  }

  get format(): MediumFormat {
    return this.#description.format
  }

  get worm(): boolean {
    return this.#description.worm
  }

  get writeProtected(): boolean {
    return this.#description.writeProtected
  }

  /** Moves the write-protect tab. */
  async setWriteProtected(writeProtected: boolean): Promise<void> {
    await this.#describe({ ...this.#description, writeProtected })
  }

  /** Sticks another label on; tape and chip stay what they are. */
  async relabel(barcode: string): Promise<void> {
    parseBarcode(barcode)
    await this.#describe({ ...this.#description, barcode })
  }

  /** Opens the tape; the drive closes it. Throws SimulatorError 'cartridge-in-use' when open. */
  async mount(): Promise<Medium> {
    if (this.#mounted) throw new SimulatorError('cartridge-in-use', `${this.barcode} is mounted`)
    this.#mounted = true
    const files: FileHandle[] = []
    const release = async () => {
      this.#mounted = false
      for (const file of files) await file.close()
    }
    try {
      const index = await open(join(this.directory, 'index'), 'r+')
      files.push(index)
      const data = await open(join(this.directory, 'data'), 'r+')
      files.push(data)
      return await Medium.open({ index, data }, release)
    } catch (error) {
      await release()
      throw error
    }
  }

  async #describe(description: Description): Promise<void> {
    const file = join(this.directory, 'cartridge.json')
    await writeFile(`${file}.new`, serialise(description))
    await rename(`${file}.new`, file)
    this.#description = description
  }
}

const serialise = (description: Description): string =>
  `${JSON.stringify({ ...fileFormat, ...description }, undefined, 2)}\n`

function parse(text: string, directory: string): Description {
  const found = parseJson(text, directory)
  const { kind, version, barcode, mediumSerial, format, worm, writeProtected } = found
  if (kind !== fileFormat.kind || version !== fileFormat.version) {
    const message = `${directory} holds ${String(kind)} version ${String(version)}`
    throw new SimulatorError('cartridge-format', `${message}, expected ${fileFormat.version}`)
  }
  const whole =
    typeof barcode === 'string' &&
    typeof mediumSerial === 'string' &&
    typeof format === 'string' &&
    typeof worm === 'boolean' &&
    typeof writeProtected === 'boolean'
  if (!whole || !Object.hasOwn(mediumFormats, format)) {
    throw new SimulatorError('cartridge-format', `${directory}: cartridge.json lacks a field`)
  }
  return { barcode, mediumSerial, format: format as MediumFormat, worm, writeProtected }
}

function parseJson(text: string, directory: string): Record<string, unknown> {
  try {
    return { ...(JSON.parse(text) as object) }
  } catch (error) {
    const message = `${directory}: cartridge.json is not JSON`
    throw new SimulatorError('cartridge-format', message, { cause: error })
  }
}
