// The grammar: the table of commands made into a commander program, and a command line read with
// it. Help pages list the exit statuses a command uses and its two examples.
import { Command as Parser, CommanderError, InvalidArgumentError, Option } from 'commander'
import { flagName, settings } from '../config.ts'
import type { SettingKey } from '../config.ts'
import { UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { Argument, Command, Option as Flag } from './command.ts'
import { exitMeanings } from './exit-status.ts'
import type { ExitStatus } from './exit-status.ts'

/** Settings every command takes as flags. */
const globalSettings = [
  'data',
  'database',
  'node',
  'master-key-file',
  'passphrase-file',
  'log.level',
  'log.format',
] as const
const everyCommandExits = [0, 1, 2, 130] as const

/** A command line that was understood. */
export interface Parsed {
  readonly command: Command
  readonly arguments: Record<string, unknown>
  readonly options: Record<string, unknown>
  /** Settings given as flags. */
  readonly settings: Partial<Record<SettingKey, string>>
  readonly configFile: string | undefined
  readonly json: boolean
  readonly quiet: boolean
  readonly yes: boolean
  readonly colour: boolean
}

/** Text that was asked for (help, version), or shown because no command was named. */
export interface Shown {
  readonly text: string
  readonly exitStatus: 0 | 2
}

/** The commands, what their nouns mean, and the version: all that help pages are made of. */
export interface Grammar {
  readonly commands: readonly Command[]
  readonly nouns: Readonly<Record<string, string>>
  readonly version: string
  /** Columns of the terminal. */
  readonly width: number
}

/** Reads a command line. @throws UserError with exit status 2 when it does not fit the grammar */
export function parseCommandLine(grammar: Grammar, argv: readonly string[]): Parsed | Shown {
  if (argv[0] === 'help') return parseCommandLine(grammar, [...argv.slice(1), '--help'])
  const printed: string[] = []
  let parsed: Parsed | undefined
  const program = build(grammar, printed, (found) => {
    parsed = found
  })
  if (argv.length === 0) return { text: program.helpInformation(), exitStatus: 2 }
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    const isBare = error.code === 'commander.help' && commandPath(grammar, argv).length === 0
    if (isBare) return { text: program.helpInformation(), exitStatus: 2 }
    if (error.exitCode !== 0) throw usageError(error, grammar, argv)
    if (error.code === 'commander.helpDisplayed') refuseUnknown(grammar, argv)
    return { text: printed.join(''), exitStatus: 0 }
  }
  // Flags alone name no command.
  return parsed ?? { text: program.helpInformation(), exitStatus: 2 }
}

/** A page is shown of what there is: commander would show that of the last word it knew. */
function refuseUnknown(grammar: Grammar, argv: readonly string[]): void {
  const words = argv.filter((word) => word !== '--help' && word !== '-h')
  try {
    build(grammar, [], () => undefined).parse(words, { from: 'user' })
  } catch (error) {
    const isUnknown = error instanceof CommanderError && error.code === 'commander.unknownCommand'
    if (isUnknown) throw usageError(error, grammar, words)
  }
}

function build(grammar: Grammar, printed: string[], found: (parsed: Parsed) => void): Parser {
  const program = new Parser('keyreel')
    .description('key server for tape libraries')
    .usage('COMMAND [flags]')
    .version(grammar.version, '--version', 'print the version')
    .helpOption('-h, --help', 'print this page')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({ writeOut: (text) => void printed.push(text), writeErr: () => undefined })
    .configureHelp({
      showGlobalOptions: true,
      helpWidth: grammar.width,
      optionDescription: ({ description, defaultValue }) =>
        defaultValue === undefined ? description : `${description} (default: ${defaultValue})`,
    })
    .option('--config <FILE>', 'TOML file with settings (environment: KEYREEL_CONFIG)')
    .option('--json', 'print the result as one JSON document')
    .option('--quiet', 'no remarks on standard error, only errors')
    .option('--yes', 'consent to whatever would be asked')
    .option('--no-color', 'no colours, as with NO_COLOR')
    .addHelpText('after', '\nMore about a command: keyreel help COMMAND [VERB]')
  for (const key of globalSettings) program.addOption(settingOption(key))
  for (const row of grammar.commands) attach(program, grammar, row, found)
  return program
}

/** Hangs one command into the tree, making the parsers of its nouns on the way. */
function attach(program: Parser, grammar: Grammar, row: Command, found: (parsed: Parsed) => void) {
  const words = row.words.split(' ')
  const verb = words.pop() ?? ''
  let parent = program
  for (const [depth, word] of words.entries()) {
    const path = words.slice(0, depth + 1).join(' ')
    parent =
      parent.commands.find((candidate) => candidate.name() === word) ??
      parent
        .command(word)
        .summary(grammar.nouns[path] ?? '')
        .description(grammar.nouns[path] ?? '')
        .helpCommand(false)
  }
  const parser = parent
    .command(verb)
    .summary(row.summary)
    .description([row.summary, row.details].filter(Boolean).join('\n\n'))
    .addHelpText('after', footer(row))
  const names = Object.keys(row.arguments ?? {})
  for (const [name, given] of Object.entries(row.arguments ?? {})) {
    parser.argument(argumentForm(name, given), given.help)
  }
  for (const [name, flag] of Object.entries(row.options ?? {})) {
    parser.addOption(flagOption(name, flag))
  }
  for (const key of row.settings ?? []) parser.addOption(settingOption(key))
  parser.action(() => {
    const globals: Record<string, unknown> = program.opts()
    const own: Record<string, unknown> = parser.opts()
    const given = [...globalSettings, ...(row.settings ?? [])].flatMap((key) => {
      const value = { ...globals, ...own }[settingOption(key).attributeName()]
      if (value === undefined) return []
      return [
        [key, Array.isArray(value) ? value.join(settings[key].separator) : String(value)] as const,
      ]
    })
    found({
      command: row,
      arguments: Object.fromEntries(
        names.map((name, index) => [name, parser.processedArgs[index] as unknown]),
      ),
      options: Object.fromEntries(
        Object.entries(row.options ?? {}).map(([name, flag]) => [
          name,
          own[flagOption(name, flag).attributeName()] ?? flag.default,
        ]),
      ),
      settings: Object.fromEntries(given),
      configFile: globals.config as string | undefined,
      json: globals.json === true,
      quiet: globals.quiet === true,
      yes: globals.yes === true,
      colour: globals.color !== false,
    })
  })
}

