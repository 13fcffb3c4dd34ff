// What `keyreel init` refuses, and with which status: wrong arguments 2, files that cannot be used 1; never sealed,
// for nothing exists yet that could be.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { explained } from '../../src/cli/known-errors.ts'
import { runKeyreel } from './script.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
let folder: string
let secret: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-refusals-'))
  secret = join(folder, 'secret')
  writeFileSync(secret, 'one two three four\n', { mode: 0o600 })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const init = (name: string, ...args: readonly string[]) =>
  runKeyreel(['init', '--data', join(folder, name), ...args])

describe('a name of the server', () => {
  test.each(['a b', '999.1.1.1', '1.2.3', '10', 'kms.0x7f', '192.0.2.10.5'])(
    '%j is a wrong argument',
    async (host) => {
      const { status, stderr } = await init('hosts', '--host', host)
      expect(stderr).toBe(
        `error: not a host name or IP address: ${JSON.stringify(host)}\n` +
          'hint: name the server as the libraries reach it: keyreel.example.com, 192.0.2.10, 2001:db8::10\n',
      )
      expect(status).toBe(2)
      expect(existsSync(join(folder, 'hosts'))).toBe(false)
    },
  )

  test('is refused by the renewal of its certificate as well', async () => {
    const data = ['--data', join(folder, 'renewed')]
    await runKeyreel(['init', ...data, '--host', '1e100.example.org', '--host', '192.0.2.10'])
    const renew = ['server', 'certificate', 'renew', ...data, '--host', '999.1.1.1']
    expect((await runKeyreel(renew)).status).toBe(2)
  })
})

describe('a master key', () => {
  test.each([
    ['passphrase', 'missing', 'cannot read the passphrase file'],
    ['passphrase', 'empty', 'the first line of'],
    ['passphrase', 'open', 'can be read by others'],
  ])('of the kind %s whose file is %s is a failure', async (kind, name, words) => {
    const file = join(folder, `passphrase-${name}`)
    if (name !== 'missing') writeFileSync(file, name === 'empty' ? '' : 'one two three four\n')
    if (name !== 'missing') chmodSync(file, name === 'open' ? 0o644 : 0o600)
    const made = await init('none', '--master-key', kind, '--passphrase-file', file)
    expect(made.stderr).toMatch(new RegExp(`^error: .*${words}.*\nhint: .+\n$`))
    expect(made.status).toBe(1)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  test('in a file that cannot be made or used is a failure', async () => {
    const absent = await init('none', '--master-key-file', join(folder, 'nodir/x'))
    expect(absent.stderr).toMatch(/^error: cannot write the master key to .*\nhint: .+\n$/)
    expect(absent.status).toBe(1)
    const other = await init('none', '--master-key-file', secret)
    expect(other.stderr).toMatch(/^error: .* is not a whole master key file\nhint: .+\n$/)
    expect(other.status).toBe(1)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  test.each([
    ['--passphrase-file F', '--passphrase-file', 'file', 'passphrase'],
    ['--master-key file --passphrase-file F', '--passphrase-file', 'file', 'passphrase'],
    ['--pkcs11-module F', '--pkcs11-module', 'file', 'pkcs11'],
    [
      '--master-key passphrase --passphrase-file F --master-key-file zz',
      '--master-key-file',
      'passphrase',
      'file',
    ],
    [
      '--master-key pkcs11 --pkcs11-module F --passphrase-file F',
      '--passphrase-file',
      'pkcs11',
      'passphrase',
    ],
  ])('does not come with settings of another kind: %s', async (line, flag, kind, meant) => {
    const args = line.split(' ').map((word) => (word === 'F' ? secret : word))
    const { status, stderr } = await init('none', ...args)
    expect(stderr).toMatch(`error: ${flag} does not fit a master key of the kind ${kind}`)
    expect(stderr).toMatch(`hint: choose  --master-key ${meant}, or leave ${flag} out (KEYREEL_`)
    expect(status).toBe(2)
    expect(existsSync(join(folder, 'none'))).toBe(false)
  })

  test('is asked for only where there is no keystore yet', async () => {
    expect((await init('there', '--host', 'localhost')).status).toBe(0)
    const again = await init('there', '--master-key', 'passphrase')
    expect(again.stderr).toMatch(/^error: .*there is already initialised\nhint: /)
    expect(again.status).toBe(1)
  })
})

describe('a data directory', () => {
  test('that was there, empty and open to others, is closed to them', async () => {
    const data = join(folder, 'before')
    mkdirSync(data, { mode: 0o755 })
    chmodSync(data, 0o755)
    const made = await init('before', '--host', 'localhost')
    expect(made).toMatchObject({ status: 0, stderr: '' })
    expect(statSync(data).mode & 0o777).toBe(0o700)
    const checked = await runKeyreel(['doctor', '--data', data, 'directory'])
    expect(checked.status).toBe(0)
  })

  test('made by two at once is initialised for the slower one', async () => {
    const args = ['init', '--data', 'two', '--host', 'localhost', '--master-key-file', 'two.key']
    const runs = [0, 1].map(async () => {
      const child = spawn(process.execPath, [program, ...args], { cwd: folder })
      const [stderr] = await Promise.all([text(child.stderr), text(child.stdout)])
      if (child.exitCode === null) await once(child, 'exit')
      return { status: child.exitCode, stderr }
    })
    const [first, second] = (await Promise.all(runs)).toSorted((a, b) => a.status! - b.status!)
    expect(first).toEqual({ status: 0, stderr: '' })
    expect(second?.status).toBe(1)
    expect(second?.stderr).toMatch(
      /^error: .*(two is already initialised|two\.key exists already)\nhint: /,
    )
    expect(readdirSync(folder).filter((name) => name.startsWith('.two'))).toEqual([])
    // Its master key is still there.
    const opened = await runKeyreel(['library', 'list', '--data', join(folder, 'two')])
    expect(opened.status).toBe(0)
  })

  test('whose name is too long, or leads in a circle, is one clear error', async () => {
    const long = await init('n'.repeat(250))
    expect(long.stderr).toMatch(/^error: cannot make .*ENAMETOOLONG.*\nhint: choose a shorter name/)
    const longer = await runKeyreel(['status', '--data', join(folder, 'n'.repeat(300))])
    expect(longer.stderr).toMatch(/^error: name too long.*\nhint: choose a shorter one/)
    symlinkSync('circle', join(folder, 'circle'))
    const circle = await init('circle')
    expect(circle.stderr).toMatch(/^error: symbolic links lead in a circle.*\nhint: /)
    expect([long.status, longer.status, circle.status]).toEqual([1, 1, 1])
  })
})

test.each(
  'EACCES EBUSY EDQUOT EEXIST EFBIG EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOSPC ENOTDIR ENOTEMPTY ENOTSUP ENXIO EPERM EROFS ESTALE ETXTBSY EXDEV'.split(
    ' ',
  ),
)('%s of a path is told in words, with the path and a hint', (code) => {
  const error = Object.assign(new Error(code), { code, path: '/somewhere' })
  const told = explained(error)
  expect(told?.message).toMatch(/^[a-z].*: \/somewhere$/)
  expect(told?.message).not.toContain(code)
  expect(told?.hint).toMatch(/\w/)
})
