// The command lines that keyreel prints for people to run. They are written without the place of the keystore, and
// get it here, once, wherever they are printed: the --data, --database and --config that this run was given.
import { shellWord } from '../shell-word.ts'
import { nouns } from './commands.ts'

/** Completes the command lines in what is printed. */
export interface CommandLines {
  /** In a text for people. */
  inText(text: string): string
  /** In the fields of a --json document that hold command lines, however deep. */
  inJson(value: unknown): unknown
}

/** Flags that say which keystore is meant. */
const placeFlags = ['--data', '--database', '--config'] as const
/** Fields of --json documents that tell what to run. */
const fields = new Set(['next', 'remedy', 'hint'])
/** Commands that need no keystore. */
const needNone = ['ttlv', 'recovery open']

const topLevel = ['init', 'serve', 'status', 'doctor']
const paths = Object.keys(nouns).toSorted((a, b) => b.length - a.length)
const words = String.raw`(?:${topLevel.join('|')})\b(?!-)|(?:${paths.join('|')}) [a-z][a-z-]*`
/** A line ends before two spaces, a dash or punctuation, except within quotes. */
const rest = String.raw`(?:'[^']*'|(?! {2}| [–,;.]| ?$|[,;.](?:\s|$)|[)\x60]).)*`
const commandForm = new RegExp(String.raw`\bkeyreel (${words})(${rest})`, 'gm')

/** The command lines that a text names: the words of the command, and the arguments and flags behind them. */
export function commandLinesIn(text: string): { words: string; rest: string }[] {
  return [...text.matchAll(commandForm)].map(([, words = '', rest = '']) => ({ words, rest }))
}

/** For the place that a command line names; nothing is added for one that the environment or the default chose. */
export function commandLines(argv: readonly string[]): CommandLines {
  const flags = placeOf(argv)
  if (flags.length === 0) return { inText: (text) => text, inJson: (value) => value }
  const inText = (text: string) =>
    text
      .split('\n')
      .map((line) => lineWith(line, flags))
      .join('\n')
  return { inText, inJson: (value) => jsonWith(value, inText) }
}

/** One flag and what it was given, ready for a shell. */
interface Flag {
  readonly name: string
  readonly text: string
}

function placeOf(argv: readonly string[]): readonly Flag[] {
  const end = argv.indexOf('--')
  const words = end < 0 ? argv : argv.slice(0, end)
  return words.flatMap((word, index) => {
    const name = placeFlags.find((flag) => word === flag || word.startsWith(`${flag}=`))
    if (name === undefined) return []
    const value = word === name ? words[index + 1] : word.slice(name.length + 1)
    if (value === undefined || value === '' || holdsPassword(value)) return []
    return [{ name, text: `${name} ${shellWord(value)}` }]
  })
}

/** A password is not printed; the settings file of the data directory names the database as well. */
function holdsPassword(value: string): boolean {
  return /^postgres(ql)?:\/\/([^/@]*:[^/]*@|.*[?&]password=)/.test(value)
}

function lineWith(text: string, flags: readonly Flag[]): string {
  return text.replaceAll(commandForm, (line: string, words: string, rest: string, at: number) => {
    if (isElsewhere(text.slice(0, at)) || needNone.some((start) => words.startsWith(start)))
      return line
    if (/ --help\b/.test(rest)) return line
    const missing = flags.filter(({ name }) => !`${rest} `.includes(` ${name} `))
    return [line, ...missing.map((flag) => flag.text)].join(' ')
  })
}

/** Whether what comes behind this is to be run at another site, where the place is another. */
function isElsewhere(before: string): boolean {
  return /\b(there|other site):\s[^;]*$/.test(before)
}

function jsonWith(value: unknown, inText: (text: string) => string, isLine = false): unknown {
  if (typeof value === 'string') return isLine ? inText(value) : value
  if (Array.isArray(value)) return value.map((entry) => jsonWith(entry, inText, isLine))
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]) => [name, jsonWith(entry, inText, fields.has(name))]),
  )
}
