// Runs script files: commands with their expected output and exit status, as cram does.
//
//   == a sentence about behaviour          starts a test in an empty directory of its own
//   < NAME                                 makes a file of the following lines that start with |
//   << NAME                                the same, readable by its owner alone
//   * make|fetch DIGIT BARCODE LIBRARY     a library makes or fetches a tape key in ./keyreel-data
//   $ [VARIABLE=value …] keyreel … [<FILE] runs the command line
//   expected standard output               … alone stands for any lines, … in a line for any text
//   ! expected standard error              likewise
//   [2]                                    the expected exit status; 0 is not written
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { commandsOf, nouns } from '../../src/cli/commands.ts'
import { parseCommandLine } from '../../src/cli/grammar.ts'
import type { Io } from '../../src/cli/io.ts'
import { main } from '../../src/cli/main.ts'
import { UserError } from '../../src/errors.ts'
import { Collector } from './collector.ts'
import { fetchTapeKey, makeTapeKey } from './tape-keys.ts'

interface Step {
  readonly line: number
  readonly command: string
  readonly stdout: string[]
  readonly stderr: string[]
  status: number
}

interface Script {
  readonly sentence: string
  readonly parts: (Step | { file: string; mode: number; lines: string[] } | { act: string[] })[]
}

/** Noon of 22 November 2026: the time of a script's first step; each further step is a minute later. */
export const scriptTime = 1_795_348_800n

/** Makes one test of each script in a file. */
export function testScripts(path: string): void {
  for (const script of readScripts(path)) {
    test(script.sentence, async () => {
      const home = process.cwd()
      const folder = realpathSync(mkdtempSync(join(tmpdir(), 'keyreel-cli-')))
      try {
        process.chdir(folder)
        for (const [index, part] of script.parts.entries()) {
          const now = scriptTime + BigInt(index) * 60n
          if ('act' in part) await act(part.act, now)
          else if ('file' in part)
            writeFileSync(part.file, part.lines.map((line) => `${line}\n`).join(''), {
              mode: part.mode,
            })
          else await runStep(part, path, now)
        }
      } finally {
        process.chdir(home)
        rmSync(folder, { recursive: true, force: true })
      }
    })
  }
}

async function act(words: readonly string[], now: bigint): Promise<void> {
  const [what, digit = '', barcode = '', library = ''] = words
  const key = { digit, barcode, library }
  if (what === 'make') await makeTapeKey('keyreel-data', key, now)
  else if (what === 'fetch') await fetchTapeKey('keyreel-data', key, now)
  else throw new Error(`scripts know no act ${what}`)
}

/** Runs one command line in this process, without a terminal. */
export async function runKeyreel(
  argv: readonly string[],
  options: { env?: Record<string, string>; stdin?: string; io?: Partial<Io> } = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const stdout = new Collector()
  const stderr = new Collector()
  const io: Io = {
    stdin: Readable.from(options.stdin === undefined ? [] : [Buffer.from(options.stdin)]),
    stdout,
    stderr,
    env: options.env ?? {},
    interactive: false,
    isTerminal: () => false,
    now: () => scriptTime,
    onSignal: () => () => undefined,
    dropSignals: () => undefined,
    ...options.io,
  }
  const status = await main(argv, io)
  expect(await statusesOf(argv), `the help page of ${argv.join(' ')} lists ${status}`).toContain(
    status,
  )
  return { status, stdout: stdout.take(), stderr: stderr.take() }
}

/** The exit statuses that the help page of a command lists; those of usage for a line that is none. */
async function statusesOf(argv: readonly string[]): Promise<readonly number[]> {
  try {
    const grammar = { commands: await commandsOf(argv), nouns, version: '', width: 100 }
    const parsed = parseCommandLine(grammar, argv)
    return [0, 1, 2, 130, ...('command' in parsed ? (parsed.command.exits ?? []) : [])]
  } catch (error) {
    if (error instanceof UserError) return [0, 2]
    throw error
  }
}

async function runStep(step: Step, path: string, now: bigint): Promise<void> {
  const words = step.command.match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const plain = words.map((word) => word.replaceAll(/^["']|["']$/g, ''))
  const start = plain.findIndex((word) => !/^[A-Z_]+=/.test(word))
  const env = Object.fromEntries(plain.slice(0, start).map((word) => word.split('=', 2)))
  const input = plain.find((word) => word.startsWith('<'))?.slice(1)
  const argv = plain.slice(start + 1).filter((word) => !word.startsWith('<'))
  const ran = await runKeyreel(argv, {
    env: env as Record<string, string>,
    io: { now: () => now },
    ...(input === undefined ? {} : { stdin: readFileSync(input, 'utf8') }),
  })
  const place = `${path}:${step.line}: ${step.command}`
  expectLines(ran.stderr, step.stderr, `${place}: standard error`)
  expectLines(ran.stdout, step.stdout, `${place}: standard output`)
  expect(ran.status, `${place}: exit status\n${ran.stderr}`).toBe(step.status)
}

function expectLines(actual: string, expected: readonly string[], place: string): void {
  if (matchesLines(actual.split('\n').slice(0, -1), expected)) return
  expect(actual, place).toBe(expected.map((line) => `${line}\n`).join(''))
}

function matchesLines(actual: readonly string[], expected: readonly string[]): boolean {
  const [first, ...others] = expected
  if (first === undefined) return actual.length === 0
  if (first === '…') {
    return (
      actual.some((_, skip) => matchesLines(actual.slice(skip), others)) || matchesLines([], others)
    )
  }
  const pattern = first
    .split('…')
    .map((part) => RegExp.escape(part))
    .join('.*')
  const [line, ...rest] = actual
  return line !== undefined && new RegExp(`^${pattern}$`).test(line) && matchesLines(rest, others)
}

function readScripts(path: string): Script[] {
  const scripts: Script[] = []
  for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
    const parts = scripts.at(-1)?.parts
    const last = parts?.at(-1)
    if (line.startsWith('== ')) scripts.push({ sentence: line.slice(3), parts: [] })
    else if (line.startsWith('* ')) parts?.push({ act: line.slice(2).split(' ') })
    else if (line.startsWith('< ')) parts?.push({ file: line.slice(2), mode: 0o644, lines: [] })
    else if (line.startsWith('<< ')) parts?.push({ file: line.slice(3), mode: 0o600, lines: [] })
    else if (line.startsWith('$ keyreel') || /^\$ ([A-Z_]+=\S* )+keyreel/.test(line)) {
      parts?.push({ line: index + 1, command: line.slice(2), stdout: [], stderr: [], status: 0 })
    } else if (last !== undefined && 'file' in last) {
      if (line.startsWith('|')) last.lines.push(line.slice(1))
    } else if (last !== undefined && 'command' in last) readExpectation(line, last)
  }
  return scripts
}

/** Blank lines separate steps; one that is expected is written as a line with a single dot. */
function readExpectation(line: string, step: Step): void {
  const status = /^\[(\d+)\]$/.exec(line)?.[1]
  if (status !== undefined) step.status = Number(status)
  else if (line.startsWith('! ')) step.stderr.push(line.slice(2))
  else if (line === '.') step.stdout.push('')
  else if (line !== '') step.stdout.push(line)
}
