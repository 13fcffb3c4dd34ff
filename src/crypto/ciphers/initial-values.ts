/**
 * IV/Counter/Nonce and authentication tags: which lengths each mode takes, who provides the IV, and
 * the block the crypto library wants for it – KMIP 2.1 §4.16, NIST SP 800-38A, RFC 3686, RFC 8439.
 */
import { randomBytes } from '../primitives/random.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import type { CryptographicParameters } from '../parameters.ts'
import type { Direction } from './runs.ts'

/** Lengths in bytes. */
export interface IvRule {
  readonly least: number
  readonly most: number
  /** What Random IV makes when no IV Length is given. */
  readonly random: number
  /** The shortest that may be random: shorter ones would soon repeat. */
  readonly leastRandom: number
}

const exactly = (length: number): IvRule => ({
  least: length,
  most: length,
  random: length,
  leastRandom: length,
})

/** CBC, CFB, OFB and XTS: one block. */
export const blockIv = (block: number): IvRule => exactly(block)

/** CTR: a whole counter block, or its beginning with the counter behind it. */
export const counterIv: IvRule = { least: 8, most: 16, random: 16, leastRandom: 12 }
/** GCM: the library takes 1,024 bits; below 64 an IV is as good as repeated. */
export const gcmIv: IvRule = { least: 8, most: 128, random: 12, leastRandom: 12 }
export const ccmIv: IvRule = { least: 7, most: 13, random: 12, leastRandom: 12 }
/** ChaCha20: nonce of 64 or 96 bits, or the counter and nonce as one 128-bit block. */
export const chachaIv: IvRule = { least: 8, most: 16, random: 12, leastRandom: 12 }
export const chachaPolyIv: IvRule = exactly(12)

/** The IV to use; `made` when it is ours, and the peer has to be told. */
export interface InitialValue {
  bytes: Uint8Array
  made: boolean
}

/** Takes the IV of the request, or makes one for an encryption that asks for Random IV. */
export function initialValue(
  direction: Direction,
  rule: IvRule,
  given: Uint8Array | undefined,
  parameters: CryptographicParameters,
): InitialValue {
  const bits = parameters.IVLength
  if (given === undefined || given.length === 0) {
    if (direction === 'decrypt' || parameters.RandomIV !== true)
      throw new CryptoRefusal('missing-iv', 'an IV/Counter/Nonce is needed')
    if ((parameters.FixedFieldLength ?? 0) !== 0 || (parameters.InvocationFieldLength ?? 0) !== 0)
      throw new CryptoRefusal('unsupported', 'a random IV has no fixed and no invocation field')
    const length = bits === undefined ? rule.random : bits / 8
    checkLength(length, rule.leastRandom, rule.most)
    return { bytes: randomBytes(length), made: true }
  }
  if (bits !== undefined && bits !== given.length * 8)
    throw new CryptoRefusal(
      'parameters',
      `IV/Counter/Nonce of ${given.length * 8} bits, IV Length says ${bits}`,
    )
  checkLength(given.length, rule.least, rule.most)
  return { bytes: given, made: false }
}

function checkLength(length: number, least: number, most: number): void {
  if (Number.isInteger(length) && length >= least && length <= most) return
  const allowed = least === most ? `${least * 8}` : `${least * 8} to ${most * 8} in steps of 8`
  throw new CryptoRefusal(
    'parameters',
    `IV/Counter/Nonce of ${length * 8} bits, this mode takes ${allowed}`,
  )
}

/** The first counter block and how many blocks there are from it; undefined: more than matter. */
export interface CounterBlock {
  block: Uint8Array
  blocks: bigint | undefined
}

/** CTR: what the IV leaves of 16 bytes is a big-endian counter, from Initial Counter Value or 0. */
export function counterBlock(iv: Uint8Array, parameters: CryptographicParameters): CounterBlock {
  const { free, first } = counterField(iv, parameters)
  if (free === 0) return { block: iv, blocks: undefined }
  const block = Buffer.concat([iv, bigEndian(first, free)])
  return { block, blocks: (1n << BigInt(free * 8)) - first }
}

/** ChaCha20: a little-endian counter of 4 or 8 bytes in front of the nonce (RFC 8439 §2.3). */
export function chachaBlock(iv: Uint8Array, parameters: CryptographicParameters): CounterBlock {
  const { free, first } = counterField(iv, parameters)
  if (free === 0) return { block: iv, blocks: undefined }
  if (free !== 4 && free !== 8)
    throw new CryptoRefusal('parameters', 'ChaCha20 takes a nonce of 64 or 96 bits')
  const block = Buffer.concat([bigEndian(first, free).reverse(), iv])
  return { block, blocks: (1n << BigInt(free * 8)) - first }
}

function counterField(
  iv: Uint8Array,
  { CounterLength: bits, InitialCounterValue: value }: CryptographicParameters,
): { free: number; first: bigint } {
  const free = 16 - iv.length
  if (bits !== undefined && free !== 0 && bits !== free * 8)
    throw new CryptoRefusal(
      'parameters',
      `Counter Length ${bits}, the IV leaves ${free * 8} bits for it`,
    )
  if (value === undefined) return { free, first: 0n }
  if (free === 0)
    throw new CryptoRefusal('parameters', 'the IV is a whole block and holds the counter already')
  if (value < 0 || BigInt(value) >= 1n << BigInt(free * 8))
    throw new CryptoRefusal('parameters', `Initial Counter Value ${value} does not fit`)
  return { free, first: BigInt(value) }
}

function bigEndian(value: bigint, length: number): Uint8Array {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
}

/** Lengths of an authentication tag in bytes. */
export const gcmTags = [4, 8, 12, 13, 14, 15, 16]
export const ccmTags = [4, 6, 8, 10, 12, 14, 16]
export const polyTags = [16]

/** The Tag Length asked for (16 bytes when none is); to decrypt, the tag must be there and so long. */
export function checkedTagLength(
  direction: Direction,
  allowed: readonly number[],
  tag: Uint8Array | undefined,
  { TagLength = 16 }: CryptographicParameters,
): number {
  if (!allowed.includes(TagLength))
    throw new CryptoRefusal(
      'tag-length',
      `Tag Length ${TagLength}, this mode takes ${allowed.join(', ')}`,
    )
  if (direction === 'encrypt') return TagLength
  if (tag === undefined)
    throw new CryptoRefusal('parameters', 'the Authenticated Encryption Tag is missing')
  if (tag.length !== TagLength)
    throw new CryptoRefusal(
      'tag-length',
      `Authenticated Encryption Tag of ${tag.length} bytes, Tag Length is ${TagLength}`,
    )
  return TagLength
}
