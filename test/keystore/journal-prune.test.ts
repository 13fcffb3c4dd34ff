// Files of a journal that a backup makes unnecessary: none is told so whose rows the backup does not hold.
import { appendFileSync, cpSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { coveredFiles, removeFiles } from '../../src/keystore/journal-prune.ts'
import { demandWhole } from '../../src/keystore/journal-restore.ts'
import type { Store } from '../../src/keystore/store.ts'
import { copyOf, journalGround, problemsOf, serving } from './journal-sample.ts'
import {
  actor,
  createKey,
  dataDirectory,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  opened,
  temporaryFolder,
} from './sample.ts'

const filesIn = (path: string) => readdirSync(path).sort()

/** A journal begins a new file with every frame. */
const short = { fileLength: 1 }

/** The keystore as a backup of that moment would bring it back. */
async function backupOf(directory: string): Promise<Store> {
  return opened(copyOf(directory), { writer: 'verify' })
}

test('files are covered up to the first row that the backup lacks; the rest comes back with it', async () => {
  const { directory, path, store } = await journalGround(short)
  for (let at = 1; at <= 4; at++) await createKey(store, at)
  const backup = await backupOf(directory)
  for (let at = 5; at <= 8; at++) await createKey(store, at)
  await store.close()

  const all = filesIn(path)
  const covered = await coveredFiles(backup, path, actor)
  expect(covered.length).toBeGreaterThan(3)
  expect(covered).toEqual(all.slice(0, covered.length))
  expect(all.length - covered.length).toBeGreaterThan(3)
  await removeFiles(path, covered)
  expect(filesIn(path)).toEqual(all.slice(covered.length))

  const report = await backup.replayJournal({ path, apply: true, actor })
  expect(report).toMatchObject({ objects: 4, faults: [], problems: [], auditLeft: 0 })
  for (let at = 1; at <= 8; at++) expect(await get(backup, at)).toEqual(materialOf(at))
  expect(await problemsOf(backup)).toEqual([])
  // The server goes on with what is left.
  const again = await serving(directory, [path], short)
  expect(again.journals()[0]?.state).toBe('current')
  await expect(demandWhole(path)).rejects.toMatchObject({ code: 'journal-pruned' })
})

test('a backup that is older than what is left is said to be too old', async () => {
  const { directory, path, store } = await journalGround(short)
  await createKey(store, 1)
  const older = await backupOf(directory)
  for (let at = 2; at <= 4; at++) await createKey(store, at)
  const backup = await backupOf(directory)
  await createKey(store, 5)
  await store.close()
  await removeFiles(path, await coveredFiles(backup, path, actor))
  const report = await older.replayJournal({ path, apply: false, actor })
  expect(report.isWhole).toBe(false)
  expect(report.faults).toMatchObject([
    {
      kind: 'gap',
      where: 'chain serve',
      message: expect.stringMatching(/a later backup/) as string,
    },
  ])
})

test('a row that was caught up with as it stood later is not covered by records alone', async () => {
  const directory = await dataDirectory()
  const cli = await opened(directory, { writer: 'cli' })
  for (let at = 1; at <= 150; at++) await createKey(cli, at)
  const backup = await backupOf(directory)
  await cli.act(async (work) => {
    const object = await loaded(work, 1)
    work.audit(done('Modify Attribute', idOf(1)))
    await work.update(object, { record: object.record })
  })
  // The first file has the records up to the backup, and with them key 1 as it was changed since.
  const path = join(temporaryFolder(), 'journal')
  const store = await serving(directory, [path], short)
  await store.close()
  expect(filesIn(path).length).toBeGreaterThan(2)
  expect(await coveredFiles(backup, path, actor)).toEqual([])
  const later = await backupOf(directory)
  expect(await coveredFiles(later, path, actor)).toEqual(filesIn(path).slice(0, -1))
})

test('a damaged file and those behind it stay, an end that was cut off is no damage', async () => {
  const { directory, path, store } = await journalGround(short)
  for (let at = 1; at <= 5; at++) await createKey(store, at)
  await store.close()
  const backup = await backupOf(directory)
  const all = filesIn(path)
  const cut = copyOf(path)
  appendFileSync(join(cut, all[1]!), Buffer.from('KRJF\0\0\0'))
  expect(await coveredFiles(backup, cut, actor)).toEqual(all.slice(0, -1))
  const damaged = copyOf(path)
  truncateSync(join(damaged, all[2]!), 40)
  writeFileSync(join(damaged, all[3]!), 'something else')
  expect(await coveredFiles(backup, damaged, actor)).not.toContain(all[3])
  rmSync(join(damaged, all[0]!))
  expect(await coveredFiles(backup, damaged, actor)).not.toContain(all[3])
})

test('what was never committed keeps no file', async () => {
  const { directory, path, store } = await journalGround(short)
  await createKey(store, 1)
  const before = copyOf(path)
  const keystore = copyOf(directory)
  await createKey(store, 2)
  await store.close()
  // A death between sync and commit: the file of key 2 stays, and other records take its place.
  rmSync(directory, { recursive: true })
  cpSync(keystore, directory, { recursive: true })
  const without = await opened(directory)
  await createKey(without, 3)
  await without.close()
  const kept = filesIn(path).find((file) => !filesIn(before).includes(file))
  const again = await serving(directory, [path], short)
  await again.act((work) => Promise.resolve(work.audit(done('Test'))))
  await createKey(again, 4)
  await again.close()
  const backup = await backupOf(directory)
  expect(await coveredFiles(backup, path, actor)).toContain(kept)
})
