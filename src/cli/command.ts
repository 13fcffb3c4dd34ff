// The words a command is described with. A description is one row of the grammar: commander's
// parser, the help pages and the types of what `run` receives all derive from it.
import type { Config, SettingKey } from '../config.ts'
import type { Log } from '../log.ts'
import type { ExitStatus } from './exit-status.ts'
import type { Io } from './io.ts'
import type { Style } from './output.ts'

/** One flag of a command. `T` is the type `run` sees. */
export interface Option<T> {
  readonly kind: 'switch' | 'text' | 'list' | 'choice' | 'integer'
  readonly placeholder?: string
  readonly help: string
  readonly choices?: readonly string[]
  readonly default?: T
  readonly required?: boolean
}

/** One positional argument. */
export interface Argument<T> {
  readonly kind: 'required' | 'optional' | 'rest'
  readonly help: string
  readonly example?: T
}

type Value<S> = S extends Option<infer T> | Argument<infer T> ? T : never
type Values<R> = { readonly [K in keyof R]: Value<R[K]> }

/** `--dry-run`: false unless given. */
export const toggle = (help: string): Option<boolean> => ({ kind: 'switch', help, default: false })
/** `--out DIR`: undefined unless given. */
export const text = (placeholder: string, help: string): Option<string | undefined> => ({
  kind: 'text',
  placeholder,
  help,
})
/** `--username U`, which must be given. */
export const requiredText = (placeholder: string, help: string): Option<string> => ({
  kind: 'text',
  placeholder,
  help,
  required: true,
})
/** `--group GROUP` with a value when it is absent. */
export const textOr = (placeholder: string, value: string, help: string): Option<string> => ({
  kind: 'text',
  placeholder,
  help,
  default: value,
})
/** `--host NAME --host OTHER`: every value given, in order. */
export const list = (placeholder: string, help: string): Option<readonly string[]> => ({
  kind: 'list',
  placeholder,
  help,
  default: [],
})
/** `--limit N`: a whole number from 0. */
export const integer = (placeholder: string, value: number, help: string): Option<number> => ({
  kind: 'integer',
  placeholder,
  help,
  default: value,
})
/** `--profile tape-library`: one of the words; the first is the default. */
export const choice = <const C extends string>(
  choices: readonly [C, ...C[]],
  help: string,
): Option<C> => ({ kind: 'choice', help, choices, default: choices[0] })
/** `--to passphrase`: one of the words, or nothing. */
export const oneOf = <const C extends string>(
  choices: readonly C[],
  help: string,
): Option<C | undefined> => ({ kind: 'choice', help, choices })

/** An argument that must be there. */
export const argument = (help: string): Argument<string> => ({ kind: 'required', help })
/** An argument that may be left out. */
export const optional = (help: string): Argument<string | undefined> => ({ kind: 'optional', help })
/** All further arguments. */
export const rest = (help: string): Argument<readonly string[]> => ({ kind: 'rest', help })

/** What every command is given besides its own arguments and options. */
export interface Context {
  readonly io: Io
  readonly config: Config
  readonly log: Log
  readonly style: Style
  readonly quiet: boolean
  readonly yes: boolean
  /** Ends every question, as if it had been interrupted. */
  readonly ending?: AbortSignal
  /** Settles the configuration again from the same command line (for SIGHUP). */
  reloadConfig(): Config
  /** A line for the person at the terminal, on standard error; silent under --quiet. */
  say(line: string): void
  /** Writes the one line of standard output that comes before the end (`ready kmip=…`). */
  announce(line: string): void
}

/** What a command hands back: the same result for people and for programs. */
export interface Report {
  /** The document that --json prints, undefined for none; documented, only ever added to. */
  readonly json: unknown
  /** What is printed otherwise, without the last line end; empty prints nothing. */
  readonly text: string
  /** The text is a document, whatever it holds: no advice to complete. */
  readonly verbatim?: boolean
  readonly exitStatus?: ExitStatus
}

type Options = Record<string, Option<unknown>>
type Arguments = Record<string, Argument<unknown>>

/** One command as its file describes it. */
export interface CommandDescription<A extends Arguments, O extends Options> {
  /** `library credential add`: the words before the arguments. */
  readonly words: string
  readonly summary: string
  /** Paragraphs below the summary of the help page. */
  readonly details?: string
  readonly arguments?: A
  readonly options?: O
  /** Settings that this command takes as flags besides the global ones. */
  readonly settings?: readonly SettingKey[]
  /** Statuses besides 0, 1, 2 and 130, which every command may end with. */
  readonly exits?: readonly ExitStatus[]
  /** Two command lines without the leading `keyreel`. */
  readonly examples: readonly [string, string]
  /** The command deals with SIGINT itself (serve). */
  readonly ownSignals?: boolean
  run(call: {
    readonly arguments: Values<A>
    readonly options: Values<O>
    readonly context: Context
  }): Promise<Report>
}

/** A command with the types of its arguments forgotten: a row of the grammar. */
export type Command = Omit<CommandDescription<Arguments, Options>, 'run'> & {
  run(call: {
    arguments: Record<string, unknown>
    options: Record<string, unknown>
    context: Context
  }): Promise<Report>
}

/** Describes one command; `run` is checked against its arguments and options. */
export function command<
  const A extends Arguments = Record<never, never>,
  const O extends Options = Record<never, never>,
>(description: CommandDescription<A, O>): Command {
  return description as unknown as Command
}
