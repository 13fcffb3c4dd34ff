/**
 * Signature Verify – KMIP 2.1 §6.1.56. A wrong signature is no error: the Validity Indicator says so. No
 * algorithm here recovers data from a signature.
 */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { PublicHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import type { CryptographicParameters } from '../../crypto/parameters.ts'
import { openVerification, verify, type Validity } from '../../crypto/signatures.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { keyInUse } from './key-in-use.ts'
import { operation } from './operation.ts'
import { digestOrData, inParts, withoutResult, type Computation } from './parts.ts'

type Request = RequestPayload<'SignatureVerify'>

export const signatureVerify = operation('SignatureVerify', {
  effect: 'act',
  async run(request, context) {
    digestOrData(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'SignatureVerify',
      operation: 'SignatureVerify',
      parameters: request.CryptographicParameters,
    })
    const { id } = used.object
    const result = inParts(context, request, {
      operation: 'SignatureVerify',
      object: id,
      keys: [used.key],
      open: (isWhole, [key]) => {
        if (key!.kind === 'public') return verification(isWhole, key!.half, used.parameters)
        throw new CryptoRefusal('parameters', 'signatures are verified with a public key')
      },
      isSlow: true,
    })
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})

/** The signature comes with any part; the last one given counts. */
function verification(
  isWhole: boolean,
  key: PublicHalf,
  parameters: CryptographicParameters,
): Computation<Request, { ValidityIndicator?: Validity }> {
  const stream = isWhole ? undefined : openVerification(key, parameters)
  let signature: Uint8Array | undefined
  const take = ({ SignatureData }: Request) => {
    // Views of one message do not outlive it.
    if (SignatureData !== undefined) signature = Uint8Array.from(SignatureData)
  }
  return {
    update(request) {
      take(request)
      if (request.Data !== undefined) stream!.update(request.Data)
      return {}
    },
    final(request) {
      take(request)
      if (signature === undefined)
        throw new KmipError('InvalidMessage', 'Signature Data is missing')
      const { Data = new Uint8Array(0), DigestedData: digestedData } = request
      if (stream === undefined) {
        const input = digestedData === undefined ? { data: Data } : { digestedData }
        return { ValidityIndicator: verify(key, parameters, input, signature) }
      }
      stream.update(Data)
      return { ValidityIndicator: stream.final(signature) }
    },
    close: () => stream?.close(),
  }
}
