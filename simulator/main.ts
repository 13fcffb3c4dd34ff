// keyreel-simulator: reads the command line, sets the stage, runs a command, and turns what went
// wrong into lines for a person and an exit status.

import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { UserCredential } from '../src/kmip/client/client.ts'
import { ConnectionError } from '../src/kmip/client/errors.ts'
import { UserError } from '../src/errors.ts'
import { nearest } from '../src/nearest.ts'
import { helpCommand, readCommandLine, usage, type Line } from './command-line.ts'
import { dialects, type Dialect } from './dialects.ts'
import { SimulatorError, type SimulatorErrorCode } from './errors.ts'
import { runFleet } from './fleet.ts'
import { readKit } from './kit.ts'
import { diagnosePaths } from './path-diagnostics.ts'
import { onStage, play, type Played } from './play.ts'
import {
  catalogue,
  findingsTable,
  fleetText,
  paintFor,
  playedJson,
  playedLine,
  playedSummary,
  tapPoint,
  type Paint,
} from './reports.ts'
import { scenarios } from './scenarios.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { addressOf } from './server-address.ts'
import type { StageOptions } from './stage.ts'

/** Where a command prints, and how. */
interface Output {
  readonly paint: Paint
  print(text: string): void
}

/** Runs this process's command line and ends the process with its exit status. */
export async function runProcess(): Promise<void> {
  const stream = process.stdout
  stream.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1)
  })
  const argv = process.argv.slice(2)
  const colour = stream.isTTY === true && !process.env['NO_COLOR'] && !argv.includes('--no-color')
  const output = {
    paint: paintFor(colour),
    print: (text: string) => void stream.write(`${text}\n`),
  }
  const status = await main(argv, output)
  stream.write('', () => process.exit(status))
}

/** Runs one command line and resolves with its exit status; never rejects. */
export async function main(argv: readonly string[], output: Output): Promise<number> {
  try {
    const line = readCommandLine(argv)
    if ('help' in line) {
      if (argv.length > 0) output.print(line.help)
      else process.stderr.write(`${line.help}\n`)
      return argv.length > 0 ? 0 : 2
    }
    if ('version' in line) {
      output.print(release())
      return 0
    }
    if (line.command === 'list') return list(line, output)
    return await withScratch((scratch) => runCommand(line, scratch, output))
  } catch (error) {
    const { message, hint, exitStatus } = explained(error)
    process.stderr.write(`error: ${message}\nhint: ${hint}\n`)
    return exitStatus
  }
}

function list(line: Line, { paint, print }: Output): number {
  const known = scenarios.map(({ id, title }) => ({ id, title }))
  const rows = Object.values(dialects)
  print(
    line.switches.has('json')
      ? json({
          scenarios: known,
          personalities: rows.map(({ name, summary, version }) => ({ name, summary, version })),
        })
      : catalogue(scenarios, rows, paint),
  )
  return 0
}

async function runCommand(line: Line, scratch: string, output: Output): Promise<number> {
  const { paint, print } = output
  const asJson = line.switches.has('json')
  const wanted = line.command === 'run' ? wantedScenarios(line) : []
  const stages = await stageOptions(line, scratch)
  if (line.command === 'run') return playAll(wanted, stages, line, output)
  const stage = stages[0]!
  if (stages.length > 1) throw usage(`${line.command} takes one personality`, helpCommand('run'))
  if (line.command === 'diagnose') {
    const findings = await onStage(stage, (made) => diagnosePaths(made))
    print(asJson ? json({ findings }) : findingsTable(findings, paint))
    return findings.some(({ result }) => result === 'failed') ? 1 : 0
  }
  const size = {
    libraries: wholeNumber(line, 'libraries', 4),
    cartridges: wholeNumber(line, 'cartridges', 16),
  }
  const report = await onStage(stage, (made) => runFleet(made, size))
  print(asJson ? json(report) : fleetText(report, paint))
  return report.problems.length === 0 ? 0 : 1
}

async function playAll(
  wanted: readonly Scenario[],
  stages: readonly StageOptions[],
  line: Line,
  { paint, print }: Output,
): Promise<number> {
  const asJson = line.switches.has('json')
  const asTap = line.switches.has('tap')
  if (asJson && asTap) throw usage('--json and --tap exclude each other', helpCommand('run'))
  if (asTap) print(`TAP version 14\n1..${wanted.length * stages.length}`)
  const all: Played[] = []
  for (const stage of stages) {
    for (const scenario of wanted) {
      const played = await play(scenario, stage)
      all.push(played)
      if (asTap) print(tapPoint(played, all.length))
      else if (!asJson) print(playedLine(played, paint))
    }
  }
  if (asJson) print(json(playedJson(all)))
  else if (!asTap) print(playedSummary(all, paint))
  return all.some(({ error }) => error !== undefined) ? 1 : 0
}

