// The encryption parameters in force in one drive, and the rules by which it uses a key.
//
// What a drive answers to an encrypted block (`read`):
//   after ten wrong keys in a row, until unload or power cycle            7/26/10
//   decryption off, or no key                                             7/74/01
//   the key check recorded with the block is not this key's:
//     this key has opened or written a block under another KAD           7/74/05
//     otherwise                                                           7/74/03, a wrong key
//   the key check agrees, the tag does not: the block is damaged          7/74/04
//   raw mode, and the block was not written for raw reading               7/74/0A
// and to a clear block: its data, except in decrypt-only mode             7/74/02
// A key counts as wrong once, however often it is tried; a block that opens ends the row.

import { BlockCipher, parseRawBlock, rawBlock, type RandomBytes } from './drive-cipher.ts'
import type { KadLimits } from './generations.ts'
import { isKadEmpty, sameBytes, sameKad, type Kad } from './kad.ts'
import { descriptorBytes, kadOfDescriptors } from './security-protocol-page.ts'
import { encryptionOff, type SetDataEncryption } from './security-protocol-pages.ts'
import { CheckCondition } from './sense.ts'
import type { ClearBlock, EncryptedBlock } from './tape-record.ts'

const wrongKeyLimit = 10
const keyLength = 32
const powerOn: SetDataEncryption = { ...encryptionOff, scope: 'public' }

/** The metadata a drive of this simulator puts beside external data: algorithm, AAD and IV length. */
export const metadataKad = (akad: Uint8Array): Uint8Array =>
  Uint8Array.of(0x00, 0x01, 0x00, 0x14, 0x00, akad.length + 4, 0x00, 12)

interface InForce {
  /** As set, but without the key. */
  readonly page: SetDataEncryption
  readonly kad: Kad
  readonly cipher: BlockCipher | undefined
  /** The KAD for which a library brought this key; absent when the host set it. */
  readonly answers: Kad | undefined
  /** The KAD of the block this key last opened or wrote. */
  opened: Kad | undefined
  foundWrong: boolean
}

const nothing = (): InForce => ({
  page: powerOn,
  kad: kadOfDescriptors([]),
  cipher: undefined,
  answers: undefined,
  opened: undefined,
  foundWrong: false,
})

/** The state; one per drive. Every method is synchronous, so no command sees half a change. */
export class EncryptionState {
  readonly #random: RandomBytes
  #inForce = nothing()
  #keyInstanceCounter = 0
  #wrongKeys = 0

  constructor(random: RandomBytes) {
    this.#random = random
  }

  /** The parameters as last set, with an empty key. */
  get page(): SetDataEncryption {
    return this.#inForce.page
  }

  /** The KAD new blocks get. */
  get kad(): Kad {
    return this.#inForce.kad
  }

  /** Counts every change of the parameters, modulo 2^32. */
  get keyInstanceCounter(): number {
    return this.#keyInstanceCounter
  }

  /** Ten wrong keys came in a row: no key is taken until unload or power cycle. */
  get refusesKeys(): boolean {
    return this.#wrongKeys >= wrongKeyLimit
  }

  /** Whether a library brought the present key for this KAD. */
  answers(kad: Kad): boolean {
    const { cipher, answers } = this.#inForce
    return cipher !== undefined && answers !== undefined && sameKad(answers, kad)
  }

