// What fault tests stand on: a data directory of their own, seeded chance, and how a test reports.
import { existsSync, mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import { openStore, type OpenOptions, type Store } from '../../src/keystore/store.ts'

/** How long a test is to be. */
export type Form = 'short' | 'long'

/** What a test is given. */
export interface Plan {
  readonly form: Form
  readonly seed: number
  /** Told what goes on, now and then. */
  readonly say: (line: string) => void
}

/** What a test has found: figures by name, and what went wrong, which must be nothing. */
export interface Outcome {
  readonly figures: Readonly<Record<string, number>>
  readonly failures: readonly string[]
}

/** The figures, in words. */
export function figuresText(figures: Outcome['figures']): string {
  return Object.entries(figures)
    .map(([what, figure]) => `${what} ${figure}`)
    .join(', ')
}

/** Whole numbers below a limit, the same for the same seed. */
export type Chance = (limit: number) => number

/** A small generator (mulberry32). */
export function chance(seed: number): Chance {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

/** A folder that is removed when it is disposed of. */
export function folder(place = tmpdir()): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(place, 'keyreel-faults-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Bytes that must be free in memory's own file system. */
const leastInMemory = 512 * 1024 * 1024

/**
 * The same in memory, where there is a file system with room: for tests that would wait for thousands of syncs and
 * prove nothing by that. Code may not be loaded from there.
 */
export function quickFolder(): { readonly path: string } & Disposable {
  return folder(hasRoom('/dev/shm') ? '/dev/shm' : tmpdir())
}

function hasRoom(place: string): boolean {
  if (!existsSync(place)) return false
  const { bavail, bsize } = statfsSync(place)
  return bavail * bsize > leastInMemory
}

/** Where a keystore is: a data directory, and the PostgreSQL that holds its tables, unless a file does. */
export interface Place {
  readonly directory: string
  readonly database?: readonly string[]
}

/** Makes a data directory with group `default`; its master key is in `master.key`. */
export async function dataDirectory(
  directory: string,
  database?: readonly string[],
): Promise<void> {
  await initialiseStore({
    directory,
    database,
    masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
    async fill(store) {
      await store.act(async (work) => {
        await work.putDocument('group', 'default', { created: Number(work.now) })
        work.audit({
          actor: { name: 'faults', kind: 'cli' },
          operation: 'init',
          outcome: 'Success',
        })
      })
    },
  })
}

/** Opens the store of a data directory, as a command does; `database` where it is not in a file. */
export function openDirectory(
  directory: string,
  options: Partial<OpenOptions> = {},
): Promise<Store> {
  const masterKey = openMasterKeyFile(join(directory, 'master.key'))
  return openStore({ directory, masterKey, writer: 'cli', ...options })
}

/** A master key that wraps by copying, for stores in memory. */
export const openMasterKey: MasterKey = {
  id: 'test',
  wrap: (key) => Promise.resolve(Uint8Array.from(key)),
  unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
  close: () => undefined,
}
