// The command lines that keyreel tells people to run: they exist, and they mean the keystore of this run.
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandLines, commandLinesIn } from '../../src/cli/command-lines.ts'
import { allCommands } from '../../src/cli/commands.ts'
import { shellWord } from '../../src/shell-word.ts'
import { runKeyreel } from './script.ts'

const given = (...argv: string[]) => commandLines(['status', ...argv])

describe('a command line that is printed', () => {
  test.each([
    ['keyreel serve', 'keyreel serve --data real'],
    [
      'next:  keyreel library add NAME --out DIR',
      'next:  keyreel library add NAME --out DIR --data real',
    ],
    ['make one with `keyreel init`, or not', 'make one with `keyreel init --data real`, or not'],
    ['keyreel audit verify  lists all of it', 'keyreel audit verify --data real  lists all of it'],
    ['look (keyreel exchange request) first', 'look (keyreel exchange request --data real) first'],
    [
      'keyreel peer pull B --key 1 , or ask with keyreel exchange request',
      'keyreel peer pull B --key 1 --data real , or ask with keyreel exchange request --data real',
    ],
    ['keyreel group set a export=B,C, or', 'keyreel group set a export=B,C --data real, or'],
    ["keyreel backup verify 'a, b; c  d'", "keyreel backup verify 'a, b; c  d' --data real"],
    [
      'first:  keyreel server certificate renew\nthen:  keyreel doctor',
      'first:  keyreel server certificate renew --data real\nthen:  keyreel doctor --data real',
    ],
  ])('%j names the data directory of this run', (line, completed) => {
    expect(given('--data', 'real').inText(line)).toBe(completed)
  })

  test.each([
    'next, at the other site:  keyreel exchange import FILE',
    'there:  keyreel library show NAME and keyreel group show GROUP tell what we may do',
    'that person opens it:  keyreel recovery open FILE --out FILE',
    'keyreel serve --help',
    'run the keyreel version that wrote it',
    'run it again with --data real:  keyreel doctor --data real',
  ])('%j stays as it is', (line) => {
    expect(given('--data', 'real').inText(line)).toBe(line)
  })

  test('says nothing of a place that the default or the environment chose', () => {
    expect(given('--json').inText('keyreel serve')).toBe('keyreel serve')
  })

  test('names the database and the settings file that were given too, but no password', () => {
    const url = 'postgres://keyreel@db/keyreel'
    expect(given('--config=a.toml', '--database', url).inText('keyreel serve')).toBe(
      `keyreel serve --config a.toml --database ${url}`,
    )
    for (const secret of ['postgres://k:secret@db/k', 'postgres://k@db/k?password=secret'])
      expect(given('--database', secret).inText('keyreel serve')).toBe('keyreel serve')
    expect(given('--database', url).inText('keyreel init --database URL')).toBe(
      'keyreel init --database URL',
    )
  })

  test('is completed in the fields of a document that tell what to run, and in no other', () => {
    const document = {
      next: ['keyreel serve'],
      checks: [{ remedy: 'keyreel serve', found: 'keyreel serve', at: 1n }],
      bytes: new Uint8Array([1]),
    }
    expect(given('--data', 'real').inJson(document)).toEqual({
      next: ['keyreel serve --data real'],
      checks: [{ remedy: 'keyreel serve --data real', found: 'keyreel serve', at: 1n }],
      bytes: new Uint8Array([1]),
    })
  })

  test.each(['a b', 'it\'s "q"', '$(reboot)', 'a\\b', '*', '~', 'plain-1.0/é'])(
    'has the word %j as a shell reads it',
    (word) => {
      const read = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`])
      expect(read.toString()).toBe(word)
    },
  )
})

/** Texts that go into files, certificates and messages. */
const documents = [
  'access/kit-readme.ts',
  'admin/recovery-sheets.ts',
  'crypto/recovery-keys.ts',
  'kmip/operations/peer-questions.ts',
]

/** Placeholders, flags with their values, settings, and words that examples of ours consist of. */
const argument =
  /^(?:[A-Z][A-Z-]*|--[a-z0-9-]+|…|\$\{.*|[a-z]+=\S+|kmips?:\S+|postgres:\S+|nightly|\d+|file|passphrase|backup)$/

test('every command line in the source is one of the grammar, and ends before the prose does', async () => {
  const known = new Set((await allCommands()).map(({ words }) => words))
  const root = join(import.meta.dirname, '../../src')
  const wrong = globSync('**/*.ts', { cwd: root, exclude: documents }).flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
      .flatMap((line) => commandLinesIn(line))
      .filter(
        ({ words, rest }) =>
          !known.has(words) ||
          !rest
            .replace(/(['"`]|\\n).*$/, '')
            .trim()
            .split(' ')
            .every((word) => word === '' || argument.test(word)),
      )
      .map(({ words, rest }) => `${file}: ${words}|${rest}`),
  )
  expect(wrong).toEqual([])
})

describe('after init --data', () => {
  const home = process.cwd()
  let folder: string
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'keyreel-lines-')))
    process.chdir(folder)
  })
  afterAll(() => {
    process.chdir(home)
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(['real', 'a b', 'it\'s "q"'])('%j each line to go on with finds it', async (data) => {
    const quoted = shellWord(data)
    const made = await runKeyreel(['init', '--data', data, '--host', 'kms.example.org'])
    expect(made.stdout).toContain(`\n  keyreel serve --data ${quoted}\n`)
    const checked = await runKeyreel(['doctor', 'server', '--data', data])
    expect(checked.stdout).toContain(`remedy: keyreel serve --data ${quoted}\n`)
    const document = await runKeyreel(['doctor', 'server', '--json', '--data', data])
    expect(JSON.parse(document.stdout)).toMatchObject({
      checks: [{ remedy: `keyreel serve --data ${quoted}` }],
    })
    const seen = await runKeyreel(['status', `--data=${data}`])
    expect(seen.stdout).toContain(`keyreel library add NAME --out DIR --data ${quoted}\n`)
    const wrong = await runKeyreel(['key', 'show', 'ffff', '--data', data])
    expect(wrong.stderr).toContain(`keyreel key list --data ${quoted}, or by tape:`)
    const slip = await runKeyreel(['doctr', '--data', data])
    expect(slip.stderr).toContain(`hint: keyreel doctor --data ${quoted}\n`)
  })

  test('the file of a backup is quoted where it is to be verified', async () => {
    await runKeyreel(['init', '--data', 'kept', '--host', 'kms.example.org'])
    await runKeyreel([
      'recovery',
      'setup',
      '--threshold',
      '2',
      '--shares',
      '3',
      '--out',
      'shares',
      '--data',
      'kept',
    ])
    mkdirSync('c d')
    const { stdout } = await runKeyreel(['backup', 'create', '--out', 'c d/e', '--data', 'kept'])
    expect(stdout).toContain("next:  keyreel backup verify 'c d/e' --data kept\n")
  })

  test('in a data directory that the environment chose, lines are as they were', async () => {
    const env = { KEYREEL_DATA: 'chosen' }
    const made = await runKeyreel(['init', '--host', 'kms.example.org'], { env })
    expect(made.stdout).toContain('\n  keyreel serve\n')
  })
})
