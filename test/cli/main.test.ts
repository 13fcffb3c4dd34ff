// What a command line ends with when something happens on the way: questions, signals, bugs.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { runKeyreel, scriptTime } from './script.ts'
import { idOf, makeTapeKey } from './tape-keys.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-main-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A new data directory. */
async function madeData(name: string): Promise<string> {
  const data = join(folder, name)
  const made = await runKeyreel(['init', '--data', data, '--host', 'kms.example.org'])
  expect(made).toMatchObject({ status: 0, stderr: '' })
  return data
}

/** A person at a terminal who answers each question by typing one of the texts. */
function terminal(...answers: readonly string[]): Partial<Io> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const left = [...answers]
  const type = () => {
    const answer = left.shift()
    if (answer !== undefined) stdin.write(`${answer}\r`)
  }
  let isTyping = false
  stdin.on('newListener', (event) => {
    if (event !== 'keypress' || isTyping) return
    isTyping = true
    setImmediate(() => {
      isTyping = false
      type()
    })
  })
  return { interactive: true, stdin }
}

describe('questions', () => {
  test('a dangerous act goes ahead when its name is typed back', async () => {
    const data = await madeData('asked')
    await runKeyreel(['library', 'add', 'alpha', '--data', data, '--out', join(folder, 'kit')])
    const refused = await runKeyreel(['library', 'revoke', 'alpha', '--data', data], {
      io: terminal('beta'),
    })
    expect(refused.status).toBe(1)
    expect(refused.stderr).toContain('error: not confirmed: alpha was not typed back')
    const done = await runKeyreel(['library', 'revoke', 'alpha', '--data', data], {
      io: terminal('alpha'),
    })
    expect(done.status).toBe(0)
    expect(done.stdout).toMatch(/^library alpha is refused from now on/)
  })

  test('Ctrl-C in a question is status 130 and changes nothing', async () => {
    const data = await madeData('interrupted')
    await makeTapeKey(data, { digit: '1', barcode: 'KR0001L8', library: 'alpha' }, scriptTime)
    const line = ['key', 'destroy', idOf('1'), '--data', data]
    const { status } = await runKeyreel(line, { io: terminal('\u0003') })
    expect(status).toBe(130)
    const shown = await runKeyreel(['key', 'show', '1', '--data', data])
    expect(shown.stdout).toMatch(/^state +PreActive$/m)
  })

  test.each([
    ['Ctrl-D', (io: Partial<Io>) => void io],
    ['the end of the input', (io: Partial<Io>) => void (io.stdin as PassThrough).end()],
  ])('%s in a question is as Ctrl-C', async (_what, end) => {
    const data = join(folder, 'ended')
    const line = ['init', '--data', data, '--master-key', 'passphrase']
    const io = terminal('\u0004')
    end(io)
    const { status, stderr } = await runKeyreel(line, { io })
    expect(status).toBe(130)
    expect(stderr).toMatch(/interrupted\n$/)
    expect(existsSync(data)).toBe(false)
  })

  test('Ctrl-D ends a server that asks for its passphrase', async () => {
    const data = join(folder, 'asking')
    const words = 'one two three four'
    const made = await runKeyreel(['init', '--data', data, '--master-key', 'passphrase'], {
      io: terminal(words, words),
    })
    expect(made.status).toBe(0)
    const line = ['serve', '--data', data, '--listen', '127.0.0.1:0']
    const { status, stdout, stderr } = await runKeyreel(line, { io: terminal('\u0004') })
    expect(status).toBe(130)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/interrupted\n$/)
  })

  test('SIGTERM ends a server that asks for its passphrase in order', async () => {
    const data = join(folder, 'asking')
    const handlers = new Map<string, () => void>()
    const io = terminal()
    io.stdin?.on('newListener', (event) => {
      if (event === 'keypress') setImmediate(() => handlers.get('SIGTERM')?.())
    })
    const onSignal: Io['onSignal'] = (name, handler) => {
      handlers.set(name, handler)
      return () => undefined
    }
    const line = ['serve', '--data', data, '--listen', '127.0.0.1:0']
    const { status, stdout } = await runKeyreel(line, { io: { ...io, onSignal } })
    expect(status).toBe(0)
    expect(stdout).toBe('')
  })

  test('the passphrase of a new keystore is typed twice, that of an old one once', async () => {
    const data = join(folder, 'typed')
    const line = ['init', '--data', data, '--master-key', 'passphrase', '--host', 'kms.example.org']
    const differing = await runKeyreel(line, { io: terminal('one two three four', 'one two') })
    expect(differing.stderr).toContain('error: the two passphrases differ')
    const made = await runKeyreel(line, {
      io: terminal('one two three four', 'one two three four'),
    })
    expect(made.status).toBe(0)
    const read = await runKeyreel(['group', 'list', '--data', data], {
      io: terminal('one two three four'),
    })
    expect(read.status).toBe(0)
    expect(read.stdout).toMatch(/^GROUP/)
    expect(read.stderr).not.toContain('three')
  })
})

