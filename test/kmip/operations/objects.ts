// Keys and certificates to register: made once, with the server's own cryptography, which has its own
// tests against openssl.
import { issueCertificate } from '../../../src/crypto/certificates-issue.ts'
import { writePrivateKey, writePublicKey } from '../../../src/crypto/key-formats.ts'
import type { PrivateHalf } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import { createKeyPair, type KeyPairRequest } from '../../../src/crypto/key-generation.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { started } from './engine.ts'

type Register = Partial<RequestPayload<'Register'>>

/** A Key Value in the clear. */
export const inClear = (KeyMaterial: unknown) => ({
  type: 'Structure' as const,
  value: { KeyMaterial, Attributes: undefined },
})

const weak = { rsa: 1024, curve: 160, field: 1024 }
const made = new Map<string, Promise<PrivateHalf>>()

/** A pair of that kind, the same one each time. */
export function pairOf(request: KeyPairRequest): Promise<PrivateHalf> {
  const kind = JSON.stringify(request)
  const known = made.get(kind) ?? createKeyPair(request, {}, weak).then(({ key }) => key)
  made.set(kind, known)
  return known
}

/** The kinds of pairs that the tests register. */
export const kinds: Record<string, KeyPairRequest> = {
  RSA: { algorithm: 'RSA', length: 1024 },
  'P-256': { algorithm: 'EC', recommendedCurve: 'P_256' },
  DSA: { algorithm: 'DSA', length: 1024 },
  DH: { algorithm: 'DH', length: 1024 },
}

/** Register of one half in a format. Algorithm and length stand in the Key Block. */
export function half(
  key: PrivateHalf,
  objectType: 'PrivateKey' | 'PublicKey',
  format: string,
  more: Partial<KeyBlock> = {},
): Register {
  const KeyFormatType = format as KeyBlock['KeyFormatType']
  const KeyMaterial =
    objectType === 'PrivateKey'
      ? writePrivateKey(key, KeyFormatType)
      : writePublicKey(key, KeyFormatType, more.KeyCompressionType)
  const KeyBlock = {
    KeyFormatType,
    KeyValue: inClear(KeyMaterial),
    CryptographicAlgorithm: key.algorithm === 'EC' ? 'ECDSA' : key.algorithm,
    CryptographicLength: key.length,
    ...more,
  }
  const mask = objectType === 'PrivateKey' ? 1 : 2
  return {
    ObjectType: objectType,
    [objectType]: { KeyBlock },
    Attributes: [{ tag: 'CryptographicUsageMask', value: mask }],
  } as Register
}

/** DER of a self-signed certificate for that key. */
export function certificate(key: PrivateHalf, commonName = 'site'): Uint8Array {
  const { privateKey, publicKey } = key
  const subject = { commonName, organization: 'Tapes' }
  const notAfter = started + 86_400n * 365n
  const validity = { notBefore: started - 86_400n, notAfter }
  return issueCertificate({ subject, publicKey, use: 'authority', ...validity }, { privateKey }).der
}

/** A value to compare by: bytes as hexadecimal, numbers of any size as text, nothing empty. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, one: unknown) => {
      if (typeof one === 'bigint') return String(one)
      if (Array.isArray(one) && one.length === 0) return undefined
      return one instanceof Uint8Array || Buffer.isBuffer(one)
        ? Buffer.from(one).toString('hex')
        : bufferText(one)
    }),
  )

/** Buffers turn themselves into something else before a replacer sees them. */
function bufferText(one: unknown): unknown {
  const isBuffer = typeof one === 'object' && one !== null && 'type' in one && 'data' in one
  return isBuffer ? Buffer.from((one as { data: number[] }).data).toString('hex') : one
}
