/** Sign – KMIP 2.1 §6.1.55. Of data, at once or in parts, or of a digest that the client has made. */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { PrivateHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import type { CryptographicParameters } from '../../crypto/parameters.ts'
import { openSigning, sign as signed } from '../../crypto/signatures.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { keyInUse } from './key-in-use.ts'
import { operation } from './operation.ts'
import { begins, digestOrData, inParts, withoutResult, type Computation } from './parts.ts'

type Request = RequestPayload<'Sign'>

export const sign = operation('Sign', {
  effect: 'act',
  async run(request, context) {
    const input = digestOrData(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'Sign',
      operation: 'Sign',
      parameters: request.CryptographicParameters,
      amount: { bytes: input.length, objects: begins(request) ? 1 : 0 },
    })
    const { id } = used.object
    const result = inParts(context, request, {
      operation: 'Sign',
      object: id,
      keys: [used.key],
      open: (_, [key]) => {
        if (key!.kind === 'private') return signing(key!.half, used.parameters)
        throw new CryptoRefusal('parameters', 'signatures are made with a private key')
      },
      isSlow: true,
    })
    await used.spend()
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})

function signing(
  key: PrivateHalf,
  parameters: CryptographicParameters,
): Computation<Request, { SignatureData?: Uint8Array }> {
  let stream: ReturnType<typeof openSigning> | undefined
  const begun = () => (stream ??= openSigning(key, parameters))
  return {
    update({ Data }) {
      if (Data !== undefined) begun().update(Data)
      return {}
    },
    final({ Data, DigestedData: digestedData }) {
      if (digestedData !== undefined)
        return { SignatureData: signed(key, parameters, { digestedData }) }
      if (Data !== undefined) begun().update(Data)
      return { SignatureData: begun().final() }
    },
    close: () => stream?.close(),
  }
}