describe('passphrase files', () => {
  const passphrase = (name: string, text: string, mode = 0o600): string => {
    const file = join(folder, name)
    writeFileSync(file, text)
    chmodSync(file, mode)
    return file
  }

  test('open the keystore; a wrong one is status 12, none at all status 11', async () => {
    const data = join(folder, 'filed')
    const right = passphrase('right', 'correct horse battery staple\n')
    const wrong = passphrase('wrong', 'incorrect horse battery staple\n')
    const line = ['init', '--data', data, '--master-key', 'passphrase', '--host', 'kms.example.org']
    expect(await runKeyreel([...line, '--passphrase-file', right])).toMatchObject({ status: 0 })

    const list = ['group', 'list', '--data', data]
    const opened = await runKeyreel(list, { env: { KEYREEL_PASSPHRASE_FILE: right } })
    expect(opened.status).toBe(0)
    const refused = await runKeyreel([...list, '--passphrase-file', wrong])
    expect(refused.status).toBe(12)
    expect(refused.stderr).toMatch(/^error: .*passphrase.*\nhint: /)
    expect(refused.stderr).not.toContain('incorrect horse')
    expect(await runKeyreel(list)).toMatchObject({ status: 11 })
    const sealed = await runKeyreel(['status', '--data', data])
    expect(sealed).toMatchObject({
      status: 11,
      stdout: expect.stringMatching(/^keystore +sealed/m),
    })
  })

  test('systemd hands one over as a credential', async () => {
    const data = join(folder, 'credential')
    passphrase('keyreel-passphrase', 'correct horse battery staple')
    const env = { CREDENTIALS_DIRECTORY: folder }
    const line = ['init', '--data', data, '--master-key', 'passphrase', '--host', 'kms.example.org']
    expect(await runKeyreel(line, { env })).toMatchObject({ status: 0 })
    expect(await runKeyreel(['group', 'list', '--data', data], { env })).toMatchObject({
      status: 0,
    })
  })

  test.each([
    ['too short', 'brief\n', 0o600, 2, 'less than 12 bytes'],
    ['empty', '\n', 0o600, 1, 'is empty'],
    ['readable by others', 'correct horse battery staple\n', 0o644, 1, 'can be read by others'],
  ])('are refused when %s, and nothing is made', async (what, text, mode, status, message) => {
    const data = join(folder, `refused ${what}`)
    const file = passphrase(`file ${what}`, text, mode)
    const line = ['init', '--data', data, '--master-key', 'passphrase', '--passphrase-file', file]
    const refused = await runKeyreel(line)
    expect(refused.status).toBe(status)
    expect(refused.stderr).toContain(message)
    expect(await runKeyreel(['group', 'list', '--data', data])).toMatchObject({ status: 10 })
  })
})

describe('what is wrong on the disk is one error line and a hint', () => {
  test('a master key that others can read is status 11', async () => {
    const data = await madeData('exposed')
    chmodSync(join(data, 'master.key'), 0o644)
    const { status, stderr } = await runKeyreel(['key', 'list', '--data', data])
    expect(status).toBe(11)
    expect(stderr).toMatch(/^error: .*master\.key can be read by others.*\nhint: chmod 600 .*\n$/)
  })

  test('doctor finds a data directory that is open to others', async () => {
    const data = await madeData('open')
    chmodSync(data, 0o755)
    const { status, stdout } = await runKeyreel(['doctor', 'directory', '--data', data])
    expect(status).toBe(1)
    expect(stdout).toMatch(/^failed +directory .*mode 0755.*\n +remedy: chmod 700 /)
  })

  test('doctor finds an edited row, and audit verify names it', async () => {
    const data = await madeData('edited')
    await makeTapeKey(data, { digit: '1', barcode: 'KR0001L8', library: 'alpha' }, scriptTime)
    const database = new DatabaseSync(join(data, 'keystore.db'))
    database.exec("UPDATE objects SET record = x'00' WHERE n = 1")
    database.close()
    const doctor = await runKeyreel(['doctor', 'audit', '--full', '--data', data])
    expect(doctor.status).toBe(1)
    expect(doctor.stdout).toContain(idOf('1'))
    const verified = await runKeyreel(['audit', 'verify', '--data', data])
    expect(verified.status).toBe(1)
    expect(verified.stdout).toContain(idOf('1'))
    const shown = await runKeyreel(['key', 'show', '1', '--data', data])
    expect(shown.status).toBe(1)
    expect(shown.stderr).toMatch(/^error: 11111111-.*changed outside keyreel\nhint: .*audit verify/)
  })

  test('a database that is cut off is named', async () => {
    const data = await madeData('cut')
    truncateSync(join(data, 'keystore.db'), 6000)
    const { status, stderr } = await runKeyreel(['status', '--data', data])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: .*keystore\.db.*\nhint: .*\n$/)
  })

  test('a clock behind the last record is noticed', async () => {
    const data = await madeData('clock')
    const { status, stdout } = await runKeyreel(['doctor', 'clock', '--data', data], {
      io: { now: () => scriptTime - 86_400n },
    })
    expect(status).toBe(1)
    expect(stdout).toContain('86400 s behind')
  })

  test('certificates that end soon are warned of, ended ones are a failure', async () => {
    const data = await madeData('expiry')
    const at = async (days: number) =>
      runKeyreel(['doctor', 'certificates', '--data', data], {
        io: { now: () => scriptTime + BigInt(days) * 86_400n },
      })
    expect((await at(600)).stdout).toMatch(/^ok /)
    const soon = await at(700)
    expect(soon.stdout).toMatch(/^warning .*server kms\.example\.org ends in \d\d days/)
    expect(soon.stdout).toContain('remedy: keyreel server certificate renew')
    expect(await at(1000)).toMatchObject({ status: 1, stdout: expect.stringMatching(/^failed /) })
  })
})

