// `keyreel master-key reseal` cut off, and beside somebody who reads: how far it is, and that it ends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { administrator } from '../../src/access/documents.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { reseal } from '../../src/keystore/resealing.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore } from '../../src/keystore/store.ts'
import { insertKey } from '../exchange/site.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'

const keys = 250

/** A data directory with that many keys, and a command on it. */
async function filled() {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-resealing-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const data = join(folder, 'data')
  const run = async (...words: string[]) => {
    const { status, stdout, stderr } = await runKeyreel([...words, '--data', data])
    expect({ words, status, stderr }).toMatchObject({ status: 0 })
    return stdout
  }
  await run('init', '--host', 'localhost')
  const open = () =>
    openStore({
      directory: data,
      masterKey: openMasterKeyFile(join(data, 'master.key')),
      writer: 'cli',
    })
  const store = await open()
  await store.act(async (work) => {
    for (let at = 0; at < keys; at++) await insertKey(work, crypto.randomUUID(), {}, work.now)
  })
  await store.close()
  return { data, run, open }
}

test('a run that was cut off shows how far it is, and is ended by the same command', async () => {
  const { run, open } = await filled()
  const store = await open()
  await store.beginEpoch(administrator)
  await reseal(store, { actor: administrator, goesOn: () => false })
  await store.close()
  expect(await run('doctor', 'epochs')).toMatch(
    /^warning +epochs +100 of 2\d\d objects and documents are sealed under epoch 2 \(\d\d %\)\n +remedy: .*keyreel master-key reseal --continue/,
  )
  expect(await run('master-key', 'show')).toMatch(/100 of 2\d\d objects and documents are under/)
  expect(await run('master-key', 'reseal', '--continue')).toMatch(
    /^1\d\d objects and documents sealed under epoch 2/,
  )
  expect(await run('doctor', 'epochs')).toMatch(/^ok +epochs +everything is sealed under epoch 2/)
  expect(await run('audit', 'verify')).toMatch(/^all is well/)
})

test('it ends, and says so, while somebody holds the log of the database', async () => {
  const { data, run } = await filled()
  const reader = await openSqlite({ file: join(data, 'keystore.db') })
  await reader.snapshot(async (sql) => {
    await sql.query('SELECT count(*) FROM objects')
    expect(await run('master-key', 'reseal')).toMatch(/sealed under epoch 2/)
  })
  await reader.close()
})
