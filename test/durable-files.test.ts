// What commands and a server leave on the disk outlasts a power cut right after them: content is synced before it
// gets its name, and names by their directory. Watched from below, call by call.
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  makeDirectorySync,
  replaceFile,
  replaceFileSync,
  writeNewFile,
  writeNewFileSync,
} from '../src/durable-files.ts'
import { hasCompiler } from './faults/unsynced.ts'
import { fileTrace, losses, type FileTrace } from './fixtures/file-trace.ts'
import { runKeyreel, startKeyreel } from './fixtures/keyreel.ts'
import { startPostgres, withoutPostgres } from './fixtures/postgres.ts'

vi.setConfig({ testTimeout: 120_000 })

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-durable-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Both ways of writing, as one that waits. */
const replacing: [string, typeof replaceFile][] = [
  ['replaceFile', replaceFile],
  ['replaceFileSync', async (...words) => Promise.resolve(replaceFileSync(...words))],
]
const writing: [string, typeof writeNewFile][] = [
  ['writeNewFile', writeNewFile],
  ['writeNewFileSync', async (...words) => Promise.resolve(writeNewFileSync(...words))],
]

describe('a directory', () => {
  test('is made with those above it, for its owner alone, and may be there', () => {
    const folder = newFolder()
    const path = join(folder, 'a/b/c')
    for (let time = 0; time < 2; time++) makeDirectorySync(path)
    expect(['a', 'a/b', 'a/b/c'].map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([
      0o700, 0o700, 0o700,
    ])
  })

  test.each([
    ['where a file is', 'file', 'EEXIST'],
    ['below a file', 'file/a/b', 'ENOTDIR'],
    ['where there is never one', '/proc/keyreel/data', 'ENOENT'],
  ])('is refused %s', (_, name, code) => {
    const folder = newFolder()
    writeFileSync(join(folder, 'file'), '')
    expect(() => makeDirectorySync(resolve(folder, name))).toThrow(
      expect.objectContaining({ code }),
    )
  })
})

describe('a file', () => {
  test.each(replacing)(
    'is replaced whole, for its owner alone unless it is said otherwise (%s)',
    async (_, replace) => {
      const path = join(newFolder(), 'file')
      writeFileSync(path, 'before', { mode: 0o644 })
      await replace(path, 'after')
      expect(readFileSync(path, 'utf8')).toBe('after')
      expect(statSync(path).mode & 0o777).toBe(0o600)
      await replace(path, 'for all', 0o644)
      expect(statSync(path).mode & 0o777).toBe(0o644)
    },
  )

  test.each(replacing)(
    'that cannot be replaced leaves nothing beside it (%s)',
    async (_, replace) => {
      const folder = newFolder()
      mkdirSync(join(folder, 'file'))
      await expect(replace(join(folder, 'file'), 'after')).rejects.toMatchObject({
        code: 'EISDIR',
      })
      expect(readdirSync(folder)).toEqual(['file'])
    },
  )

  test.each(writing)('that is there is not written anew (%s)', async (_, write) => {
    const path = join(newFolder(), 'file')
    await write(path, 'first')
    await expect(write(path, 'second')).rejects.toMatchObject({ code: 'EEXIST' })
    expect(readFileSync(path, 'utf8')).toBe('first')
  })
})

/** What need not outlast anything: who was here last, who serves, and what SQLite makes anew. */
const isLeft = (name: string) =>
  /^(server-state\.json|serve\.(lock|pid)|keystore\.db-(wal|shm|journal)$)/.test(name)

describe.skipIf(!hasCompiler())('after a power cut', () => {
  test('everything that a command has written is there', async () => {
    const { folder, trace } = watched()
    const at = (...names: string[]) => join(folder, ...names)
    const data = at('not', 'yet', 'there')
    const commands: string[][] = [
      ['init', '--host', 'localhost'],
      ['library', 'add', 'alpha', '--out', at('kit')],
      ['recovery', 'setup', '--threshold', '2', '--shares', '2', '--out', at('shares')],
      ['recovery', 'sheet', '--out', at('sheet.txt')],
      ['audit', 'verify', '--checkpoint', at('checkpoint.json')],
      ['audit', 'export', '--out', at('audit.jsonl')],
      ['exchange', 'certificate', 'export', '--out', at('site.pem')],
      ['backup', 'create', '--out', at('backup.krbackup')],
      ['master-key', 'rotate'],
      [
        'master-key',
        'rotate',
        '--to',
        'passphrase',
        '--new-passphrase-file',
        passphraseFile(folder),
      ],
    ]
    trace.events()
    for (const words of commands) {
      const { status, stderr } = await runKeyreel([...words, '--data', data], { env: env(trace) })
      expect(`${words.join(' ')}: ${status} ${status === 0 ? '' : stderr}`).toBe(
        `${words.join(' ')}: 0 `,
      )
      const events = trace.events()
      expect(events.length).toBeGreaterThan(0)
      expect([words.slice(0, 3).join(' '), losses(events, isLeft)]).toEqual([
        words.slice(0, 3).join(' '),
        [],
      ])
    }
  })

  test.skipIf(withoutPostgres())('a node knows how far its database had come', async () => {
    const { folder, trace } = watched()
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const data = join(folder, 'data')
    const options = { env: env(trace) }
    const words = [
      'init',
      '--data',
      data,
      '--host',
      'localhost',
      '--database',
      await postgres.database(),
    ]
    expect((await runKeyreel(words, options)).status).toBe(0)
    const server = await startKeyreel({ data, env: trace.env })
    trace.events()
    expect(await server.stop()).toBe(0)
    const events = trace.events()
    const named = events.findLastIndex(
      ({ what, path }) => what === 'rename' && path.endsWith('/last-seen.json'),
    )
    expect(events[named - 1]).toEqual({ what: 'sync', path: events[named]!.from })
    expect(events.slice(named)).toContainEqual({ what: 'sync', path: data })
    expect(losses(events, isLeft)).toEqual([])
  })
})

describe('what is watched', () => {
  const file = '/folder/file'
  const event = (what: 'write' | 'sync' | 'rename' | 'create', path: string, from?: string) =>
    from === undefined ? { what, path } : { what, path, from }

  test('a name given before the content was synced is told', () => {
    const events = [event('write', `${file}.new`), event('rename', file, `${file}.new`)]
    expect(losses(events)).toEqual([`${file} got its name before ${file}.new was synced`])
  })

  test('content and names that stay are told until they are synced', () => {
    const here = newFolder()
    const path = join(here, 'file')
    writeFileSync(path, 'x')
    const events = [event('create', path), event('write', path)]
    expect(losses(events)).toEqual([`the content of ${path}`, `the name ${path}`])
    expect(losses([...events, event('sync', path)])).toEqual([`the name ${path}`])
    expect(losses([...events, event('sync', path), event('sync', here)])).toEqual([])
  })
})

function watched(): { folder: string; trace: FileTrace } {
  const folder = newFolder()
  return { folder, trace: fileTrace(folder, newFolder()) }
}

function env(trace: FileTrace): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', ...trace.env }
}

function passphraseFile(folder: string): string {
  const path = join(folder, 'passphrase')
  writeFileSync(path, 'correct horse battery staple\n', { mode: 0o600 })
  return path
}
