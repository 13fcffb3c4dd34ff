// Processes that die or write beside each other: what was acknowledged is there, what was not is whole or absent.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, onTestFinished, test } from 'vitest'
import { create, dataDirectory, get, idOf, materialOf, opened } from './sample.ts'

const program = join(import.meta.dirname, 'writer-process.ts')

interface Writer {
  readonly child: ChildProcess
  /** Numbers of the objects acknowledged so far. */
  readonly acknowledged: number[]
  readonly ended: Promise<unknown>
}

/** Starts a writing process and waits until its store is open. */
async function startWriter(
  directory: string,
  options: { writer: string; first: number; count: number; together: number },
  onLine: (child: ChildProcess, acknowledged: readonly number[]) => void = () => undefined,
): Promise<Writer> {
  const { writer, first, count, together } = options
  const child = spawn(
    process.execPath,
    [program, directory, writer, String(first), String(count), String(together)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  onTestFinished(() => void child.kill('SIGKILL'))
  const acknowledged: number[] = []
  const ended = once(child, 'close')
  await new Promise<void>((resolve, reject) => {
    child.on('exit', () => reject(new Error('the writer ended before its store was open')))
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'open') return resolve()
      acknowledged.push(Number(line))
      onLine(child, acknowledged)
    })
  })
  return { child, acknowledged, ended }
}

test.each([1, 16, 64])(
  'every act acknowledged before a SIGKILL is there afterwards, with %i at a time',
  async (together) => {
    const directory = await dataDirectory()
    const plan = { writer: 'serve', first: 1, count: 100_000, together }
    const { acknowledged, ended } = await startWriter(directory, plan, (child, lines) => {
      if (lines.length === 150) child.kill('SIGKILL')
    })
    await ended
    expect(acknowledged.length).toBeGreaterThanOrEqual(150)

    const store = await opened(directory)
    const kept = await store.read((work) => work.identifiers('', 100_000))
    expect(kept).toEqual(expect.arrayContaining(acknowledged.map(idOf)))
    // Beyond what was acknowledged at most the group in flight was kept.
    expect(kept.length - acknowledged.length).toBeLessThanOrEqual(256)
    for (const at of [acknowledged[0]!, acknowledged.at(-1)!]) {
      expect(await get(store, at)).toEqual(materialOf(at % 256))
    }
    expect((await store.auditVerify()).problems).toEqual([])
  },
)

test('server and CLI write beside each other, and all of both is kept', async () => {
  const directory = await dataDirectory()
  const server = { writer: 'serve', first: 1, count: 400, together: 8 }
  const cli = { writer: 'cli', first: 1000, count: 100, together: 1 }
  const writers = await Promise.all([startWriter(directory, server), startWriter(directory, cli)])
  await Promise.all(writers.map(({ ended }) => ended))
  expect(writers.map(({ acknowledged }) => acknowledged.length)).toEqual([400, 100])

  const store = await opened(directory)
  const kept = await store.read((work) => work.identifiers('', 1000))
  expect(kept.length).toBe(500)
  const report = await store.auditVerify()
  expect(report.problems).toEqual([])
  expect(report.chains.map(({ chain }) => chain)).toEqual(['cli', 'serve'])
})

test('a second server is refused by name and let in once the first was killed', async () => {
  const directory = await dataDirectory()
  const plan = { writer: 'serve', first: 1, count: 1_000_000, together: 1 }
  const { child, ended } = await startWriter(directory, plan)
  await expect(opened(directory)).rejects.toMatchObject({
    code: 'already-served',
    message: expect.stringContaining(`process ${child.pid}`) as string,
  })
  const cli = await opened(directory, { writer: 'cli' })
  await create(cli, 2_000_000)

  child.kill('SIGKILL')
  await ended
  const store = await opened(directory)
  expect(await get(store, 2_000_000)).toEqual(materialOf(2_000_000))
})
