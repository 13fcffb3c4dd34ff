// The name a library gives a new key, as it goes on tape (KAD) and to the key server (Application
// Data or Name): Tape Library Profile 1.0, section 2.4, and how firmware departs from it.

import type { Dialect } from './dialects.ts'
import type { RandomBytes } from './drive-cipher.ts'
import type { KadLimits } from './generations.ts'
import { applicationDataOf, kadOfApplicationData, type Kad } from './kad.ts'

/** The KAD of a key that does not exist yet: random, of the length this library uses. */
export function newKad(
  dialect: Pick<Dialect, 'identifierBytes' | 'padsAkad'>,
  limits: KadLimits,
  random: RandomBytes,
): Kad {
  const identifier = random(dialect.identifierBytes).toHex().toUpperCase()
  const kad = kadOfApplicationData(identifier, limits)
  if (!dialect.padsAkad) return kad
  const akad = new Uint8Array(limits.akad)
  akad.set(kad.akad)
  return { ukad: kad.ukad, akad }
}

/** What the library asks the key server for when it meets this KAD. */
export function identifierOf(dialect: Pick<Dialect, 'letters'>, kad: Kad): string {
  const applicationData = applicationDataOf(kad)
  return dialect.letters === 'lower' ? applicationData.toLowerCase() : applicationData
}
