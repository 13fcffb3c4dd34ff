/** RNG Seed – KMIP 2.1 §6.1.50. The seed goes into what RNG Retrieve gives from then on. */
import { operation } from './operation.ts'

export const rngSeed = operation('RNGSeed', {
  effect: 'none',
  run: ({ Data }, { facts }) => Promise.resolve({ DataLength: facts.random.seed(Data) }),
})
