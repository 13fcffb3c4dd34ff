// Help pages and errors: what every one of them must have.
import { readFileSync } from 'node:fs'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allCommands, nouns } from '../../src/cli/commands.ts'
import { exitMeanings } from '../../src/cli/exit-status.ts'
import { parseCommandLine } from '../../src/cli/grammar.ts'
import { everySetting } from '../../src/config.ts'
import { runKeyreel } from './script.ts'

const commands = await allCommands()
const grammar = { commands, nouns, version: '0.0.0', width: 100 }

describe.each(commands.map((row) => [row.words, row] as const))('keyreel %s', (words, row) => {
  test('its help page lists exit statuses and two examples', async () => {
    const { status, stdout } = await runKeyreel([...words.split(' '), '--help'])
    expect(status).toBe(0)
    for (const used of [0, 1, 2, 130, ...(row.exits ?? [])] as const) {
      expect(stdout).toContain(`  ${String(used).padEnd(4)} ${exitMeanings[used]}`)
    }
    for (const example of row.examples) expect(stdout).toContain(`  keyreel ${example}\n`)
  })

  test.each(row.examples.map((example) => [example]))('the example %s is understood', (example) => {
    const argv = example.replace(/ <.*$/, '').split(' ')
    expect(parseCommandLine(grammar, argv)).toMatchObject({ command: { words } })
  })

  test('every noun it hangs on is explained', () => {
    const path = words.split(' ').slice(0, -1)
    for (const depth of path.keys()) {
      expect(nouns).toHaveProperty([path.slice(0, depth + 1).join(' ')])
    }
  })
})

test('the words of the contract are all there', () => {
  const words = commands.map((row) => row.words)
  for (const word of [
    ...['init', 'serve', 'status', 'doctor'],
    ...['library add', 'library list', 'library show', 'library revoke', 'library renew'],
    ...['library credential add', 'group list', 'group show', 'group set'],
    ...['server certificate show', 'server certificate renew'],
    ...['cartridge list', 'cartridge show', 'key list', 'key show', 'key recover', 'key destroy'],
    ...['exchange approve', 'exchange receipt', 'operator add', 'operator list', 'operator revoke'],
    ...['audit list', 'audit verify', 'audit export', 'ttlv decode'],
  ]) {
    expect(words).toContain(word)
  }
})

test('every UserError in the source has a message and a hint', () => {
  const root = join(import.meta.dirname, '../..')
  const files = globSync('{src,simulator}/**/*.ts', { cwd: root })
  const found = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8')
    return [...text.matchAll(/new UserError\(/g)].map(
      (match) => [file, argumentsAt(text, match.index + match[0].length)] as const,
    )
  })
  expect(found.length).toBeGreaterThan(40)
  const wanting = found.filter(([, given]) => given.length < 3 || given.some(isEmpty))
  expect(wanting).toEqual([])
})

test('hints name no setting that does not exist', () => {
  const root = join(import.meta.dirname, '../../src')
  const text = globSync('**/*.ts', { cwd: root })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  const named = new Set([...text.matchAll(/KEYREEL_[A-Z_]+/g)].map(([name]) => name))
  const known = Object.keys(everySetting).map(
    (key) => `KEYREEL_${key.toUpperCase().replaceAll(/[.-]/g, '_')}`,
  )
  const others = ['KEYREEL_', 'KEYREEL_CONFIG', 'KEYREEL_DEBUG']
  expect([...named].filter((name) => !known.includes(name) && !others.includes(name))).toEqual([])
})

function isEmpty(argument: string): boolean {
  return /^(''|""|``)$/.test(argument)
}

/** The texts of a call's arguments, split at the commas of its own level. */
function argumentsAt(text: string, start: number): string[] {
  const found: string[] = ['']
  let depth = 0
  let quote = ''
  for (let at = start; depth >= 0; at++) {
    const character = text[at] ?? ')'
    if (quote !== '') {
      if (character === quote && text[at - 1] !== '\\') quote = ''
    } else if (/['"`]/.test(character)) quote = character
    else if (/[([{]/.test(character)) depth++
    else if (/[)\]}]/.test(character)) depth--
    if (character === ',' && depth === 0 && quote === '') found.push('')
    else if (depth >= 0) found[found.length - 1] += character
  }
  return found.map((argument) => argument.trim()).filter((argument) => argument !== '')
}
