/** Encrypt – KMIP 2.1 §6.1.17. Data of the client under a key that stays here. */
import { openCiphering, refuseMode } from './ciphering.ts'
import { keyInUse } from './key-in-use.ts'
import { encryptWithPad, isPad } from './one-time-pad.ts'
import { operation } from './operation.ts'
import { begins, dataOf, inParts, isMuch, withoutResult } from './parts.ts'

export const encrypt = operation('Encrypt', {
  effect: 'act',
  async run(request, context) {
    const data = dataOf(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'Encrypt',
      operation: 'Encrypt',
      parameters: request.CryptographicParameters,
      amount: { bytes: data.length, objects: begins(request) ? 1 : 0 },
    })
    await refuseMode(used, context)
    const { id } = used.object
    if (isPad(used.object)) {
      const result = await encryptWithPad(context, used, request)
      await used.spend()
      return { UniqueIdentifier: id, ...result }
    }
    const result = inParts(context, request, {
      operation: 'Encrypt',
      object: id,
      keys: [used.key],
      open: (isWhole, [key]) => openCiphering('encrypt', used, key!, request, isWhole),
      isSlow: isMuch(request),
    })
    await used.spend()
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})
