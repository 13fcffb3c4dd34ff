// What a node has seen of its database outlives the node's process: one that is behind is refused.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { lastSeenFile } from '../../src/keystore/last-seen.ts'
import { createMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openPostgres } from '../../src/keystore/postgres-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import { clock, create, dataDirectory, get, materialOf, opened, temporaryFolder } from './sample.ts'

let server: PostgresServer

describe.skipIf(withoutPostgres())('with a server', () => {
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  test('a node that starts again goes on with a database that has gone on', async () => {
    const { directory, newest } = await twoDays()
    const store = await opened(directory, { database: [newest] })
    expect(await get(store, 2)).toEqual(materialOf(2))
    await create(store, 3)
    await store.keepLastSeen()
  })

  test('an older database in its place is refused, until the file is moved away', async () => {
    const { directory, older, file } = await twoDays()
    const opening = () => opened(directory, { database: [older], patience: 100 })
    await expect(opening()).rejects.toMatchObject({
      code: 'database-behind',
      hint: expect.stringContaining('last-seen.json') as string,
    })
    rmSync(file)
    expect(await get(await opening(), 1)).toEqual(materialOf(1))
  })

  test('of two databases that take writes the one that has everything is used', async () => {
    const { directory, older, newest } = await twoDays()
    const store = await opened(directory, { database: [older, newest] })
    expect(await get(store, 2)).toEqual(materialOf(2))
  })

  test('an older database whose turns were made up is told by its audit chains', async () => {
    const { directory, older } = await twoDays()
    await withDriver(older, (driver) =>
      driver.transaction((sql) => sql.query('UPDATE turns SET number = number + 20000')),
    )
    await withDriver(older, (driver) =>
      driver.transaction((sql) => sql.query('UPDATE turn_marks SET number = number + 20000')),
    )
    await expect(opened(directory, { database: [older] })).rejects.toMatchObject({
      code: 'rolled-back',
      message: expect.stringContaining('a checkpoint knows record') as string,
    })
  })

  test.each([
    ['changed', (text: string) => text.replace(/"number":\d+/, '"number":1')],
    ['cut off', (text: string) => text.slice(0, 40)],
    ['emptied', () => '{}'],
  ])('a file that was %s is refused', async (_, change) => {
    const { directory, newest, file } = await twoDays()
    writeFileSync(file, change(readFileSync(file, 'utf8')))
    await expect(opened(directory, { database: [newest] })).rejects.toMatchObject({
      code: 'last-seen-damaged',
    })
  })

  test('a database that went another way is refused, however far it has come', async () => {
    const { directory, older, newest } = await twoDays()
    // Somebody went on with the older one: as many turns as the newest has, and more.
    rmSync(join(directory, lastSeenFile))
    const other = await opened(directory, { database: [older] })
    for (let at = 5; at < 12; at++) await create(other, at)
    await other.close()
    const seen = await opened(directory, { database: [newest] })
    await create(seen, 3)
    await seen.keepLastSeen()
    await seen.close()
    await expect(opened(directory, { database: [older], patience: 100 })).rejects.toMatchObject({
      code: 'database-behind',
    })
  })
})

test('a keystore in a file keeps no such file', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await store.keepLastSeen()
  expect(existsSync(join(directory, lastSeenFile))).toBe(false)
})

/** A node, the database it saw last, and a copy of that from before its newest key. */
async function twoDays() {
  const directory = join(temporaryFolder(), 'data')
  const newest = await server.database()
  await initialiseStore({
    directory,
    database: [newest],
    node: 'kms-a',
    masterKey: (building) => createMasterKeyFile(join(building, 'master.key')),
    now: () => clock,
  })
  const first = await opened(directory, { database: [newest] })
  await create(first, 1)
  await first.keepLastSeen()
  await first.close()
  const older = await server.database(newest)
  const second = await opened(directory, { database: [newest] })
  await create(second, 2)
  await second.keepLastSeen()
  await second.close()
  return { directory, newest, older, file: join(directory, lastSeenFile) }
}

async function withDriver(url: string, use: (driver: SqlDriver) => Promise<unknown>) {
  const driver = await openPostgres({ urls: [url] })
  onTestFinished(() => driver.close())
  await use(driver)
  await driver.close()
}
