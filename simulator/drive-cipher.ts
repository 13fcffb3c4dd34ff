// The drive's encryption engine for one key: AES-256-GCM, one block at a time (IEEE 1619.1 family).
//
// Initialisation vector (96 bits): 8 random bytes drawn when the key enters the drive, then a
// 32-bit counter of the blocks written with it. Within one stay of the key the counter never
// repeats; two stays of the same key (another drive, another mount) draw different random bytes
// but for a chance of 2^-64. After 2^32 blocks the engine refuses to go on.
//
// Additional authenticated data: A-KAD, then the block number as 32 bits big-endian. A block that is
// moved on tape, or given another A-KAD, fails its tag. With the 12-byte A-KAD of LTO-4 this is 16
// bytes, and a raw block (below) is 48 bytes longer than its data, as public captures show it.
//
// Key check: the first 4 bytes of HMAC-SHA-256(key, label), recorded with each block. It lets a
// drive tell "wrong key" from "damaged block" without trying other blocks, and says nothing useful
// about the key. How real drives decide is not public; the field is this simulator's own.

import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

import { sameBytes } from './kad.ts'
import { CheckCondition } from './sense.ts'
import { keyCheckLength, tagLength, type EncryptedBlock } from './tape-record.ts'

/** A source of random bytes; a parameter so that tests can repeat a run. */
export type RandomBytes = (length: number) => Uint8Array

export const drawRandom: RandomBytes = (length) => randomBytes(length)

const algorithm = 'aes-256-gcm'
const keyCheckLabel = 'keyreel simulator key check'
const randomIvLength = 8
const mostBlocks = 2 ** 32

/** What encrypting one block gives. */
export type Sealed = Pick<EncryptedBlock, 'iv' | 'keyCheck' | 'ciphertext' | 'tag'>

/** Holds a copy of one key from its arrival until `wipe`. */
export class BlockCipher {
  readonly #key: Uint8Array
  readonly #keyCheck: Uint8Array
  readonly #ivStart: Uint8Array
  #written: number

  /** Copies the 32-byte key; `written` blocks of the counter are taken as used. */
  constructor(key: Uint8Array, random: RandomBytes, written = 0) {
    this.#key = Uint8Array.from(key)
    const check = createHmac('sha256', key).update(keyCheckLabel).digest()
    this.#keyCheck = Uint8Array.from(check.subarray(0, keyCheckLength))
    this.#ivStart = Uint8Array.from(random(randomIvLength))
    this.#written = written
  }

  /** Encrypts block number `n`; 7/74/00 when the key has no initialisation vector left. */
  encrypt(data: Uint8Array, akad: Uint8Array, n: number): Sealed {
    if (this.#written >= mostBlocks) {
      throw new CheckCondition('7/74/00', 'this key has encrypted as many blocks as it may')
    }
    const iv = new Uint8Array(randomIvLength + 4)
    iv.set(this.#ivStart)
    new DataView(iv.buffer).setUint32(randomIvLength, this.#written)
    this.#written += 1
    const cipher = createCipheriv(algorithm, this.#key, iv, { authTagLength: tagLength })
    cipher.setAAD(authenticatedData(akad, n))
    const ciphertext = plainView(cipher.update(data))
    cipher.final()
    return { iv, keyCheck: this.#keyCheck, ciphertext, tag: plainView(cipher.getAuthTag()) }
  }

  /** The data of block number `n`; undefined when its tag does not agree. */
  decrypt(block: EncryptedBlock, n: number): Uint8Array | undefined {
    const decipher = createDecipheriv(algorithm, this.#key, block.iv, { authTagLength: tagLength })
    decipher.setAAD(authenticatedData(block.akad, n))
    decipher.setAuthTag(block.tag)
    const data = plainView(decipher.update(block.ciphertext))
    try {
      decipher.final()
    } catch {
      // The only thing `final` can find wrong in GCM is the tag: the caller's undefined.
      data.fill(0)
      return undefined
    }
    return data
  }

  /** Whether a block was recorded with this key, as far as the key check tells (1 in 2^32 errs). */
  fits(block: EncryptedBlock): boolean {
    return sameBytes(this.#keyCheck, block.keyCheck)
  }

  /** Overwrites the key; the cipher is of no use afterwards. */
  wipe(): void {
    this.#key.fill(0)
  }
}

/**
 * An encrypted block as raw read mode returns it: additional authenticated data, IV, key check,
 * ciphertext, tag.
 */
export function rawBlock(block: EncryptedBlock, n: number): Uint8Array {
  const { akad, iv, keyCheck, ciphertext, tag } = block
  return plainView(Buffer.concat([authenticatedData(akad, n), iv, keyCheck, ciphertext, tag]))
}

/**
 * Takes such a raw block apart for external mode, in which a host writes ciphertext it read
 * elsewhere; undefined unless it was block number `n` under this A-KAD.
 */
export function parseRawBlock(raw: Uint8Array, akad: Uint8Array, n: number): Sealed | undefined {
  const start = authenticatedData(akad, n)
  const keyCheck = start.length + randomIvLength + 4
  const ciphertext = keyCheck + keyCheckLength
  const tag = raw.length - tagLength
  if (tag < ciphertext || !sameBytes(start, raw.subarray(0, start.length))) return undefined
  return {
    iv: raw.slice(start.length, keyCheck),
    keyCheck: raw.slice(keyCheck, ciphertext),
    ciphertext: raw.slice(ciphertext, tag),
    tag: raw.slice(tag),
  }
}

/** The same bytes as a Uint8Array proper, so that callers never meet a Buffer. */
const plainView = (bytes: Buffer): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

function authenticatedData(akad: Uint8Array, n: number): Uint8Array {
  const bytes = new Uint8Array(akad.length + 4)
  bytes.set(akad)
  new DataView(bytes.buffer).setUint32(akad.length, n)
  return bytes
}
