// A table of rows looked up both ways: name to number and number to name. Serves tags,
// enumerations and masks. One number may have two names when a version renamed it.

import { covers, span } from './versions.ts'
import type { Rows, Span, Version } from './versions.ts'

/** One row, ready for use; `other` is a further row of the same number. */
export interface NamedNumber extends Span {
  readonly name: string
  readonly number: number
  other?: NamedNumber
}

/** Both directions of a table; unknown names and numbers give undefined. */
export interface NamedNumbers {
  row(name: string): NamedNumber | undefined
  /** The row of a number: the one of that version if several share it, else the first. */
  rowOf(number: number, version?: Version): NamedNumber | undefined
  /** All rows in the order of the table. */
  readonly all: readonly NamedNumber[]
}

/** Indexes rows; `normalise` brings numbers to the form they have in memory. */
export function namedNumbers(
  rows: Rows,
  normalise: (number: number) => number = (number) => number,
): NamedNumbers {
  const byName = new Map<string, NamedNumber>()
  const byNumber = new Map<number, NamedNumber>()
  for (const [name, row] of Object.entries(rows)) {
    const [number, since, until] = typeof row === 'number' ? [row] : row
    const range = span({ ...(since && { since }), ...(until && { until }) })
    const entry: NamedNumber = { name, number: normalise(number), ...range }
    byName.set(name, entry)
    const first = byNumber.get(entry.number)
    if (first === undefined) byNumber.set(entry.number, entry)
    else last(first).other = entry
  }
  return {
    row: (name) => byName.get(name),
    rowOf(number, version) {
      const first = byNumber.get(number)
      if (first?.other === undefined || version === undefined) return first
      let row: NamedNumber | undefined = first
      while (row !== undefined && !covers(row, version)) row = row.other
      return row ?? first
    },
    all: [...byName.values()],
  }
}

function last(row: NamedNumber): NamedNumber {
  let end = row
  while (end.other !== undefined) end = end.other
  return end
}
