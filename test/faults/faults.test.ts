// The short form of every fault test: the same code as `npm run test:faults`, small numbers, a fixed seed.
import { describe, test } from 'vitest'
import { auditMutations } from './audit-mutations.ts'
import { bitFlips, rowSwaps } from './bit-flips.ts'
import { clockSessions } from './clock-sessions.ts'
import { clockSteps } from './clock-steps.ts'
import { fullDisk } from './full-disk.ts'
import type { Outcome, Plan } from './ground.ts'
import { journalImports } from './journal-imports.ts'
import { journalLosses, lossesWithTwoJournals } from './journal-losses.ts'
import { deathsAtFailpoints, kills } from './kills.ts'
import { races } from './races.ts'
import { restarts } from './restart.ts'
import { rollbacks } from './rollback.ts'
import { expectSound } from './sound.ts'
import { soak } from './soak.ts'
import { storageFaults } from './storage-faults.ts'
import { hasCompiler, unsynced } from './unsynced.ts'

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

// Where there is no C compiler nothing can be preloaded.
describe.skipIf(!hasCompiler())('with a library between the process and the system', () => {
  test('no key is lost by a power cut that loses what was not synced', patience, () =>
    expectSound(unsynced, { cuts: 6, sectorsLost: 1 }),
  )

  test(
    'nothing is promised on a full disk, and kept keys are given from the reserve',
    patience,
    () => expectSound(fullDisk, { operations: 1500, refusedCreates: 9, fromReserve: 100 }),
  )

  test(
    'a failing and a read-only disk make no false promise, and all goes on when it works',
    patience,
    () =>
      expectSound(storageFaults, {
        operations: 600,
        callsFailed: 100,
        refused: 100,
        servedReadOnly: 2,
      }),
  )

  test(
    'no key is lost with the disk of the keystore where a group wants it on two copies',
    patience,
    () =>
      expectSound(journalLosses, { kills: 5, losses: 2, troubles: 2, keys: 30, callsFailed: 1 }),
  )

  test('nor where one of two journals fails, whatever was answered meanwhile', patience, () =>
    expectSound(lossesWithTwoJournals, { kills: 4, losses: 2, keys: 30, callsFailed: 1 }),
  )

  test('sessions survive a stepped clock, and no state goes back', patience, () =>
    expectSound(clockSessions, { steps: 8, requests: 200, atWrongTimes: 40, newcomers: 5 }),
  )
})
