/** The block ciphers, one row each: key sizes, block size, and their names in the crypto library. */
import { CryptoRefusal } from '../crypto-refusal.ts'
import { named, type Algorithm, type BlockCipherMode } from '../parameters.ts'

export interface BlockCipher {
  /** Bytes of a block. */
  readonly block: number
  /** Bytes that a key may have. */
  readonly keyLengths: readonly number[]
  readonly modes: readonly BlockCipherMode[]
  /** The crypto library's name of this cipher in a mode. */
  nodeName(keyLength: number, mode: string): string
}

const plainModes = ['ECB', 'CBC', 'CFB', 'OFB'] as const
const aesModes = [...plainModes, 'CTR', 'GCM', 'CCM', 'XTS', 'NISTKeyWrap', 'AESKeyWrapPadding']

const rows: Partial<Record<Algorithm, BlockCipher>> = {
  AES: {
    block: 16,
    keyLengths: [16, 24, 32],
    modes: aesModes as BlockCipherMode[],
    nodeName: (keyLength, mode) =>
      mode.startsWith('wrap') ? `id-aes${keyLength * 8}-${mode}` : `aes-${keyLength * 8}-${mode}`,
  },
  /** A key of 112 bits is K1, K2, K1 (NIST SP 800-67); see {@link withLibraryKey}. */
  DES3: {
    block: 8,
    keyLengths: [16, 24],
    modes: plainModes,
    nodeName: (_, mode) => `des-ede3-${mode}`,
  },
  Camellia: {
    block: 16,
    keyLengths: [16, 24, 32],
    modes: [...plainModes, 'CTR'],
    nodeName: (keyLength, mode) => `camellia-${keyLength * 8}-${mode}`,
  },
  ARIA: {
    block: 16,
    keyLengths: [16, 24, 32],
    modes: [...plainModes, 'CTR', 'GCM', 'CCM'],
    nodeName: (keyLength, mode) => `aria-${keyLength * 8}-${mode}`,
  },
  SM4: {
    block: 16,
    keyLengths: [16],
    modes: [...plainModes, 'CTR', 'GCM', 'CCM'],
    nodeName: (_, mode) => `sm4-${mode}`,
  },
}

/** The row of a block cipher, or nothing when the algorithm is none that we have. */
export function blockCipher(algorithm: Algorithm): BlockCipher | undefined {
  return rows[algorithm]
}

/** Refuses a key whose length the algorithm does not have; lengths in bytes. */
export function checkKeyLength(algorithm: Algorithm, length: number, allowed: readonly number[]) {
  if (allowed.includes(length)) return
  const bits = allowed.map((bytes) => bytes * 8).join(', ')
  throw new CryptoRefusal(
    'parameters',
    `key of ${length * 8} bits, ${named(algorithm)} here takes ${bits}`,
  )
}

/** Runs `use` with the key in the library's form; a copy made for it is cleared afterwards. */
export function withLibraryKey<T>(
  algorithm: Algorithm,
  key: Uint8Array,
  use: (key: Uint8Array) => T,
): T {
  if (algorithm !== 'DES3' || key.length !== 16) return use(key)
  const three = Uint8Array.of(...key, ...key.subarray(0, 8))
  try {
    return use(three)
  } finally {
    three.fill(0)
  }
}
