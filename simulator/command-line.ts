// The simulator's command line: four commands and their flags as a table, the help made from it, and
// a line read with it.

import { parseArgs } from 'node:util'

import { exitStatus, UserError } from '../src/errors.ts'
import { nearest } from '../src/nearest.ts'
import { dialects } from './dialects.ts'
import { scenarios } from './scenarios.ts'

interface FlagRow {
  readonly placeholder?: string
  readonly help: string
}

const flags = {
  server: { placeholder: 'HOST:PORT', help: 'key server; repeat for a failover list of up to 10' },
  kit: { placeholder: 'DIR', help: 'enrolment kit; repeat to play several libraries of one group' },
  personality: { placeholder: 'NAME', help: 'how the library speaks; may repeat; or all' },
  username: { placeholder: 'U', help: 'credential of P-userpass' },
  'password-file': { placeholder: 'FILE', help: 'its password, on the first line' },
  libraries: { placeholder: 'N', help: 'libraries of the fleet (4)' },
  cartridges: { placeholder: 'M', help: 'cartridges of each library (16)' },
  json: { help: 'one JSON document on standard output' },
  tap: { help: 'TAP version 14 on standard output' },
  'no-color': { help: 'no colours, as with NO_COLOR' },
  help: { help: 'print this page' },
} as const satisfies Record<string, FlagRow>

type FlagName = keyof typeof flags

interface CommandRow {
  readonly usage: string
  readonly summary: string
  readonly flags: readonly FlagName[]
  readonly examples: readonly [string, string]
}

const connection = ['server', 'kit', 'personality', 'username', 'password-file'] as const

/** One row per command. */
export const commands = {
  run: {
    usage: 'run SCENARIO… | all',
    summary: 'play scenarios against a key server; each ends with what is read from the tape',
    flags: [...connection, 'json', 'tap', 'no-color'],
    examples: [
      'run all --server 127.0.0.1:5696 --kit alpha-kit',
      'run T-1 T-3 --server keys.example.org --kit alpha-kit --personality all --tap',
    ],
  },
  list: {
    usage: 'list',
    summary: 'list scenarios and personalities',
    flags: ['json', 'no-color'],
    examples: ['list', 'list --json'],
  },
  diagnose: {
    usage: 'diagnose',
    summary: 'find out why a drive gets no key: drive, ping, config, path for every server',
    flags: [...connection, 'json', 'no-color'],
    examples: [
      'diagnose --server 127.0.0.1:5696 --kit alpha-kit',
      'diagnose --server a.example.org --server b.example.org --kit alpha-kit --json',
    ],
  },
  fleet: {
    usage: 'fleet',
    summary: 'many libraries at once; at the end every cartridge must have a key of its own',
    flags: [...connection, 'libraries', 'cartridges', 'json', 'no-color'],
    examples: [
      'fleet --server 127.0.0.1:5696 --kit alpha-kit',
      'fleet --libraries 16 --cartridges 100 --server 127.0.0.1:5696 --kit alpha-kit',
    ],
  },
} as const satisfies Record<string, CommandRow>

export type CommandName = keyof typeof commands

/** A command line that was understood. */
export interface Line {
  readonly command: CommandName
  readonly words: readonly string[]
  /** Values of the flags that take one, in the order given. */
  readonly values: Readonly<Record<string, readonly string[]>>
  readonly switches: ReadonlySet<string>
}

