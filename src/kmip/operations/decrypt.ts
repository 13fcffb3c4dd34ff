/**
 * Decrypt – KMIP 2.1 §6.1.11. Processing what is protected is not limited (§4.59), and goes on with
 * keys that are out of use where the group allows it. Whatever was wrong with the data, the answer is
 * Cryptographic Failure and no more.
 */
import { Secret } from '../../crypto/secret.ts'
import { openCiphering } from './ciphering.ts'
import { keyInUse } from './key-in-use.ts'
import { decryptWithPad, isPad } from './one-time-pad.ts'
import { operation } from './operation.ts'
import { dataOf, inParts, isMuch, withoutResult } from './parts.ts'

export const decrypt = operation('Decrypt', {
  effect: 'act',
  async run(request, context) {
    dataOf(request)
    const used = await keyInUse(context, request.UniqueIdentifier, {
      use: 'Decrypt',
      operation: 'Decrypt',
      parameters: request.CryptographicParameters,
    })
    const { id } = used.object
    if (isPad(used.object))
      return { UniqueIdentifier: id, ...(await decryptWithPad(context, used, request)) }
    const result = inParts(context, request, {
      operation: 'Decrypt',
      object: id,
      keys: [used.key],
      open: (isWhole, [key]) => openCiphering('decrypt', used, key!, request, isWhole),
      isSlow: isMuch(request) || used.key.kind === 'private',
      secretsOf: ({ Data }) => (Data === undefined ? [] : [new Secret(Data)]),
    })
    return { UniqueIdentifier: id, ...result }
  },
  undone: withoutResult,
})
