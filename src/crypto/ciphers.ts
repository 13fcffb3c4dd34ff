/**
 * Encrypt and Decrypt – KMIP 2.1 §6.1.17 and §6.1.11 – by Cryptographic Parameters: at once, or in
 * parts as a stream. A stream holds the crypto library's state, so it lives in the process (and
 * thread) that opened it and cannot be stored: a Correlation Value is unknown after a restart and on
 * another node. Policy (whether ECB is allowed, usage limits, lifecycle) is the operation's.
 */
import { timingSafeEqual, type KeyObject } from 'node:crypto'
import { CryptoRefusal, orFailure } from './crypto-refusal.ts'
import { checkKeyLength, withLibraryKey } from './ciphers/block-ciphers.ts'
import { blockPadding } from './ciphers/block-padding.ts'
import { checkedTagLength, initialValue } from './ciphers/initial-values.ts'
import { chooseMode } from './ciphers/modes.ts'
import { rsaOperation } from './ciphers/rsa.ts'
import { collectedRun, type Direction, type Run } from './ciphers/runs.ts'
import { named, type Algorithm, type CryptographicParameters } from './parameters.ts'

/** Everything but the data. Byte arrays stay the caller's; none is kept after `final` or `close`. */
export interface CipherRequest {
  /** Bytes of a symmetric key; for RSA a public key to encrypt, a private one to decrypt. */
  key: Uint8Array | KeyObject
  /** Cryptographic Algorithm of the key; undefined when only the parameters tell it. */
  algorithm: Algorithm | undefined
  parameters: CryptographicParameters
  /** IV/Counter/Nonce; empty is absent. */
  iv?: Uint8Array | undefined
  /** Authenticated Encryption Additional Data. */
  additionalData?: Uint8Array | undefined
  /** Authenticated Encryption Tag: to decrypt, and from the first part on. */
  tag?: Uint8Array | undefined
}

export interface Encrypted {
  data: Uint8Array
  /** The IV when it was made here (Random IV). */
  iv?: Uint8Array
  /** The Authenticated Encryption Tag, of an authenticated mode. */
  tag?: Uint8Array
}

/** An encryption or decryption in parts. After `final`, `close` or a refusal it has ended. */
export interface CipherStream {
  /** The IV when it was made here: for the answer to the first part. */
  readonly iv: Uint8Array | undefined
  /**
   * What this part gives: whole blocks, or nothing yet. Modes that must see all data first (CCM, XTS,
   * key wraps, RSA) and all authenticated decryption give everything at the end and hold at most
   * 1 MiB. Throws CryptoRefusal.
   */
  update(data: Uint8Array): Uint8Array
  /** The rest, and the tag after an authenticated encryption. Throws CryptoRefusal. */
  final(last?: Uint8Array): { data: Uint8Array; tag?: Uint8Array }
  /** Gives the stream up and clears what it holds; harmless when it has ended. */
  close(): void
}

/** Encrypts. Throws CryptoRefusal. */
export function encrypt(request: CipherRequest & { data: Uint8Array }): Encrypted {
  const stream = begin('encrypt', request, Infinity)
  const end = stream.final(request.data)
  return { ...end, ...(stream.iv && { iv: stream.iv }) }
}

/** Decrypts, in an array that the caller clears. Throws CryptoRefusal. */
export function decrypt(request: CipherRequest & { data: Uint8Array }): Uint8Array {
  return begin('decrypt', request, Infinity).final(request.data).data
}

/** Most bytes that a stream holds where nothing is given back before the end. */
export const heldLimit = 1024 * 1024

/** Begins an encryption or decryption in parts. Throws CryptoRefusal. */
export function openCipher(
  direction: Direction,
  request: CipherRequest,
  mostHeld = heldLimit,
): CipherStream {
  return begin(direction, request, mostHeld)
}

