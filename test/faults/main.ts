// `npm run test:faults`: the long form of every fault test, with its seed and figures. Ends with 1 when
// something went wrong.  [--only NAME]… [--seed N] [--form short|long] [--minutes N, of the soak]
import { parseArgs } from 'node:util'
import { auditMutations } from './audit-mutations.ts'
import { bitFlips, rowSwaps } from './bit-flips.ts'
import { clockSessions } from './clock-sessions.ts'
import { clockSteps } from './clock-steps.ts'
import { fullDisk } from './full-disk.ts'
import { figuresText, type Outcome, type Plan } from './ground.ts'
import { journalImports } from './journal-imports.ts'
import { journalLosses, lossesWithTwoJournals } from './journal-losses.ts'
import { deathsAtFailpoints, kills } from './kills.ts'
import {
  databaseCrashes,
  databaseGone,
  deathsOnPostgres,
  killsOnPostgres,
} from './postgres-faults.ts'
import { races, racesOnNodes } from './races.ts'
import { restarts } from './restart.ts'
import { rollbacks } from './rollback.ts'
import { soak } from './soak.ts'
import { storageFaults } from './storage-faults.ts'
import { unsynced } from './unsynced.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    seed: { type: 'string', default: '1' },
    form: { type: 'string', default: 'long' },
    minutes: { type: 'string', default: '30' },
  },
})

const tests: Readonly<Record<string, (plan: Plan) => Promise<Outcome>>> = {
  kills,
  'kills-postgres': killsOnPostgres,
  'database-crashes': databaseCrashes,
  restarts,
  failpoints: deathsAtFailpoints,
  'failpoints-postgres': deathsOnPostgres,
  unsynced,
  'full-disk': fullDisk,
  'storage-faults': storageFaults,
  'journal-losses': journalLosses,
  'two-journals': lossesWithTwoJournals,
  'journal-imports': journalImports,
  'database-gone': databaseGone,
  'bit-flips': bitFlips,
  'row-swaps': rowSwaps,
  rollbacks,
  'clock-steps': clockSteps,
  'clock-sessions': clockSessions,
  'audit-mutations': auditMutations,
  races,
  'races-on-nodes': racesOnNodes,
  soak: (plan) => soak(plan, Number(values.minutes)),
}

const seed = Number(values.seed)
const form = values.form === 'short' ? 'short' : 'long'
const wanted = values.only ?? Object.keys(tests)
let failed = 0
for (const name of wanted) {
  const test = tests[name]
  if (test === undefined)
    throw new Error(`no test ${name}; there are ${Object.keys(tests).join(', ')}`)
  const say = (line: string) => process.stderr.write(`  ${name}: ${line}\n`)
  const began = performance.now()
  const { figures, failures } = await test({ form, seed, say })
  const seconds = Math.round((performance.now() - began) / 1000)
  const verdict = failures.length === 0 ? 'ok' : 'FAILED'
  process.stdout.write(
    `${verdict} ${name} (${form}, seed ${seed}, ${seconds} s): ${figuresText(figures)}\n`,
  )
  for (const failure of failures.slice(0, 20)) process.stdout.write(`    ${failure}\n`)
  if (failures.length > 0) failed++
}
process.exitCode = failed === 0 ? 0 : 1
