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
  onSignal(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', handler: () => void): () => void
}

/** The surroundings of this process. */
export function processIo(): Io {
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
      return () => process.off(signal, handler)
    },
  }
}
