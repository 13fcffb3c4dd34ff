/** What the refusals of src/crypto are in the words of the protocol – KMIP 2.1 §11.46. */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { KmipError } from '../model/result.ts'

/** Refusal of a key or certificate that cannot be read or written; anything else as it is. */
export function refusalOfKey(error: unknown): unknown {
  if (!(error instanceof CryptoRefusal)) return error
  const reason = error.code === 'unsupported' ? 'KeyFormatTypeNotSupported' : 'InvalidField'
  return new KmipError(reason, error.message, { cause: error })
}
