// The short form of the fault tests: the same code as `npm run test:faults`, small numbers, a fixed seed. Those that need
// a library between the process and the system are in preloaded.test.ts, so that both halves run beside each other.
import { test } from 'vitest'
import { auditMutations } from './audit-mutations.ts'
import { bitFlips, rowSwaps } from './bit-flips.ts'
import { clockSteps } from './clock-steps.ts'
import type { Outcome, Plan } from './ground.ts'
import { journalImports } from './journal-imports.ts'
import { deathsAtFailpoints, kills } from './kills.ts'
import { races } from './races.ts'
import { restarts } from './restart.ts'
import { rollbacks } from './rollback.ts'
import { expectSound } from './sound.ts'
import { soak } from './soak.ts'

/** A name, the test, and figures that show that it has done something. */
const tests: [
  name: string,
  run: (plan: Plan) => Promise<Outcome>,
  least: Record<string, number>,
][] = [
  ['no acknowledged key is lost by kill -9 at random moments', kills, { kills: 30, keys: 30 }],
  ['nor by a death around commit, audit and answer', deathsAtFailpoints, { deaths: 10, keys: 20 }],
  [
    'one flipped bit is noticed or harmless, and no wrong key is served',
    bitFlips,
    { bits: 120, noticed: 10, harmless: 10 },
  ],
  ['swapped columns and rows put back are noticed', rowSwaps, { swaps: 40, noticed: 25 }],
  [
    'an older database does not start beside its checkpoint, and syslog knows better',
    rollbacks,
    { rollbacks: 2, noticed: 2, noticedBySyslog: 2 },
  ],
  [
    'no key that an import has reported is lost with the disk of the keystore',
    journalImports,
    { rounds: 3, keys: 360 },
  ],
  ['a stepped clock revives no key', clockSteps, { turns: 800, steps: 100, looks: 200 }],
  [
    'every mutation of the audit record is detected and located',
    auditMutations,
    { mutations: 400, chains: 2 },
  ],
  [
    '64 clients at once on one object are explained by some order',
    races,
    { rounds: 48, done: 100, refused: 100 },
  ],
]

const servers: typeof tests = [
  ['a server with keys is back as soon as one without', restarts, { keys: 2000, rounds: 2 }],
  ['memory and open files of a server at work stay flat', soak, { fleets: 8, samples: 5 }],
]

const patience = { timeout: 300_000 }

test.each([...tests, ...servers])('%s', patience, (_, run, least) => expectSound(run, least))
