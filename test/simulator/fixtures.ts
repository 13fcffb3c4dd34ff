// Cartridges in a temporary directory, keys that can be told apart, and the smallest library there
// is: a shelf of keys by Application Data.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { onTestFinished } from 'vitest'

import { Cartridge, type CartridgeSpecification } from '../../simulator/cartridge.ts'
import {
  keyPage,
  type KeyAnswer,
  type KeyRequest,
  type LibraryControl,
} from '../../simulator/drive-control.ts'
import { Drive, type DriveOptions } from '../../simulator/drive.ts'
import { applicationDataOf, kadOfApplicationData, type Kad } from '../../simulator/kad.ts'
import { descriptorsOf } from '../../simulator/security-protocol-page.ts'
import { encodeCommand } from '../../simulator/security-protocol.ts'
import {
  dataEncryptionStatus,
  encryptionOff,
  nextBlockEncryptionStatus,
  setDataEncryption,
  type SetDataEncryption,
} from '../../simulator/security-protocol-pages.ts'

/** A directory that is gone after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyreel-simulator-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

/** A blank cartridge in a directory of its own. */
export async function blankCartridge(
  specification: Partial<CartridgeSpecification> = {},
): Promise<Cartridge> {
  const directory = join(await temporaryDirectory(), 'cartridge')
  const { barcode = 'KR0001L8', mediumSerial = 'MEDIUM0001' } = specification
  return Cartridge.create(directory, { ...specification, barcode, mediumSerial })
}

/** Key number `n`: 32 bytes nobody else has. */
export const keyNumber = (n: number): Uint8Array => new Uint8Array(32).fill(n)

/** `length` bytes that differ from block to block. */
export const blockOf = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 17 + (at >> 8)) & 0xff)

/** A library that makes a key per request at the beginning and finds keys by Application Data. */
export class KeyShelf implements LibraryControl {
  readonly kind = 'library'
  readonly keys = new Map<string, Uint8Array>()
  readonly requests: KeyRequest[] = []
  answer: ((request: KeyRequest) => KeyAnswer | Promise<KeyAnswer>) | undefined
  #made = 0

  async onKeyNeeded(request: KeyRequest): Promise<KeyAnswer> {
    this.requests.push(request)
    return this.answer === undefined ? this.look(request) : this.answer(request)
  }

