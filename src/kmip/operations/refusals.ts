/** The one place where an error becomes a Result Reason. */
import { DecodeError } from 'ttlv-codec'
import { CryptoRefusal, type CryptoRefusalCode } from '../../crypto/crypto-refusal.ts'
import { IntegrityError } from '../../keystore/work.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'

/** What each decode error means (KMIP 1.4 §11.1; reasons of 2.x where they exist). */
const decodeReasons: Partial<Record<DecodeError['code'], ResultReasonName>> = {
  'unknown-item': 'UnknownTag',
}

/**
 * The refusal of a request, or a part of it, that could not be read; undefined for a bug. Only for
 * errors met while reading what the client sent: what does not decode later on is ours.
 */
export function refusalOfReading(error: unknown): KmipError | undefined {
  if (!(error instanceof DecodeError)) return error instanceof KmipError ? error : undefined
  const reason = decodeReasons[error.code] ?? 'InvalidMessage'
  return new KmipError(reason, error.message, { cause: error })
}

/**
 * What each refusal of src/crypto is called since 2.0 and before; KMIP 1.4 §11.30 has no word for most.
 * That an IV is missing and that a tag has no such length are told as the published cases have it.
 */
const cryptoReasons: Record<CryptoRefusalCode, readonly [ResultReasonName, ResultReasonName]> = {
  parameters: ['BadCryptographicParameters', 'InvalidField'],
  'missing-iv': ['MissingInitializationVector', 'InvalidMessage'],
  'tag-length': ['BadCryptographicParameters', 'GeneralFailure'],
  unsupported: ['UnsupportedCryptographicParameters', 'FeatureNotSupported'],
  failure: ['CryptographicFailure', 'CryptographicFailure'],
}

/** The refusal of a request by its cryptography, in the words of KMIP. */
export function refusalOfCrypto(refusal: CryptoRefusal): KmipError {
  const [reason, before20] = cryptoReasons[refusal.code]
  return new KmipError(reason, refusal.message, { before20, cause: refusal })
}

/**
 * The refusal that an operation's error amounts to, or undefined for a bug. A stored object that is
 * not what this server wrote is never served; the client hears no more than that.
 */
export function refusalOf(error: unknown): KmipError | undefined {
  if (error instanceof KmipError) return error
  if (error instanceof CryptoRefusal) return refusalOfCrypto(error)
  if (!(error instanceof IntegrityError)) return undefined
  return new KmipError(
    'GeneralFailure',
    'the stored object failed its integrity check and is not served',
    { cause: error },
  )
}
