// The command line: reads it, settles the configuration, runs the command, prints its report and
// turns whatever went wrong into lines for a person and an exit status. The only place that does.
import { settle } from '../config.ts'
import { UserError } from '../errors.ts'
import { openLog, printable, writeUnlessFull } from '../log.ts'
import type { Context, Report } from './command.ts'
import { commandLines } from './command-lines.ts'
import type { CommandLines } from './command-lines.ts'
import { allCommands, commandsOf, nouns } from './commands.ts'
import { Interrupted } from './dialogue.ts'
import type { ExitStatus } from './exit-status.ts'
import { parseCommandLine } from './grammar.ts'
import type { Parsed, Shown } from './grammar.ts'
import { processIo } from './io.ts'
import type { EarlySignals, Io } from './io.ts'
import { explained } from './known-errors.ts'
import { jsonDocument, styleFor } from './output.ts'
import { flushed, written } from './outputs.ts'
import { release } from './release.ts'

/** Runs one command line and resolves with its exit status; never rejects. */
export async function main(argv: readonly string[], io: Io): Promise<ExitStatus> {
  const lines = commandLines(argv)
  try {
    const width = 'columns' in io.stdout ? Number(io.stdout.columns) || 100 : 100
    const parsed = await understood(argv, width)
    if (!('command' in parsed)) {
      if (parsed.exitStatus === 0) await written(io.stdout, parsed.text)
      else io.stderr.write(parsed.text)
      return parsed.exitStatus
    }
    return await run(parsed, io, lines)
  } catch (error) {
    return complain(error, io, lines)
  }
}

/** Reads the command line with the commands that it may mean; with all of them when it is not one of those. */
async function understood(argv: readonly string[], width: number): Promise<Parsed | Shown> {
  const rest = { nouns, version: release(), width }
  try {
    const parsed = parseCommandLine({ ...rest, commands: await commandsOf(argv) }, argv)
    if ('command' in parsed || argv.includes('--version')) return parsed
  } catch (error) {
    // What is wrong may be that a command is missing here; what to type instead may be one that is.
    if (!(error instanceof UserError)) throw error
  }
  return parseCommandLine({ ...rest, commands: await allCommands() }, argv)
}

/** Runs this process's command line and ends the process with its exit status; `early` came before. */
export async function runProcess(early?: EarlySignals): Promise<void> {
  const io = processIo(early)
  const end = async (status: number) => {
    await flushed(io.stderr)
    process.exit(status)
  }
  // What cannot be written ends nothing here: whoever writes a result waits for it, and lines that nobody takes are lost.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  const argv = process.argv.slice(2)
  process.on('uncaughtException', (error) => void end(complain(error, io, commandLines(argv))))
  await end(await main(argv, io))
}

async function run(parsed: Parsed, io: Io, lines: CommandLines): Promise<ExitStatus> {
  if (parsed.command.ownSignals !== true) io.dropSignals()
  const context = contextOf(parsed, io, lines)
  const call = { arguments: parsed.arguments, options: parsed.options, context }
  const report =
    parsed.command.ownSignals === true
      ? await parsed.command.run(call)
      : await untilInterrupted(io, () => parsed.command.run(call))
  const forPeople = report.verbatim === true ? report.text : lines.inText(report.text)
  const isJson = parsed.json && report.json !== undefined
  const text = isJson ? jsonDocument(lines.inJson(report.json)) : forPeople
  if (text !== '') await written(io.stdout, `${text}\n`)
  return report.exitStatus ?? 0
}

function contextOf(parsed: Parsed, io: Io, lines: CommandLines): Context {
  const colours = parsed.colour && !io.env.NO_COLOR
  const reloadConfig = () =>
    settle({
      flags: { ...(parsed.quiet && { 'log.level': 'error' }), ...parsed.settings },
      environment: io.env,
      file: parsed.configFile ?? (io.env.KEYREEL_CONFIG || undefined),
    })
  const config = reloadConfig()
  return {
    io,
    config,
    log: openLog({
      level: config['log.level'],
      format: config['log.format'],
      destination: io.stderr,
      isTerminal: io.isTerminal('stderr'),
      colour: colours && io.isTerminal('stderr'),
    }),
    style: styleFor(colours && io.isTerminal('stdout') && !parsed.json),
    quiet: parsed.quiet,
    yes: parsed.yes,
    reloadConfig,
    say: (line) => void (parsed.quiet || writeUnlessFull(io.stderr, `${lines.inText(line)}\n`)),
    announce: (line) => void writeUnlessFull(io.stdout, `${line}\n`),
  }
}

/** SIGINT ends a command with 130; what it was writing is a transaction or a temporary file. */
async function untilInterrupted(io: Io, command: () => Promise<Report>): Promise<Report> {
  const interrupted = Promise.withResolvers<never>()
  const off = io.onSignal('SIGINT', () => interrupted.reject(new Interrupted()))
  try {
    return await Promise.race([command(), interrupted.promise])
  } finally {
    off()
  }
}

/** Prints what went wrong and says which status the process ends with. */
function complain(error: unknown, io: Io, lines: CommandLines): ExitStatus {
  if (error instanceof Interrupted) {
    io.stderr.write('interrupted\n')
    return 130
  }
  const known = explained(error)
  if (known !== undefined) {
    const hints = lines.inText(known.hint).split('\n')
    io.stderr.write(
      `error: ${printable(known.message)}\n${hints.map((hint) => `hint: ${printable(hint)}\n`).join('')}`,
    )
    if (io.env.KEYREEL_DEBUG) io.stderr.write(`${known.stack}\n`)
    return known.exitStatus as ExitStatus
  }
  const reference = globalThis.crypto.randomUUID().slice(0, 8)
  const name = error instanceof Error ? error.name : typeof error
  io.stderr.write(
    `error: internal error ${reference} (${name}); KEYREEL_DEBUG=1 shows where, please report it\n`,
  )
  if (io.env.KEYREEL_DEBUG) {
    io.stderr.write(`${reference}: ${error instanceof Error ? error.stack : String(error)}\n`)
  }
  return 1
}
