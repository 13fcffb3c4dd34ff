// Progress of long work on standard error: a line that redraws itself on a terminal, else a line
// every ten seconds; nothing under --quiet.
import type { Context } from './command.ts'

/** Reports how far a piece of work is. */
export interface Progress {
  /** Call after each step with how many are done in all. */
  step(done: number): void
  /** Ends the line; call once, also when the work failed. */
  end(): void
}

const redrawEvery = 100
const lineEvery = 10_000

/** Starts reporting; `total` undefined shows count and rate only. `clock` gives milliseconds. */
export function progress(
  context: Context,
  what: string,
  total: number | undefined,
  clock: () => number = () => performance.now(),
): Progress {
  if (context.quiet) return { step: () => undefined, end: () => undefined }
  const terminal = context.io.isTerminal('stderr')
  const started = clock()
  let shown = started
  let drawn = false
  return {
    step(done) {
      const now = clock()
      if (now - shown < (terminal ? redrawEvery : lineEvery)) return
      shown = now
      const line = `${what}: ${progressText(done, total, (now - started) / 1000)}`
      context.io.stderr.write(terminal ? `\r\u001B[K${line}` : `${line}\n`)
      drawn = true
    },
    end() {
      if (terminal && drawn) context.io.stderr.write('\r\u001B[K')
    },
  }
}

/** `1200 of 5000, 400/s, 10 s left`. */
export function progressText(done: number, total: number | undefined, seconds: number): string {
  const rate = seconds > 0 ? done / seconds : 0
  const count = total === undefined ? `${done}` : `${done} of ${total}`
  const speed = `${rate.toFixed(rate < 10 ? 1 : 0)}/s`
  if (total === undefined || rate === 0) return `${count}, ${speed}`
  return `${count}, ${speed}, ${Math.ceil(Math.max(0, total - done) / rate)} s left`
}
