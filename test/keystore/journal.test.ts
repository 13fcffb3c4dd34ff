// A journal beside the keystore: what is acknowledged is in it, what it lacks is caught up with, and a keystore
// that was put back or lost comes back from it.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { frameOf, framesIn, journalMagic } from '../../src/keystore/journal-format.ts'
import { beginFromJournal, demandWhole } from '../../src/keystore/journal-restore.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { ReplayReport } from '../../src/keystore/journal-replay.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import {
  copies,
  copyOf,
  journalGround,
  journalPlace,
  problemsOf,
  quiet,
  serving,
} from './journal-sample.ts'
import {
  actor,
  clock,
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

function replay(store: Store, path: string, apply = true): Promise<ReplayReport> {
  return store.replayJournal({ path, apply, actor })
}

async function expectSound(store: Store): Promise<void> {
  expect(await problemsOf(store)).toEqual([])
}

/** Puts an older copy of the data directory in its place. */
function putBack(copy: string, directory: string): void {
  rmSync(directory, { recursive: true })
  cpSync(copy, directory, { recursive: true })
}

function newest(path: string): string {
  return join(path, readdirSync(path).sort().at(-1)!)
}

describe('while it is there', () => {
  test('it is a second copy, and holds each key before that is acknowledged', async () => {
    const { store, path } = await journalGround()
    expect(await copies(store)).toMatchObject({ count: 2 })
    expect(store.journals()[0]).toMatchObject({ path, state: 'current', reason: undefined })
    await createKey(store, 1)
    expect(readFileSync(newest(path), 'utf8')).toContain(idOf(1))
    expect(statSync(newest(path)).mode & 0o777).toBe(0o600)
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  test('no key stands in it in the clear', async () => {
    const { store, path } = await journalGround()
    await createKey(store, 7)
    const bytes = readFileSync(newest(path))
    expect(bytes.includes(Buffer.from(materialOf(7)))).toBe(false)
    expect(bytes.includes(Buffer.from(materialOf(7)).toString('base64').slice(0, 40))).toBe(false)
  })

  test('acts that only record wait for no second disk, and are in it a moment later', async () => {
    const { store, path } = await journalGround()
    await createKey(store, 1)
    await store.tendJournals()
    const before = statSync(newest(path)).size
    await get(store, 1)
    expect(statSync(newest(path)).size).toBe(before)
    await store.tendJournals()
    expect(statSync(newest(path)).size).toBeGreaterThan(before)
  })

  test('what other processes write is caught up with', async () => {
    const { store, path, directory } = await journalGround()
    const cli = await opened(directory, { writer: 'cli' })
    await createKey(cli, 5)
    expect(await copies(cli)).toMatchObject({ count: 1 })
    await store.tendJournals()
    expect(readFileSync(newest(path), 'utf8')).toContain(idOf(5))
  })

  test('a new file begins when one is long enough, and each can be read without those before', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    const store = await serving(directory, [path], { fileLength: 4096 })
    for (let at = 1; at <= 8; at++) await createKey(store, at)
    await store.tendJournals()
    await store.close()
    expect(readdirSync(path).length).toBeGreaterThan(2)
    const again = await serving(directory, [path], { fileLength: 4096 })
    const report = await replay(again, path, false)
    expect(report).toMatchObject({ faults: [], problems: [], objects: 0, isWhole: true })
  })
})

describe('a keystore that was put back', () => {
  test('gets everything from it that it lacks, once', async () => {
    const { store, path, directory } = await journalGround()
    await createKey(store, 1)
    await store.close()
    const copy = copyOf(directory)

    const later = await serving(directory, [path])
    await createKey(later, 2)
    await createKey(later, 3)
    await later.beginEpoch(actor)
    await createKey(later, 4)
    await later.act(async (work) => {
      await work.putDocument('test', 'later', { a: 1 }, materialOf(9))
      work.audit(done('Test'))
    })
    await get(later, 4)
    await later.close()

    putBack(copy, directory)
    const restored = await opened(directory, { writer: 'cli' })
    const looked = await replay(restored, path, false)
    expect(looked).toMatchObject({ objects: 3, documents: 1, problems: [], faults: [], undone: 0 })
    expect(await restored.read((work) => work.identifiers('', 9))).toHaveLength(1)

    const report = await replay(restored, path)
    expect(report).toMatchObject({
      objects: 3,
      documents: 1,
      auditLeft: 0,
      problems: [],
      doubled: [],
    })
    expect(report.auditRecords).toBe(looked.auditRecords)
    for (const at of [1, 2, 3, 4]) expect(await get(restored, at)).toEqual(materialOf(at))
    await expectSound(restored)
    expect(await replay(restored, path)).toMatchObject({
      objects: 0,
      changes: 0,
      documents: 0,
      auditRecords: 0,
    })
    await expectSound(restored)
  })

  test('does not go on with it before', async () => {
    const { store, path, directory } = await journalGround()
    await store.close()
    const copy = copyOf(directory)
    const later = await serving(directory, [path])
    for (let at = 1; at <= 12; at++) await createKey(later, at)
    await later.close()
    putBack(copy, directory)
    await expect(serving(directory, [path])).rejects.toMatchObject({ code: 'journal-other' })
    const cli = await opened(directory, { writer: 'cli' })
    expect(await replay(cli, path)).toMatchObject({ objects: 12 })
    await expectSound(cli)
  })

  test('keeps what is newer than in the journal, and what was destroyed stays destroyed', async () => {
    const { store, path, directory } = await journalGround()
    await createKey(store, 1)
    await createKey(store, 2)
    await store.close()
    const copy = copyOf(directory)
    const later = await serving(directory, [path])
    await later.act(async (work) => {
      const object = await loaded(work, 2)
      work.audit(done('Wipe', idOf(2)))
      await work.wipe(object)
    })
    await createKey(later, 3)
    await later.close()
    putBack(copy, directory)

    const cli = await opened(directory, { writer: 'cli' })
    expect(await replay(cli, path)).toMatchObject({ objects: 1, wiped: 1, problems: [] })
    await expect(get(cli, 2)).rejects.toMatchObject({ code: 'material-missing' })
    expect(await get(cli, 1)).toEqual(materialOf(1))
  })

  test('believes no row that was changed, and says which', async () => {
    const { store, path, directory } = await journalGround()
    await store.close()
    const copy = copyOf(directory)
    const later = await serving(directory, [path])
    await createKey(later, 1)
    await createKey(later, 2)
    await later.close()
    putBack(copy, directory)
    // Somebody who can make digests writes another record into a frame.
    const file = newest(path)
    const bytes = readFileSync(file)
    const parts: Uint8Array[] = [journalMagic]
    for (const met of framesIn(bytes)) {
      if (met.kind !== 'frame') throw new Error('not as it was written')
      const { sequence, payload } = met.frame
      const text = Buffer.from(payload).toString()
      const isIt = text.includes(`["object","${idOf(1)}","default",2,1,`)
      parts.push(frameOf(sequence, isIt ? text.replace('"default",2,1', '"default",2,9') : text))
    }
    writeFileSync(file, Buffer.concat(parts))
    const cli = await opened(directory, { writer: 'cli' })
    const report = await replay(cli, path)
    expect(report.problems).toEqual([
      { subject: idOf(1), message: expect.stringContaining('changed outside keyreel') as string },
    ])
    expect(await get(cli, 2)).toEqual(materialOf(2))
  })
})

describe('a frame that was never committed', () => {
  test('counts when nothing took its place, as a commit whose answer was lost', async () => {
    const { store, path, directory } = await journalGround()
    await createKey(store, 1)
    await store.close()
    const copy = copyOf(directory)
    const later = await serving(directory, [path])
    await createKey(later, 2)
    await later.close()
    // As after a death between the sync of the journal and the commit.
    putBack(copy, directory)
    const again = await serving(directory, [path])
    expect(await get(again, 2)).toEqual(materialOf(2))
    expect(again.journals()[0]?.state).toBe('current')
    await expectSound(again)
  })

  test('does not count when another took its place', async () => {
    const { store, path, directory } = await journalGround()
    await createKey(store, 1)
    let runs = 0
    await expect(
      store.act(async (work) => {
        runs++
        work.audit(done('Create', idOf(2)))
        await work.putDocument('test', 'undone', { runs })
        throw new Error('the act failed')
      }),
    ).rejects.toThrow('the act failed')
    await createKey(store, 3)
    await store.close()
    const report = await replay(await opened(directory, { writer: 'cli' }), path)
    expect(report).toMatchObject({ objects: 0, documents: 0, problems: [] })
  })
})

describe('its disk is away', () => {
  test('the keystore goes on with one copy, and catches up when it is back', async () => {
    const { store, path, directory } = await journalGround()
    await createKey(store, 1)
    const aside = `${path}.aside`
    cpSync(path, aside, { recursive: true })
    await store.close()
    rmSync(path, { recursive: true })

    const again = await serving(directory, [path])
    expect(again.journals()[0]).toMatchObject({ state: 'away', reason: 'its folder is not there' })
    expect(await copies(again)).toEqual({
      count: 1,
      missing: 'the journal is away (its folder is not there)',
    })
    await createKey(again, 2)
    expect(existsSync(path)).toBe(false)
    // An empty folder, as a mount point is without its disk, is not the journal either.
    mkdirSync(path)
    await again.tendJournals()
    expect(again.journals()[0]?.state).toBe('away')
    cpSync(aside, path, { recursive: true })
    await again.tendJournals()
    expect(again.journals()[0]).toMatchObject({ state: 'current', reason: undefined })
    expect(readFileSync(newest(path), 'utf8')).toContain(idOf(2))
    expect(await copies(again)).toMatchObject({ count: 2 })
  })
})

test('a folder that is moved away while it is written is no copy, and is when it is back', async () => {
  const { store, path } = await journalGround()
  await createKey(store, 1)
  renameSync(path, `${path}.elsewhere`)
  await createKey(store, 2)
  expect(store.journals()[0]).toMatchObject({ state: 'away', reason: 'its folder is not there' })
  await store.tendJournals()
  expect(existsSync(path)).toBe(false)
  renameSync(`${path}.elsewhere`, path)
  await store.tendJournals()
  expect(store.journals()[0]?.state).toBe('current')
  expect(await replay(store, path, false)).toMatchObject({ objects: 0, faults: [], undone: 0 })
  expect(readFileSync(newest(path), 'utf8')).toContain(idOf(2))
})

test('a disk that does not answer stops nobody for long, and what it had after all counts once', async () => {
  const directory = await dataDirectory()
  const path = journalPlace()
  let disk: PromiseWithResolvers<void> | undefined
  const sync = async (file: FileHandle): Promise<void> => {
    await file.datasync()
    await disk?.promise
  }
  const store = await serving(directory, [path], { patience: 1000, sync })
  await createKey(store, 1)
  disk = Promise.withResolvers<void>()
  // The frame is there, but nobody knows: the act runs again without the journal.
  await createKey(store, 2)
  expect(store.journals()[0]).toMatchObject({ state: 'away', reason: 'its disk does not answer' })
  await store.tendJournals()
  expect(store.journals()[0]?.state).toBe('away')
  await createKey(store, 3)

  const stuck = disk
  disk = undefined
  stuck.resolve()
  for (let tries = 0; store.journals()[0]?.state !== 'current' && tries < 1000; tries++) {
    await nextTurn()
    await store.tendJournals()
  }
  expect(await copies(store)).toMatchObject({ count: 2 })
  const report = await replay(store, path, false)
  expect(report).toMatchObject({ objects: 0, changes: 0, problems: [], faults: [] })
  await store.close()
  const again = await serving(directory, [path])
  expect(again.journals()[0]?.state).toBe('current')
  for (const at of [1, 2, 3]) expect(await get(again, at)).toEqual(materialOf(at))
})

describe('refused at the start', () => {
  test.each([
    [
      'a journal of another keystore',
      'journal-foreign',
      async (path: string) => {
        const other = await serving(await dataDirectory(), [path])
        await other.close()
      },
    ],
    ['a symbolic link', 'journal-link', (path: string) => symlinkSync(temporaryFolder(), path)],
    ['a file', 'journal-no-folder', (path: string) => writeFileSync(path, '')],
    [
      'files that are none',
      'journal-damaged',
      (path: string) => {
        mkdirSync(path)
        writeFileSync(join(path, '00000001.journal'), 'something else')
      },
    ],
    [
      'something that is no file',
      'journal-no-file',
      (path: string) => {
        mkdirSync(join(path, '00000001.journal'), { recursive: true })
      },
    ],
    [
      'a form of a later release',
      'journal-newer',
      (path: string) => {
        mkdirSync(path)
        const header = { format: 2, journal: 'j', store: 's', file: 1, time: 1, heads: [] }
        const bytes = Buffer.concat([journalMagic, frameOf(0, JSON.stringify(header))])
        writeFileSync(join(path, '00000001.journal'), bytes)
      },
    ],
  ] as [string, string, (path: string) => unknown][])('%s', async (_, code, prepare) => {
    const path = journalPlace()
    await prepare(path)
    await expect(serving(await dataDirectory(), [path])).rejects.toMatchObject({ code })
  })

  test('where not even the folder above is there, the server starts without it', async () => {
    const store = await serving(await dataDirectory(), [
      join(temporaryFolder(), 'absent', 'journal'),
    ])
    expect(store.journals()[0]?.state).toBe('away')
  })
})

describe('a damaged journal', () => {
  async function written() {
    const { store, path, directory } = await journalGround()
    await store.close()
    const copy = copyOf(directory)
    const later = await serving(directory, [path])
    for (let at = 1; at <= 5; at++) await createKey(later, at)
    await later.close()
    putBack(copy, directory)
    return { path, file: newest(path), cli: await opened(directory, { writer: 'cli' }) }
  }

  test('cut off at its end gives back what is before, and says so', async () => {
    const { path, file, cli } = await written()
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.subarray(0, bytes.length - 10))
    const report = await replay(cli, path, false)
    expect(report.faults).toMatchObject([{ kind: 'cut' }])
    expect(report.objects).toBe(4)
    const frames = [...framesIn(bytes)].flatMap((met) => (met.kind === 'frame' ? [met.frame] : []))
    const at = frames.findIndex(({ payload }) => Buffer.from(payload).includes(idOf(4)))
    writeFileSync(file, bytes.subarray(0, frames[at]!.to - 1))
    expect(await replay(cli, path)).toMatchObject({ objects: 3, faults: [{ kind: 'cut' }] })
  })

  test('in its middle names the place and gives back the rest', async () => {
    const { path, file, cli } = await written()
    const bytes = readFileSync(file)
    bytes[bytes.indexOf(`["object","${idOf(3)}"`) + 40]! ^= 1
    writeFileSync(file, bytes)
    const report = await replay(cli, path)
    expect(report.faults).toMatchObject([
      { kind: 'damage', where: expect.stringMatching(/^\d{8}\.journal\/\d+$/) as string },
    ])
    expect(report.objects).toBe(4)
    expect(report.auditLeft).toBeGreaterThan(0)
    for (const at of [1, 2, 4, 5]) expect(await get(cli, at)).toEqual(materialOf(at))
    await expectSound(cli)
  })
})

test('a keystore that is lost altogether is made anew out of a journal that held everything', async () => {
  const directory = await dataDirectory()
  const cli = await opened(directory, { writer: 'cli' })
  await createKey(cli, 1)
  const path = journalPlace()
  const store = await serving(directory, [path])
  await createKey(store, 2)
  await cli.beginEpoch(actor)
  await store.tendJournals()
  await store.close()
  const driver = await openSqlite({ file: ':memory:' })
  await beginFromJournal(path, await demandWhole(path), driver, 'memory')
  const masterKey = openMasterKeyFile(join(directory, 'master.key'))
  const made = await openStore({ driver, masterKey, writer: 'restore', now: () => clock })
  onTestFinished(() => made.close())
  expect(made.id).toBe(store.id)
  expect(await replay(made, path)).toMatchObject({ objects: 2, auditLeft: 0, problems: [] })
  expect(await get(made, 1)).toEqual(materialOf(1))
  expect(await get(made, 2)).toEqual(materialOf(2))
  await expectSound(made)
})

test('one that never held everything is not taken for a keystore', async () => {
  const directory = await dataDirectory()
  const path = journalPlace()
  const store = await opened(directory, { journals: { paths: [path], log: quiet } })
  await createKey(store, 1)
  await store.close()
  mkdirSync(path, { recursive: true })
  const header = { format: 1, journal: 'j', store: store.id, file: 1, time: 1, heads: [] }
  writeFileSync(
    join(path, '00000001.journal'),
    Buffer.concat([journalMagic, frameOf(0, JSON.stringify(header))]),
  )
  await expect(demandWhole(path)).rejects.toMatchObject({ code: 'journal-partial' })
})
