// Several journals beside one keystore, and commands that write to them beside the server.
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { beginFromJournal, demandWhole } from '../../src/keystore/journal-restore.ts'
import { surveyJournal } from '../../src/keystore/journal-survey.ts'
import { journalsFor } from '../../src/keystore/journal-wish.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { notedJournals } from '../../src/keystore/noted-journals.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { copies, copyOf, journalPlace, problemsOf, quiet, serving } from './journal-sample.ts'
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

const namesIn = (path: string) => readdirSync(path).sort()

/** A command beside the server, which has looked for the journals. */
async function command(directory: string, paths?: readonly string[]): Promise<Store> {
  const commandJournals = { log: quiet, ...(paths && { paths }) }
  const store = await opened(directory, { writer: 'cli', commandJournals })
  await copies(store)
  return store
}

/** The keystore as it comes back out of a journal alone. */
async function outOf(path: string, directory: string): Promise<Store> {
  const driver = await openSqlite({ file: ':memory:' })
  await beginFromJournal(path, await demandWhole(path), driver, 'memory')
  const masterKey = openMasterKeyFile(join(directory, 'master.key'))
  const made = await openStore({ driver, masterKey, writer: 'restore', now: () => clock })
  onTestFinished(() => made.close())
  const report = await made.replayJournal({ path, apply: true, actor })
  expect(report).toMatchObject({ problems: [], faults: [], auditLeft: 0 })
  expect(await problemsOf(made)).toEqual([])
  return made
}

describe('two journals', () => {
  test('are two further copies, each of which brings everything back', async () => {
    const directory = await dataDirectory()
    const paths = [journalPlace(), journalPlace()]
    const store = await serving(directory, paths)
    expect(await copies(store)).toEqual({ count: 3, missing: 'there are 2 journals' })
    await createKey(store, 1)
    const now = paths.map(copyOf)
    for (const path of now)
      expect(await get(await outOf(path, directory), 1)).toEqual(materialOf(1))
    const noted = await store.read(notedJournals)
    expect(noted.map(({ path }) => path)).toEqual(paths)
    expect(new Set(noted.map(({ journal }) => journal)).size).toBe(2)
  })

  test('are written at the same time', async () => {
    const directory = await dataDirectory()
    const waiting: (() => void)[] = []
    let isTogether = false
    // Each sync of a key waits until the other one has begun, too.
    const sync = (): Promise<void> => {
      if (!isTogether) return Promise.resolve()
      return new Promise((resolve) => {
        waiting.push(resolve)
        if (waiting.length === 2) waiting.splice(0).forEach((go) => go())
      })
    }
    const store = await serving(directory, [journalPlace(), journalPlace()], { sync })
    await createKey(store, 1)
    isTogether = true
    await createKey(store, 2)
    isTogether = false
    expect(await copies(store)).toMatchObject({ count: 3 })
  })

  test('one that is away costs its copy only, and catches up when it is back', async () => {
    const directory = await dataDirectory()
    const [one, other] = [journalPlace(), journalPlace()]
    const store = await serving(directory, [one, other])
    renameSync(other, `${other}.away`)
    await createKey(store, 1)
    expect(await copies(store)).toEqual({
      count: 2,
      missing: 'of 2 journals 1 cannot be used: the journal is away (its folder is not there)',
    })
    expect(store.journals().map(({ state }) => state)).toEqual(['current', 'away'])
    expect(await get(await outOf(copyOf(one), directory), 1)).toEqual(materialOf(1))
    renameSync(`${other}.away`, other)
    await store.tendJournals()
    expect(await copies(store)).toMatchObject({ count: 3 })
    expect(await get(await outOf(copyOf(other), directory), 1)).toEqual(materialOf(1))
  })

  test('what was under way is taken over from whichever has it', async () => {
    const directory = await dataDirectory()
    const [one, other] = [journalPlace(), journalPlace()]
    const store = await serving(directory, [one, other])
    await store.close()
    const before = copyOf(directory)
    const behind = copyOf(one)
    const later = await serving(directory, [one, other])
    await createKey(later, 1)
    await later.close()
    // A death when only one of the two had synced its frame, and nothing was committed.
    for (const [from, to] of [
      [before, directory],
      [behind, one],
    ] as const) {
      rmSync(to, { recursive: true })
      cpSync(from, to, { recursive: true })
    }
    const again = await serving(directory, [one, other])
    expect(await get(again, 1)).toEqual(materialOf(1))
    expect(await copies(again)).toMatchObject({ count: 3 })
    expect(await get(await outOf(copyOf(one), directory), 1)).toEqual(materialOf(1))
  })

  test('in one folder, or one within the other, are refused', async () => {
    const path = journalPlace()
    const data = { directory: join(temporaryFolder(), 'data') }
    for (const paths of [
      [path, path],
      [path, join(path, 'more')],
    ])
      expect(() => journalsFor(data, paths, quiet)).toThrow(/both would be lost together/)
    const directory = await dataDirectory()
    const store = await serving(directory, [path])
    await store.close()
    const elsewhere = temporaryFolder()
    cpSync(path, join(elsewhere, 'same'), { recursive: true })
    const twice = serving(directory, [path, join(elsewhere, 'same')])
    await expect(twice).rejects.toMatchObject({ code: 'journal-twice' })
  })

  test('one that is kept no longer is noted no longer, on record', async () => {
    const directory = await dataDirectory()
    const [one, other] = [journalPlace(), journalPlace()]
    await (await serving(directory, [one, other])).close()
    const store = await serving(directory, [one])
    expect((await store.read(notedJournals)).map(({ path }) => path)).toEqual([one])
    const records = await store.readAudit({ chain: 'serve', after: 0, limit: 99 })
    const left = records.filter(({ operation }) => operation === 'Journal Left')
    expect(left).toMatchObject([{ details: { path: other } }])
  })
})

