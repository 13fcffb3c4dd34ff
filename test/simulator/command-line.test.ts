// The simulator's command line, and how it tells what it found.

import { afterAll, describe, expect, test, vi } from 'vitest'

import { commands, readCommandLine } from '../../simulator/command-line.ts'
import { main } from '../../simulator/main.ts'
import { play } from '../../simulator/play.ts'
import {
  findingsTable,
  fleetText,
  paintFor,
  playedJson,
  playedLine,
  tapPoint,
} from '../../simulator/reports.ts'
import { scenarios } from '../../simulator/scenarios.ts'
import { addressOf } from '../../simulator/server-address.ts'
import { dialectNamed } from '../../simulator/dialects.ts'
import { temporaryDirectory } from './fixtures.ts'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const plain = paintFor(false)

/** A kit to be read; nobody is connected to. */
const kit = mkdtempSync(join(tmpdir(), 'keyreel-kit-'))
for (const name of ['ca.pem', 'certificate.pem', 'key.pem']) writeFileSync(join(kit, name), '')
afterAll(() => rmSync(kit, { recursive: true }))

/** Runs a command line; what it printed and its exit status. */
async function run(...argv: string[]) {
  let stdout = ''
  let stderr = ''
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += String(text)
    return true
  })
  try {
    const status = await main(argv, { paint: plain, print: (text) => (stdout += `${text}\n`) })
    return { status, stdout, stderr }
  } finally {
    spy.mockRestore()
  }
}

