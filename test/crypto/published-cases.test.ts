/**
 * The published OASIS cases of cryptographic operations on keys that they register, computed by the
 * modules alone. Runs when KEYREEL_OASIS_CASES names the folder of the cases.
 */
import { createPrivateKey } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  decrypt,
  encrypt,
  openCipher,
  type CipherRequest,
  type CipherStream,
} from '../../src/crypto/ciphers.ts'
import type { CryptoRefusal, CryptoRefusalCode } from '../../src/crypto/crypto-refusal.ts'
import { derive, type DerivationRequest } from '../../src/crypto/derivation.ts'
import { hash } from '../../src/crypto/hashes.ts'
import { macOf } from '../../src/crypto/macs.ts'
import type { CryptographicParameters } from '../../src/crypto/parameters.ts'

/** Cases whose results do not depend on chance: no signatures, no encryption by public keys. */
const families =
  /^(CS-BC-M-.*|CS-AC-M-[4-7]-14|CS-AC-M-OAEP-(2|4|6|8|10)-14|TC-STREAM-ENC.*|TC-DERIVEKEY-[1-5]-14)\.xml$/u

const folder = process.env['KEYREEL_OASIS_CASES']
const files =
  folder === undefined
    ? []
    : readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        families.test(basename(file)),
      )

/** Element names and values of one batch item; Attribute Value keeps the last. */
type Fields = Record<string, string>

const bytes = (value: string | undefined) =>
  value === undefined ? undefined : Uint8Array.from(Buffer.from(value, 'hex'))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex')

function itemsOf(file: string): Fields[] {
  const xml = readFileSync(join(folder!, file), 'utf8')
  return [...xml.matchAll(/<BatchItem>(.*?)<\/BatchItem>/gsu)].map(([, item]) => {
    const found = item!.matchAll(/<(\w+) type="\w+" value="([^"]*)"/gu)
    return Object.fromEntries([...found].map(([, name, value]) => [name!, value!]))
  })
}

function parametersOf(fields: Fields): CryptographicParameters {
  const entries = Object.entries(fields).flatMap(([name, value]): [string, unknown][] => {
    if (/^(BlockCipherMode|PaddingMethod|MaskGenerator|.*HashingAlgorithm)$/u.test(name))
      return [[name, value]]
    if (name === 'TagLength') return [[name, Number(value)]]
    if (name === 'RandomIV') return [[name, value === 'true']]
    return name === 'PSource' ? [[name, bytes(value)]] : []
  })
  return Object.fromEntries(entries)
}

/** What KMIP 1.4 calls the refusals that the cases expect. */
const reasons: Partial<Record<CryptoRefusalCode, string>> = {
  'missing-iv': 'InvalidMessage',
  'tag-length': 'GeneralFailure',
  failure: 'CryptographicFailure',
}

/** Computes what each request asks for, and gives the fields its answer should have. */
function replayer() {
  let registered: Fields = {}
  let stream: CipherStream | undefined
  const remembered: Fields = {}
  const valueOf = (value: string | undefined) =>
    bytes(value?.startsWith('$') ? remembered[value] : value)

  const cipherRequest = (request: Fields): CipherRequest => {
    const key = valueOf(registered['KeyMaterial'])!
    const isRsa = registered['CryptographicAlgorithm'] === 'RSA'
    return {
      key: isRsa ? createPrivateKey({ key: Buffer.from(key), format: 'der', type: 'pkcs1' }) : key,
      algorithm: registered['CryptographicAlgorithm'] as 'AES',
      parameters: { ...parametersOf(registered), ...parametersOf(request) },
      iv: valueOf(request['IVCounterNonce']),
      additionalData: valueOf(request['AuthenticatedEncryptionAdditionalData']),
      tag: valueOf(request['AuthenticatedEncryptionTag']),
    }
  }

  const cipher = (direction: 'encrypt' | 'decrypt', request: Fields): Fields => {
    const data = valueOf(request['Data']) ?? new Uint8Array(0)
    const isStream = 'InitIndicator' in request || 'CorrelationValue' in request
    if ('InitIndicator' in request) stream = openCipher(direction, cipherRequest(request))
    if (isStream && !('FinalIndicator' in request)) return { Data: text(stream!.update(data))! }
    if (isStream) return answer(stream!.final(data))
    const whole = { ...cipherRequest(request), data }
    return answer(direction === 'encrypt' ? encrypt(whole) : { data: decrypt(whole) })
  }

  const answer = (end: { data: Uint8Array; iv?: Uint8Array; tag?: Uint8Array }): Fields => {
    if (end.iv) {
      remembered['$DATA_0'] = text(end.data)!
      remembered['$IV_COUNTER_NONCE'] = text(end.iv)!
      return {}
    }
    return {
      Data: text(end.data)!,
      ...(end.tag && { AuthenticatedEncryptionTag: text(end.tag)! }),
    }
  }

  const derivation = async (request: Fields, length: number): Promise<Fields> => {
    const secret = await derive({
      method: request['DerivationMethod'] as DerivationRequest['method'],
      length: length / 8,
      parameters: parametersOf(request),
      key: valueOf(registered['KeyMaterial']),
      data: request['DerivationData'] ? [valueOf(request['DerivationData'])!] : undefined,
      salt: valueOf(request['Salt']),
      iterations: request['IterationCount'] ? Number(request['IterationCount']) : undefined,
    })
    return { KeyMaterial: text(secret.bytes)! }
  }

  return async (request: Fields, length: number): Promise<Fields | undefined> => {
    const data = valueOf(request['Data'])
    switch (request['Operation']) {
      case 'Register':
        registered = request
        return undefined
      case 'Encrypt':
      case 'Decrypt':
        if (registered['KeyMaterial'] === undefined) return undefined
        return cipher(request['Operation'] === 'Encrypt' ? 'encrypt' : 'decrypt', request)
      case 'Hash':
        return { Data: text(hash(parametersOf(request).HashingAlgorithm!, data!))! }
      case 'MAC': {
        const key = valueOf(registered['KeyMaterial'])!
        const parameters = { CryptographicAlgorithm: 'HMAC_SHA256' } as const
        return { MACData: text(macOf({ key, algorithm: 'AES', parameters, data: data! }))! }
      }
      case 'DeriveKey':
        return derivation(request, length)
      default:
        return undefined
    }
  }
}

test('the folder of published cases is there when the environment names one', () => {
  expect(folder === undefined || existsSync(folder)).toBe(true)
})

// Without a folder there are no such tests, which is no skip.
if (folder !== undefined)
  describe('published cases', () => {
    test.each(files)('%s', async (file) => {
      const replay = replayer()
      const items = itemsOf(file)
      for (let at = 0; at < items.length; at += 2) {
        const [request, response] = [items[at]!, items[at + 1]!]
        if (response['ResultReason'] === 'PermissionDenied') continue
        const length = Number(items[at + 3]?.['CryptographicLength'])
        const outcome = await replay(request, length).catch((error: CryptoRefusal) => ({
          ResultReason: reasons[error.code] ?? error.message,
        }))
        // A derived key is shown by the Get that follows.
        const expected = 'KeyMaterial' in (outcome ?? {}) ? items[at + 3]! : response
        for (const [name, value] of Object.entries<string>(outcome ?? {}))
          expect(value, name).toBe(
            (expected[name] ?? '').replace(/^[\dA-F]+$/u, (hex) => hex.toLowerCase()),
          )
        if (outcome === undefined || 'ResultReason' in outcome) continue
        expect(response['ResultReason']).toBeUndefined()
      }
    })
  })
