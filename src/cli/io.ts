// What a command touches of the process it runs in. `processIo` is the real one; tests hand in
// streams of their own and read what was printed.
import type { Readable, Writable } from 'node:stream'

/** The surroundings of one command line. */
export interface Io {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  readonly env: Readonly<Record<string, string | undefined>>
  /** True when a person can be asked: standard input and standard error are both a terminal. */
  readonly interactive: boolean
  /** Whether a stream is a terminal: decides colours and progress. */
  isTerminal(stream: 'stdout' | 'stderr'): boolean
  /** Seconds since 1970; the only clock of the commands. */
  now(): bigint
  /** Calls `handler` on each of the signals until the returned function is called. */
  onSignal(signal: Signal, handler: () => void): () => void
  /** Signals that came while the program was read, and all further ones, do what they do to any process. */
  dropSignals(): void
}

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/** The signals that came before anybody could listen, as keyreel.js has caught them. */
export interface EarlySignals {
  /** In the order in which they came. */
  readonly came: Signal[]
  /** Catches no more. */
  off(): void
}

/** The surroundings of this process. */
export function processIo(early: EarlySignals = { came: [], off: () => undefined }): Io {
  for (const stream of [process.stdout, process.stderr]) giveColumns(stream)
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    isTerminal: (stream) => process[stream].isTTY === true,
    now: () => BigInt(Math.floor(Date.now() / 1000)),
    onSignal(signal, handler) {
      process.on(signal, handler)
      const at = early.came.indexOf(signal)
      if (at !== -1) {
        early.came.splice(at, 1)
        handler()
      }
      return () => process.off(signal, handler)
    },
    dropSignals() {
      early.off()
      for (const signal of early.came) process.kill(process.pid, signal)
    },
  }
}

/** A terminal that does not know how wide it is says 0; whoever draws on it would put one character into each line. */
function giveColumns(stream: { isTTY?: boolean; columns?: number; rows?: number }): void {
  if (stream.isTTY !== true) return
  if (stream.columns === 0) stream.columns = 80
  if (stream.rows === 0) stream.rows = 24
}