test('SIGINT in a command that waits is status 130', async () => {
  const waits = Promise.withResolvers<() => void>()
  const running = runKeyreel(['ttlv', 'decode'], {
    io: {
      stdin: new PassThrough(),
      onSignal: (name, handler) => {
        if (name === 'SIGINT') waits.resolve(handler)
        return () => undefined
      },
    },
  })
  const interrupt = await waits.promise
  await new Promise(setImmediate)
  interrupt()
  expect(await running).toEqual({ status: 130, stdout: '', stderr: 'interrupted\n' })
})

describe('a bug', () => {
  const broken: Partial<Io> = {
    now: () => {
      throw new TypeError('no such clock')
    },
  }

  test('is one line with a reference, without its text or stack', async () => {
    const { status, stderr } = await runKeyreel(['init', '--data', join(folder, 'bug')], {
      io: broken,
    })
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^error: internal error [0-9a-f]{8} \(TypeError\); KEYREEL_DEBUG=1 .*\n$/,
    )
  })

  test('shows its stack under KEYREEL_DEBUG', async () => {
    const { stderr } = await runKeyreel(['init', '--data', join(folder, 'bug')], {
      io: broken,
      env: { KEYREEL_DEBUG: '1' },
    })
    expect(stderr).toContain('TypeError: no such clock')
  })
})

test('a server with --quiet logs errors only, unless a level is named', async () => {
  const data = await madeData('quiet')
  const served = async (...flags: readonly string[]) => {
    const handlers = new Map<string, () => void>()
    const stdout = new PassThrough()
    stdout.once('data', () => handlers.get('SIGTERM')?.())
    const onSignal: Io['onSignal'] = (name, handler) => {
      handlers.set(name, handler)
      return () => undefined
    }
    const line = ['serve', '--data', data, '--listen', '127.0.0.1:0', '--quiet', '--test-mode']
    return runKeyreel([...line, ...flags], { io: { stdout, onSignal } })
  }
  expect(await served()).toMatchObject({ status: 0, stderr: '' })
  const { stderr } = await served('--log-level', 'warn')
  expect(stderr).toContain('test mode')
})

test.each([['--json'], ['--quiet'], ['--yes --json --data x'], ['--no-color']])(
  'flags alone (%s) are answered as nothing is: with the commands, and status 2',
  async (line) => {
    const { status, stderr, stdout } = await runKeyreel(line.split(' '))
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: keyreel COMMAND/)
  },
)

test.each([
  ['help serv', "error: unknown command 'serv'\nhint: keyreel serve\n"],
  ['serv --help', "error: unknown command 'serv'\nhint: keyreel serve\n"],
  ['nosuch -h', "error: unknown command 'nosuch'\nhint: keyreel --help\n"],
  ['library lst --help', "error: unknown command 'lst'\nhint: keyreel library list\n"],
  ['help library nosuch', "error: unknown command 'nosuch'\nhint: keyreel library --help\n"],
])('there is no page for what is no command: keyreel %s', async (line, stderr) => {
  expect(await runKeyreel(line.split(' '))).toEqual({ status: 2, stdout: '', stderr })
})

test('--json prints one document and --quiet no remarks', async () => {
  const data = join(folder, 'json')
  const line = ['init', '--data', data, '--host', 'kms.example.org', '--json']
  const made = await runKeyreel(line)
  expect(JSON.parse(made.stdout)).toMatchObject({
    directory: data,
    masterKey: join(data, 'master.key'),
    authority: { fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    next: [expect.stringContaining('serve'), expect.any(String), expect.any(String)],
  })
  const heads = join(folder, 'heads.json')
  const verified = await runKeyreel([
    'audit',
    'verify',
    '--data',
    data,
    '--checkpoint',
    heads,
    '--json',
    '--quiet',
  ])
  expect(verified.stderr).toBe('')
  expect(JSON.parse(verified.stdout)).toMatchObject({ sound: true, problems: [] })
  expect(JSON.parse(readFileSync(heads, 'utf8'))).toMatchObject({ store: expect.any(String) })
})
