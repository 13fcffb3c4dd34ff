/** Hashing Algorithm – KMIP 2.1 §11.21 – as the crypto library has it, at once and in parts. */
import { createHash } from 'node:crypto'
import { CryptoRefusal } from './crypto-refusal.ts'
import { named, type HashingAlgorithm } from './parameters.ts'

interface HashRow {
  /** Name in the crypto library. */
  readonly digest: string
  /** Length of the result in bytes. */
  readonly length: number
}

/** MD2, MD4, Tiger and Whirlpool are missing: broken, or not in the library. */
const rows: Partial<Record<HashingAlgorithm, HashRow>> = {
  MD5: { digest: 'md5', length: 16 },
  SHA_1: { digest: 'sha1', length: 20 },
  SHA_224: { digest: 'sha224', length: 28 },
  SHA_256: { digest: 'sha256', length: 32 },
  SHA_384: { digest: 'sha384', length: 48 },
  SHA_512: { digest: 'sha512', length: 64 },
  RIPEMD_160: { digest: 'ripemd160', length: 20 },
  SHA_512_224: { digest: 'sha512-224', length: 28 },
  SHA_512_256: { digest: 'sha512-256', length: 32 },
  SHA3_224: { digest: 'sha3-224', length: 28 },
  SHA3_256: { digest: 'sha3-256', length: 32 },
  SHA3_384: { digest: 'sha3-384', length: 48 },
  SHA3_512: { digest: 'sha3-512', length: 64 },
}

/** The library's name and the length in bytes. Throws CryptoRefusal `unsupported`. */
export function hashRow(algorithm: HashingAlgorithm): HashRow {
  const row = rows[algorithm]
  if (row) return row
  throw new CryptoRefusal('unsupported', `Hashing Algorithm ${named(algorithm)} is not supported`)
}

/** The hash of `data`. Throws CryptoRefusal `unsupported`. */
export function hash(algorithm: HashingAlgorithm, data: Uint8Array): Uint8Array {
  return createHash(hashRow(algorithm).digest).update(data).digest()
}

/** A hash in parts. Lives in this process: it cannot be stored. */
export interface HashStream {
  update(data: Uint8Array): void
  /** The hash of all parts; the stream has ended. */
  final(): Uint8Array
}

/** Begins a hash in parts. Throws CryptoRefusal `unsupported`. */
export function openHash(algorithm: HashingAlgorithm): HashStream {
  const state = createHash(hashRow(algorithm).digest)
  return {
    update(data) {
      state.update(data)
    },
    final: () => state.digest(),
  }
}
