/** What libraries have looked for in vain, kept for a year: one row per identifier, the newest of each group. */
import { z } from 'zod'
import { groupOf } from '../access/groups.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import type { Store } from '../keystore/store.ts'
import type { Transient, Work } from '../keystore/work.ts'
import type { UnknownTape } from '../kmip/operations/unknown-tapes.ts'
import { keysOfTape } from './tape-requests.ts'

const kind = 'unknown-tape'
const year = 366n * 86_400n
/** Rows of a group, and how many remain when there were more. */
const most = { held: 10_000, kept: 9_000 }
/** So that requests of libraries come in between. */
const rowsPerAct = 500

const body = z.strictObject({
  namespace: z.string(),
  data: z.string(),
  library: z.string(),
  asked: z.number().int(),
})

/** Keeps what was noted. What is kept already is renewed. */
export async function keepUnknownTapes(store: Store, noted: readonly UnknownTape[]): Promise<void> {
  for (let first = 0; first < noted.length; first += rowsPerAct) {
    const rows = noted.slice(first, first + rowsPerAct)
    await store.act(async (work) => {
      for (const { group, namespace, data, library, asked } of rows)
        await work.putTransient({
          kind,
          name: toHex(sha256(`${group}\u0000${namespace}\u0000${data}`)),
          owner: group,
          expires: asked + year,
          body: { namespace, data, library, asked: Number(asked) },
        })
    })
  }
  for (const group of new Set(noted.map((one) => one.group)))
    await store.act((work) => forgetOldest(work, group))
}

async function forgetOldest(work: Work, group: string): Promise<void> {
  const { count } = await work.transientsHeld(kind, group)
  if (count <= most.held) return
  const rows = await work.transients(kind, group, count)
  for (const { name } of newestFirst(rows).slice(most.kept)) await work.deleteTransient(kind, name)
}

function newestFirst(rows: readonly Transient[]): Transient[] {
  return rows.toSorted((a, b) => Number(b.expires - a.expires))
}

/** What the libraries of a group have looked for in vain and is still not here, newest first. */
export async function unknownTapes(store: Store, group: string): Promise<UnknownTape[]> {
  const rows = await store.read(async (work) => {
    await groupOf(work, group)
    return work.transients(kind, group, most.held)
  })
  const unknown: UnknownTape[] = []
  for (const row of newestFirst(rows)) {
    const { namespace, data, library, asked } = body.parse(row.body)
    const keys = await store.read((work) => keysOfTape(work, group, { namespace, data }))
    if (keys.length === 0) unknown.push({ group, namespace, data, library, asked: BigInt(asked) })
  }
  return unknown
}
