// The short form of the fault tests with a library between the process and the system; see faults.test.ts. Where there
// is no C compiler nothing can be preloaded.
import { describe, test } from 'vitest'
import { clockSessions } from './clock-sessions.ts'
import { fullDisk } from './full-disk.ts'
import { journalLosses, lossesWithTwoJournals } from './journal-losses.ts'
import { expectSound } from './sound.ts'
import { storageFaults } from './storage-faults.ts'
import { hasCompiler, unsynced } from './unsynced.ts'

const patience = { timeout: 300_000 }

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
