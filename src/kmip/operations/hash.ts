/** Hash – KMIP 2.1 §6.1.24. No key is involved, so nothing is audited. */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { openHash } from '../../crypto/hashes.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { dataOf, inParts, isMuch } from './parts.ts'

export const hash = operation('Hash', {
  effect: 'none',
  run(request, context) {
    dataOf(request)
    const { HashingAlgorithm } = request.CryptographicParameters
    if (HashingAlgorithm === undefined)
      throw new KmipError('InvalidField', 'Hash needs a Hashing Algorithm')
    return Promise.resolve(
      inParts(context, request, {
        operation: 'Hash',
        object: undefined,
        keys: [],
        open() {
          const stream = opened(HashingAlgorithm)
          return {
            update({ Data }): { Data?: Uint8Array } {
              if (Data !== undefined) stream.update(Data)
              return {}
            },
            final({ Data }) {
              if (Data !== undefined) stream.update(Data)
              return { Data: stream.final() }
            },
            close: () => undefined,
          }
        },
        isSlow: isMuch(request),
      }),
    )
  },
})

/** §6.1.24.1 lists no Unsupported Cryptographic Parameters. */
function opened(algorithm: Parameters<typeof openHash>[0]) {
  try {
    return openHash(algorithm)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw new KmipError('FeatureNotSupported', error.message, { cause: error })
  }
}
