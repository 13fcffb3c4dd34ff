// Processes that die while they write keys with a journal, and a journal whose disk is full: every key that was
// acknowledged is in the keystore and in the journal, what was not is whole or absent.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { surveyJournal } from '../../src/keystore/journal-survey.ts'
import {
  actor,
  createKey,
  dataDirectory,
  get,
  idOf,
  materialOf,
  opened,
  temporaryFolder,
} from './sample.ts'

const program = join(import.meta.dirname, 'journal-process.ts')
const quiet = { info: () => undefined, error: () => undefined }

/** Runs a writing process until it has died; answers the numbers it has acknowledged. */
async function died(
  directory: string,
  path: string,
  { together, passes, kill }: { together: number; passes: number; kill: number },
): Promise<number[]> {
  const words = [directory, path, '1', String(together), String(passes)]
  const child = spawn(process.execPath, [program, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const acknowledged: number[] = []
  const ended = once(child, 'close')
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line === 'open') return
    acknowledged.push(Number(line))
    if (acknowledged.length === kill) child.kill('SIGKILL')
  })
  await ended
  return acknowledged
}

test.each([
  ['at any moment, one at a time', { together: 1, passes: 0, kill: 40 }],
  ['at any moment, many at a time', { together: 32, passes: 0, kill: 300 }],
  [
    'between the sync of the journal and the commit, one at a time',
    { together: 1, passes: 25, kill: 0 },
  ],
  [
    'between the sync of the journal and the commit, many at a time',
    { together: 32, passes: 9, kill: 0 },
  ],
])('no acknowledged key is lost by a death %s', { timeout: 60_000 }, async (_, plan) => {
  const directory = await dataDirectory()
  const path = join(temporaryFolder(), 'journal')
  const before = join(temporaryFolder(), 'before')
  cpSync(directory, before, { recursive: true })
  const acknowledged = await died(directory, path, plan)
  expect(acknowledged.length).toBeGreaterThanOrEqual(8)

  // The machine is lost: an older copy and the journal bring everything back.
  const restored = await opened(before, { writer: 'cli' })
  const report = await restored.replayJournal({ path, apply: true, actor })
  expect(report.problems).toEqual([])
  expect(report.objects).toBeGreaterThanOrEqual(acknowledged.length)
  expect(report.objects - acknowledged.length).toBeLessThanOrEqual(plan.together)
  for (const at of acknowledged) expect(await get(restored, at)).toEqual(materialOf(at % 256))
  expect((await restored.auditVerify({ contents: contentsCheck })).problems).toEqual([])

  // The machine is there: it goes on with the same journal, and both hold the same.
  const again = await opened(directory, { journals: { paths: [path], log: quiet } })
  await again.tendJournals()
  expect(again.journals()[0]?.state).toBe('current')
  const kept = await again.read((work) => work.identifiers('', 1000))
  expect(kept).toEqual(expect.arrayContaining(acknowledged.map(idOf)))
  expect(kept).toHaveLength(report.objects)
  expect((await again.auditVerify({ contents: contentsCheck })).problems).toEqual([])
  const looked = await again.replayJournal({ path, apply: false, actor })
  expect(looked).toMatchObject({ objects: 0, changes: 0, documents: 0, problems: [] })
})

test('64 keys asked for at once share the syncs of the journal', async () => {
  const path = join(temporaryFolder(), 'journal')
  const store = await opened(await dataDirectory(), { journals: { paths: [path], log: quiet } })
  await store.tendJournals()
  const { frames } = await surveyJournal(path, store.id)
  await Promise.all(Array.from({ length: 64 }, (_, at) => createKey(store, at + 1)))
  const after = await surveyJournal(path, store.id)
  expect(after.frames - frames).toBeLessThanOrEqual(16)
})

// A small file system of its own, which only root may mount.
test.skipIf(process.geteuid?.() !== 0)(
  'a full disk of the journal costs the second copy, never a key',
  async () => {
    const disk = join(temporaryFolder(), 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', disk])
    onTestFinished(() => void execFileSync('umount', ['-l', disk]))
    const path = join(disk, 'journal')
    const directory = await dataDirectory()
    const store = await opened(directory, { journals: { paths: [path], log: quiet } })
    await store.tendJournals()
    let at = 0
    while (store.journals()[0]?.state === 'current' && at < 2000) await createKey(store, ++at)
    expect(store.journals()[0]).toMatchObject({ state: 'away', reason: 'its disk is full' })
    expect(await store.read((work) => work.copies())).toEqual({
      count: 1,
      missing: 'the journal is away (its disk is full)',
    })
    // The act in which it filled up was run again, and is there once.
    expect(await get(store, at)).toEqual(materialOf(at % 256))
    await createKey(store, ++at)
    for (let tries = 0; tries < 5; tries++) await store.tendJournals()
    expect(store.journals()[0]?.state).toBe('away')

    execFileSync('mount', ['-o', 'remount,size=8m', disk])
    await store.tendJournals()
    expect(store.journals()[0]).toMatchObject({ state: 'current', reason: undefined })
    const report = await store.replayJournal({ path, apply: false, actor })
    expect(report).toMatchObject({ objects: 0, changes: 0, problems: [] })
    expect((await surveyJournal(path, store.id)).faults).toEqual([])
    expect(readdirSync(path).length).toBeLessThanOrEqual(3)
  },
)
