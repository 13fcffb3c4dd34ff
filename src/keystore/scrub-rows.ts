// The scrubber's walk over tables of rows that have no MAC of their own: each is compared with what it follows from, or
// with what it speaks of. Rows that are missing show in the walk over objects, documents and audit rows (scrub.ts).
import { toHex } from '../crypto/primitives/hash.ts'
import type { Problem, ProblemKind } from './audit-chain-walk.ts'
import { nameBytes, valueBytes } from './sql-storage-columns.ts'
import type { ObjectRow, SqlRow, SqlValue, StorageReader } from './storage.ts'
import { sealsPerEpoch } from './sealing.ts'
import { keyOf, tables } from './tables.ts'

/** Where the walk stands: the table, and the key of the row examined last; no key at the beginning of a table. */
export interface RowsPosition {
  readonly part: 'rows'
  readonly table: string
  readonly after: readonly string[]
}

/** What is wrong with a row, if anything. */
type Examine = (rows: StorageReader, row: SqlRow) => Promise<Problem | undefined>

/** Every table that is walked, in this order. Those left out are walked elsewhere; see the test of this file. */
export const examinedTables: Readonly<Record<string, Examine>> = {
  async revisions(rows, [object]) {
    if ((await objectAt(rows, Number(object))) !== undefined) return undefined
    const message = 'its revision is noted, and it is gone'
    return problem('missing', `object ${Number(object)}`, message)
  },
  async document_revisions(rows, [kind, name]) {
    if ((await rows.document(kind as string, name as string)) !== undefined) return undefined
    const message = 'its revision is noted, and it is gone'
    return problem('missing', `${kind as string}/${name as string}`, message)
  },
  async attribute_index(rows, [group, attribute, value, n]) {
    const owner = await objectAt(rows, Number(n))
    const { entries } = owner ?? {}
    // Unreadable entries are told where the object is examined.
    if (owner?.group === group && entries === undefined) return undefined
    const isListed = entries?.index.some(
      (entry) =>
        isSame(nameBytes(entry.attribute), attribute) && isSame(valueBytes(entry.value), value),
    )
    if (owner?.group === group && isListed === true) return undefined
    return problem('derived', nameOf(owner, n), 'a row by which it would be found is not its own')
  },
  async unique_entries(rows, [group, kind, value, n]) {
    const owner = await objectAt(rows, Number(n))
    const { entries } = owner ?? {}
    if (owner?.group === group && entries === undefined) return undefined
    const isListed = entries?.unique.some(
      (entry) => entry.kind === kind && isSame(valueBytes(entry.value), value),
    )
    if (owner?.group === group && isListed === true) return undefined
    return problem('derived', nameOf(owner, n), 'a value is claimed for it that it does not claim')
  },
  async audit_objects(rows, [object, chain, number]) {
    const last = (await rows.auditHead(chain as string))?.last ?? 0
    if (Number(number) >= 1 && Number(number) <= last) return undefined
    const subject = `${chain as string}/${Number(number)}`
    return problem(
      'derived',
      subject,
      `a record that is not there is said to be about ${Buffer.from(object as Uint8Array).toString()}`,
    )
  },
  async audit_indexed(rows, [chain, number]) {
    const last = (await rows.auditHead(chain as string))?.last ?? 0
    if (Number(number) >= 0 && Number(number) <= last) return undefined
    const message = `the index of objects is said to reach record ${Number(number)}`
    return problem('derived', `${chain as string}/${last}`, message)
  },
  async epochs(rows, [epoch, seals]) {
    const wraps = await rows.wraps()
    if (!wraps.some((wrap) => wrap.epoch === Number(epoch)))
      return problem('changed', `epoch ${Number(epoch)}`, 'nothing opens it')
    if (Number(seals) >= 0 && Number(seals) <= sealsPerEpoch) return undefined
    return problem('changed', `epoch ${Number(epoch)}`, 'its count of seals was changed')
  },
}

const names = Object.keys(examinedTables)

/** Where the walk over rows begins. */
export const rowsStart: RowsPosition = { part: 'rows', table: names[0]!, after: [] }

/** Examines at most `limit` rows after `from`; without `next` there are none left. */
export async function scrubRows(
  rows: StorageReader,
  { table: name, after }: RowsPosition,
  limit: number,
): Promise<{ seen: number; problems: Problem[]; next: RowsPosition | undefined }> {
  const table = tables.find((shape) => shape.name === name)
  const examine = examinedTables[name]
  if (table === undefined || examine === undefined)
    throw new Error(`${name} is no table that is walked`)
  const key = after.length === 0 ? undefined : after.map(readKey)
  const page = await rows.tableRows(table, key, limit)
  const problems: Problem[] = []
  for (const row of page) {
    const found = await examine(rows, row)
    if (found !== undefined) problems.push(found)
  }
  const last = page.at(-1)
  if (last !== undefined) {
    const next: RowsPosition = {
      part: 'rows',
      table: name,
      after: keyOf(table, last).map(writtenKey),
    }
    return { seen: page.length, problems, next }
  }
  const following = names[names.indexOf(name) + 1]
  const next: RowsPosition | undefined =
    following === undefined ? undefined : { part: 'rows', table: following, after: [] }
  return { seen: 0, problems, next }
}

async function objectAt(rows: StorageReader, n: number): Promise<ObjectRow | undefined> {
  const [row] = await rows.objectsAfter(n - 1, 1)
  return row?.n === n ? row : undefined
}

function nameOf(owner: ObjectRow | undefined, n: SqlValue | undefined): string {
  return owner?.id ?? `object ${Number(n)}`
}

function problem(kind: ProblemKind, subject: string, message: string): Problem {
  return { kind, subject, message }
}

function isSame(one: Uint8Array, other: SqlValue | undefined): boolean {
  return other instanceof Uint8Array && Buffer.compare(one, other) === 0
}

/** A value of a key where it is kept: its kind and its text. */
function writtenKey(value: SqlValue): string {
  if (value instanceof Uint8Array) return `bytes ${toHex(value)}`
  return typeof value === 'string' ? `text ${value}` : `integer ${String(value)}`
}

function readKey(text: string): SqlValue {
  const blank = text.indexOf(' ')
  const value = text.slice(blank + 1)
  const kind = text.slice(0, blank)
  if (kind === 'bytes') return Buffer.from(value, 'hex')
  return kind === 'text' ? value : BigInt(value)
}
