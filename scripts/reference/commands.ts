// docs/reference/commands.md: every command, from the grammar table of src/cli/commands.ts.
import { flagName, settings } from '../../src/config.ts'
import type { SettingKey } from '../../src/config.ts'
import type { Argument, Command, Option } from '../../src/cli/command.ts'
import { allCommands } from '../../src/cli/commands.ts'
import { exitMeanings } from '../../src/cli/exit-status.ts'
import type { ExitStatus } from '../../src/cli/exit-status.ts'
import { block, code, sections, table } from './markdown.ts'

const everywhere = `
\`keyreel NOUN VERB [argument…] [--flags]\`. From a clone every command runs as \`npx keyreel …\`.
The result goes to standard output: a table or a list for people, one JSON document with \`--json\`
([what is in it](json.md)). Everything else goes to standard error: the log, remarks, and when something is
wrong one line \`error: …\` and one line \`hint: …\` that says what to run or change.

A unique identifier may be shortened to any beginning that is unambiguous. Nothing is asked without a
terminal: a command that would ask says so and ends with status 2, unless \`--yes\` is given. All times are UTC.
`

const everyFlag = [
  ['--config FILE', 'TOML file with settings; environment `KEYREEL_CONFIG`'],
  ['--json', 'print the result as one JSON document'],
  ['--quiet', 'no remarks on standard error, only errors'],
  ['--yes', 'consent to whatever would be asked'],
  ['--no-color', 'no colours, as with `NO_COLOR`'],
  ['-h, --help', 'print the help page of the command'],
  ['--version', 'print the version'],
] as const

const globalSettings = [
  'data',
  'database',
  'node',
  'master-key-file',
  'passphrase-file',
  'log.level',
  'log.format',
] as const satisfies SettingKey[]

const always: readonly ExitStatus[] = [0, 1, 2, 130]

const commands = await allCommands()

export const commandsPage = {
  title: 'Commands',
  about: 'every command with its arguments, flags, exit statuses and examples',
  body: () =>
    sections(
      everywhere,
      '## Flags of every command',
      table(
        ['flag', 'meaning'],
        [...everyFlag.map(([flag, help]) => [code(flag), help]), ...globalSettings.map(settingRow)],
      ),
      '## Exit statuses',
      'Scripts may rely on the numbers. 0, 1, 2 and 130 may come from every command; the others are listed with the commands that use them.',
      table(
        ['status', 'meaning'],
        Object.entries(exitMeanings).map(([status, meaning]) => [status, meaning]),
      ),
      '## The commands',
      table(
        ['command', 'what it does'],
        commands.map(({ words, summary }) => [
          `[${words}](#keyreel-${words.replaceAll(' ', '-')})`,
          summary,
        ]),
      ),
      ...commands.map(commandText),
    ),
}

function commandText(command: Command): string {
  const { words, summary, details, exits = [], examples } = command
  const args = Object.entries(command.arguments ?? {})
  const flags = [
    ...Object.entries(command.options ?? {}).map(([name, flag]) => [
      flagForm(name, flag),
      flagHelp(flag),
    ]),
    ...(command.settings ?? []).map(settingRow),
  ]
  const statuses = Object.entries(exitMeanings).filter(([status]) =>
    [...always, ...exits].includes(Number(status) as ExitStatus),
  )
  const shownFlags = flags.length === 0 ? '' : ' [flags]'
  const usage = `keyreel ${[words, ...args.map(argumentForm)].join(' ')}${shownFlags}`
  return sections(
    `## keyreel ${words}`,
    `${sentence(summary)}`,
    ...(details === undefined ? [] : [detailsText(details)]),
    block(usage),
    ...(args.length === 0 ? [] : [table(['argument', 'meaning'], args.map(argumentRow))]),
    ...(flags.length === 0 ? [] : [table(['flag', 'meaning'], flags)]),
    `Exit statuses: ${statuses.map(([status, meaning]) => `${status} ${meaning}`).join('; ')}.`,
    block(examples.map((example) => `keyreel ${example}`).join('\n'), 'sh'),
  )
}

/** Lines that begin with blanks are a list the command has laid out itself. */
function detailsText(details: string): string {
  return details.includes('\n  ') ? block(details) : details
}

function argumentForm([name, { kind }]: [string, Argument<unknown>]): string {
  return { required: name, optional: `[${name}]`, rest: `[${name}…]` }[kind]
}

function argumentRow([name, { help }]: [string, Argument<unknown>]) {
  return [code(name), help]
}

function flagForm(name: string, flag: Option<unknown>): string {
  const words = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const value = flag.placeholder ?? flag.choices?.join('|')
  return code(flag.kind === 'switch' ? `--${words}` : `--${words} ${value}`)
}

function flagHelp({ help, required, default: value, kind }: Option<unknown>): string {
  if (required === true) return `${help}; must be given`
  const shown = kind === 'switch' || kind === 'list' || value === undefined
  return shown ? help : `${help} (default: ${code(String(value))})`
}

function settingRow(key: SettingKey): [string, string] {
  const { placeholder, help, default: value } = settings[key]
  const flag = placeholder === '' ? flagName(key) : `${flagName(key)} ${placeholder}`
  const note = value === undefined || value === false ? '' : ` (default: ${code(String(value))})`
  return [code(flag), help + note]
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
