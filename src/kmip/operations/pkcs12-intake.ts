/**
 * A private key that comes as a PKCS#12 file – KMIP 1.4 §3.45, §4.3; KMIP 2.1 §4.39, §6.1.43. It is kept
 * as PKCS#8, and the certificates of the file become objects of their own, linked in a chain.
 */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { writePrivateKey } from '../../crypto/key-formats.ts'
import { readPkcs12 } from '../../crypto/key-formats/pkcs12.ts'
import { Secret } from '../../crypto/secret.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { claimed } from './object-facts.ts'
import type { Context } from './operation.ts'
import { asideWithPassword, pkcs12Password } from './pkcs12-password.ts'

/** What a PKCS#12 file comes down to. */
export interface Unpacked {
  /** The fields of the private key, in PKCS#8. */
  fields: { KeyBlock: KeyBlock }
  /** DER of the key's certificate, of its issuer, and so on. */
  certificates: readonly Uint8Array[]
}

/** Whether the fields are those of a PKCS#12 file. */
export function isPkcs12(fields: object): fields is { KeyBlock: KeyBlock } {
  return 'KeyBlock' in fields && (fields.KeyBlock as KeyBlock).KeyFormatType === 'PKCS_12'
}

/** Opens the file with the password that `object` links to, and notes the Friendly Name found. */
export async function unpackedPkcs12(
  context: Context,
  object: ManagedObject,
  block: KeyBlock,
): Promise<Unpacked> {
  if (object.objectType !== 'PrivateKey')
    throw new KmipError('KeyFormatTypeNotSupported', 'PKCS#12 is a format of private keys')
  const file = fileOf(block)
  const password = await pkcs12Password(context, object, 'Register')
  const friendlyName = object.attributes.first('PKCS_12FriendlyName')
  const entry = asideWithPassword(
    context,
    password,
    'open PKCS#12',
    (bytes) => opened(file, bytes, friendlyName),
    ({ info }) => [info],
  )
  if (entry.friendlyName !== undefined)
    object.attributes.set('PKCS_12FriendlyName', friendlyName ?? entry.friendlyName)
  const algorithm = claimed(object, block, 'CryptographicAlgorithm') ?? entry.algorithm
  const length = claimed(object, block, 'CryptographicLength') ?? entry.length
  const value = { KeyMaterial: entry.info.bytes, Attributes: undefined }
  const KeyBlock = {
    KeyFormatType: 'PKCS_8',
    KeyValue: { type: 'Structure', value },
    CryptographicAlgorithm: algorithm,
    CryptographicLength: length,
  } as KeyBlock
  return { fields: { KeyBlock }, certificates: entry.certificates }
}

/** The bytes stand as the Key Value itself in the published cases, as Key Material in the text. */
function fileOf({ KeyValue, KeyWrappingData }: KeyBlock): Uint8Array {
  const bytes = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : KeyValue?.value
  if (bytes instanceof Uint8Array && KeyWrappingData === undefined) return bytes
  throw new KmipError('InvalidField', 'the Key Block holds no PKCS#12 file')
}

function opened(file: Uint8Array, password: Uint8Array, friendlyName: string | undefined) {
  try {
    const { key, ...entry } = readPkcs12(file, password, { friendlyName })
    const info = new Secret(writePrivateKey(key, 'PKCS_8') as Uint8Array)
    return { ...entry, info, algorithm: key.algorithm, length: key.length }
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    const reason = error.code === 'failure' ? 'BadPassword' : 'InvalidField'
    throw new KmipError(reason, error.message, { before20: 'InvalidField', cause: error })
  }
}
