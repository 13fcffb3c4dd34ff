/**
 * The protocol versions this server speaks, one row each, oldest first – KMIP 2.1 §9.16.
 * What belongs to a version is said by `since` and `until` in the rows of the other tables.
 */

import { version, type Version, type VersionText } from 'ttlv-codec'

/** One protocol version in each of the forms it is needed in. */
export interface VersionRow {
  /** As people and rows write it: `1.4`. */
  readonly text: VersionText
  /** As code compares it: major * 256 + minor. */
  readonly number: Version
  /** Protocol Version Major. */
  readonly major: number
  /** Protocol Version Minor. */
  readonly minor: number
}

/** Every version of KMIP from 1.0 to 2.1, oldest first. */
export const versions: readonly VersionRow[] = [
  row('1.0'),
  row('1.1'),
  row('1.2'),
  row('1.3'),
  row('1.4'),
  row('2.0'),
  row('2.1'),
]

/** The same rows in order of preference, as Discover Versions answers them. */
export const newestFirst: readonly VersionRow[] = versions.toReversed()

/** The version to offer a peer first. */
export const newest: VersionRow = newestFirst[0]!

/** First version of the second major: attributes are tagged, templates are gone. */
export const version20 = version('2.0')

/** Whether this very version is spoken here. */
export function supported(number: Version): boolean {
  return versions.some((row) => row.number === number)
}

/**
 * The newest version spoken here that is not newer than `number` and has its major: what a message
 * of a later minor version is read as (KMIP 1.4 §11.1). Undefined when the major is unknown.
 */
export function spokenFor(number: Version): VersionRow | undefined {
  return newestFirst.find((row) => row.number <= number && row.major === number >> 8)
}

/** A version from the two integers of a Protocol Version. */
export function versionOf(major: number, minor: number): Version {
  return major * 256 + minor
}

function row(text: VersionText): VersionRow {
  const number = version(text)
  return { text, number, major: number >> 8, minor: number & 0xff }
}
