/** How the cryptographic modules refuse; an operation turns the code into a Result Reason. */

/**
 * `parameters`: asked for what cannot be done. `missing-iv`: an IV is needed and none was given or
 * asked for. `tag-length`: no such authentication tag. `unsupported`: valid KMIP that we do not do.
 * `failure`: the data, tag, padding or key did not fit; deliberately never says which.
 */
export type CryptoRefusalCode =
  'parameters' | 'missing-iv' | 'tag-length' | 'unsupported' | 'failure'

/** Cryptography that cannot be done. The message may go to the peer: it holds no secret. */
export class CryptoRefusal extends Error {
  override readonly name = 'CryptoRefusal'
  readonly code: CryptoRefusalCode

  constructor(code: CryptoRefusalCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The one answer to all that goes wrong with data; `cause` is for the log only. */
export function cryptographicFailure(cause?: unknown): CryptoRefusal {
  return new CryptoRefusal('failure', 'cryptographic failure', cause)
}

/** A refusal as it is; whatever else the crypto library threw is a cryptographic failure. */
export function refusalOf(error: unknown): CryptoRefusal {
  return error instanceof CryptoRefusal ? error : cryptographicFailure(error)
}

/** Runs a call into the crypto library; throws CryptoRefusal only. */
export function orFailure<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw refusalOf(error)
  }
}