  /**
   * Puts a page in force, copying the key; the caller wipes the page. `answers` is the KAD a
   * library was asked for. Throws 5/26/00 for values the drive does not take, 5/24/00 for key or
   * KAD of a wrong length, 7/26/10 when it takes no keys.
   */
  set(page: SetDataEncryption, limits: KadLimits, answers?: Kad): void {
    refuseUnsupported(page)
    refuseLengths(page, limits)
    const needsKey = wantsKey(page)
    if (needsKey && this.refusesKeys) throw new CheckCondition('7/26/10', 'no key is taken')
    const kads = page.encryptionMode === 'off' ? [] : page.kads
    this.#replace({
      page: { ...page, key: new Uint8Array(), kads },
      kad: kadOfDescriptors(kads),
      cipher: needsKey ? new BlockCipher(page.key, this.#random) : undefined,
      answers: needsKey ? answers : undefined,
      opened: undefined,
      foundWrong: false,
    })
  }

  /** Wipes the key and switches encryption off. */
  clear(): void {
    this.#replace(nothing())
  }

  /** The cartridge leaves: the key goes too if the page said so (CKOD) or `always`. */
  demount(always: boolean): void {
    this.#wrongKeys = 0
    if (always || this.page.ckod) this.clear()
    this.#inForce.opened = undefined
  }

  /** Power is lost: the key and all counters are. */
  powerCycle(): void {
    this.clear()
    this.#wrongKeys = 0
    this.#keyInstanceCounter = 0
  }

  /** What writing `data` as object `n` records under the parameters in force. */
  seal(data: Uint8Array, n: number, limits: KadLimits): ClearBlock | EncryptedBlock {
    if (this.refusesKeys) throw new CheckCondition('7/26/10', `block ${n} not written`)
    const { page, kad, cipher } = this.#inForce
    if (page.encryptionMode === 'off') return { kind: 'clear', data }
    if (kad.ukad.length > limits.ukad || kad.akad.length > limits.akad) {
      throw new CheckCondition('7/74/0B', 'the key-associated data does not fit this medium')
    }
    const external = page.encryptionMode === 'external'
    const sealed = external ? parseRawBlock(data, kad.akad, n) : cipher?.encrypt(data, kad.akad, n)
    if (sealed === undefined) {
      throw new CheckCondition('7/74/0B', `not raw block ${n} of this key-associated data`)
    }
    if (!external) this.#inForce.opened = kad
    return {
      kind: 'encrypted',
      external,
      rawReadAllowed: page.rawRead === 'allowed',
      kadFormat: page.kadFormat,
      ...kad,
      ...sealed,
    }
  }

  /** What reading object `n` gives the host: the rules at the head of this file. */
  read(block: ClearBlock | EncryptedBlock, n: number): Uint8Array {
    const { decryptionMode, modeCheck } = this.page
    if (block.kind === 'clear' && decryptionMode === 'decrypt') {
      throw new CheckCondition('7/74/02', `block ${n} is clear`)
    }
    if (modeCheck === 'external' || modeCheck === 'encrypt') {
      const external = modeCheck === 'external'
      if (block.kind === 'clear' || block.external !== external) {
        throw new CheckCondition('7/74/09', `block ${n} was not written in ${modeCheck} mode`)
      }
    }
    if (block.kind === 'clear') return block.data
    if (decryptionMode !== 'raw') return this.#open(block, n)
    if (block.rawReadAllowed) return rawBlock(block, n)
    throw new CheckCondition('7/74/0A', `block ${n} may not be read raw`)
  }

  /** Demands that the key is the one `block` was recorded with: 7/74/01, 7/74/03. */
  demandKeyOf(block: EncryptedBlock): void {
    const cipher = this.#cipher('the last block')
    if (!cipher.fits(block)) throw this.#wrongKey('the last block')
  }

  /** Whether block `n` would open, without consequences. */
  probe(block: EncryptedBlock, n: number): 'verified' | 'failed' | 'not-attempted' {
    const { cipher, page } = this.#inForce
    const decrypts = page.decryptionMode === 'decrypt' || page.decryptionMode === 'mixed'
    if (!decrypts || cipher?.fits(block) !== true) return 'not-attempted'
    const data = cipher.decrypt(block, n)
    data?.fill(0)
    return data === undefined ? 'failed' : 'verified'
  }

  #open(block: EncryptedBlock, n: number): Uint8Array {
    const name = `block ${n}`
    const cipher = this.#cipher(name)
    if (this.page.decryptionMode === 'off') throw new CheckCondition('7/74/01', name)
    const { opened } = this.#inForce
    if (!cipher.fits(block)) {
      if (opened === undefined || sameKad(opened, block)) throw this.#wrongKey(name)
      throw new CheckCondition('7/74/05', `${name} continues under another key`)
    }
    const data = cipher.decrypt(block, n)
    if (data === undefined) throw new CheckCondition('7/74/04', `${name} is damaged`)
    this.#inForce.opened = { ukad: block.ukad, akad: block.akad }
    this.#wrongKeys = 0
    return data
  }

  #cipher(name: string): BlockCipher {
    if (this.refusesKeys) throw new CheckCondition('7/26/10', `${name} needs a key`)
    const { cipher } = this.#inForce
    if (cipher === undefined) throw new CheckCondition('7/74/01', `${name} needs a key`)
    return cipher
  }

  /** Counts the key once. One that a library brought is dropped, so that it is asked again. */
  #wrongKey(name: string): CheckCondition {
    if (!this.#inForce.foundWrong) this.#wrongKeys += 1
    this.#inForce.foundWrong = true
    if (this.#inForce.answers !== undefined || this.refusesKeys) this.clear()
    return new CheckCondition('7/74/03', `${name} was not written with this key`)
  }

  #replace(next: InForce): void {
    this.#inForce.cipher?.wipe()
    this.#inForce = next
    this.#keyInstanceCounter = (this.#keyInstanceCounter + 1) % 2 ** 32
  }
}

