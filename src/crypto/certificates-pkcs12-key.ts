/**
 * The key derivation of PKCS#12 itself (RFC 7292 appendix B). Our own, because node:crypto has none
 * and pkijs has it for the integrity key only, asynchronous and not exported.
 */
import { createHash } from 'node:crypto'

/** Digests whose block is 64 bytes, as the derivation below assumes. */
export type Pkcs12Digest = 'sha1' | 'sha256'

/** Appendix B.3: the ID byte that keeps the keys from one password and salt apart. */
const purposes = { encryption: 1, iv: 2, mac: 3 } as const

const block = 64

/** Appendix B.2: a key or iv of `length` bytes from the password, taken as a BMPString. */
export function pkcs12Key(
  digest: Pkcs12Digest,
  purpose: keyof typeof purposes,
  password: string,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Uint8Array {
  const bmpPassword = Buffer.from(`${password}\0`, 'utf16le').swap16()
  const diversifier = new Uint8Array(block).fill(purposes[purpose])
  const input = Buffer.concat([repeated(salt), repeated(bmpPassword)])
  const output: Uint8Array[] = []
  for (let produced = 0; produced < length;) {
    let hash = createHash(digest).update(diversifier).update(input).digest()
    for (let i = 1; i < iterations; i++) hash = createHash(digest).update(hash).digest()
    output.push(hash)
    produced += hash.length
    addToEachBlock(input, repeated(hash).subarray(0, block))
  }
  return Buffer.concat(output).subarray(0, length)
}

/** Repeated from its start until the last block is full. */
function repeated(bytes: Uint8Array): Uint8Array {
  const size = Math.ceil(bytes.length / block) * block
  return Uint8Array.from({ length: size }, (_, i) => bytes[i % bytes.length] ?? 0)
}

/** Each block of `input` becomes (block + addend + 1) mod 2^512, big-endian. */
function addToEachBlock(input: Uint8Array, addend: Uint8Array): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1
    for (let i = block - 1; i >= 0; i--) {
      carry += (input[start + i] ?? 0) + (addend[i] ?? 0)
      input[start + i] = carry & 0xff
      carry >>= 8
    }
  }
}
