/**
 * One encryption or decryption on its way: how each family of modes takes data in parts and what it
 * gives back when. Everything held between parts is cleared by `final` or `close`.
 */
import {
  createCipheriv,
  createDecipheriv,
  type CipherCCMTypes,
  type CipherGCMTypes,
} from 'node:crypto'
import { CryptoRefusal, cryptographicFailure } from '../crypto-refusal.ts'
import type { BlockPadding } from './block-padding.ts'

export type Direction = 'encrypt' | 'decrypt'

/** What is left at the end; the tag when authenticated data was encrypted. */
export interface RunEnd {
  data: Uint8Array
  tag?: Uint8Array
}

/** Used by one caller: `update` any number of times, then `final`; `close` at any time. */
export interface Run {
  update(data: Uint8Array): Uint8Array
  final(): RunEnd
  close(): void
}

/** All that is needed to begin: lengths are checked, names are the crypto library's. */
export interface RunSetup {
  direction: Direction
  cipher: string
  key: Uint8Array
  iv: Uint8Array | null
  block: number
  padding: BlockPadding | undefined
  /** Bytes of the authentication tag, 0 where there is none. */
  tagLength: number
  /** To decrypt where there is a tag. */
  tag: Uint8Array | undefined
  additionalData: Uint8Array
  /** Blocks until the counter would run into the nonce; undefined when it has a whole block. */
  counterBlocks: bigint | undefined
  /** Most bytes kept where nothing is given back before the end. */
  heldLimit: number
}

const nothing = new Uint8Array(0)

/** CFB, OFB, CTR, ChaCha20: as many bytes out as in, at once. */
export function streamRun(setup: RunSetup): Run {
  const cipher = open(setup)
  const most = setup.counterBlocks && setup.counterBlocks * BigInt(setup.block)
  let used = 0n
  return {
    update(data) {
      used += BigInt(data.length)
      if (most !== undefined && used > most)
        throw new CryptoRefusal('parameters', 'more data than the counter has blocks')
      return cipher.update(data)
    },
    final: () => ({ data: cipher.final() }),
    close: () => undefined,
  }
}

/** ECB and CBC: whole blocks; the last one is held back where padding must come off. */
export function blockRun(setup: RunSetup): Run {
  const { block, padding } = setup
  const cipher = open(setup).setAutoPadding(false)
  if (setup.direction === 'encrypt') {
    let used = 0
    return {
      update(data) {
        used = (used + data.length) % block
        return cipher.update(data)
      },
      final() {
        if (padding) return { data: cipher.update(padding.padding(used, block)) }
        if (used === 0) return { data: nothing }
        throw new CryptoRefusal(
          'parameters',
          `data without padding must be a multiple of ${block} bytes`,
        )
      },
      close: () => undefined,
    }
  }
  let last: Uint8Array = nothing
  return {
    update(data) {
      const plain = cipher.update(data)
      if (!padding || plain.length === 0) return plain
      const end = plain.length - block
      const out = Buffer.concat([last, plain.subarray(0, end)])
      last.fill(0)
      last = Uint8Array.from(plain.subarray(end))
      plain.fill(0)
      return out
    },
    final() {
      cipher.final()
      if (!padding) return { data: nothing }
      const isEmpty = last.length === 0 && padding.padding(0, block).length === 0
      if (isEmpty) return { data: nothing }
      const padded = last.length === 0 ? undefined : padding.paddedBytes(last)
      if (padded === undefined) throw cryptographicFailure()
      return { data: Uint8Array.from(last.subarray(0, block - padded)) }
    },
    close: () => last.fill(0),
  }
}

/**
 * GCM and ChaCha20-Poly1305. Ciphertext comes at once; plaintext only after the tag was right
 * (NIST SP 800-38D §7.2), so decryption in parts gives everything at its end.
 */
export function authenticatedRun(setup: RunSetup): Run {
  const { key, iv, tagLength: authTagLength, additionalData } = setup
  const name = setup.cipher as CipherGCMTypes
  if (setup.direction === 'encrypt') {
    const cipher = createCipheriv(name, key, iv!, { authTagLength }).setAAD(additionalData)
    return {
      update: (data) => cipher.update(data),
      final: () => ({ data: cipher.final(), tag: cipher.getAuthTag() }),
      close: () => undefined,
    }
  }
  const decipher = createDecipheriv(name, key, iv!, { authTagLength })
    .setAAD(additionalData)
    .setAuthTag(setup.tag!)
  return collectedRun(setup.heldLimit, (data) => {
    const plain = decipher.update(data)
    try {
      decipher.final()
    } catch (error) {
      plain.fill(0)
      throw error
    }
    return { data: plain }
  })
}

/** CCM (NIST SP 800-38C): the length comes first, so all data is collected. */
export function ccmRun(setup: RunSetup): Run {
  const { direction, cipher, tagLength: authTagLength } = setup
  const name = cipher as CipherCCMTypes
  const [key, iv, tag, aad] = [setup.key, setup.iv!, setup.tag ?? [], setup.additionalData].map(
    (bytes) => Uint8Array.from(bytes),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const longest = 2 ** (8 * (15 - iv.length)) - 1
  const run = collectedRun(setup.heldLimit, (data) => {
    const plaintextLength = data.length
    if (plaintextLength > longest)
      throw new CryptoRefusal('parameters', `CCM with this nonce takes ${longest} bytes of data`)
    if (direction === 'decrypt') {
      const decipher = createDecipheriv(name, key, iv, { authTagLength }).setAuthTag(tag)
      const plain = decipher.setAAD(aad, { plaintextLength }).update(data)
      decipher.final() // a wrong tag is told here; `plain` is empty then
      return { data: plain }
    }
    const encryption = createCipheriv(name, key, iv, { authTagLength })
    const encrypted = encryption.setAAD(aad, { plaintextLength }).update(data)
    encryption.final()
    return { data: encrypted, tag: encryption.getAuthTag() }
  })
  return {
    ...run,
    close() {
      key.fill(0)
      run.close()
    },
  }
}

/** XTS and key wraps: one call over all data; `fits` says how much of it can be encrypted. */
export function wholeRun(setup: RunSetup, fits: (length: number) => boolean, rule: string): Run {
  const cipher = open(setup)
  return collectedRun(setup.heldLimit, (data) => {
    if (setup.direction === 'encrypt' && !fits(data.length))
      throw new CryptoRefusal('parameters', `data of ${data.length} bytes, ${rule}`)
    if (data.length === 0) throw cryptographicFailure()
    return { data: Buffer.concat([cipher.update(data), cipher.final()]) }
  })
}

/** Collects parts, bounded, and works on all of them at the end. */
export function collectedRun(limit: number, work: (data: Uint8Array) => RunEnd): Run {
  const parts: Uint8Array[] = []
  let held = 0
  const close = () => parts.splice(0).forEach((part) => part.fill(0))
  return {
    update(data) {
      held += data.length
      if (held > limit)
        throw new CryptoRefusal('parameters', `at most ${limit} bytes in parts in this mode`)
      parts.push(Uint8Array.from(data))
      return nothing
    },
    final() {
      const all = Buffer.concat(parts)
      try {
        return work(all)
      } finally {
        all.fill(0)
        close()
      }
    },
    close,
  }
}

function open({ direction, cipher, key, iv }: RunSetup) {
  return direction === 'encrypt'
    ? createCipheriv(cipher, key, iv)
    : createDecipheriv(cipher, key, iv)
}
