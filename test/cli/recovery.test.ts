// Recovery shares in the hands of people: typed at a terminal, opened by an officer, and nowhere else.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Io } from '../../src/cli/io.ts'
import { opensslDirectory } from '../crypto/openssl.ts'
import { runKeyreel, scriptTime } from './script.ts'
import { makeTapeKey } from './tape-keys.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyreel-recovery-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = (...names: string[]): string => join(folder, ...names)

/** A command that must succeed. */
async function run(...words: string[]): Promise<string> {
  const { status, stdout, stderr } = await runKeyreel(words)
  expect(status, `${words.join(' ')}: ${stderr}`).toBe(0)
  return stdout
}

/** A person who types one line at each question, and what was shown. */
function typing(...lines: readonly string[]): Partial<Io> {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
  const left = [...lines]
  stdin.on('newListener', (event) => {
    if (event === 'keypress') setImmediate(() => stdin.write(`${left.shift() ?? '\u0003'}\r`))
  })
  return { interactive: true, stdin }
}

/** The three lines of a printed share. */
function linesOf(sheet: string): string[] {
  return [...readFileSync(sheet, 'utf8').matchAll(/^\s*\d\)\s+(.*)$/gm)].map((found) => found[1]!)
}

const groupsOf = (lines: readonly string[]): string[] => lines.flatMap((line) => line.split(' '))

beforeAll(async () => {
  await run('init', '--host', 'kms.example.org', '--data', place('data'))
  const key = { digit: '1', barcode: 'KR0001L8', library: 'alpha' }
  await makeTapeKey(place('data'), key, scriptTime)
  const split = ['--threshold', '2', '--shares', '3', '--out', place('shares')]
  await run('recovery', 'setup', ...split, '--data', place('data'))
  await run('backup', 'create', '--out', place('backup'), '--data', place('data'))
})

test('a backup is restored by shares typed at the terminal; a slip is named, and that share asked for again', async () => {
  const [first, second] = [1, 3].map((n) => linesOf(place('shares', `share-${n}.txt`))) as [
    string[],
    string[],
  ]
  const slip = `${first[1]!.slice(0, -1)}${first[1]!.endsWith('0') ? '1' : '0'}`
  const typed = [first[0]!, slip, first[2]!, ...first, ...second.map((line) => line.toLowerCase())]
  const line = ['backup', 'restore', place('backup'), '--type-shares', '--data', place('back')]
  const io = typing(...typed)
  const { status, stdout, stderr } = await runKeyreel([...line, '--yes'], { io })
  expect(status, stderr).toBe(0)
  expect(stderr).toMatch(/share 1: group 6 of line 2 is mistyped.*: once more/)
  expect(stdout).toMatch(/^objects +1$/m)
  for (const group of groupsOf([...first, ...second])) expect(stdout + stderr).not.toContain(group)
  expect(await run('key', 'list', '--data', place('back'))).toContain('KR0001L8')
})

test('a share of an officer is opened by their key alone, and opens the keystore with another', async () => {
  const openssl = opensslDirectory()
  for (const name of ['carol', 'dan']) {
    const subject = ['-subj', `/CN=${name}`, '-days', '2']
    const use = ['-addext', 'keyUsage=critical,keyAgreement']
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl.run(
      ...['req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, ...subject],
      ...use,
    )
  }
  await run('init', '--host', 'kms.example.org', '--data', place('officers'))
  const people = ['carol', 'dan'].flatMap((name) => ['--officer', openssl.path(`${name}.pem`)])
  const split = ['--threshold', '2', ...people, '--shares', '1', '--out', place('handed')]
  await run('recovery', 'setup', ...split, '--data', place('officers'))
  expect(readdirSync(place('handed')).toSorted()).toEqual([
    'recovery-sheet.html',
    'recovery-sheet.txt',
    'share-1.p7m',
    'share-2.p7m',
    'share-3.html',
    'share-3.txt',
  ])

  const sealed = place('handed', 'share-1.p7m')
  const verify = (share: string) =>
    runKeyreel([
      ...['recovery', 'verify', '--share', share, '--share', place('handed', 'share-3.txt')],
      ...['--data', place('officers')],
    ])
  const closed = await verify(sealed)
  expect(closed.stderr).toMatch(/is encrypted to an officer's certificate\nhint: .*recovery open/)
  const open = (name: string, key: string) =>
    runKeyreel([
      ...['recovery', 'open', sealed, '--certificate', openssl.path(`${name}.pem`)],
      ...['--key', openssl.path(`${key}.key`), '--out', place('opened.txt')],
    ])
  for (const [name, key] of [
    ['dan', 'dan'],
    ['carol', 'dan'],
  ] as const) {
    const { status, stderr } = await open(name, key)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^error: .*\nhint: \S/)
    expect(existsSync(place('opened.txt'))).toBe(false)
  }
  expect(await open('carol', 'carol')).toMatchObject({ status: 0 })
  expect(await verify(place('opened.txt'))).toMatchObject({
    status: 0,
    stdout: 'these shares open the keystore: 1 of 1 epoch\n',
  })
})

test('sheet and shares are all that is written, and no share is in the sheet or in the data directory', async () => {
  const groups = [1, 2, 3].flatMap((n) => {
    const lines = linesOf(place('shares', `share-${n}.txt`))
    const page = readFileSync(place('shares', `share-${n}.html`), 'utf8')
    for (const group of groupsOf(lines)) expect(page).toContain(group)
    // The first groups tell which recovery key it is.
    return groupsOf(lines).slice(6)
  })
  await run('recovery', 'sheet', '--html', '--out', place('sheet.html'), '--data', place('data'))
  const sheet = readFileSync(place('sheet.html'), 'utf8')
  expect(sheet).toMatch(/keyreel master-key unseal --share/)
  expect(sheet).toMatch(/keyreel backup restore/)
  const inData = readdirSync(place('data')).map((name) =>
    readFileSync(place('data', name), 'latin1'),
  )
  const written = [
    sheet,
    readFileSync(place('shares', 'recovery-sheet.html'), 'utf8'),
    readFileSync(place('shares', 'recovery-sheet.txt'), 'utf8'),
    ...inData,
  ].join('\n')
  for (const group of groups) expect(written).not.toContain(group)
})

test('shares of another server are refused whatever they are given for, and nothing changes', async () => {
  const other = place('other')
  await run('init', '--host', 'kms.example.org', '--data', other)
  const foreign = [1, 2].flatMap((n) => ['--share', place('shares', `share-${n}.txt`)])
  const files = () =>
    readdirSync(other).map((name) => [name, readFileSync(join(other, name)).toString('base64')])
  const before = files()
  for (const words of [
    ['recovery', 'verify'],
    ['master-key', 'rotate', '--to', 'file'],
    ['master-key', 'unseal'],
  ]) {
    const { status, stderr } = await runKeyreel([...words, ...foreign, '--data', other])
    expect({ words, status }).toEqual({ words, status: 1 })
    expect(stderr).toMatch(
      /^error: share 1 is of recovery key \w+, this keystore has none\nhint: .*nothing was changed\n$/,
    )
  }
  expect(files()).toEqual(before)
  writeFileSync(place('empty.txt'), '', { mode: 0o600 })
  const empty = ['recovery', 'verify', '--share', place('empty.txt'), '--data', place('data')]
  expect((await runKeyreel(empty)).stderr).toMatch(/18 groups of five characters, this one 0/)
})
