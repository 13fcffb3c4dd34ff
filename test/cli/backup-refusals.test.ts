// Backups and shares that are wrong: each is one error with a hint, and nothing is changed or made.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runKeyreel, scriptTime } from './script.ts'
import { makeTapeKey } from './tape-keys.ts'

const scratch = mkdtempSync(join(tmpdir(), 'keyreel-refusals-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const place = (...names: string[]): string => join(scratch, ...names)

/** A command that must succeed. */
async function run(...words: string[]): Promise<string> {
  const { stdout, stderr, status } = await runKeyreel(words)
  expect(status, `${words.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

/** A server with a key, a recovery key of three shares, and a backup. */
async function server(name: string): Promise<void> {
  const data = ['--data', place(name)]
  await run('init', '--host', 'kms.example.org', ...data)
  await run('library', 'add', 'alpha', '--out', place(`${name}-kit`), ...data)
  await makeTapeKey(place(name), { digit: '1', barcode: 'KR0001L8', library: 'alpha' }, scriptTime)
  await run(
    ...['recovery', 'setup', '--threshold', '2', '--shares', '3'],
    ...['--out', place(`${name}-shares`), ...data],
  )
  await run('backup', 'create', '--out', place(`${name}.backup`), ...data)
}

const share = (name: string, number: number): string[] => [
  '--share',
  place(`${name}-shares`, `share-${number}.txt`),
]

beforeAll(async () => {
  await server('ours')
  await server('other')
  // Shares of the recovery key that the backup was made for, and those of the one that followed.
  await run(
    ...['recovery', 'setup', '--threshold', '2', '--shares', '3'],
    ...['--out', place('next-shares'), '--data', place('ours'), '--yes'],
  )
  const whole = readFileSync(place('ours.backup'))
  const bytes = Buffer.from(whole)
  bytes[bytes.length - 100]! ^= 1
  writeFileSync(place('damaged.backup'), bytes)
  writeFileSync(place('cut.backup'), whole.subarray(0, whole.length - 1000))
  writeFileSync(place('text.backup'), 'this is no backup\n')
  const sheet = readFileSync(place('ours-shares', 'share-1.txt'), 'utf8')
  const group = /^\s*1\)\s+([0-9A-Z]{5}) /m.exec(sheet)![1]!
  const changed = `${group.slice(0, -1)}${group.endsWith('2') ? '3' : '2'}`
  writeFileSync(place('mistyped.txt'), sheet.replace(` ${group} `, ` ${changed} `), { mode: 0o600 })
  mkdirSync(place('in-use'))
  writeFileSync(place('in-use', 'notes.txt'), 'of somebody')
}, 120_000)

/** Every file below a directory with its content. */
function everything(directory: string): Record<string, string> {
  if (!existsSync(directory)) return {}
  const names = readdirSync(directory, { recursive: true, withFileTypes: true })
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file).toString('base64')]),
  )
}

const enough = [...share('ours', 1), ...share('ours', 3)]

const refusals: [what: string, file: string, words: string[], error: RegExp][] = [
  ['too few shares', 'ours', share('ours', 1), /^error: 1 of 2 shares: 1 more are needed$/m],
  [
    'one share twice',
    'ours',
    [...share('ours', 1), ...share('ours', 1)],
    /^error: .*(twice|1 of 2 shares)/m,
  ],
  [
    'a share that was mistyped',
    'ours',
    ['--share', place('mistyped.txt'), ...share('ours', 2)],
    /^error: /m,
  ],
  ['shares of two recovery keys', 'ours', [...share('ours', 1), ...share('other', 2)], /^error: /m],
  [
    'shares of another server',
    'ours',
    [...share('other', 1), ...share('other', 2)],
    /^error: recovery key \S+ does not open this backup/m,
  ],
  [
    'shares of a later recovery key',
    'ours',
    [...share('next', 1), ...share('next', 2)],
    /^error: recovery key \S+ does not open this backup/m,
  ],
  [
    'a backup of another server',
    'other',
    enough,
    /^error: recovery key \S+ does not open this backup/m,
  ],
  [
    'a backup with one bit changed',
    'damaged',
    enough,
    /^error: this is not a whole, unchanged backup/m,
  ],
  ['a backup that was cut off', 'cut', enough, /^error: this is not a whole, unchanged backup/m],
  ['a file that is none', 'text', enough, /^error: this is not a whole, unchanged backup/m],
  ['a file that is not there', 'nowhere', enough, /^error: there is no file /m],
  ['no share', 'ours', [], /^error: no recovery share is given$/m],
]

test.each(refusals)('%s: restore says so, and makes nothing', async (_, file, words, error) => {
  const before = everything(scratch)
  const target = place('made')
  const line = ['backup', 'restore', place(`${file}.backup`), ...words, '--data', target, '--yes']
  const { status, stdout, stderr } = await runKeyreel(line)
  expect(status).toBeGreaterThan(0)
  expect(stdout).toBe('')
  expect(stderr).toMatch(error)
  expect(stderr.match(/^error: /gm)).toHaveLength(1)
  expect(stderr.match(/^hint: \S/gm)).toHaveLength(1)
  expect(existsSync(target)).toBe(false)
  expect(everything(scratch)).toEqual(before)
})

test.each([
  ['that is not empty', 'in-use', /^error: .* is not empty and holds no keystore$/m],
  ['that holds a keystore', 'other', /^error: .* is already initialised$/m],
])('a restore onto a directory %s changes nothing in it', async (_, directory, error) => {
  const before = everything(place(directory))
  const file = place('ours.backup')
  const line = ['backup', 'restore', file, ...enough, '--data', place(directory), '--yes']
  const { status, stderr } = await runKeyreel(line)
  expect(status).toBe(1)
  expect(stderr).toMatch(error)
  expect(stderr.match(/^hint: \S/gm)).toHaveLength(1)
  expect(everything(place(directory))).toEqual(before)
})

test('a backup of a keystore that was damaged is not restored, and the key that is damaged is named', async () => {
  await server('hurt')
  const database = new DatabaseSync(place('hurt', 'keystore.db'))
  database.exec('UPDATE objects SET sealed = zeroblob(90)')
  database.close()
  await run('backup', 'create', '--out', place('hurt2.backup'), '--data', place('hurt'))
  const shares = [...share('hurt', 1), ...share('hurt', 3)]
  const target = place('from-hurt')
  const line = ['backup', 'restore', place('hurt2.backup'), ...shares, '--data', target, '--yes']
  const { status, stderr } = await runKeyreel(line)
  expect(status).toBe(1)
  expect(stderr).toMatch(/^error: what came back is not whole: 1 problem: 1{8}-/m)
  expect(stderr).toMatch(/^hint: take an earlier backup; .*--accept-damage.*; nothing was made$/m)
  expect(existsSync(target)).toBe(false)
  expect(readdirSync(scratch).filter((name) => name.startsWith('.'))).toEqual([])
  const verify = ['backup', 'verify', place('hurt2.backup'), ...shares]
  const found = await runKeyreel(verify)
  expect(found).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/do not rely on this backup/) as string,
  })
  // Where it is the only one, what is whole comes back, and what is not is named.
  const only = ['backup', 'restore', place('hurt2.backup'), ...shares, '--data', place('partly')]
  const partly = await runKeyreel([...only, '--yes', '--accept-damage'])
  expect(partly.status, partly.stderr).toBe(3)
  expect(partly.stdout).toMatch(/^changed +1{8}-.* /m)
  expect(await run('key', 'list', '--data', place('partly'))).toContain('KR0001L8')
  const audited = await runKeyreel(['audit', 'verify', '--data', place('partly')])
  expect(audited.status).toBe(1)
  expect(audited.stdout).toMatch(/1{8}-/)
  // The one of before is whole.
  const earlier = ['backup', 'restore', place('hurt.backup'), ...shares, '--data', target, '--yes']
  expect(await runKeyreel(earlier)).toMatchObject({ status: 0 })
})

test('verification says the same of a backup, and nothing is noted', async () => {
  const list = ['backup', 'list', '--json', '--data', place('ours')]
  const before = await run(...list)
  copyFileSync(place('other.backup'), place('foreign.backup'))
  for (const [file, error] of [
    ['damaged', /^error: this is not a whole, unchanged backup/m],
    ['foreign', /^error: this server does not open this backup/m],
    ['text', /^error: this is not a whole, unchanged backup/m],
  ] as const) {
    const line = ['backup', 'verify', place(`${file}.backup`), '--data', place('ours')]
    const { status, stderr } = await runKeyreel(line)
    expect({ file, status }).toEqual({ file, status: 1 })
    expect(stderr).toMatch(error)
    expect(stderr.match(/^hint: \S/gm)).toHaveLength(1)
  }
  expect(await run(...list)).toBe(before)
})
