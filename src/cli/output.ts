// How results look: tables and lists for people, one JSON document for programs. Text that came
// from elsewhere is made harmless for the terminal here, in one place.
import { styleText } from 'node:util'
import { printable } from '../log.ts'

/** Paints words when the terminal and the user want colours, else leaves them alone. */
export interface Style {
  (look: 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan', text: string): string
}

/** A style; `colour` false gives plain text. */
export function styleFor(colour: boolean): Style {
  return (look, text) => (colour ? styleText(look, text, { validateStream: false }) : text)
}

/** One column of a table: its heading and what a row shows in it. */
export type Columns<R> = Record<string, (row: R) => string | number | bigint | undefined>

const gap = '  '

/** Rows under headings, columns as wide as their content; `empty` stands for no rows at all. */
export function table<R>(columns: Columns<R>, rows: readonly R[], style: Style, empty: string) {
  if (rows.length === 0) return style('dim', empty)
  const headings = Object.keys(columns)
  const cells = rows.map((row) => Object.values(columns).map((show) => cell(show(row))))
  // There may be more rows than a call takes arguments.
  const widths = headings.map((heading, column) =>
    cells.reduce((width, line) => Math.max(width, (line[column] ?? '').length), heading.length),
  )
  const pad = (line: readonly string[]) =>
    line
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join(gap)
      .trimEnd()
  return [style('bold', pad(headings)), ...cells.map(pad)].join('\n')
}

/** Names and values, one pair a line, the values aligned; pairs without a value are left out. */
export function pairs(entries: readonly (readonly [string, CellValue])[], style: Style): string {
  const shown = entries.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => name.length))
  return shown
    .map(([name, value]) => `${style('bold', name.padEnd(width))}${gap}${cell(value)}`.trimEnd())
    .join('\n')
}

/** What a cell may hold; undefined shows as a dash in tables and drops the line in pairs. */
export type CellValue = string | number | bigint | undefined

function cell(value: CellValue): string {
  return value === undefined ? '-' : printable(String(value))
}

/** The one document of --json: bigints as numbers where exact, byte arrays as hexadecimal. */
export function jsonDocument(value: unknown, indent = 2): string {
  return JSON.stringify(
    value,
    (_key, entry: unknown) => {
      if (typeof entry === 'bigint') {
        const number = Number(entry)
        return Number.isSafeInteger(number) ? number : entry.toString()
      }
      return entry instanceof Uint8Array ? Buffer.from(entry).toString('hex') : entry
    },
    indent,
  )
}

/** A moment for people, in UTC to the second: `2026-11-22 14:03:05Z`; undefined stays so. */
export function moment(seconds: bigint | undefined): string | undefined {
  if (seconds === undefined) return undefined
  const time = new Date(Number(seconds) * 1000)
  if (Number.isNaN(time.getTime())) return `${seconds} s`
  return time.toISOString().replace('T', ' ').replace('.000', '')
}

/** A moment for --json, ISO 8601 in UTC; undefined stays so. */
export function isoMoment(seconds: bigint | undefined): string | undefined {
  return moment(seconds)?.replace(' ', 'T')
}

/** `1 key`, `2 keys`. */
export function counted(count: number | bigint, thing: string, things = `${thing}s`): string {
  return `${count} ${BigInt(count) === 1n ? thing : things}`
}
