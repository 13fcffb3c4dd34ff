/** MAC Verify – KMIP 2.1 §6.1.33. A wrong MAC is no error: the Validity Indicator says so. */
import { KmipError } from '../model/result.ts'
import { keyInUse } from './key-in-use.ts'
import { openMacWith } from './mac-use.ts'
import { operation } from './operation.ts'
import { dataOf, inParts, isMuch, withoutResult } from './parts.ts'

type Result = { ValidityIndicator?: 'Valid' | 'Invalid' }

export const macVerify = operation('MACVerify', {
  effect: 'act',
  async run(request, context) {
    dataOf(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'MACVerify',
      operation: 'MACVerify',
      parameters: request.CryptographicParameters,
    })
    const { id } = used.object
    const result = inParts(context, request, {
      operation: 'MACVerify',
      object: id,
      keys: [used.key],
      open(_, [key]) {
        const stream = openMacWith(used, key!)
        let mac: Uint8Array | undefined
        const take = ({ Data, MACData }: typeof request) => {
          // Views of one message do not outlive it.
          if (MACData !== undefined) mac = Uint8Array.from(MACData)
          if (Data !== undefined) stream.update(Data)
        }
        return {
          update(part): Result {
            take(part)
            return {}
          },
          final(part): Result {
            take(part)
            if (mac === undefined) throw new KmipError('InvalidMessage', 'MAC Data is missing')
            return { ValidityIndicator: stream.verify(mac) ? 'Valid' : 'Invalid' }
          },
          close: () => stream.close(),
        }
      },
      isSlow: isMuch(request),
    })
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})
