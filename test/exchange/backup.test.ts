// Backups: what comes back is what was there, byte for byte; anything else is refused or found.
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { administrator } from '../../src/access/documents.ts'
import { backupState, backups } from '../../src/admin/backup-state.ts'
import { recoveryKeyFrom, recoveryOpener } from '../../src/crypto/recovery-keys.ts'
import { createBackup } from '../../src/exchange/backup-create.ts'
import { fillFrom, openBackup, type OpenBackup } from '../../src/exchange/backup-file.ts'
import {
  compareWith,
  noteVerified,
  verified,
  verifyBackup,
} from '../../src/exchange/backup-verify.ts'
import { openExchangeKeys } from '../../src/exchange/identity.ts'
import { loadObject, replaceObject, saveVitals } from '../../src/keystore/keystore.ts'
import { knownSchema, schemaOf } from '../../src/keystore/migrate.ts'
import { createMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { recoveryMasterKey } from '../../src/keystore/recovery-key.ts'
import type { RecoveryShare } from '../../src/keystore/recovery-share.ts'
import { joinShares } from '../../src/keystore/recovery-shares.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { tables } from '../../src/keystore/tables.ts'
import { seeded } from '../keystore/sample.ts'
import { recoverable } from './recoverable.ts'
import { newSite, now, scratch, twoSites, type Site } from './site.ts'

async function backedUp(count: number) {
  const { site, shares } = await recoverable()
  const ids: string[] = []
  for (let at = 0; at < count; at++) ids.push(await site.key({ barcode: `KR000${at}L8` }))
  const file = join(scratch(), 'backup')
  const report = await createBackup(site.store, { out: file })
  return { site, shares, ids, file, report }
}

/** What the holders of the shares can do with a file. */
function byShares(shares: readonly RecoveryShare[]) {
  const id = shares[0]!.key
  const seed = joinShares(shares.slice(1), [`recovery:${id}`])
  const keys = recoveryKeyFrom(seed)
  return {
    masterKey: recoveryMasterKey(seed),
    open: (file: string): Promise<OpenBackup> =>
      openBackup(file, [recoveryOpener(id, keys)], 'the shares'),
  }
}

async function openHere(site: Site, file: string): Promise<OpenBackup> {
  const keys = await site.store.read((work) => openExchangeKeys(work))
  return openBackup(
    file,
    keys.map(({ opener }) => opener),
    'this server',
  )
}

/** A store in memory that was filled from a backup. */
async function restored(shares: readonly RecoveryShare[], file: string): Promise<Store> {
  const { masterKey, open: openFile } = byShares(shares)
  const backup = await openFile(file)
  const driver = await openSqlite({ file: ':memory:' })
  await fillFrom(backup, driver, 'the copy')
  await backup.close()
  return openStore({ driver, masterKey, writer: 'restore', now: () => now })
}

test('shares bring back every key byte for byte, with everything that is known about it', async () => {
  const { site, shares, ids, file, report } = await backedUp(3)
  expect(report.objects).toBe(3)
  const store = await restored(shares, file)
  const { problems, objects } = await verified(store)
  expect({ problems, objects }).toEqual({ problems: [], objects: 3 })
  const rows = async (from: Store) =>
    from.copy(async ({ tableRows }) => {
      const all: unknown[] = []
      for (const name of ['objects', 'attribute_index', 'unique_entries', 'documents']) {
        const table = tables.find((one) => one.name === name)!
        const found = await tableRows(table, undefined, 1000)
        // The note of the backup itself came after the moment of it.
        all.push(found.filter((row) => row[0] !== 'backup'))
      }
      return all
    })
  expect(await rows(store)).toEqual(await rows(site.store))
  expect(ids).toHaveLength(3)
  await store.close()
})

test('the server that made it opens it, verifies it, and says so', async () => {
  const { site, shares, file, report } = await backedUp(2)
  const backup = await openHere(site, file)
  const { masterKey } = byShares(shares)
  const found = await verifyBackup(backup, masterKey, () => now)
  expect(found).toMatchObject({ objects: 2, problems: [] })
  expect(await compareWith(site.store, backup)).toEqual([])
  expect(await backupState(site.store)).toMatchObject({
    verified: undefined,
    missing: { count: 2 },
  })
  expect(await noteVerified(site.store, report.id)).toBe(true)
  expect(await backupState(site.store)).toMatchObject({ missing: { count: 0 } })
  await site.key({ barcode: 'KR0009L8' })
  expect(await backupState(site.store)).toMatchObject({ missing: { count: 1, isFloor: false } })
  await backup.close()
  const records = await site.store.readAudit({ chain: 'test', after: 0, limit: 1000 })
  const operations = records.map(({ operation }) => operation)
  expect(operations).toContain('backup create')
  expect(operations).toContain('backup verify')
})

test('a backup of before the master key was changed is verified by the keystore as it is now', async () => {
  const { site, file } = await backedUp(2)
  await site.store.beginEpoch(administrator)
  const next = createMasterKeyFile(join(scratch(), 'next.key'))
  await site.store.retireOthers(next, administrator)
  await site.store.adoptMasterKey(next)
  const backup = await openHere(site, file)
  const masterKey = () => site.store.lendMasterKey()
  const found = await verifyBackup(backup, masterKey(), () => now, { live: site.store })
  expect(found).toMatchObject({ objects: 2, problems: [] })
  // A keystore that the backup is not of does not lend its epochs.
  const live = { id: 'another', copy: site.store.copy }
  await expect(verifyBackup(backup, masterKey(), () => now, { live })).rejects.toMatchObject({
    code: 'wrong-master-key',
  })
  await backup.close()
})

test('a live keystore that lacks a key of the backup, or has an older state of it, is told apart', async () => {
  const { site, file, ids } = await backedUp(2)
  const other = await recoverable()
  const backup = await openHere(site, file)
  const missing = await compareWith(other.site.store, backup)
  expect(missing.map(({ subject }) => subject)).toEqual(['object 1', 'object 2'])
  expect(ids).toHaveLength(2)
  await backup.close()
})

test('a live keystore that has an older state of a key is told apart, a newer one is not', async () => {
  const { site, shares, ids, file } = await backedUp(2)
  const older = await restored(shares, file)
  await site.store.act(async (work) => {
    const object = (await loadObject(work, 'default', ids[1]!))!
    object.vitals.LastChangeDate = work.now + 1n
    await saveVitals(work, object)
    work.audit({ actor: administrator, operation: 'test', object: object.id, outcome: 'Success' })
  })
  const newer = join(scratch(), 'newer')
  await createBackup(site.store, { out: newer })
  const [before, after] = [await openHere(site, file), await openHere(site, newer)]
  expect((await compareWith(older, after)).map(({ subject }) => subject)).toEqual(['object 2'])
  expect(await compareWith(site.store, before)).toEqual([])
  await Promise.all([before.close(), after.close(), older.close()])
})

test('where there are no links a backup appears whole all the same, and never over another file', async () => {
  const { site } = await recoverable()
  await site.key()
  const out = join(scratch(), 'backup')
  const linkFile = () => Promise.reject(Object.assign(new Error('no links'), { code: 'EPERM' }))
  await createBackup(site.store, { out, linkFile })
  await (await openHere(site, out)).close()
  const before = readFileSync(out)
  await expect(createBackup(site.store, { out, linkFile })).rejects.toMatchObject({
    code: 'EEXIST',
  })
  expect(readFileSync(out)).toEqual(before)
  expect(readdirSync(dirname(out))).toEqual(['backup'])
})

test('other shares, and other servers, do not open it', async () => {
  const { file } = await backedUp(1)
  const other = await recoverable()
  await expect(byShares(other.shares).open(file)).rejects.toMatchObject({ code: 'backup-foreign' })
  await expect(openHere(other.site, file)).rejects.toMatchObject({ code: 'backup-foreign' })
})

test('a bundle is no backup, and a backup is no bundle', async () => {
  const { a, b } = await twoSites()
  await a.key()
  const { file: bundle } = await a.export({ peer: 'B' })
  await expect(openHere(b, bundle)).rejects.toMatchObject({ code: 'backup-unreadable' })
  const { site, file } = await backedUp(1)
  const vouch = () => Promise.resolve()
  await expect(site.import(file, { vouch })).rejects.toMatchObject({ code: 'bundle-unreadable' })
})

test('without a recovery key there is no backup', async () => {
  const site = await newSite()
  const out = join(scratch(), 'backup')
  await expect(createBackup(site.store, { out })).rejects.toMatchObject({ code: 'no-recovery-key' })
  expect(existsSync(out)).toBe(false)
})

test('where the recovery key does not open every epoch there is no backup', async () => {
  const driver = await openSqlite({ file: ':memory:' })
  const { site } = await recoverable({ driver })
  await site.key()
  await site.store.beginEpoch(administrator)
  const out = join(scratch(), 'backup')
  await driver.transaction((sql) =>
    sql.query(`DELETE FROM epoch_wraps WHERE epoch = 1 AND provider LIKE 'recovery:%'`),
  )
  await expect(createBackup(site.store, { out })).rejects.toMatchObject({
    code: 'recovery-incomplete',
    hint: expect.stringContaining('keyreel recovery setup') as string,
  })
  expect(existsSync(out)).toBe(false)
})

test('a file that is changed in any place, cut or lengthened is refused', async () => {
  const { site, file } = await backedUp(2)
  const whole = readFileSync(file)
  const changed = join(scratch(), 'changed')
  const random = seeded(20_261_128)
  for (let round = 0; round < 400; round++) {
    const bytes = Buffer.from(whole)
    const at = random(bytes.length)
    bytes[at]! ^= 1 << random(8)
    writeFileSync(changed, bytes)
    await expect(openHere(site, changed), `bit at byte ${at}`).rejects.toMatchObject({
      code: expect.stringMatching(/^(backup-unreadable|backup-foreign|sender-differs)$/) as string,
    })
  }
  for (let round = 0; round < 50; round++) {
    writeFileSync(changed, whole.subarray(0, random(whole.length)))
    await expect(openHere(site, changed)).rejects.toMatchObject({ code: 'backup-unreadable' })
  }
  writeFileSync(changed, Buffer.concat([whole, Buffer.from('x')]))
  await expect(openHere(site, changed)).rejects.toMatchObject({ code: 'backup-unreadable' })
})

test('damage that was in the database when the backup was made is found in it', async () => {
  const { site, shares, file } = await backedUp(2)
  const { masterKey, open: openFile } = byShares(shares)
  const backup = await openFile(file)
  const damaged: Pick<OpenBackup, 'manifest' | 'tables'> = {
    manifest: backup.manifest,
    async *tables() {
      for await (const part of backup.tables()) {
        const at = Object.keys(part.columns).indexOf('sealed')
        if (part.table !== 'objects') {
          yield part
          continue
        }
        const rows = part.rows.map((row, index) => {
          if (index > 0) return row
          const sealed = Buffer.from(row[at] as Uint8Array)
          sealed[20]! ^= 1
          return row.map((value, column) => (column === at ? sealed : value))
        })
        yield { ...part, rows }
      }
    },
  }
  const found = await verifyBackup({ ...backup, ...damaged }, masterKey, () => now)
  expect(found.problems.map(({ kind }) => kind)).toContain('changed')
  await backup.close()
  expect(await site.store.read(backups)).toHaveLength(1)
})

test('an earlier key of an object in the place of its own is found in a backup by its check value', async () => {
  const driver = await openSqlite({ file: ':memory:' })
  const { site, shares } = await recoverable({ driver })
  const id = await site.key()
  const [before] = await driver.snapshot((sql) => sql.query('SELECT sealed FROM objects'))
  await site.store.act(async (work) => {
    const object = (await loadObject(work, 'default', id))!
    await replaceObject(work, object, object, Buffer.alloc(120, 7))
    work.audit({ actor: administrator, operation: 'Import', object: id, outcome: 'Success' })
  })
  const verify = async (file: string) => {
    await createBackup(site.store, { out: file })
    const backup = await openHere(site, file)
    const { problems } = await verifyBackup(backup, byShares(shares).masterKey, () => now)
    await backup.close()
    return problems
  }
  const folder = scratch()
  expect(await verify(join(folder, 'own'))).toEqual([])
  await driver.transaction((sql) => sql.query('UPDATE objects SET sealed = ?1', before))
  expect(await verify(join(folder, 'earlier'))).toMatchObject([
    { kind: 'changed', subject: id, message: expect.stringContaining('check value') as string },
  ])
})

test('a backup of a newer keyreel is refused before anything of it is looked at', async () => {
  const { site, file } = await backedUp(1)
  const backup = await openHere(site, file)
  const driver = await openSqlite({ file: ':memory:' })
  const newer = { ...backup, manifest: { ...backup.manifest, SchemaVersion: knownSchema() + 1 } }
  await expect(fillFrom(newer, driver, 'the backup')).rejects.toMatchObject({
    code: 'newer-schema',
    message: `the backup: written by a newer keyreel (schema ${knownSchema() + 1}; this one knows ${knownSchema()})`,
  })
  expect(await schemaOf(driver)).toBe(0)
  await Promise.all([backup.close(), driver.close()])
})

test('nothing of a key, a name or a tape can be read in a backup', async () => {
  const { file, ids } = await backedUp(1)
  const bytes = readFileSync(file)
  for (const text of [ids[0]!, 'KR0000L8', 'alpha', 'objects', 'sealed'])
    expect(bytes.includes(text), text).toBe(false)
})

test('a disk that is full leaves no file', async () => {
  const { site } = await recoverable()
  await site.key()
  const folder = scratch()
  // The device on which every write fails for lack of space.
  const openFile = ((path: string, flags: string) =>
    open(flags === 'r' ? path : '/dev/full', 'r+')) as typeof open
  const out = join(folder, 'backup')
  await expect(createBackup(site.store, { out, openFile })).rejects.toMatchObject({
    code: 'ENOSPC',
  })
  expect(readdirSync(folder)).toEqual([])
  expect(await site.store.read(backups)).toEqual([])
})

test('a file that is there is not written over', async () => {
  const { site, file } = await backedUp(1)
  const before = join(scratch(), 'before')
  copyFileSync(file, before)
  await expect(createBackup(site.store, { out: file })).rejects.toMatchObject({ code: 'EEXIST' })
  expect(readFileSync(file)).toEqual(readFileSync(before))
})
