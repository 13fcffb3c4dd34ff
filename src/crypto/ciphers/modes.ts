/** The modes of operation, one row each – Block Cipher Mode, KMIP 2.1 §11.6 – and ChaCha20. */
import { CryptoRefusal } from '../crypto-refusal.ts'
import {
  named,
  type Algorithm,
  type BlockCipherMode,
  type CryptographicParameters,
} from '../parameters.ts'
import { blockCipher } from './block-ciphers.ts'
import {
  blockIv,
  ccmIv,
  ccmTags,
  chachaBlock,
  chachaIv,
  chachaPolyIv,
  counterBlock,
  counterIv,
  gcmIv,
  gcmTags,
  polyTags,
  type CounterBlock,
  type IvRule,
} from './initial-values.ts'
import {
  authenticatedRun,
  blockRun,
  ccmRun,
  streamRun,
  wholeRun,
  type Run,
  type RunSetup,
} from './runs.ts'

/** How one mode works, and what it needs. */
export interface Mode {
  /** How the crypto library's name of the cipher ends. */
  suffix: string
  run(setup: RunSetup): Run
  iv?: (block: number) => IvRule
  tags?: readonly number[]
  padded?: true
  counter?: (iv: Uint8Array, parameters: CryptographicParameters) => CounterBlock
  /** The IV of the standard, for modes in which a client gives none. */
  fixedIv?: Uint8Array
  /** The key is two keys, one behind the other; the bytes of both together. */
  twoKeys?: readonly number[]
}

const wrapRule = 'a key wrap takes a multiple of 8, from 16 on'

const modes: Partial<Record<BlockCipherMode, Mode>> = {
  ECB: { suffix: 'ecb', run: blockRun, padded: true },
  CBC: { suffix: 'cbc', run: blockRun, padded: true, iv: blockIv },
  CFB: { suffix: 'cfb', run: streamRun, iv: blockIv },
  OFB: { suffix: 'ofb', run: streamRun, iv: blockIv },
  CTR: { suffix: 'ctr', run: streamRun, iv: () => counterIv, counter: counterBlock },
  GCM: { suffix: 'gcm', run: authenticatedRun, iv: () => gcmIv, tags: gcmTags },
  CCM: { suffix: 'ccm', run: ccmRun, iv: () => ccmIv, tags: ccmTags },
  /** IEEE 1619, NIST SP 800-38E: AES-128 or AES-256, at most 2^20 blocks of one data unit. */
  XTS: {
    suffix: 'xts',
    run: (setup) =>
      wholeRun(setup, (length) => length >= 16 && length <= 2 ** 24, 'XTS takes 16 to 2^24'),
    iv: blockIv,
    twoKeys: [32, 64],
  },
  /** RFC 3394. */
  NISTKeyWrap: {
    suffix: 'wrap',
    run: (setup) => wholeRun(setup, (length) => length >= 16 && length % 8 === 0, wrapRule),
    fixedIv: new Uint8Array(8).fill(0xa6),
  },
  /** RFC 5649. */
  AESKeyWrapPadding: {
    suffix: 'wrap-pad',
    run: (setup) => wholeRun(setup, (length) => length > 0, 'there is nothing to wrap'),
    fixedIv: Uint8Array.of(0xa6, 0x59, 0x59, 0xa6),
  },
}

const chacha20: Mode = {
  suffix: 'chacha20',
  run: streamRun,
  iv: () => chachaIv,
  counter: chachaBlock,
}
const chacha20Poly1305: Mode = {
  suffix: 'chacha20-poly1305',
  run: authenticatedRun,
  iv: () => chachaPolyIv,
  tags: polyTags,
}

/** A mode with the cipher it is used with; lengths in bytes. */
export interface ChosenMode {
  mode: Mode
  block: number
  keyLengths: readonly number[]
  nodeName(keyLength: number, suffix: string): string
}

/** The mode of the parameters for this algorithm. Throws CryptoRefusal. */
export function chooseMode(algorithm: Algorithm, parameters: CryptographicParameters): ChosenMode {
  const name = parameters.BlockCipherMode
  const stream = { block: 64, keyLengths: [32], nodeName: (_: number, suffix: string) => suffix }
  if (algorithm === 'ChaCha20' && name === undefined) return { ...stream, mode: chacha20 }
  if (algorithm === 'ChaCha20Poly1305' && (name === undefined || name === 'AEAD'))
    return { ...stream, mode: chacha20Poly1305 }
  const cipher = blockCipher(algorithm)
  if (cipher && name === undefined)
    throw new CryptoRefusal('parameters', `${named(algorithm)} needs a Block Cipher Mode`)
  const mode = name !== undefined && cipher?.modes.includes(name) ? modes[name] : undefined
  if (cipher && mode?.twoKeys) {
    const nodeName = (length: number, suffix: string) => cipher.nodeName(length / 2, suffix)
    return { ...cipher, mode, keyLengths: mode.twoKeys, nodeName }
  }
  if (cipher && mode) return { ...cipher, mode }
  const what = name === undefined ? named(algorithm) : `${named(algorithm)} with ${named(name)}`
  throw new CryptoRefusal('unsupported', `${what} is not supported to encrypt or decrypt`)
}
