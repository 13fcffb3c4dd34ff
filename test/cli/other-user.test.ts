// A data directory that another user owns is not an absent one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runKeyreel } from './script.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
/** Nobody, where we may become another user; where we may not, we take our own rights away. */
const stranger = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
const isRoot = 'uid' in stranger

let folder: string
let data: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'keyreel-other-'))
  chmodSync(folder, 0o755)
  data = join(folder, 'kd')
  await runKeyreel(['init', '--data', data, '--host', 'kms.example.org'])
})
afterAll(() => {
  chmodSync(data, 0o700)
  rmSync(folder, { recursive: true, force: true })
})

async function runAsStranger(args: readonly string[]) {
  const child = spawn(process.execPath, [program, ...args], { ...stranger, cwd: '/' })
  child.stdin.end()
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  if (child.exitCode === null) await once(child, 'exit')
  return { status: child.exitCode, stdout, stderr }
}

const lines = [
  ['status'],
  ['doctor'],
  ['library', 'list'],
  ['init'],
  ['serve', '--listen', '127.0.0.1:0'],
  ['master-key', 'unseal'],
  ['database', 'move', '--to', 'postgres://nobody@127.0.0.1:1/none'],
]

describe.each([
  ['that may not be entered', 0o000],
  ['that may be read', 0o555],
])('in a data directory %s', (_, mode) => {
  beforeAll(() => chmodSync(data, mode))

  test.each(lines.map((line) => [line.join(' '), line] as const))(
    'keyreel %s says permission denied, and whose it is',
    async (_name, line) => {
      const { uid } = statSync(data)
      const { status, stdout, stderr } = await runAsStranger([...line, '--data', data])
      expect(stderr).toMatch(
        new RegExp(
          `^error: permission denied: ${data} \\(mode \\d{4}\\) belongs to user \\S+, keyreel runs as \\S+\nhint: `,
        ),
      )
      if (isRoot) expect(stderr).toContain('belongs to user root, ')
      expect(statSync(data).uid).toBe(uid)
      expect(stdout).toBe('')
      expect(status).toBe(1)
    },
  )
})

test.skipIf(!isRoot)('a settings file of another user is named, with its owner', async () => {
  chmodSync(data, 0o755)
  const settings = join(data, 'keyreel.toml')
  writeFileSync(settings, '', { mode: 0o600 })
  const { status, stderr } = await runAsStranger(['status', '--data', data])
  rmSync(settings)
  expect(stderr).toContain(`error: permission denied: ${settings} (mode 0600) belongs to user root`)
  expect(status).toBe(1)
})

test('a place where nothing may be made is named as it was given', async () => {
  chmodSync(data, 0o555)
  const inside = join(data, 'new')
  const { status, stderr } = await runAsStranger(['init', '--data', inside])
  expect(stderr).toBe(
    `error: cannot make ${inside}: EACCES: permission denied\nhint: name a directory this user may create with --data\n`,
  )
  expect(status).toBe(1)
  chmodSync(data, 0o700)
  expect(readdirSync(data)).not.toContain('new')
})

describe('a file that may not be written is named as it was given', () => {
  let own: string
  beforeAll(async () => {
    own = join(folder, 'own')
    mkdirSync(own)
    if (isRoot) chownSync(own, 65_534, 65_534)
    await runAsStranger(['init', '--data', join(own, 'kd'), '--host', 'kms.example.org'])
    await runAsStranger([
      ...['recovery', 'setup', '--threshold', '2', '--shares', '2', '--out', join(own, 'shares')],
      ...['--data', join(own, 'kd')],
    ])
  })

  test.each([
    ['exchange', 'certificate', 'export'],
    ['exchange', 'export', '--peer', 'B', '--all'],
    ['backup', 'create'],
    ['audit', 'export'],
    ['recovery', 'sheet'],
  ])('by keyreel %s %s', async (...words) => {
    const closed = join(folder, 'closed')
    mkdirSync(closed, { recursive: true, mode: 0o555 })
    const line = [...words.filter((word) => word !== undefined), '--data', join(own, 'kd'), '--out']
    const refused = await runAsStranger([...line, join(closed, 'x.pem')])
    expect(refused.stderr).toBe(
      `error: cannot write ${closed}/x.pem: permission denied\n` +
        `hint: look who may write to ${closed} (ls -ld ${closed}), or choose another place with --out FILE\n`,
    )
    expect(refused.status).toBe(1)
    const nowhere = await runAsStranger([...line, join(own, 'nodir/x.pem')])
    expect(nowhere.stderr).toBe(
      `error: cannot write ${own}/nodir/x.pem: there is no directory ${own}/nodir\n` +
        `hint: make it:  mkdir -p ${own}/nodir  , or choose another place with --out FILE\n`,
    )
    expect(nowhere.status).toBe(1)
  })
})
