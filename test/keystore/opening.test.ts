// Opening and making data directories: whole or not at all, and every failure said in the administrator's words.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { knownSchema } from '../../src/keystore/migrate.ts'
import { describeStore } from '../../src/keystore/describe-store.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openStore } from '../../src/keystore/store.ts'
import {
  actor,
  create,
  dataDirectory,
  done,
  get,
  idOf,
  loaded,
  materialOf,
  memoryMasterKey,
  opened,
  tamper,
  temporaryFolder,
} from './sample.ts'

const masterKey = memoryMasterKey()

async function refusalOf(attempt: Promise<unknown>): Promise<UserError> {
  const error = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UserError)
  const refusal = error as UserError
  expect(refusal.hint).not.toBe('')
  return refusal
}

test('a directory that is missing or empty is not initialised: exit status 10', async () => {
  const empty = temporaryFolder()
  for (const directory of [empty, join(empty, 'missing')]) {
    const refusal = await refusalOf(openStore({ directory, masterKey, writer: 'serve' }))
    expect(refusal).toMatchObject({ code: 'not-initialised', exitStatus: 10 })
    expect(refusal.message).toContain(directory)
  }
  expect(readdirSync(empty)).toEqual([])
})

test('an empty database is not initialised either', async () => {
  const directory = temporaryFolder()
  writeFileSync(join(directory, 'keystore.db'), '')
  const refusal = await refusalOf(openStore({ directory, masterKey, writer: 'cli' }))
  expect(refusal).toMatchObject({ code: 'not-initialised', exitStatus: 10 })
})

test('a file that is no database is named', async () => {
  const directory = temporaryFolder()
  writeFileSync(
    join(directory, 'keystore.db'),
    'this is a text file, and a long one at that\n'.repeat(99),
  )
  const refusal = await refusalOf(openStore({ directory, masterKey, writer: 'serve' }))
  expect(refusal).toMatchObject({ code: 'not-a-database', exitStatus: 1 })
  expect(refusal.message).toContain(join(directory, 'keystore.db'))
})

test('a damaged page is an error that names the file, and no wrong key', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  for (let at = 1; at <= 200; at++) await create(store, at)
  await store.close()
  const file = join(directory, 'keystore.db')
  const bytes = readFileSync(file)
  bytes.fill(0xff, 4096, bytes.length)
  writeFileSync(file, bytes)
  const refusal = await refusalOf(opened(directory).then((again) => get(again, 100)))
  expect(refusal.code).toBe('database-damaged')
  expect(refusal.message).toContain(file)
})

test('a schema of a newer keyreel is refused and left as it is', async () => {
  const directory = await dataDirectory()
  tamper(directory, `UPDATE settings SET value = '999' WHERE name = 'schema'`)
  const refusal = await refusalOf(opened(directory))
  expect(refusal.code).toBe('newer-schema')
  expect(refusal.message).toContain('999')
  expect(tamper(directory, `SELECT value FROM settings WHERE name = 'schema'`)).toEqual([
    { value: '999' },
  ])
})

test('a rollback journal beside the database is not rolled in', async () => {
  const directory = await dataDirectory()
  writeFileSync(join(directory, 'keystore.db-journal'), 'from elsewhere')
  const refusal = await refusalOf(opened(directory))
  expect(refusal.code).toBe('foreign-journal')
})

test('a second server in the same directory is refused until the first closes', async () => {
  const directory = await dataDirectory()
  const first = await opened(directory)
  expect((await refusalOf(opened(directory))).code).toBe('already-served')
  await first.close()
  const second = await opened(directory)
  await create(second, 1)
})

test('a failed opening gives the serve lock back', async () => {
  const directory = await dataDirectory()
  const otherKey = memoryMasterKey('file:other')
  const attempt = openStore({ directory, masterKey: otherKey, writer: 'serve' })
  expect((await refusalOf(attempt)).code).toBe('wrong-master-key')
  await create(await opened(directory), 1)
})

test('initialising leaves one directory, private, with nothing beside it', async () => {
  const parent = temporaryFolder()
  const directory = join(parent, 'data')
  await initialise(directory)
  expect(readdirSync(parent)).toEqual(['data'])
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(readdirSync(directory)).toEqual(expect.arrayContaining(['keystore.db', 'master.key']))
})

