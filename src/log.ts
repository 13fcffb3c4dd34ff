// The log: pino on standard error, one JSON object a line, or text lines for people. Secrets
// cannot be logged: the Secret type prints a placeholder, and byte arrays print their length only.
import { Writable } from 'node:stream'
import { styleText } from 'node:util'
import { pino } from 'pino'
import type { DestinationStream, Logger } from 'pino'
import { UserError } from './errors.ts'

/** A log. Fields first, then the message: `log.info({ library: 'alpha' }, 'enrolled')`. */
export type Log = Logger

/** How the log is written. */
export interface LogOptions {
  readonly level: string
  /** `auto` writes text when the destination is a terminal. */
  readonly format: 'auto' | 'json' | 'text'
  readonly destination: Writable
  readonly isTerminal: boolean
  readonly colour: boolean
}

/** Opens a log on a stream that stays the caller's. */
export function openLog(options: LogOptions): Log {
  const asText = options.format === 'text' || (options.format === 'auto' && options.isTerminal)
  const form = asText ? (line: string) => textLine(line, options.colour) : (line: string) => line
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: (fields) => mapFields(fields) },
      serializers: { err: errorFields },
    },
    lossyStream(options.destination, form),
  )
}

/** Bytes that wait at most for somebody who reads; what comes then is lost. */
const mostWaiting = 2 ** 20

/** Writes a remark unless so much is waiting already that nobody seems to read; says whether it did. */
export function writeUnlessFull(
  destination: Writable,
  text: string,
  lost: () => void = () => undefined,
): boolean {
  if (destination.writableLength > mostWaiting) return false
  destination.write(text, (error) => {
    if (error) lost()
  })
  return true
}

/** Loses the lines that nobody takes, counts them, and goes on with that number once somebody does. */
function lossyStream(destination: Writable, form: (line: string) => string): DestinationStream {
  let lost = 0
  const put = (line: string, lines: number) => {
    const lose = () => void (lost += lines)
    if (!writeUnlessFull(destination, form(line), lose)) lose()
  }
  return {
    write(line) {
      if (lost > 0) {
        const lines = lost
        lost = 0
        put(`${JSON.stringify(lossOf(lines))}\n`, lines)
      }
      put(line, 1)
    },
  }
}

function lossOf(lines: number): object {
  const time = new Date().toISOString()
  return { level: 'warn', time, lines, msg: 'lines of the log could not be written' }
}

/** A log that keeps nothing, for code that wants one and has nobody to read it. */
export function silentLog(): Log {
  return pino({ level: 'silent' }, new Writable({ write: (_chunk, _encoding, done) => done() }))
}

/** What is the administrator's to put right is told without the stack of a bug. */
function errorFields(error: Error): object {
  if (!(error instanceof UserError)) return pino.stdSerializers.err(error)
  return { code: error.code, message: error.message, hint: error.hint }
}

const depthLimit = 6

function mapFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, loggable(value, 1)]))
}

/** Replaces what JSON would spell out byte by byte, or could not write at all. */
function loggable(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error || typeof value !== 'object' || value === null) return value
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
    return `[${value.byteLength} bytes]`
  }
  if ('toJSON' in value) return value
  if (depth >= depthLimit) return '[deep]'
  if (Array.isArray(value)) return value.map((entry) => loggable(entry, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, entry]) => [key, loggable(entry, depth + 1)]),
  )
}

const colours = {
  trace: 'gray',
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
} as const

/** One JSON line as a person reads it: time, level, message, then the other fields. */
function textLine(line: string, colour: boolean): string {
  const { time, level, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>
  const paint = (format: Parameters<typeof styleText>[0], text: string) =>
    colour ? styleText(format, text, { validateStream: false }) : text
  const shade = colours[level as keyof typeof colours] ?? 'gray'
  const rest = Object.entries(fields).map(
    ([key, value]) => ` ${paint('dim', `${key}=`)}${plain(value)}`,
  )
  const head = `${paint('dim', String(time).slice(11, 19))} ${paint(shade, String(level).padEnd(5))}`
  return `${head} ${printable(String(msg ?? ''))}${rest.join('')}${errorText(err)}\n`
}

function plain(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)
}

function errorText(error: unknown): string {
  if (typeof error !== 'object' || error === null) return ''
  const { message, hint, stack } = error as Record<string, unknown>
  const more = [hint === undefined ? undefined : `hint: ${String(hint)}`, stack]
  const lines = more.filter((line) => typeof line === 'string').map((line) => `\n${line}`)
  return ` ${printable(String(message))}${lines.join('')}`
}

/** Text of others may hold terminal control codes: they are shown, not obeyed. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}
