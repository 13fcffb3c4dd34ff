/** MAC – KMIP 2.1 §6.1.32. */
import { keyInUse } from './key-in-use.ts'
import { openMacWith } from './mac-use.ts'
import { operation } from './operation.ts'
import { begins, dataOf, inParts, isMuch, withoutResult } from './parts.ts'

export const mac = operation('MAC', {
  effect: 'act',
  async run(request, context) {
    const data = dataOf(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'MAC',
      operation: 'MAC',
      parameters: request.CryptographicParameters,
      amount: { bytes: data.length, objects: begins(request) ? 1 : 0 },
    })
    const { id } = used.object
    const result = inParts(context, request, {
      operation: 'MAC',
      object: id,
      keys: [used.key],
      open(_, [key]) {
        const stream = openMacWith(used, key!)
        return {
          update({ Data }): { MACData?: Uint8Array } {
            if (Data !== undefined) stream.update(Data)
            return {}
          },
          final({ Data }) {
            if (Data !== undefined) stream.update(Data)
            return { MACData: stream.final() }
          },
          close: () => stream.close(),
        }
      },
      isSlow: isMuch(request),
    })
    await used.spend()
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})