function begin(direction: Direction, request: CipherRequest, heldLimit: number): CipherStream {
  const { key, parameters } = request
  const algorithm = algorithmOf(request)
  if (algorithm === 'RSA') {
    refuseAuthentication(request)
    if (key instanceof Uint8Array) throw new CryptoRefusal('parameters', 'RSA needs an RSA key')
    const operate = rsaOperation(direction, key, parameters)
    return streamOf(
      collectedRun(heldLimit, (data) => ({ data: operate(data) })),
      undefined,
    )
  }
  if (!(key instanceof Uint8Array))
    throw new CryptoRefusal('parameters', `${named(algorithm)} needs a symmetric key`)
  const chosen = chooseMode(algorithm, parameters)
  const { mode, block } = chosen
  checkKeyLength(algorithm, key.length, chosen.keyLengths)
  if (mode.twoKeys) refuseEqualHalves(key)
  if (!mode.padded && (parameters.PaddingMethod ?? 'None') !== 'None')
    throw new CryptoRefusal('parameters', 'padding is for ECB and CBC only')
  if (!mode.tags) refuseAuthentication(request)
  if (!mode.iv && (request.iv?.length ?? 0) > 0)
    throw new CryptoRefusal('parameters', 'this mode takes no IV/Counter/Nonce')
  const padding = mode.padded && blockPadding(parameters.PaddingMethod)
  const tagLength = mode.tags ? checkedTagLength(direction, mode.tags, request.tag, parameters) : 0
  const iv = mode.iv && initialValue(direction, mode.iv(block), request.iv, parameters)
  const counter = iv && mode.counter?.(iv.bytes, parameters)
  const run = withLibraryKey(algorithm, key, (libraryKey) =>
    orFailure(() =>
      mode.run({
        direction,
        cipher: chosen.nodeName(key.length, mode.suffix),
        key: libraryKey,
        iv: counter?.block ?? iv?.bytes ?? mode.fixedIv ?? null,
        block,
        padding,
        tagLength,
        tag: request.tag,
        additionalData: request.additionalData ?? new Uint8Array(0),
        counterBlocks: counter?.blocks,
        heldLimit,
      }),
    ),
  )
  return streamOf(run, iv?.made ? iv.bytes : undefined)
}

/** The algorithm of the key, which the parameters may repeat but not change. */
function algorithmOf({ algorithm, parameters }: CipherRequest): Algorithm {
  const asked = parameters.CryptographicAlgorithm
  const known = algorithm ?? asked
  if (known === undefined)
    throw new CryptoRefusal('parameters', 'a Cryptographic Algorithm is needed')
  if (asked === undefined || asked === known) return withAead(known, parameters)
  if (known === 'ChaCha20' && asked === 'ChaCha20Poly1305') return asked
  throw new CryptoRefusal('parameters', `a key for ${named(known)} is not used for ${named(asked)}`)
}

function withAead(algorithm: Algorithm, { BlockCipherMode }: CryptographicParameters): Algorithm {
  return algorithm === 'ChaCha20' && BlockCipherMode === 'AEAD' ? 'ChaCha20Poly1305' : algorithm
}

function refuseEqualHalves(key: Uint8Array): void {
  const half = key.length / 2
  if (timingSafeEqual(key.subarray(0, half), key.subarray(half)))
    throw new CryptoRefusal('parameters', 'the two keys of XTS must differ')
}

/** A client that sends these believes its data authenticated. */
function refuseAuthentication({ additionalData, tag }: CipherRequest): void {
  if ((additionalData?.length ?? 0) > 0 || tag !== undefined)
    throw new CryptoRefusal('parameters', 'this mode authenticates nothing')
}

function streamOf(run: Run, iv: Uint8Array | undefined): CipherStream {
  let ended = false
  const guarded = <T>(call: () => T): T => {
    if (ended) throw new Error('the stream has ended')
    try {
      return orFailure(call)
    } catch (refusal) {
      close()
      throw refusal
    }
  }
  const close = () => {
    ended = true
    run.close()
  }
  return {
    iv,
    update: (data) => guarded(() => run.update(data)),
    final(last) {
      const end = guarded(() => {
        const part = last && run.update(last)
        const rest = run.final()
        if (!part || part.length === 0) return rest
        if (rest.data.length === 0) return { ...rest, data: part }
        const data = Buffer.concat([part, rest.data])
        part.fill(0)
        rest.data.fill(0)
        return { ...rest, data }
      })
      close()
      return end
    },
    close,
  }
}
