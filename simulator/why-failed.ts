// Why a scenario failed, when it did so for want of a key server: a drive's sense says only that there was
// no key. The address and the cause are what an administrator looks for first.

import { ConnectionError } from '../src/kmip/client/errors.ts'
import { NoKeyServer } from './library-servers.ts'
import { troubleOf } from './path-diagnostics.ts'
import type { Stage } from './stage.ts'

/** The problem, in its message now also which key server could not be asked and why. */
export async function explainedProblem(stage: Stage, problem: Error): Promise<Error> {
  const last = lastWord(stage)
  const isOfServer = problem instanceof ConnectionError || problem instanceof NoKeyServer
  if (last === undefined && !isOfServer) return problem
  const troubles = await troubleOf(stage)
  const lines =
    troubles.length > 0
      ? [...troubles, 'keyreel-simulator diagnose  looks further, with the same flags']
      : [last?.message].filter((text) => text !== undefined && !problem.message.includes(text))
  // The same error, so that its sense code stays.
  problem.message = [problem.message, ...lines].join('\n')
  return problem
}

/** What the libraries of a stage wrote down last of what they could not do. */
function lastWord({ libraries }: Stage): Error | undefined {
  const events = libraries.flatMap(({ journal }) => journal.events())
  return events.flatMap((event) => ('why' in event ? [event.why] : [])).at(-1)
}
