// keyreel as a process: Node versions, signals, pipes, ports, and what a bug looks like.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-process-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function start(args: readonly string[], node: readonly string[] = []) {
  const child = spawn(process.execPath, [...node, program, ...args], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: '1' },
  })
  child.stdin.end()
  return child
}

async function run(args: readonly string[], node: readonly string[] = []) {
  const child = start(args, node)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null) await once(child, 'exit')
  return { status: child.exitCode, stdout, stderr }
}

/** Rejects when the process ends: it was expected to say something first. */
async function ended(child: ReturnType<typeof start>): Promise<never> {
  const [status] = (await once(child, 'exit')) as [number | null]
  throw new Error(`keyreel ended with status ${status} too early`)
}

describe.each([
  ['keyreel', program],
  ['keyreel-simulator', resolve(import.meta.dirname, '../../simulator/keyreel-simulator.js')],
])('%s', (name, script) => {
  test('under an old Node it says what to do instead of dying on TypeScript', async () => {
    const pretend =
      'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"20.20.2"}})'
    const child = spawn(process.execPath, ['--import', pretend, script, '--version'])
    const stderr = await text(child.stderr)
    if (child.exitCode === null) await once(child, 'exit')
    expect(stderr).toMatch(`error: ${name} needs Node 24.12 or newer, this is 20.20.2\nhint: npx`)
    expect(child.exitCode).toBe(2)
  })
})

/** What looks like a clone, with a `node_modules` of its own. */
function cloneIn(name: string): string {
  const root = resolve(import.meta.dirname, '../..')
  const clone = join(folder, name)
  mkdirSync(join(clone, 'node_modules'), { recursive: true })
  for (const entry of ['src', 'package.json']) {
    cpSync(join(root, entry), join(clone, entry), { recursive: true })
  }
  for (const entry of readdirSync(join(root, 'node_modules'))) {
    if (entry === '.cache') continue
    symlinkSync(join(root, 'node_modules', entry), join(clone, 'node_modules', entry))
  }
  return clone
}

async function versionOf(clone: string): Promise<number | null> {
  const args = [join(clone, 'src/cli/keyreel.js'), '--version']
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  const [status] = (await once(child, 'exit')) as [number | null]
  return status
}

test('compiled code is kept beside the code', async () => {
  const clone = cloneIn('own')
  expect(await versionOf(clone)).toBe(0)
  expect(existsSync(join(clone, 'node_modules/.cache/keyreel'))).toBe(true)
})

test.skipIf(process.geteuid?.() !== 0)(
  'nothing is compiled into a clone that belongs to somebody else',
  async () => {
    const clone = cloneIn('foreign')
    chownSync(clone, 65_534, 65_534)
    expect(await versionOf(clone)).toBe(0)
    expect(existsSync(join(clone, 'node_modules/.cache'))).toBe(false)
  },
)

test('a reader that goes away early is no error', async () => {
  const child = start(['--help'])
  child.stdout.destroy()
  const stderr = await text(child.stderr)
  if (child.exitCode === null) await once(child, 'exit')
  expect(stderr).toBe('')
  expect(child.exitCode).toBe(0)
})

describe('serve', () => {
  test('makes an absent data directory, says so, announces itself in one line, and ends in order', async () => {
    const child = start(['serve', '--data', 'fresh', '--listen', '127.0.0.1:0'])
    const stderr = text(child.stderr)
    const lines: string[] = []
    const reader = createInterface({ input: child.stdout })
    reader.on('line', (line) => lines.push(line))
    await Promise.race([once(reader, 'line'), ended(child)])
    expect(existsSync(join(folder, 'fresh/keystore.db'))).toBe(true)

    const second = await run(['serve', '--data', 'fresh', '--listen', '127.0.0.1:0'])
    expect(second.status).toBe(1)
    expect(second.stderr).toMatch(/^error: fresh is served by another process.*\nhint: /m)

    const status = await run(['status', '--data', 'fresh'])
    expect(status.stdout).toMatch(/^server +running on 127\.0\.0\.1:\d+ since/m)
    const checked = await run(['doctor', 'server', '--data', 'fresh'])
    expect(checked.stdout).toMatch(/^ok +server +process \d+ serves KMIP on 127/)

    child.kill('SIGHUP')
    child.kill('SIGTERM')
    await once(child, 'exit')
    expect(child.exitCode).toBe(0)
    expect(lines).toEqual([expect.stringMatching(/^ready kmip=127\.0\.0\.1:\d+$/)])
    expect(await stderr).toMatch(/there is no keystore in fresh yet: making one[^]*its SHA-256/)
    const stopped = await run(['status', '--data', 'fresh'])
    expect(stopped.stdout).toMatch(/^server +not running$/m)
  })

  test('SIGINT ends it with status 0 too', async () => {
    const child = start(['serve', '--data', 'fresh', '--listen', '127.0.0.1:0', '--quiet'])
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended(child)])
    child.kill('SIGINT')
    await once(child, 'exit')
    expect(child.exitCode).toBe(0)
  })

  test('a port in use is one error line and a hint, and nothing is announced', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    try {
      const listen = ['--listen', `127.0.0.1:${port}`, '--quiet']
      const { status, stdout, stderr } = await run(['serve', '--data', 'fresh', ...listen])
      expect(stdout).toBe('')
      expect(stderr).toMatch(new RegExp(`^error: .*${port}.*\nhint: .*--listen.*\n$`))
      expect(status).toBe(1)
    } finally {
      other.close()
    }
  })
})
