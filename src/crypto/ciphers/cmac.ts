/** CMAC – NIST SP 800-38B – over CBC of the crypto library, in parts. */
import { createCipheriv } from 'node:crypto'
import type { Algorithm } from '../parameters.ts'
import { checkKeyLength, withLibraryKey, type BlockCipher } from './block-ciphers.ts'

export interface CmacStream {
  update(data: Uint8Array): void
  final(): Uint8Array
  close(): void
}

/** Begins a CMAC; `key` is not kept. Throws CryptoRefusal when its length is wrong. */
export function openCmac(algorithm: Algorithm, cipher: BlockCipher, key: Uint8Array): CmacStream {
  checkKeyLength(algorithm, key.length, cipher.keyLengths)
  const { block } = cipher
  const name = cipher.nodeName(key.length, 'cbc')
  const zeros = new Uint8Array(block)
  const [chain, subkey] = withLibraryKey(algorithm, key, (libraryKey) => [
    createCipheriv(name, libraryKey, zeros).setAutoPadding(false),
    doubled(createCipheriv(name, libraryKey, zeros).update(zeros)),
  ])
  let last: Uint8Array = new Uint8Array(0)
  return {
    update(data) {
      const all = Buffer.concat([last, data])
      const whole = Math.max(0, Math.ceil(all.length / block) - 1) * block
      chain.update(all.subarray(0, whole))
      last.fill(0)
      last = Uint8Array.from(all.subarray(whole))
      all.fill(0)
    },
    final() {
      const padded = new Uint8Array(block)
      padded.set(last)
      if (last.length < block) padded[last.length] = 0x80
      const mask = last.length === block ? subkey : doubled(subkey)
      for (let index = 0; index < block; index++) padded[index]! ^= mask[index]!
      const mac = chain.update(padded)
      for (const used of [padded, mask, subkey, last]) used.fill(0)
      return mac
    },
    close() {
      subkey.fill(0)
      last.fill(0)
    },
  }
}

/** Times x in GF(2^128) or GF(2^64), without a branch on the bits. */
function doubled(bytes: Uint8Array): Uint8Array {
  const carry = -(bytes[0]! >> 7)
  const out = bytes.map((byte, index) => (byte << 1) | ((bytes[index + 1] ?? 0) >> 7))
  out[out.length - 1]! ^= carry & (bytes.length === 16 ? 0x87 : 0x1b)
  return out
}
