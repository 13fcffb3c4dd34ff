// How rows of `objects` become values: identifiers, columns and index entries, both ways.
import type { Entries, ObjectRow, SqlRow, SqlValue } from './storage.ts'
import type { ObjectColumns } from './work.ts'
import { bytesIn, bytesOrNull, textIn } from './stored-values.ts'

type ColumnForm = 'text' | 'date' | 'number' | 'flag'

/** The columns derived from a record: field, SQL name, form. Order is the order in statements. */
export const derivedColumns = [
  ['owner', 'owner', 'text'],
  ['initialDate', 'initial_date', 'date'],
  ['lastChangeDate', 'last_change_date', 'date'],
  ['activationDate', 'activation_date', 'date'],
  ['deactivationDate', 'deactivation_date', 'date'],
  ['destroyDate', 'destroy_date', 'date'],
  ['compromiseDate', 'compromise_date', 'date'],
  ['archiveDate', 'archive_date', 'date'],
  ['algorithm', 'algorithm', 'number'],
  ['length', 'key_length', 'number'],
  ['usageMask', 'usage_mask', 'number'],
  ['fresh', 'fresh', 'flag'],
  ['wipeAfter', 'wipe_after', 'date'],
] as const satisfies readonly (readonly [keyof ObjectColumns, string, ColumnForm])[]

/** SQL name of a derived column. */
export const columnName: Readonly<Record<keyof ObjectColumns, string>> = Object.fromEntries(
  derivedColumns.map(([field, name]) => [field, name]),
) as Record<keyof ObjectColumns, string>

/** Sealed bytes up to this length are loaded with their row; longer ones only when asked for. */
const sealedLoadedAlong = 4096

/** Columns of a SELECT over `objects o LEFT JOIN revisions r` that `objectRow` reads. */
export const objectSelection = [
  'o.n, o.id, o.group_name, o.object_type, o.revision, o.epoch, o.entries, o.mac, o.record',
  `CASE WHEN length(o.sealed) <= ${sealedLoadedAlong} THEN o.sealed END, length(o.sealed)`,
  'r.revision, r.mac',
  ...derivedColumns.map(([, name]) => `o.${name}`),
].join(', ')

/** The join that `objectSelection` needs. */
export const objectSource = 'objects o LEFT JOIN revisions r ON r.object = o.n'

const firstDerived = 13

/** A selected row as an ObjectRow. */
export function objectRow(row: SqlRow): ObjectRow {
  return new SelectedObject(row)
}

/** Most rows are loaded to be served: what only a change or a verification asks for is read then. */
class SelectedObject implements ObjectRow {
  readonly n: number
  readonly id: string
  readonly group: string
  readonly type: number
  readonly revision: number
  readonly epoch: number
  readonly record: Uint8Array
  readonly sealed: Uint8Array | null | undefined
  readonly mac: Uint8Array
  readonly noted: ObjectRow['noted']
  readonly #row: SqlRow
  #columns: ObjectColumns | undefined

  constructor(row: SqlRow) {
    const sealed = bytesOrNull(row[9])
    const isSealed = row[10] !== null
    const notedRevision = row[11]
    this.#row = row
    this.n = Number(row[0])
    this.id = idText(bytesIn(row[1]))
    this.group = textIn(row[2])
    this.type = Number(row[3])
    this.revision = Number(row[4])
    this.epoch = Number(row[5])
    this.mac = bytesIn(row[7])
    this.record = bytesIn(row[8])
    this.sealed = isSealed ? (sealed ?? undefined) : null
    this.noted =
      notedRevision === null
        ? undefined
        : { revision: Number(notedRevision), mac: bytesIn(row[12]) }
  }

  get columns(): ObjectColumns {
    this.#columns ??= columnsOf(this.#row)
    return this.#columns
  }

  get entriesText(): string {
    return textIn(this.#row[6])
  }

  get entries(): Entries | undefined {
    return entriesOf(textIn(this.#row[6]))
  }
}

function columnsOf(row: SqlRow): ObjectColumns {
  const columns: Partial<Record<keyof ObjectColumns, string | bigint | number | boolean>> = {}
  let at = firstDerived
  for (const [field, , form] of derivedColumns) {
    const value = row[at++]!
    if (value === null) continue
    if (form === 'number') columns[field] = Number(value)
    else if (form === 'flag') columns[field] = value !== 0n
    else columns[field] = value as string | bigint
  }
  return columns as ObjectColumns
}

/** The values of the derived columns, in their order. */
export function columnValues(columns: ObjectColumns): SqlValue[] {
  return derivedColumns.map(([field]) => {
    const value = columns[field]
    if (typeof value === 'boolean') return value ? 1 : 0
    return value ?? null
  })
}

/** Index and unique entries as kept beside the row, so that a change knows which rows to take back. */
export function entriesText({ index, unique }: Entries): string {
  return JSON.stringify([
    index.map(({ attribute, value }) => [attribute, value]),
    unique.map(({ kind, value }) => [kind, value]),
  ])
}

/** What `entriesText` wrote; undefined when somebody else wrote it. */
function entriesOf(text: string): Entries | undefined {
  try {
    const [index, unique] = JSON.parse(text) as [[string, string][], [string, string][]]
    return {
      index: index.map(([attribute, value]) => ({ attribute, value })),
      unique: unique.map(([kind, value]) => ({ kind, value })),
    }
  } catch {
    return undefined
  }
}

/** Longest text of an attribute's or object's name in an index, in bytes. */
const longestName = 512

/** A name as it stands in an index: bytes, because clients may put U+0000 into it. */
export function nameBytes(text: string): Uint8Array {
  return Buffer.from(text).subarray(0, longestName)
}

/** A value as it stands in an index; derived-rows.ts keeps it short. */
export function valueBytes(text: string): Uint8Array {
  return Buffer.from(text)
}

const uuidLength = 36

/** The 16 bytes of a UUID in the one form we write; undefined for any other text. */
export function uuidBytes(id: string): Uint8Array | undefined {
  if (id.length !== uuidLength) return undefined
  const bytes = new Uint8Array(16)
  let digits = 0
  for (let at = 0; at < uuidLength; at++) {
    const unit = id.charCodeAt(at)
    if (at === 8 || at === 13 || at === 18 || at === 23) {
      if (unit !== 0x2d) return undefined
      continue
    }
    const digit = digitOf(unit)
    if (digit === -1) return undefined
    bytes[digits >> 1] = (bytes[digits >> 1]! << 4) | digit
    digits++
  }
  return bytes
}

/** Value of a lower-case hexadecimal digit; -1 of anything else. */
function digitOf(unit: number): number {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  return unit >= 0x61 && unit <= 0x66 ? unit - 0x57 : -1
}

/** Stands before the text of an identifier that another server has given: no UUID has so many bytes. */
const foreign = Buffer.alloc(17)

/** An identifier as its column holds it: the bytes of a UUID, or any other text behind `foreign`. */
export function idBytes(id: string): Uint8Array {
  return uuidBytes(id) ?? Buffer.concat([foreign, Buffer.from(id)])
}

/** The identifier in its column. */
export function idText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length >= foreign.length) return buffer.toString('utf8', foreign.length)
  const hex = buffer.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