test('a last frame that the disk kept although it was undone does not stop the server', async () => {
  const directory = await dataDirectory()
  const path = journalPlace()
  const store = await serving(directory, [path])
  await createKey(store, 1)
  await store.close()
  const before = copyOf(directory)
  const later = await serving(directory, [path])
  await createKey(later, 2)
  await later.close()
  // The keystore went on without that frame, as it does when its sync fails.
  rmSync(directory, { recursive: true })
  cpSync(before, directory, { recursive: true })
  const without = await opened(directory)
  await createKey(without, 3)
  await without.close()
  const again = await serving(directory, [path])
  expect(await copies(again)).toMatchObject({ count: 2 })
  // Nobody was told that key 2 was kept; it may be there, and is.
  for (const at of [1, 2, 3]) expect(await get(again, at)).toEqual(materialOf(at))
  await again.tendJournals()
  const restored = await outOf(copyOf(path), directory)
  for (const at of [1, 2, 3]) expect(await get(restored, at)).toEqual(materialOf(at))
})

describe('a command that makes keys', () => {
  test('has them in a file of its own in the journal before they count, beside the server', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    const server = await serving(directory, [path])
    const cli = await command(directory)
    expect(await copies(cli)).toEqual({ count: 2, missing: 'there is one journal' })
    await createKey(cli, 1)
    await createKey(server, 2)
    await createKey(cli, 3)
    expect(namesIn(path)).toEqual(['00000001.journal', 'command-00000001.journal'])
    // The machine is lost before the server has caught up.
    const restored = await outOf(copyOf(path), directory)
    for (const at of [1, 2, 3]) expect(await get(restored, at)).toEqual(materialOf(at))
  })

  test('its file is taken over by the server, which removes it; the next key begins another', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    const server = await serving(directory, [path])
    const cli = await command(directory)
    await createKey(cli, 1)
    await server.tendJournals()
    // It may still grow: it is removed once it has not.
    expect(namesIn(path)).toHaveLength(2)
    await server.tendJournals()
    expect(namesIn(path)).toEqual(['00000001.journal'])
    await createKey(cli, 2)
    expect(namesIn(path)).toEqual(['00000001.journal', 'command-00000002.journal'])
    const restored = await outOf(copyOf(path), directory)
    for (const at of [1, 2]) expect(await get(restored, at)).toEqual(materialOf(at))
    await cli.close()
    await server.tendJournals()
    await server.tendJournals()
    expect(namesIn(path)).toEqual(['00000001.journal'])
    expect(await get(await outOf(copyOf(path), directory), 2)).toEqual(materialOf(2))
  })

  test('two at a time write two files', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    const server = await serving(directory, [path])
    const [one, other] = [await command(directory), await command(directory)]
    for (let at = 1; at <= 6; at++) await createKey(at % 2 === 0 ? one : other, at)
    expect(namesIn(path)).toHaveLength(3)
    const restored = await outOf(copyOf(path), directory)
    for (let at = 1; at <= 6; at++) expect(await get(restored, at)).toEqual(materialOf(at))
    await server.tendJournals()
    await server.tendJournals()
    expect(namesIn(path)).toEqual(['00000001.journal'])
  })

  test('a key that the server changed before it caught up comes back as it was changed', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    const server = await serving(directory, [path])
    const cli = await command(directory)
    await createKey(cli, 1)
    await server.act(async (work) => {
      const object = await loaded(work, 1)
      work.audit(done('Modify Attribute', idOf(1)))
      await work.update(object, { record: object.record })
    })
    const restored = await outOf(copyOf(path), directory)
    expect(await get(restored, 1)).toEqual(materialOf(1))
    const shown = await restored.read((work) => work.load('default', idOf(1)))
    expect(shown?.revision).toBe(2)
  })

  test('brings what other commands have changed before it, and is on record with it', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await serving(directory, [path])
    const plain = await opened(directory, { writer: 'cli' })
    await plain.act(async (work) => {
      await work.putDocument('test', 'setting', { wanted: 2 })
      work.audit(done('Test'))
    })
    await createKey(plain, 1)
    const cli = await command(directory)
    await createKey(cli, 2)
    // Lost before the server has caught up with either command.
    const restored = await outOf(copyOf(path), directory)
    for (const at of [1, 2]) expect(await get(restored, at)).toEqual(materialOf(at))
    const setting = await restored.read((work) => work.document('test', 'setting'))
    expect(setting?.body).toEqual({ wanted: 2 })
  })

  test('works while no server runs, and the next one takes over', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await (await serving(directory, [path])).close()
    for (const at of [1, 2]) {
      const cli = await command(directory)
      await createKey(cli, at)
      await cli.close()
    }
    expect(namesIn(path)).toHaveLength(3)
    const restored = await outOf(copyOf(path), directory)
    for (const at of [1, 2]) expect(await get(restored, at)).toEqual(materialOf(at))
    const again = await serving(directory, [path])
    await again.tendJournals()
    expect(namesIn(path)).toEqual(['00000001.journal'])
    expect(await copies(again)).toMatchObject({ count: 2 })
    expect(await get(await outOf(copyOf(path), directory), 2)).toEqual(materialOf(2))
  })

  test('its keys come back when an older keystore was put back before a server saw them', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await (await serving(directory, [path])).close()
    const before = copyOf(directory)
    const cli = await command(directory)
    await createKey(cli, 1)
    await cli.close()
    rmSync(directory, { recursive: true })
    cpSync(before, directory, { recursive: true })
    const again = await serving(directory, [path])
    expect(await get(again, 1)).toEqual(materialOf(1))
    expect((await again.auditVerify({ contents: contentsCheck })).problems).toEqual([])
  })

  test('what was undone in its file is left out', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await (await serving(directory, [path])).close()
    const cli = await command(directory)
    await createKey(cli, 1)
    const lost = copyOf(path)
    // A death between sync and commit: the file has a frame more than the keystore.
    const before = copyOf(directory)
    await createKey(cli, 2)
    await cli.close()
    const file = 'command-00000001.journal'
    const ahead = copyOf(path)
    rmSync(join(path, file))
    rmSync(directory, { recursive: true })
    cpSync(before, directory, { recursive: true })
    // The next command has records of the same numbers, which a server puts into its own files.
    const next = await opened(directory, { writer: 'cli' })
    await createKey(next, 3)
    await next.close()
    const again = await serving(directory, [path])
    await again.close()
    expect((await surveyJournal(lost, undefined)).undone.size).toBe(0)
    cpSync(join(ahead, file), join(path, file))
    expect((await surveyJournal(path, undefined)).undone.size).toBe(1)
    const restored = await outOf(copyOf(path), directory)
    for (const at of [1, 3]) expect(await get(restored, at)).toEqual(materialOf(at))
    await expect(get(restored, 2)).rejects.toThrow('object 2 is not there')
  })

  test('has no second copy where there is no journal, or it is away, another, or was never whole', async () => {
    const bare = await dataDirectory()
    const none = { count: 1, missing: 'this keystore has no journal' }
    expect(await copies(await command(bare))).toEqual(none)

    const directory = await dataDirectory()
    const path = journalPlace()
    const server = await serving(directory, [path])
    renameSync(path, `${path}.aside`)
    expect(await copies(await command(directory))).toEqual({
      count: 1,
      missing: 'the journal is away (its folder is not there)',
    })
    mkdirSync(path)
    expect(await copies(await command(directory))).toMatchObject({ count: 1 })
    rmSync(path, { recursive: true })
    renameSync(`${path}.aside`, path)
    const link = journalPlace()
    symlinkSync(path, link)
    await expect(command(directory, [link])).rejects.toMatchObject({ code: 'journal-link' })

    const others = journalPlace()
    await serving(await dataDirectory(), [others])
    await expect(command(directory, [others])).rejects.toMatchObject({ code: 'journal-foreign' })
    const nowhere = journalPlace()
    mkdirSync(nowhere)
    await expect(command(directory, [nowhere])).rejects.toMatchObject({ code: 'journal-empty' })
    await server.close()
    const former = await serving(directory, [nowhere])
    await expect(command(directory, [path])).rejects.toMatchObject({ code: 'journal-not-kept' })
    await former.close()

    const fresh = await dataDirectory()
    const young = journalPlace()
    await createKey(await opened(fresh, { writer: 'cli' }), 1)
    const starting = await opened(fresh, { journals: { paths: [young], log: quiet } })
    expect(existsSync(join(young, '00000001.journal'))).toBe(false)
    expect(starting.journals()[0]?.state).toBe('behind')
    expect(await copies(await command(fresh))).toMatchObject({ count: 1 })
  })

  test('whose disk fails in between makes no further key count', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await serving(directory, [path])
    const cli = await command(directory)
    await createKey(cli, 1)
    renameSync(path, `${path}.away`)
    await createKey(cli, 2)
    expect(await copies(cli)).toEqual({
      count: 1,
      missing: 'the journal is away (its folder is not there)',
    })
    expect(await get(cli, 2)).toEqual(materialOf(2))
  })

  test('whose disk is unmounted before its first key writes nothing where it was', async () => {
    const directory = await dataDirectory()
    const path = journalPlace()
    await serving(directory, [path])
    const cli = await command(directory)
    renameSync(path, `${path}.away`)
    mkdirSync(path)
    await createKey(cli, 1)
    expect(namesIn(path)).toEqual([])
    expect(await copies(cli)).toMatchObject({ count: 1 })
  })
})

test('a server begins no file where the disk of its journal was', async () => {
  const directory = await dataDirectory()
  const path = journalPlace()
  const store = await serving(directory, [path], { fileLength: 1 })
  await createKey(store, 1)
  renameSync(path, `${path}.away`)
  mkdirSync(path)
  await createKey(store, 2)
  expect(namesIn(path)).toEqual([])
  expect(await copies(store)).toMatchObject({ count: 1 })
  rmSync(path, { recursive: true })
  renameSync(`${path}.away`, path)
  await store.tendJournals()
  expect(await copies(store)).toMatchObject({ count: 2 })
  expect(await get(await outOf(copyOf(path), directory), 2)).toEqual(materialOf(2))
})