/** Reads a command line: what to do, or text that was asked for. @throws UserError, exit status 2 */
export function readCommandLine(
  argv: readonly string[],
): Line | { readonly help: string } | { readonly version: true } {
  const [first, ...rest] = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv
  if (first === undefined || first === '--help' || first === '-h') return { help: mainHelp() }
  if (first === '--version') return { version: true }
  if (!Object.hasOwn(commands, first)) {
    const meant = nearest(first, Object.keys(commands))
    throw usage(
      `there is no command ${JSON.stringify(first)}`,
      `keyreel-simulator ${meant ?? '--help'}`,
    )
  }
  const command = first as CommandName
  const known: readonly FlagName[] = [...commands[command].flags, 'help']
  const { tokens } = parseArgs({
    args: rest,
    options: Object.fromEntries(
      known.map((name) => [name, { type: 'placeholder' in flags[name] ? 'string' : 'boolean' }]),
    ),
    strict: false,
    tokens: true,
  })
  const words: string[] = []
  const values: Record<string, string[]> = {}
  const switches = new Set<string>()
  for (const token of tokens) {
    if (token.kind === 'positional') words.push(token.value)
    if (token.kind !== 'option') continue
    const name = token.name === 'h' ? 'help' : token.name
    if (!known.includes(name as FlagName)) throw unknownFlag(token.rawName, command, known)
    const wanted: FlagRow = flags[name as FlagName]
    if (wanted.placeholder === undefined) switches.add(name)
    else if (token.value === undefined) {
      throw usage(`--${name} wants a value: ${wanted.placeholder}`, helpCommand(command))
    } else (values[name] ??= []).push(token.value)
  }
  if (switches.has('help')) return { help: commandHelp(command) }
  if (command !== 'run' && words.length > 0) {
    throw usage(`${command} takes no ${JSON.stringify(words[0])}`, helpCommand(command))
  }
  return { command, words, values, switches }
}

/** A mistake in the command line. */
export const usage = (message: string, hint: string): UserError =>
  new UserError('usage', message, hint, { exitStatus: exitStatus.usage })

/** The command that prints the help page of a command. */
export const helpCommand = (command: CommandName): string => `keyreel-simulator ${command} --help`

function unknownFlag(raw: string, command: CommandName, known: readonly FlagName[]): UserError {
  const meant = nearest(raw.replace(/^-+/u, ''), known)
  const page = helpCommand(command)
  return usage(
    `${command} has no flag ${raw}`,
    meant === undefined ? page : `--${meant}  (${page})`,
  )
}

const exits = [
  'Exit statuses:',
  '  0    everything went as told',
  '  1    something did not',
  '  2    the command line is wrong',
  '  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM',
]

function mainHelp(): string {
  const rows = Object.values(commands).map(
    ({ usage: line, summary }) => `  ${line.padEnd(22)} ${summary}`,
  )
  return [
    'Usage: keyreel-simulator COMMAND [flags]',
    '',
    'A tape library in software: robot, drives, cartridges and a controller that asks a key server',
    'for keys over KMIP. For trying keyreel, or any other KMIP server, without touching a real tape.',
    '',
    'Commands:',
    ...rows,
    '',
    ...exits,
    '',
    'Examples:',
    ...Object.values(commands).map(({ examples }) => `  keyreel-simulator ${examples[0]}`),
    '',
    'More about a command: keyreel-simulator help COMMAND',
    'Which version this is: keyreel-simulator --version',
  ].join('\n')
}

function commandHelp(name: CommandName): string {
  const { usage: line, summary, examples, flags: own } = commands[name]
  const rows = [...own, 'help' as const].map((flag) => {
    const { help, placeholder }: FlagRow = flags[flag]
    const form = placeholder === undefined ? `--${flag}` : `--${flag} ${placeholder}`
    return `  ${form.padEnd(24)} ${help}`
  })
  const more: Record<CommandName, readonly string[]> = {
    run: ['', `Scenarios: ${scenarios.map(({ id }) => id).join(' ')}`, ...personalities],
    list: [],
    diagnose: personalities,
    fleet: personalities,
  }
  return [
    `Usage: keyreel-simulator ${line} [flags]`,
    '',
    `${summary}.`,
    '',
    ...rows,
    ...more[name],
    '',
    ...exits,
    '',
    'Examples:',
    ...examples.map((example) => `  keyreel-simulator ${example}`),
  ].join('\n')
}

const personalities = ['', `Personalities: ${Object.keys(dialects).join(' ')}`]
