// Key-Associated Data: the bytes on tape that say which key, never the key; and their one-to-one
// relation to the Application Data of a key on the key server.
// KMIP Tape Library Profile 1.0, sections 1.1 and 2.4.

import { SimulatorError } from './errors.ts'
import type { KadLimits } from './generations.ts'

/** U-KAD (may be altered unnoticed) and A-KAD (covered by each block's tag), of real lengths. */
export interface Kad {
  readonly ukad: Uint8Array
  readonly akad: Uint8Array
}

/** No key-associated data at all. */
export const emptyKad: Kad = { ukad: new Uint8Array(), akad: new Uint8Array() }

/** The identifier a library looks for: upper-case hexadecimal, U-KAD first, nothing padded. */
export const applicationDataOf = (kad: Kad): string => hex(kad.ukad) + hex(kad.akad)

/**
 * The KAD an identifier takes on a medium of these limits: its end goes to the A-KAD, what is left
 * at the front to the U-KAD. Throws SimulatorError 'kad' for what is not upper-case hexadecimal
 * pairs or does not fit.
 */
export function kadOfApplicationData(applicationData: string, limits: KadLimits): Kad {
  if (!/^(?:[0-9A-F]{2})+$/.test(applicationData)) {
    throw new SimulatorError('kad', `not pairs of 0-9 and A-F: ${JSON.stringify(applicationData)}`)
  }
  const bytes = Uint8Array.fromHex(applicationData)
  const split = Math.max(0, bytes.length - limits.akad)
  if (split > limits.ukad) {
    const most = limits.ukad + limits.akad
    throw new SimulatorError('kad', `identifier of ${bytes.length} bytes exceeds ${most}`)
  }
  return { ukad: bytes.slice(0, split), akad: bytes.slice(split) }
}

/** Whether two KADs are the same bytes in the same parts. */
export const sameKad = (one: Kad, other: Kad): boolean =>
  sameBytes(one.ukad, other.ukad) && sameBytes(one.akad, other.akad)

/** Whether there is any byte of key-associated data. */
export const isKadEmpty = (kad: Kad): boolean => kad.ukad.length + kad.akad.length === 0

/** Whether two byte strings are equal; not for secrets. */
export const sameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at])

const hex = (bytes: Uint8Array): string => bytes.toHex().toUpperCase()
