/**
 * Whether a backup would bring everything back: it is restored into a database of its own, which is then
 * verified as a whole: chains, rows, seals, and the check value of each key. Nothing else shows as much.
 */
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { administrator, bodyOf } from '../access/documents.ts'
import type { Problem } from '../keystore/audit-chain-walk.ts'
import { contentsCheck } from '../keystore/contents-check.ts'
import type { MasterKey } from '../keystore/master-key.ts'
import { scrubStart, type ScrubPosition } from '../keystore/scrub.ts'
import { openSqlite } from '../keystore/sqlite-driver.ts'
import { sqlStorage } from '../keystore/sql-storage.ts'
import type { SqlDriver } from '../keystore/storage.ts'
import { openStore, type Store } from '../keystore/store.ts'
import { tables } from '../keystore/tables.ts'
import type { AuditActor } from '../keystore/work.ts'
import { keepBackup } from './backup-create.ts'
import { fillFrom, type OpenBackup } from './backup-file.ts'

/** What verification found. */
export interface BackupVerified {
  readonly objects: number
  readonly documents: number
  readonly problems: readonly Problem[]
}

const rowsAtOnce = 200
/** An epoch is begun by hand, or after half a billion seals. */
const mostWraps = 100_000

/** How a backup is verified. */
export interface BackupVerifying {
  /** Where it is restored, in a folder that is removed again; by default that of temporary files. */
  readonly aside?: string | undefined
  /** The keystore whose master key is given: since the backup was made it may have got another one. */
  readonly live?: Pick<Store, 'id' | 'copy'>
  /** Shown the restored copy once it was found whole. */
  readonly look?: (copy: Store) => Promise<void>
}

/**
 * Restores into a file of its own and verifies everything. The master key, taken over, has to open the epochs in the
 * backup, or those of the live keystore that the backup is of.
 */
export async function verifyBackup(
  backup: OpenBackup,
  masterKey: MasterKey,
  now: () => bigint,
  { aside = tmpdir(), live, look }: BackupVerifying = {},
): Promise<BackupVerified> {
  const folder = await mkdtemp(join(aside, 'keyreel-verify-'))
  try {
    const file = join(folder, 'keystore.db')
    await (await open(file, 'wx', 0o600)).close()
    const driver = await openSqlite({ file })
    let store: Store
    try {
      await fillFrom(backup, driver, 'the backup')
      if (live?.id === backup.manifest.StoreIdentifier) await addWraps(driver, live, masterKey.id)
      store = await openStore({ driver, masterKey, writer: 'verify', now })
    } catch (error) {
      masterKey.close()
      await driver.close().catch(() => undefined)
      throw error
    }
    try {
      const found = await verified(store)
      if (found.problems.length === 0) await look?.(store)
      return found
    } finally {
      await store.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Lets the master key of the live keystore open the epochs of the copy, which are epochs of its own. */
async function addWraps(
  driver: SqlDriver,
  live: Pick<Store, 'copy'>,
  master: string,
): Promise<void> {
  const shape = tables.find(({ name }) => name === 'epoch_wraps')!
  const rows = await live.copy(({ tableRows }) => tableRows(shape, undefined, mostWraps))
  await sqlStorage(driver).write(async (copy) => {
    const known = await copy.wraps()
    for (const [n, provider, bytes] of rows) {
      const epoch = Number(n)
      const here = known.filter((wrap) => wrap.epoch === epoch)
      if (provider !== master || here.length === 0) continue
      if (here.some((wrap) => wrap.provider === master)) continue
      await copy.putWrap({ epoch, provider: master, bytes: bytes as Uint8Array })
    }
  })
}

/** Everything in a store, to the check value of each key. */
export async function verified(store: Store): Promise<BackupVerified> {
  const { problems, objects, documents } = await store.auditVerify()
  const found: Problem[] = [...problems]
  const known = new Set(found.map(({ subject }) => subject))
  let next: ScrubPosition | undefined = scrubStart
  while (next !== undefined) {
    const step = await store.scrub(next, rowsAtOnce, contentsCheck)
    for (const problem of step.problems) {
      if (known.has(problem.subject)) continue
      known.add(problem.subject)
      found.push(problem)
    }
    next = step.next
  }
  return { objects, documents, problems: found }
}

/** Objects of the backup that the live store does not have, or has in an older state. */
export async function compareWith(
  store: Pick<Store, 'copy'>,
  backup: Pick<OpenBackup, 'tables'>,
): Promise<readonly Problem[]> {
  const wanted = new Map<number, { revision: number; mac: Uint8Array }>()
  for await (const { table, columns, rows } of backup.tables()) {
    if (table !== 'objects') continue
    const names = Object.keys(columns)
    const [n, revision, mac] = ['n', 'revision', 'mac'].map((name) => names.indexOf(name))
    for (const row of rows) {
      const facts = { revision: Number(row[revision!]), mac: row[mac!] as Uint8Array }
      wanted.set(Number(row[n!]), facts)
    }
  }
  await store.copy(async (source) => {
    const objects = tables.find(({ name }) => name === 'objects')!
    const slim = {
      ...objects,
      columns: { n: 'integer', revision: 'integer', mac: 'bytes' },
    } as const
    for (let after = 0; ;) {
      const page = await source.tableRows(slim, [BigInt(after)], rowsAtOnce)
      for (const [n, revision, mac] of page) {
        after = Number(n)
        const there = wanted.get(after)
        if (there === undefined || Number(revision) < there.revision) continue
        const isSame = Buffer.compare(mac as Uint8Array, there.mac) === 0
        if (Number(revision) > there.revision || isSame) wanted.delete(after)
      }
      if (page.length < rowsAtOnce) return
    }
  })
  return [...wanted.keys()].map((n) => ({
    kind: 'missing',
    subject: `object ${n}`,
    message: 'the backup has it in a state that the live keystore has not, or has no more',
  }))
}

/** Notes that a copy of the backup was found whole. */
export async function noteVerified(
  store: Pick<Store, 'act'>,
  id: string,
  actor: AuditActor = administrator,
): Promise<boolean> {
  return store.act(async (work) => {
    const body = await bodyOf(work, 'backup', id)
    if (body === undefined) return false
    const noted = { ...body, verified: Number(work.now) }
    await keepBackup(work, id, noted, actor, 'backup verify')
    return true
  })
}