test('an empty directory may be initialised, one with other files or a store may not', async () => {
  const parent = temporaryFolder()
  const directory = join(parent, 'data')
  mkdirSync(directory)
  await initialise(directory)
  expect((await refusalOf(initialise(directory))).code).toBe('initialised')
  const used = join(parent, 'used')
  mkdirSync(used)
  writeFileSync(join(used, 'letter.txt'), 'dear reader')
  expect((await refusalOf(initialise(used))).code).toBe('directory-in-use')
  expect(readdirSync(used)).toEqual(['letter.txt'])
})

test('an initialisation cut off in an existing directory is finished or begun anew', async () => {
  const directory = temporaryFolder()
  mkdirSync(join(directory, '.initialising-cut-off'))
  await initialise(directory)
  // Cut off between two files: the database is the last to come into its place.
  mkdirSync(join(directory, '.initialised'))
  renameSync(join(directory, 'keystore.db'), join(directory, '.initialised', 'keystore.db'))
  expect((await refusalOf(opened(directory))).code).toBe('not-initialised')
  expect((await refusalOf(initialise(directory))).code).toBe('initialised')
  expect(readdirSync(directory).sort()).toEqual(['keystore.db', 'master.key', 'serve.lock'])
  await create(await opened(directory), 1)
})

test('an initialisation that fails half-way leaves nothing and takes back what it made elsewhere', async () => {
  const parent = temporaryFolder()
  let undone = false
  const failing = initialiseStore({
    directory: join(parent, 'data'),
    masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
    fill: () => Promise.reject(new Error('no certificate')),
    undo: () => (undone = true),
  })
  await expect(failing).rejects.toThrow('no certificate')
  expect(readdirSync(parent)).toEqual([])
  expect(undone).toBe(true)
})

test('a master key that was there before is not taken back with a failed initialisation', async () => {
  const parent = temporaryFolder()
  const path = join(parent, 'other.key')
  createMasterKeyFile(path)
  const failing = initialiseStore({
    directory: join(parent, 'data'),
    masterKey: () => createMasterKeyFile(path),
    undo: () => rmSync(path),
  })
  await expect(failing).rejects.toMatchObject({ code: 'master-key-exists' })
  expect(readdirSync(parent)).toEqual(['other.key'])
})

test('a directory that cannot be made is an error that names it', async () => {
  const parent = temporaryFolder()
  writeFileSync(join(parent, 'file'), '')
  const refusal = await refusalOf(initialise(join(parent, 'file', 'data')))
  expect(refusal.code).toBe('directory-unwritable')
  expect(refusal.message).toContain(join(parent, 'file', 'data'))
})

test('what the store begins with is put in before the directory appears', async () => {
  const directory = join(temporaryFolder(), 'data')
  await initialise(directory)
  const store = await opened(directory)
  expect((await store.read((work) => work.document('group', 'default')))?.body).toEqual({
    destroy: '30d',
  })
})

test('a store can be described without its master key', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const description = await describeStore(directory)
  expect(description).toMatchObject({ schema: knownSchema(), id: store.id })
  expect(description?.providers).toEqual([expect.stringMatching(/^file:[0-9a-f]{16}$/)])
  expect(await describeStore(join(directory, 'missing'))).toBeUndefined()
})

test('a store goes on from a copy of its directory made while it was closed', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.close()
  const copy = temporaryFolder()
  for (const name of ['keystore.db', 'master.key'])
    copyFileSync(join(directory, name), join(copy, name))
  chmodSync(join(copy, 'master.key'), 0o600)
  const again = await opened(copy)
  expect(await get(again, 1)).toEqual(materialOf(1))
  await again.act(async (work) => {
    await work.wipe(await loaded(work, 1))
    work.audit({ ...done('Wipe', idOf(1)), actor })
  })
  expect(existsSync(join(directory, 'serve.pid'))).toBe(false)
})

function initialise(directory: string): Promise<void> {
  return initialiseStore({
    directory,
    masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
    fill: (store) =>
      store.act(async (work) => {
        await work.putDocument('group', 'default', { destroy: '30d' })
        work.audit({ actor, operation: 'Set Group', outcome: 'Success' })
      }),
  })
}