function wantedScenarios({ words }: Line): readonly Scenario[] {
  if (words.length === 0) throw usage('run what?', 'keyreel-simulator list')
  if (words.includes('all')) return scenarios
  return words.map((word) => {
    const found = scenarios.find(({ id }) => id.toLowerCase() === word.toLowerCase())
    if (found !== undefined) return found
    const meant = nearest(
      word,
      scenarios.map(({ id }) => id),
    )
    const hint = `keyreel-simulator ${meant === undefined ? 'list' : `run ${meant}`}`
    throw usage(`there is no scenario ${JSON.stringify(word)}`, hint)
  })
}

/** One stage per personality wanted. */
async function stageOptions(line: Line, scratch: string): Promise<StageOptions[]> {
  const { command, values } = line
  const needed = (flag: 'server' | 'kit') => {
    if (values[flag] !== undefined) return values[flag]
    throw usage(`${command} wants --${flag}`, helpCommand(command))
  }
  const servers = needed('server').map((text) => addressOf(text))
  const kits = await Promise.all(needed('kit').map(readKit))
  const credential = await credentialOf(line)
  const names = values['personality'] ?? ['P-strict12']
  const wanted = names.includes('all') ? allDialects(credential) : names.map(dialectOf)
  const locked = wanted.find((dialect) => dialect.credential && credential?.password === undefined)
  if (locked !== undefined) {
    throw new SimulatorError('credential', `${locked.name} wants a user name and a password`)
  }
  return wanted.map((dialect) => ({
    servers,
    kits,
    dialect,
    scratch,
    ...(credential && { credential }),
  }))
}

/** With `all`, the personality that needs a credential plays only where there is one. */
const allDialects = (credential: UserCredential | undefined): Dialect[] =>
  Object.values(dialects).filter((dialect) => !dialect.credential || credential !== undefined)

function dialectOf(name: string): Dialect {
  const found = Object.values(dialects).find(
    (dialect) => dialect.name.toLowerCase() === name.toLowerCase(),
  )
  if (found !== undefined) return found
  const meant = nearest(name, Object.keys(dialects))
  const hint = meant === undefined ? 'keyreel-simulator list' : `--personality ${meant}`
  throw usage(`there is no personality ${JSON.stringify(name)}`, hint)
}

async function credentialOf({ values }: Line): Promise<UserCredential | undefined> {
  const username = values['username']?.at(-1)
  const file = values['password-file']?.at(-1)
  if (username === undefined) return undefined
  if (file === undefined) return { username }
  try {
    const [password = ''] = (await readFile(file, 'utf8')).split(/\r?\n/u)
    return { username, password }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = unreadable[code ?? ''] ?? code ?? String(cause)
    throw usage(`cannot read ${file}: ${why}`, 'name a readable file that holds the password')
  }
}

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

function wholeNumber({ values, command }: Line, flag: string, otherwise: number): number {
  const text = values[flag]?.at(-1)
  if (text === undefined) return otherwise
  if (/^\d{1,9}$/u.test(text) && Number(text) > 0) return Number(text)
  throw usage(
    `--${flag} wants a whole number from 1, not ${JSON.stringify(text)}`,
    helpCommand(command),
  )
}

/** By signal: 128 and its number. */
const signalStatus = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** A directory that is gone afterwards, also when the process ends early. */
async function withScratch<T>(work: (scratch: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'keyreel-simulator-'))
  const clean = () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 })
  const ends = Object.entries(signalStatus).map(([signal, status]) => {
    const end = () => process.exit(status)
    process.once(signal, end)
    return () => process.off(signal, end)
  })
  process.once('exit', clean)
  try {
    return await work(scratch)
  } finally {
    for (const off of ends) off()
    process.off('exit', clean)
    clean()
  }
}

/** What the user can put right. Any other code means a mistake in a scenario. */
const hints: Partial<Record<SimulatorErrorCode, string>> = {
  'library-layout': 'ask for fewer libraries or cartridges',
  personality: 'keyreel-simulator list',
  credential:
    'give --username and --password-file; on the server:  keyreel library credential add NAME',
  'server-list': 'give --server once to ten times',
  kit: 'make a kit on the server:  keyreel library add NAME --out DIR',
}

function explained(error: unknown): UserError {
  if (error instanceof UserError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof SimulatorError) {
    const hint = hints[error.code]
    if (hint !== undefined) {
      return new UserError(error.code, message, hint, { exitStatus: 2, cause: error })
    }
  }
  if (error instanceof ConnectionError) {
    const hint = 'keyreel-simulator diagnose --server HOST:PORT --kit DIR  tells what is wrong'
    return new UserError(error.code, message, hint, { cause: error })
  }
  const hint = 'this is a mistake in the simulator: please report it'
  return new UserError('internal', `internal error: ${message}`, hint, { cause: error })
}

/** Such as `0.1.0`. */
function release(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

const json = (value: unknown): string => JSON.stringify(value, undefined, 2)
