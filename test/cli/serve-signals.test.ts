// Signals to `keyreel serve` at moments at which they are awkward, and through npm.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runKeyreel } from '../fixtures/keyreel.ts'

const root = resolve(import.meta.dirname, '../..')
const program = join(root, 'src/cli/keyreel.js')
let folder: string
let data: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-signals-'))
  data = join(folder, 'data')
  // Tells the test that the program has begun to run, long before it can serve.
  writeFileSync(join(folder, 'begun.mjs'), beginning)
  const made = await runKeyreel(['init', '--data', data, '--host', 'localhost'])
  expect(made.status).toBe(0)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const beginning = `
const on = process.on
process.on = function (...given) {
  on.apply(this, given)
  if (given[0] === 'SIGTERM') {
    process.on = on
    process.send('listens')
  }
  return this
}
`

function spawned(place: string) {
  const args = ['--import', join(folder, 'begun.mjs'), program, 'serve', '--data', place]
  const child = spawn(process.execPath, [...args, '--listen', '127.0.0.1:0'], {
    env: { ...process.env, NO_COLOR: '1', KEYREEL_DISK_RESERVE: '64KiB' },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  return { child, stdout: text(child.stdout!) }
}

/** Starts a server and resolves when it first listens to signals: its own code is not read yet. */
async function begun(place: string) {
  const server = spawned(place)
  server.child.stderr!.resume()
  await once(server.child, 'message')
  server.child.disconnect()
  return server
}

async function ended(child: ChildProcess) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { status: child.exitCode, signal: child.signalCode }
}

describe('before the server serves', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s ends it with 0 and announces nothing',
    async (name) => {
      const { child, stdout } = await begun(data)
      child.kill(name)
      expect(await ended(child)).toEqual({ status: 0, signal: null })
      expect(await stdout).toBe('')
    },
  )

  test('SIGTERM leaves no data directory behind that was still to be made', async () => {
    const place = join(folder, 'absent')
    const { child } = await begun(place)
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual({ status: 0, signal: null })
    expect(existsSync(place)).toBe(false)
    expect(readdirSync(folder).filter((name) => name.includes('absent'))).toEqual([])
  })

  test('SIGHUP is kept, and what it asks for is done once it serves', async () => {
    const { child } = spawned(data)
    const log = createInterface({ input: child.stderr! })
    const seen: string[] = []
    const reloaded = Promise.withResolvers<void>()
    log.on('line', (line) => {
      seen.push(line)
      if (line.includes('configuration and certificates read again')) reloaded.resolve()
    })
    await once(child, 'message')
    child.kill('SIGHUP')
    await Promise.race([reloaded.promise, once(child, 'exit')])
    expect(seen.join('\n')).toContain('configuration and certificates read again')
    child.disconnect()
    child.kill('SIGTERM')
    expect(await ended(child)).toEqual({ status: 0, signal: null })
  })
})

test('SIGTERM to npm start ends the server, and npm with it', async () => {
  const args = ['start', '--silent', '--', '--data', data, '--listen', '127.0.0.1:0']
  const child = spawn('npm', args, {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', KEYREEL_DISK_RESERVE: '64KiB' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  expect(line).toMatch(/^ready kmip=/)
  const state = await runKeyreel(['status', '--data', data])
  expect(state.stdout).toMatch(/^server +running/m)
  child.kill('SIGTERM')
  await ended(child)
  const left = await runKeyreel(['status', '--data', data])
  expect(left.stdout).toMatch(/^server +not running$/m)
})
