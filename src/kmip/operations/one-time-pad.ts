/**
 * Encrypt and Decrypt with a One Time Pad (KMIP 1.3 §9.1.3.2.13 on; TC-OTP-1-14 to TC-OTP-5-14): the data
 * is XORed with bytes of the pad that were never used before. How far the pad is used up is kept with
 * the object, in the act that uses it: no byte encrypts twice, whatever fails. Decrypt goes through the
 * pad in the same order, from a position of its own.
 */
import { Secret } from '../../crypto/secret.ts'
import { saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError } from '../model/result.ts'
import type { CipherFields, CipherResult } from './ciphering.ts'
import type { KeyInUse } from './key-in-use.ts'
import type { Context } from './operation.ts'
import { dataOf } from './parts.ts'

/** Whether the key is a pad. */
export function isPad({ attributes }: ManagedObject): boolean {
  return attributes.first('CryptographicAlgorithm') === 'OneTimePad'
}

/** Encrypts with the next bytes of the pad; Random IV asks where in the pad they begin. */
export async function encryptWithPad(
  context: Context,
  used: KeyInUse,
  request: CipherFields,
): Promise<CipherResult> {
  refuseForeign(used, request)
  const { object, parameters } = used
  if (request.IVCounterNonce !== undefined)
    throw bad('the server chooses the bytes of a one-time pad that encrypt')
  const from = object.vitals.PadEncrypted ?? 0
  const data = dataOf(request)
  const pad = padOf(used)
  if (data.length > pad.length - from) {
    const what = `pad ${object.id} has ${pad.length - from} bytes left, not ${data.length}`
    throw new KmipError('UsageLimitExceeded', what)
  }
  object.vitals.PadEncrypted = from + data.length
  await saveObject(context.work, object)
  const Data = combined(data, pad, from)
  return parameters.RandomIV === true ? { Data, IVCounterNonce: counterOf(from) } : { Data }
}

/** Decrypts with the next bytes of the pad, or with those from IV/Counter/Nonce on. */
export async function decryptWithPad(
  context: Context,
  used: KeyInUse,
  request: CipherFields,
): Promise<CipherResult> {
  refuseForeign(used, request)
  const { vitals } = used.object
  const { IVCounterNonce: counter } = request
  const data = dataOf(request)
  const pad = padOf(used)
  const from = counter === undefined ? (vitals.PadDecrypted ?? 0) : positionIn(counter)
  if (data.length > pad.length - from)
    throw new KmipError('CryptographicFailure', 'cryptographic failure')
  if (counter === undefined) {
    vitals.PadDecrypted = from + data.length
    await saveObject(context.work, used.object)
  }
  const clear = new Secret(combined(data, pad, from))
  context.secrets.push(clear)
  return { Data: clear.bytes }
}

/** What ciphers take and a pad has no use for. */
function refuseForeign({ parameters }: KeyInUse, request: CipherFields): void {
  const { InitIndicator, CorrelationValue } = request
  if (InitIndicator === true || CorrelationValue !== undefined)
    throw new KmipError('InvalidField', 'a one-time pad takes its data all at once')
  const { AuthenticatedEncryptionAdditionalData: additional, AuthenticatedEncryptionTag: tag } =
    request
  if (additional !== undefined || tag !== undefined)
    throw bad('a one-time pad authenticates nothing')
  if (parameters.BlockCipherMode !== undefined || parameters.PaddingMethod !== undefined)
    throw bad('a one-time pad has no mode and no padding')
}

function padOf({ key, object }: KeyInUse): Uint8Array {
  if (key.kind === 'octets') return key.bytes
  throw new TypeError(`pad ${object.id} is no bytes`)
}

function combined(data: Uint8Array, pad: Uint8Array, from: number): Uint8Array {
  return data.map((byte, at) => byte ^ pad[from + at]!)
}

/** A position in a pad as 8 bytes, most significant first. */
function counterOf(position: number): Uint8Array {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(position))
  return Uint8Array.from(counter)
}

function positionIn(counter: Uint8Array): number {
  if (counter.length !== 8) throw bad('the position in a one-time pad has 8 bytes')
  return Number(Buffer.from(counter).readBigUInt64BE())
}

function bad(what: string): KmipError {
  return new KmipError('BadCryptographicParameters', what, { before20: 'InvalidField' })
}
