// Stores with journals beside them, for the journals' tests.
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import type { OpenOptions, Store } from '../../src/keystore/store.ts'
import { dataDirectory, opened, temporaryFolder } from './sample.ts'

/** A log that keeps nothing. */
export const quiet = { info: () => undefined, error: () => undefined }

type Journals = NonNullable<OpenOptions['journals']>

/** Where a journal may be begun. */
export const journalPlace = () => join(temporaryFolder(), 'journal')

/** Opens a server's store with these journals, brought up to date. */
export async function serving(
  directory: string,
  paths: readonly string[],
  more: Partial<Journals> = {},
): Promise<Store> {
  const store = await opened(directory, { journals: { paths, log: quiet, ...more } })
  await store.tendJournals()
  return store
}

/** A new data directory, served with one journal. */
export async function journalGround(more: Partial<Journals> = {}) {
  const [directory, path] = [await dataDirectory(), journalPlace()]
  return { directory, path, store: await serving(directory, [path], more) }
}

/** On how many copies an act would be. */
export const copies = (store: Store) => store.read((work) => work.copies())

/** A copy of a folder as it is now. */
export function copyOf(folder: string): string {
  const copy = join(temporaryFolder(), 'copy')
  cpSync(folder, copy, { recursive: true })
  return copy
}

/** What verification finds wrong, contents included. */
export async function problemsOf(store: Store) {
  return (await store.auditVerify({ contents: contentsCheck })).problems
}
