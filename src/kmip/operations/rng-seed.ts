/** RNG Seed – KMIP 2.1 §6.1.50. The generator is the crypto library's; what a client knows is not mixed in. */
import { seedUsed } from '../../crypto/random-source.ts'
import { operation } from './operation.ts'

export const rngSeed = operation('RNGSeed', {
  effect: 'none',
  run: ({ Data }) => Promise.resolve({ DataLength: seedUsed(Data) }),
})
