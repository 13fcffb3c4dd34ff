/** Key bytes in and out of the structures around them – KMIP 2.1 §3.1 "Key Block". */
import type { KeyBlock, KeyValueForm } from '../model/objects.ts'
import type { ResponsePayload } from '../model/payloads/index.ts'
import { ConnectionError } from './errors.ts'

/** A Key Value in the clear, for Register and Import: `KeyValue: inClear(bytes)`. */
export function inClear(material: Uint8Array): KeyValueForm {
  return { type: 'Structure', value: { KeyMaterial: material, Attributes: undefined } }
}

/**
 * The bytes of what Get has answered: of a key or secret in its Key Block, as they are when wrapped; of a
 * certificate or opaque object its value. Throws ConnectionError `no-kmip` for an answer without bytes, such as a
 * transparent key (look into the payload for that), and for a raw key of another length than its Key Block says.
 */
export function materialOf(got: ResponsePayload<'Get'>): Uint8Array {
  const { Certificate, CertificateRequest, OpaqueObject } = got
  const whole =
    Certificate?.CertificateValue ??
    CertificateRequest?.CertificateRequestValue ??
    OpaqueObject?.OpaqueDataValue
  if (whole !== undefined) return whole
  const { SymmetricKey, SecretData, PrivateKey, PublicKey, SplitKey, PGPKey } = got
  const object = SymmetricKey ?? SecretData ?? PrivateKey ?? PublicKey ?? SplitKey ?? PGPKey
  const value = object?.KeyBlock.KeyValue
  const bytes = value?.type === 'Structure' ? value.value.KeyMaterial : value?.value
  if (!(bytes instanceof Uint8Array))
    throw new ConnectionError('no-kmip', `the ${String(got.ObjectType)} came without key bytes`)
  if (SymmetricKey !== undefined) checkLength(SymmetricKey.KeyBlock, bytes)
  return bytes
}

/** Throws for a raw key that is not as long as its Key Block says (KMIP 2.1 §3.1). Of wrapped bytes nothing is known. */
function checkLength(block: KeyBlock, { length }: Uint8Array): void {
  const { KeyFormatType, KeyWrappingData, CryptographicAlgorithm, CryptographicLength } = block
  if (KeyFormatType !== 'Raw' || KeyWrappingData !== undefined) return
  if (CryptographicLength === undefined) return
  const said = Math.ceil(CryptographicLength / 8)
  // The length of a DES key is told with its parity bits or without them.
  const isDes = CryptographicAlgorithm === 'DES' || CryptographicAlgorithm === 'DES3'
  if (length === said || (isDes && length * 7 === CryptographicLength)) return
  throw new ConnectionError(
    'no-kmip',
    `the key block says ${CryptographicLength} bits, the key has ${length * 8}`,
  )
}
