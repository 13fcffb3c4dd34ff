// What lies on tape, object by object, and the bytes of one data block in a cartridge's data file
// (format version 1). An encrypted block carries everything needed to find its key and nothing
// that is the key.
//
//   clear block       the data
//   encrypted block   [0] flags: 1 external, 2 raw read allowed   [1] KAD format
//                     [2] U-KAD length   [3] A-KAD length   [4..7] zero
//                     U-KAD, A-KAD, IV (12), key check (4), ciphertext, tag (16)

import type { Kad } from './kad.ts'
import type { KadFormat } from './security-protocol-pages.ts'

export const ivLength = 12
export const keyCheckLength = 4
export const tagLength = 16

/** One encrypted block as recorded. */
export interface EncryptedBlock extends Kad {
  readonly kind: 'encrypted'
  /** Written in external mode: the host brought the ciphertext. */
  readonly external: boolean
  readonly rawReadAllowed: boolean
  readonly kadFormat: KadFormat
  readonly iv: Uint8Array
  /** Tells a wrong key from a damaged block (drive-cipher.ts); says nothing about the key. */
  readonly keyCheck: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

export interface ClearBlock {
  readonly kind: 'clear'
  readonly data: Uint8Array
}

export interface Filemark {
  readonly kind: 'filemark'
}

export type TapeObject = EncryptedBlock | ClearBlock | Filemark

/** Parts of an encrypted block that a fault can be put into. */
export type EncryptedPart = 'ukad' | 'akad' | 'iv' | 'keyCheck' | 'ciphertext' | 'tag'

const headLength = 8
const kadFormats: readonly KadFormat[] = ['unspecified', 'binary', 'ascii']

/** The longest head, KADs, IV and key check: reading this much tells everything but the data. */
export const longestPreamble = headLength + 32 + 64 + ivLength + keyCheckLength

/** The block's bytes, in the pieces they already lie in. */
export function encodeBlock(block: EncryptedBlock | ClearBlock): Uint8Array[] {
  if (block.kind === 'clear') return [block.data]
  const head = Uint8Array.of(
    (block.external ? 1 : 0) | (block.rawReadAllowed ? 2 : 0),
    kadFormats.indexOf(block.kadFormat),
    block.ukad.length,
    block.akad.length,
    ...[0, 0, 0, 0],
  )
  const { ukad, akad, iv, keyCheck, ciphertext, tag } = block
  return [head, ukad, akad, iv, keyCheck, ciphertext, tag]
}

/**
 * An encrypted block of `length` bytes from its bytes, or from as many of its first as hold the
 * preamble (ciphertext and tag are then cut short); undefined when the bytes cannot be one.
 */
export function decodeEncrypted(bytes: Uint8Array, length: number): EncryptedBlock | undefined {
  const [flags = 0, format = 0, ukadLength = 0, akadLength = 0] = bytes
  const kadFormat = kadFormats[format]
  const places = placesOf(ukadLength, akadLength, length)
  if (length < headLength || kadFormat === undefined || places.ciphertext[1] < 0) return undefined
  const part = ([at, size]: readonly [number, number]) => bytes.subarray(at, at + size)
  return {
    kind: 'encrypted',
    external: (flags & 1) !== 0,
    rawReadAllowed: (flags & 2) !== 0,
    kadFormat,
    ukad: part(places.ukad),
    akad: part(places.akad),
    iv: part(places.iv),
    keyCheck: part(places.keyCheck),
    ciphertext: part(places.ciphertext),
    tag: part(places.tag),
  }
}

/** Where a part of an encrypted block starts, given its first bytes and its length. */
export function offsetOf(part: EncryptedPart, bytes: Uint8Array, length: number): number {
  return placesOf(bytes[2] ?? 0, bytes[3] ?? 0, length)[part][0]
}

function placesOf(
  ukadLength: number,
  akadLength: number,
  length: number,
): Record<EncryptedPart, readonly [at: number, size: number]> {
  const iv = headLength + ukadLength + akadLength
  const keyCheck = iv + ivLength
  const ciphertext = keyCheck + keyCheckLength
  const tag = length - tagLength
  return {
    ukad: [headLength, ukadLength],
    akad: [headLength + ukadLength, akadLength],
    iv: [iv, ivLength],
    keyCheck: [keyCheck, keyCheckLength],
    ciphertext: [ciphertext, tag - ciphertext],
    tag: [tag, tagLength],
  }
}