function argumentForm(name: string, given: Argument<unknown>): string {
  const forms = { required: `<${name}>`, optional: `[${name}]`, rest: `[${name}...]` }
  return forms[given.kind]
}

/** The flag of an option named in camelCase: `dryRun` is `--dry-run`. */
function flagOption(name: string, flag: Flag<unknown>): Option {
  const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  if (flag.kind === 'switch') return new Option(`--${words}`, flag.help)
  const shown = flag.placeholder ?? flag.choices?.join('|')
  const option = new Option(`--${words} <${shown}>`, flag.help)
  if (flag.required === true) option.makeOptionMandatory()
  if (flag.kind === 'choice') option.choices(flag.choices ?? []).default(flag.default)
  if (flag.kind === 'text' && flag.default !== undefined) option.default(flag.default)
  if (flag.kind === 'integer') option.default(flag.default).argParser(wholeNumber)
  if (flag.kind === 'list') {
    option.argParser((value: string, before: readonly string[] = []) => [...before, value])
  }
  return option
}

function settingOption(key: SettingKey): Option {
  const { placeholder, help } = settings[key]
  const value = settings[key].default
  const note = value === undefined || value === false ? '' : ` (default: ${String(value)})`
  const flags = placeholder === '' ? flagName(key) : `${flagName(key)} <${placeholder}>`
  const option = new Option(flags, help + note)
  // What may repeat is read like a text of several words.
  return settings[key].separator !== undefined
    ? option.argParser((given: string, before: readonly string[] = []) => [...before, given])
    : option
}

function wholeNumber(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('expected a whole number.')
}

function footer(row: Command): string {
  const used = new Set<ExitStatus>([...everyCommandExits, ...(row.exits ?? [])])
  const rows = Object.entries(exitMeanings).filter(([status]) =>
    used.has(Number(status) as ExitStatus),
  )
  const statuses = rows.map(([status, meaning]) => `  ${status.padEnd(4)} ${meaning}`)
  const examples = row.examples.map((example) => `  keyreel ${example}`)
  return ['', 'Exit statuses:', ...statuses, '', 'Examples:', ...examples].join('\n')
}

/** commander's complaint in our words: what was wrong, and what to run. */
function usageError(error: CommanderError, grammar: Grammar, argv: readonly string[]): UserError {
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '')
  const path = commandPath(grammar, argv)
  const page = ['keyreel', ...path, '--help'].join(' ')
  if (error.code === 'commander.help') {
    return wrongUsage(`${path.join(' ')} wants a verb: ${verbs(grammar, path).join(', ')}`, page)
  }
  const [, quoted] = /'(.*)'/.exec(message) ?? []
  if (error.code === 'commander.unknownCommand' && quoted !== undefined) {
    const meant = nearest(quoted, verbs(grammar, path))
    const line = ['keyreel', ...path, meant].join(' ')
    return wrongUsage(message, meant === undefined ? page : line)
  }
  if (error.code === 'commander.unknownOption' && quoted !== undefined) {
    const meant = nearest(quoted, knownFlags(grammar, path))
    return wrongUsage(message, meant === undefined ? page : `${meant}  (all flags: ${page})`)
  }
  return wrongUsage(message, page)
}

function wrongUsage(message: string, hint: string): UserError {
  return new UserError('usage', message, hint, { exitStatus: 2 })
}

/** The leading words of the line that are nouns and verbs of the grammar. */
function commandPath(grammar: Grammar, argv: readonly string[]): string[] {
  const path: string[] = []
  for (const word of argv) {
    if (verbs(grammar, path).includes(word)) path.push(word)
  }
  return path
}

/** Words that may follow a path. */
function verbs(grammar: Grammar, path: readonly string[]): string[] {
  const start = path.map((word) => `${word} `).join('')
  const next = grammar.commands
    .filter((row) => row.words.startsWith(start))
    .map((row) => row.words.slice(start.length).split(' ')[0] ?? '')
  return [...new Set(next)]
}

function knownFlags(grammar: Grammar, path: readonly string[]): string[] {
  const row = grammar.commands.find((candidate) => candidate.words === path.join(' '))
  const own = Object.entries(row?.options ?? {}).map(([name, flag]) => flagOption(name, flag).long)
  const settled = [...globalSettings, ...(row?.settings ?? [])].map(flagName)
  const always = ['--config', '--json', '--quiet', '--yes', '--no-color', '--help', '--version']
  return [...own.filter((flag) => flag !== null && flag !== undefined), ...settled, ...always]
}
