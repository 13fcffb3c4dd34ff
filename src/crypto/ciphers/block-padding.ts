/**
 * Padding Method of ECB and CBC – KMIP 2.1 §11.37. Taking padding off looks at every byte in the
 * same way whatever it holds; that it failed is visible to the caller all the same.
 */
import { randomBytes } from '../primitives/random.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'
import { named, type PaddingMethod } from '../parameters.ts'

export interface BlockPadding {
  /** The bytes to add behind data whose last block has `used` bytes (0: data ends with a block). */
  padding(used: number, block: number): Uint8Array
  /** How many bytes of the last block are padding; undefined when it is not padded like this. */
  paddedBytes(last: Uint8Array): number | undefined
}

const rows: Partial<Record<PaddingMethod, BlockPadding>> = {
  /** RFC 8018 §6.1.1: each byte holds the count. */
  PKCS5: {
    padding: (used, block) => new Uint8Array(block - used).fill(block - used),
    paddedBytes: (last) => counted(last, (byte, count) => byte ^ count),
  },
  /** Zeros, then the count. */
  ANSIX9_23: {
    padding: (used, block) => withCount(new Uint8Array(block - used)),
    paddedBytes: (last) => counted(last, (byte) => byte),
  },
  /** Anything, then the count. */
  ISO10126: {
    padding: (used, block) => withCount(randomBytes(block - used)),
    paddedBytes: (last) => counted(last, () => 0),
  },
  /**
   * Zeros up to the block, none when it is full. Whether data ended with zeros itself cannot be
   * known: all zeros of the last block but its first byte are taken off.
   */
  Zeros: {
    padding: (used, block) => new Uint8Array(used === 0 ? 0 : block - used),
    paddedBytes(last) {
      let zeros = 0
      let still = 1
      for (const byte of last.subarray(1).toReversed()) {
        still &= ((byte - 1) >> 31) & 1
        zeros += still
      }
      return zeros
    },
  },
}

/** The padding asked for; undefined for None, which is also what no answer means. */
export function blockPadding(method: PaddingMethod = 'None'): BlockPadding | undefined {
  if (method === 'None') return undefined
  const row = rows[method]
  if (row) return row
  throw new CryptoRefusal(
    'unsupported',
    `Padding Method ${named(method)} is not supported for block ciphers`,
  )
}

function withCount(bytes: Uint8Array): Uint8Array {
  bytes[bytes.length - 1] = bytes.length
  return bytes
}

/** Reads the count in the last byte; `difference` of each other padding byte must be 0. */
function counted(
  last: Uint8Array,
  difference: (byte: number, count: number) => number,
): number | undefined {
  const count = last.at(-1)!
  let wrong = (count - 1) | (last.length - count)
  wrong &= 1 << 31
  last.toReversed().forEach((byte, index) => {
    const isPadding = (index - count) >> 31
    const isCount = (index - 1) >> 31
    wrong |= isPadding & ~isCount & difference(byte, count)
  })
  return wrong === 0 ? count : undefined
}
