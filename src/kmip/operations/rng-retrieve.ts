/** RNG Retrieve – KMIP 2.1 §6.1.49. */
import { retrieveLimit } from '../../crypto/random-source.ts'
import { Secret } from '../../crypto/secret.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

export const rngRetrieve = operation('RNGRetrieve', {
  effect: 'none',
  run({ DataLength }, { secrets, facts }) {
    if (DataLength < 1 || DataLength > retrieveLimit) {
      const what = `1 to ${retrieveLimit} bytes are given at once, not ${DataLength}`
      throw new KmipError('InvalidField', what)
    }
    // It may become a key.
    const Data = facts.random.retrieve(DataLength)
    secrets.push(new Secret(Data))
    return Promise.resolve({ Data })
  },
  undone: () => ({ Data: new Uint8Array(0) }),
})