describe('a command line', () => {
  test('keeps repeated flags in order', () => {
    const line = readCommandLine(['run', 'T-1', '--server', 'a', 'T-2', '--server=b', '--tap'])
    expect(line).toEqual({
      command: 'run',
      words: ['T-1', 'T-2'],
      values: { server: ['a', 'b'] },
      switches: new Set(['tap']),
    })
  })

  test.each([
    [['rnu'], /no command "rnu"/, /keyreel-simulator run/],
    [['run', 'T-1', '--sever', 'x'], /no flag --sever/, /--server/],
    [['run', 'T-1', '--server'], /--server wants a value/, /run --help/],
    [['list', 'T-1'], /list takes no "T-1"/, /list --help/],
    [['run'], /run what/, /list/],
    [['run', 'T-99'], /no scenario "T-99"/, /keyreel-simulator/],
    [['run', 'T-1'], /run wants --server/, /run --help/],
    [['run', 'T-1', '--server', 'x'], /run wants --kit/, /run --help/],
    [['run', 'T-1', '--server', 'x:y', '--kit', '.'], /not HOST:PORT/, /5696/],
    [['run', 'T-1', '--server', 'x', '--kit', '/nowhere'], /cannot read/, /library add/],
    [
      ['fleet', '--libraries', '0', '--server', 'x', '--kit', kit],
      /from 1, not "0"/,
      /fleet --help/,
    ],
    [
      [
        'run',
        'T-1',
        '--server',
        'x',
        '--kit',
        kit,
        '--username',
        'u',
        '--password-file',
        '/nowhere',
      ],
      /cannot read \/nowhere: there is no such file$/,
      /name a readable file/,
    ],
    [
      [
        'run',
        'T-1',
        '--server',
        'x',
        '--kit',
        kit,
        '--personality',
        'P-userpass',
        '--username',
        'u',
      ],
      /P-userpass wants a user name and a password/,
      /--password-file/,
    ],
    [['fleet', '--help', '--nonsense'], /no flag --nonsense/, /fleet --help/],
  ])('%j ends with 2, an error and a hint', async (argv, error, hint) => {
    const { status, stdout, stderr } = await run(...argv)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    const [first = '', second = ''] = stderr.split('\n')
    expect(first).toMatch(/^error: /)
    expect(first).toMatch(error)
    expect(second).toMatch(/^hint: /)
    expect(second).toMatch(hint)
  })

  test('--version prints the version', async () => {
    const { status, stdout } = await run('--version')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('without a word shows the help and ends with 2', async () => {
    const { status, stderr } = await run()
    expect(status).toBe(2)
    expect(stderr).toContain('Usage: keyreel-simulator')
  })

  test.each(Object.keys(commands))(
    '%s has a page with two examples and the statuses',
    async (name) => {
      const { status, stdout } = await run('help', name)
      expect(status).toBe(0)
      expect(stdout.match(/^ {2}keyreel-simulator /gm)).toHaveLength(2)
      expect(stdout).toContain('Exit statuses:')
    },
  )

  test('list names every scenario and personality, also as JSON', async () => {
    const { status, stdout } = await run('list', '--json')
    expect(status).toBe(0)
    const { scenarios: listed } = JSON.parse(stdout) as { scenarios: { id: string }[] }
    expect(listed.map(({ id }) => id)).toEqual(scenarios.map(({ id }) => id))
    expect((await run('list')).stdout).toContain('P-sloppy')
  })
})

describe('an address', () => {
  test.each([
    ['keys.example.org', { host: 'keys.example.org', port: 5696 }],
    ['127.0.0.1:99', { host: '127.0.0.1', port: 99 }],
    ['[::1]:5697', { host: '::1', port: 5697 }],
    ['[::1]', { host: '::1', port: 5696 }],
  ])('%s is read', (text, expected) => {
    expect(addressOf(text)).toEqual(expected)
  })

  test.each(['', ':1', '::1', 'a:0', 'a:65536', 'a:b', 'a b:1', '[a]:1:2'])(
    '%j is refused',
    (text) => {
      expect(() => addressOf(text)).toThrow(/HOST:PORT/)
    },
  )
})

describe('a scenario', () => {
  const stage = async () => ({
    servers: [{ host: '127.0.0.1', port: 1 }],
    kits: [{ ca: '', certificate: '', key: '' }],
    dialect: dialectNamed('P-strict12'),
    scratch: await temporaryDirectory(),
  })

  test('that fails is reported with its reason, and its directory is gone', async () => {
    const options = await stage()
    const failing = {
      id: 'T-0',
      title: 'nothing works',
      run: async () => {
        throw new Error('the tape is empty\u001b[31m')
      },
    }
    const played = await play(failing, options)
    expect(played).toMatchObject({ id: 'T-0', personality: 'P-strict12' })
    expect(await readdir(options.scratch)).toEqual([])

    expect(playedLine(played, plain)).toMatch(/^FAILED T-0 .*\n {7}the tape is empty$/)
    expect(tapPoint(played, 3)).toMatch(
      /^not ok 3 - T-0 .*\n {2}---\n {2}message: "the tape is empty"/,
    )
    expect(playedJson([played])).toMatchObject({ passed: 0, failed: 1 })
  })

  test('has a number of its own and a title', () => {
    const ids = scenarios.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const numbers = Array.from({ length: 17 }, (_, at) => `T-${at + 1}`)
    expect(ids).toEqual(numbers.filter((id) => id !== 'T-10'))
  })
})

test('a finding is told with what to do about it', () => {
  const text = findingsTable(
    [
      { server: undefined, test: 'drive', result: 'ok', found: 'fine' },
      {
        server: 'a:1',
        test: 'ping',
        result: 'failed',
        found: 'nothing\nlistens',
        remedy: 'start it',
      },
    ],
    plain,
  )
  expect(text.split('\n')).toEqual([
    'ok      library  drive   fine',
    'failed  a:1      ping    nothing listens',
    '        hint: start it',
  ])
})

test('a fleet with problems says how many and which', () => {
  const report = {
    ...{ libraries: 1, cartridges: 30, keysMade: 0, keyRequests: 0, rate: 0 },
    latency: { p50: 0, p99: 0, longest: 0 },
    problems: Array.from({ length: 30 }, (_, n) => `tape ${n}`),
  }
  const text = fleetText(report, plain)
  expect(text).toContain('30 problems')
  expect(text).toContain('tape 19')
  expect(text).not.toContain('tape 20')
  expect(text).toContain('and 10 more')
})
