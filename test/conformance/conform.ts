// Runs selected cases, in their order and on one store, against one server.
import type { CaseFile } from './case-files.ts'
import { connect, type Target } from './connection.ts'
import { newRun } from './memory.ts'
import { play, type Outcome } from './play.ts'

/**
 * Runs the cases, each over a connection of its own, and yields the outcome of each as it is
 * known. Rejects when the server cannot be reached at all.
 */
export async function* conform(
  cases: readonly CaseFile[],
  target: Target,
): AsyncGenerator<Outcome, void> {
  const run = newRun()
  for (const file of cases) {
    using connection = await connect(target)
    yield await play(file, connection, run, BigInt(Math.floor(Date.now() / 1000)))
  }
}