  look(request: KeyRequest): KeyAnswer {
    if (request.reason === 'write-bot') {
      this.#made += 1
      const applicationData = `7F3A9C0012D44E6BA1B2C3D4E5F607${hexByte(this.#made)}`
      this.keys.set(applicationData, keyNumber(this.#made))
      const kad = kadOfApplicationData(applicationData, request.kadLimits)
      return { page: keyPage(keyNumber(this.#made), kad) }
    }
    const key = this.keys.get(applicationDataOf(request.kad))
    if (key === undefined) return { refused: 'key-not-found' }
    return { page: keyPage(key, request.kad) }
  }

  get reasons(): string[] {
    return this.requests.map((request) => request.reason)
  }
}

/** An LTO-8 drive whose keys come from the shelf. */
export const libraryDrive = (shelf: LibraryControl, options: Partial<DriveOptions> = {}): Drive =>
  new Drive({ generation: 8, serial: 'DRIVE00001', control: shelf, ...options })

/** An LTO-8 drive whose keys come from the host. */
export const hostDrive = (options: Partial<DriveOptions> = {}): Drive =>
  new Drive({ generation: 8, serial: 'DRIVE00002', control: { kind: 'application' }, ...options })

/** Sends Set Data Encryption over the host's port. */
export function setByHost(drive: Drive, settings: Partial<SetDataEncryption>): void {
  const data = setDataEncryption.encode({ ...encryptionOff, ...settings })
  sendOut(drive, data)
}

/** Sends any bytes as Set Data Encryption over the host's port. */
export function sendOut(
  drive: Drive,
  data: Uint8Array,
  port: 'host' | 'automation' = 'host',
): void {
  drive.securityProtocolOut(port, outCommand(data.length), data)
}

/** Encrypt and decrypt with this key. */
export const bothWays = (key: Uint8Array, kads: SetDataEncryption['kads'] = []) =>
  ({ encryptionMode: 'encrypt', decryptionMode: 'decrypt', key, kads }) as const

export const outCommand = (length: number): Uint8Array =>
  encodeCommand('out', { protocol: 0x20, page: 0x0010, length })

/** Reads a page of the tape data encryption protocol. */
export const readPage = (
  drive: Drive,
  page: number,
  port: 'host' | 'automation' = 'host',
): Promise<Uint8Array> =>
  drive.securityProtocolIn(port, encodeCommand('in', { protocol: 0x20, page, length: 8192 }))

/** A KAD of text. */
export const kadOfText = (ukad: string, akad: string): Kad => ({
  ukad: new TextEncoder().encode(ukad),
  akad: new TextEncoder().encode(akad),
})

/** Reads blocks up to a filemark or the end of data. */
export async function readBlocks(drive: Drive): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for (;;) {
    const found = await drive.read()
    if (found.kind !== 'block') return blocks
    blocks.push(found.data)
  }
}

/** Bytes from hexadecimal with spaces. */
export const hex = (text: string): Uint8Array => Uint8Array.fromHex(text.replaceAll(/\s/g, ''))

/** A cartridge with `count` encrypted blocks of 1000 bytes, and the shelf that has its key. */
export async function encryptedCartridge(
  count = 3,
): Promise<{ cartridge: Cartridge; shelf: KeyShelf }> {
  const cartridge = await blankCartridge()
  const shelf = new KeyShelf()
  const drive = libraryDrive(shelf)
  await drive.load(cartridge)
  for (let n = 0; n < count; n += 1) await drive.write(blockOf(1000, n))
  await drive.unload()
  shelf.requests.length = 0
  return { cartridge, shelf }
}

/** An LTO-8 drive with this cartridge, keys from the shelf. */
export async function loaded(cartridge: Cartridge, shelf: KeyShelf): Promise<Drive> {
  const drive = libraryDrive(shelf)
  await drive.load(cartridge)
  return drive
}

/** A page that brings a key only to decrypt with. */
export const decryptOnly = (key: Uint8Array): Uint8Array =>
  setDataEncryption.encode({ ...encryptionOff, decryptionMode: 'decrypt', key })

/** An answer with a key nothing was ever written with, under the KAD asked for. */
export const wrongKey = (request: KeyRequest): KeyAnswer => ({
  page: keyPage(keyNumber(99), 'kad' in request ? request.kad : kadOfText('', 'new')),
})

const hexByte = (n: number): string => n.toString(16).padStart(2, '0').toUpperCase()

/** What `mixedTape` names its key. */
export const mixedTapeKad = kadOfText('note', 'KEY-1')

/** An LTO-8 drive with a blank cartridge, keys from the host. */
export async function withCartridge(): Promise<{ drive: Drive; cartridge: Cartridge }> {
  const cartridge = await blankCartridge()
  const drive = hostDrive()
  await drive.load(cartridge)
  return { drive, cartridge }
}

/** One clear block, then two encrypted under key 1; at the beginning. */
export async function mixedTape(settings: Partial<SetDataEncryption> = {}) {
  const { drive, cartridge } = await withCartridge()
  await drive.write(blockOf(100, 0))
  setByHost(drive, { ...bothWays(keyNumber(1), descriptorsOf(mixedTapeKad)), ...settings })
  await drive.write(blockOf(100, 1))
  await drive.write(blockOf(100, 2))
  await drive.rewind()
  return { drive, cartridge }
}

/** What the drive says of the next block, to the host. */
export const nextBlock = async (drive: Drive) =>
  nextBlockEncryptionStatus.decode(await readPage(drive, 0x21))

/** The parameters in force, as the host sees them. */
export const status = async (drive: Drive) =>
  dataEncryptionStatus.decode(await readPage(drive, 0x20))
