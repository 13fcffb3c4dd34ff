// Output that nobody takes: a server outlives those who read its log, and a command does not pass off as done what it
// could not show.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readServerState } from '../../src/admin/server-state.ts'
import { openLog } from '../../src/log.ts'
import { runKeyreel as runProgram } from '../fixtures/keyreel.ts'
import { runKeyreel } from './script.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
const isLinux = existsSync('/dev/full')
let folder: string
let data: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-lost-'))
  data = join(folder, 'data')
  const made = await runProgram(['init', '--data', data, '--host', 'localhost'])
  expect(made.status).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function start(args: readonly string[], stdio: StdioOptions): ChildProcess {
  const env = { ...process.env, NO_COLOR: '1', KEYREEL_DISK_RESERVE: '64KiB' }
  return spawn(process.execPath, [program, ...args, '--data', data], { env, stdio })
}

/** Starts a server, waits until it serves, without its help, and ends it in order after `meanwhile`. */
async function serveWith(
  stdio: StdioOptions,
  meanwhile: (child: ChildProcess) => unknown = () => undefined,
): Promise<number | null> {
  const child = start(['serve', '--listen', '127.0.0.1:0'], stdio)
  try {
    const serves = async () => {
      expect(child.exitCode).toBe(null)
      expect(await readServerState(data)).toMatchObject({ pid: child.pid })
    }
    await vi.waitFor(serves, { timeout: 20_000, interval: 50 })
    await meanwhile(child)
    const status = await runProgram(['status', '--data', data])
    expect(status.stdout).toMatch(/^server +running on 127\.0\.0\.1:\d+ since/m)
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
    return child.exitCode
  } finally {
    child.kill('SIGKILL')
  }
}

/** Does something with a file that takes nothing, open for writing. */
async function withFull<T>(use: (full: number) => Promise<T>): Promise<T> {
  const full = openSync('/dev/full', 'w')
  try {
    return await use(full)
  } finally {
    closeSync(full)
  }
}

describe('a server goes on, and ends in order,', () => {
  test.skipIf(!isLinux)('when its log cannot be written', async () => {
    await withFull(async (full) => {
      const status = await serveWith(['ignore', 'ignore', full], (child) => child.kill('SIGHUP'))
      expect(status).toBe(0)
    })
  })

  test.skipIf(!isLinux)('when its ready line cannot be written', async () => {
    await withFull(async (full) => expect(await serveWith(['ignore', full, 'ignore'])).toBe(0))
  })

  test('when nobody reads either of its pipes any more', async () => {
    const status = await serveWith(['ignore', 'pipe', 'pipe'], (child) => {
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.kill('SIGHUP')
    })
    expect(status).toBe(0)
  })

  test('when the reader of its ready line was gone before', async () => {
    const child = start(['serve', '--listen', '127.0.0.1:0'], ['ignore', 'pipe', 'pipe'])
    child.stdout?.destroy()
    let log = ''
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (log += chunk))
    try {
      await vi.waitFor(() => expect(log).toContain('is verified'), { timeout: 20_000 })
      expect(child.exitCode).toBe(null)
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
      expect(child.exitCode).toBe(0)
    } finally {
      child.kill('SIGKILL')
    }
  })
})

describe('the log', () => {
  const openOn = (destination: Writable) =>
    openLog({ level: 'info', format: 'json', destination, isTerminal: false, colour: false })

  test('goes on when writing works again, and says how many lines are missing', async () => {
    const disk = { isFull: true, text: '' }
    // As the streams of a process do, and no others, this one works again after an error.
    class Recovering extends Writable {
      override write(line: string, ...rest: unknown[]): boolean {
        const done = rest.at(-1) as (error?: Error) => void
        if (!disk.isFull) disk.text += line
        setImmediate(done, disk.isFull ? new Error('full') : undefined)
        return true
      }
    }
    const log = openOn(new Recovering())
    for (const line of ['one', 'two', 'three']) {
      log.info(line)
      await new Promise(setImmediate)
      await new Promise(setImmediate)
    }
    disk.isFull = false
    log.info('four')
    const lines = disk.text.trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 'warn', lines: 3, msg: 'lines of the log could not be written' },
      { level: 'info', msg: 'four' },
    ])
  })

  test('keeps no more than a bounded number of bytes for a reader who does not read', () => {
    const stuck = new Writable({ write: () => undefined })
    const log = openOn(stuck)
    const filler = 'x'.repeat(10_000)
    for (let line = 0; line < 1_000; line += 1) log.info(filler)
    expect(stuck.writableLength).toBeGreaterThan(900_000)
    expect(stuck.writableLength).toBeLessThan(1_100_000)
  })
})

describe('a result that could not be written', () => {
  test
    .skipIf(!isLinux)
    .each([['audit list --json'], ['library list'], ['doctor --json'], ['--help']])(
    'is an error of keyreel %s',
    async (line) => {
      await withFull(async (full) => {
        const child = start(line.split(' '), ['ignore', full, 'pipe'])
        const stderr = await text(child.stderr!)
        if (child.exitCode === null) await once(child, 'exit')
        expect(stderr).toMatch(
          /^error: cannot write the result to standard output: disk full\nhint: .+\n$/,
        )
        expect(child.exitCode).toBe(1)
      })
    },
  )

  test('is none when its reader has gone away, as head does', async () => {
    const child = start(['audit', 'list'], ['ignore', 'pipe', 'pipe'])
    child.stdout?.destroy()
    const stderr = await text(child.stderr!)
    if (child.exitCode === null) await once(child, 'exit')
    expect(stderr).toBe('')
    expect(child.exitCode).toBe(0)
  })

  test('a command whose remarks are lost ends as it would', async () => {
    const lost = new Writable({ write: (_chunk, _encoding, done) => done(new Error('full')) })
    lost.on('error', () => undefined)
    const { status } = await runKeyreel(['nosuch'], { io: { stderr: lost } })
    expect(status).toBe(2)
  })
})