const wantsKey = (page: SetDataEncryption): boolean =>
  page.encryptionMode === 'encrypt' ||
  page.decryptionMode === 'decrypt' ||
  page.decryptionMode === 'mixed'

function refuseUnsupported(page: SetDataEncryption): void {
  const external = page.encryptionMode === 'external'
  const metadata = descriptorBytes(page.kads, 'M-KAD')
  const rows: readonly (readonly [refused: boolean, what: string])[] = [
    [page.scope === 'public', 'public scope'],
    [page.lock, 'LOCK'],
    [page.sdk, 'SDK'],
    [page.ckorp, 'CKORP'],
    [page.ckorl, 'CKORL'],
    [page.algorithmIndex !== 1, `algorithm index ${page.algorithmIndex}`],
    [page.keyFormat !== 0, `key format ${page.keyFormat}`],
    [wantsKey(page) && page.key.length === 0, 'a mode that needs a key, without one'],
    [page.kads.some((kad) => kad.authenticated !== 'reserved'), 'AUTHENTICATED'],
    [page.kads.some((kad) => kad.type === 'nonce' || kad.type === 'wrapped-key'), 'KAD type'],
    [external && !sameBytes(metadata, metadataKad(kadOfDescriptors(page.kads).akad)), 'M-KAD'],
    [!external && metadata.length > 0 && page.encryptionMode !== 'off', 'M-KAD'],
  ]
  const found = rows.find(([refused]) => refused)
  if (found !== undefined) throw new CheckCondition('5/26/00', `${found[1]} is not supported`)
}

function refuseLengths(page: SetDataEncryption, limits: KadLimits): void {
  if (page.key.length !== 0 && page.key.length !== keyLength) {
    throw new CheckCondition('5/24/00', `key of ${page.key.length} bytes`)
  }
  const { ukad, akad } = kadOfDescriptors(page.kads)
  if (ukad.length > limits.ukad || akad.length > limits.akad) {
    const found = `U-KAD of ${ukad.length} and A-KAD of ${akad.length} bytes`
    throw new CheckCondition('5/24/00', `${found} exceed ${limits.ukad} and ${limits.akad}`)
  }
}

/** Whether a page makes the drive write encrypted blocks that name their key. */
export const encryptsUnderKad = (page: SetDataEncryption): boolean =>
  page.encryptionMode === 'encrypt' && !isKadEmpty(kadOfDescriptors(page.kads))
