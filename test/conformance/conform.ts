// Runs selected cases, in their order and on one store, against one server.
import type { CaseFile } from './case-files.ts'
import { connect } from './connection.ts'
import type { Form } from './https-connection.ts'
import { newRun } from './memory.ts'
import { registerPad } from './pads.ts'
import { play, type Outcome } from './play.ts'
import type { Target } from './target.ts'

/** Message encoding cases travel in the form that their name tells, all others over TLS as they are. */
const formsByFamily: Readonly<Record<string, Form>> = {
  'MSGENC-HTTPS': 'https',
  'MSGENC-XML': 'xml',
  'MSGENC-JSON': 'json',
}

/** The form a case is published for. */
export function formOf({ family }: CaseFile): Form {
  return formsByFamily[family.replace(/-[MO]$/, '')] ?? 'tls'
}

/**
 * Runs the cases, each over a connection of its own, and yields the outcome of each as it is
 * known; `form` instead of the form of each. Rejects when the server cannot be reached at all.
 */
export async function* conform(
  cases: readonly CaseFile[],
  target: Target,
  form?: Form,
): AsyncGenerator<Outcome, void> {
  const run = newRun()
  for (const file of cases) {
    const clearAway = await registerPad(file, target)
    try {
      using connection = await connect(target, form ?? formOf(file))
      yield await play(file, connection, run, BigInt(Math.floor(Date.now() / 1000)))
    } finally {
      await clearAway?.()
    }
  }
}
