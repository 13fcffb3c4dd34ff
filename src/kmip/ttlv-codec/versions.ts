// Protocol versions as numbers, and rows: a name, its number, and the versions it belongs to.

/** A KMIP protocol version as one comparable number: major * 256 + minor. */
export type Version = number

/** A protocol version as rows spell it: `'1.4'`. */
export type VersionText = `${number}.${number}`

/** The versions something belongs to, both ends included; absent means unbounded. */
export interface VersionRange {
  readonly since?: VersionText
  readonly until?: VersionText
}

/** Names and numbers: `name: number`, or `name: [number, since, until?]`. */
export type Rows = Readonly<
  Record<
    string,
    number | readonly [number, VersionText] | readonly [number, VersionText, VersionText]
  >
>

/** The number of a version: `version('1.4') === 0x104`. */
export function version(text: VersionText): Version {
  const [major, minor] = text.split('.').map(Number)
  return (major ?? 0) * 256 + (minor ?? 0)
}

/** The spelling of a version: `versionText(0x104) === '1.4'`. */
export function versionText(number: Version): VersionText {
  return `${number >> 8}.${number & 0xff}`
}

/** A range of versions ready for comparing; unbounded ends are 0 and Infinity. */
export interface Span {
  readonly since: Version
  readonly until: Version
}

/** The comparable form of a row's range. */
export function span({ since, until }: VersionRange): Span {
  return {
    since: since === undefined ? 0 : version(since),
    until: until === undefined ? Infinity : version(until),
  }
}

/** Whether a version lies in the range. */
export function covers(range: Span, number: Version): boolean {
  return range.since <= number && number <= range.until
}
