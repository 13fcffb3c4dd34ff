// What backups there are, and what is in none of them.
import { allOf, type Body, type Documents } from '../access/documents.ts'
import type { Store } from '../keystore/store.ts'
import { tables } from '../keystore/tables.ts'

/** How well a keystore is backed up. */
export interface BackupState {
  /** The newest, verified or not. */
  readonly last: Body<'backup'> | undefined
  /** The newest of which a copy was found whole. */
  readonly verified: Body<'backup'> | undefined
  /** Objects made after that one. */
  readonly missing: { readonly count: number; readonly isFloor: boolean }
}

/** Objects are counted up to here. */
const mostCounted = 1000

/** The state of a keystore. */
export async function backupState(store: Pick<Store, 'read' | 'copy'>): Promise<BackupState> {
  const all = (await store.read(backups)).map(({ body }) => body)
  const verified = all.find((body) => body.verified !== undefined)
  const objects = tables.find(({ name }) => name === 'objects')!
  const numbers = { ...objects, columns: { n: 'integer' } } as const
  const after = [BigInt(verified?.newest ?? 0)]
  const rows = await store.copy((source) => source.tableRows(numbers, after, mostCounted))
  const missing = { count: rows.length, isFloor: rows.length === mostCounted }
  return { last: all[0], verified, missing }
}

/** Backups made, newest first. */
export async function backups(work: Documents): Promise<{ id: string; body: Body<'backup'> }[]> {
  const all = await allOf(work, 'backup')
  return all
    .map(({ name: id, body }) => ({ id, body }))
    .toSorted((a, b) => b.body.created - a.body.created || b.body.newest - a.body.newest)
}
