// The short form of the fault tests over PostgreSQL; beside the others, because both take their time.
import { describe, test } from 'vitest'
import { withoutCluster, withoutPostgres } from '../fixtures/postgres.ts'
import {
  databaseCrashes,
  databaseGone,
  deathsOnPostgres,
  killsOnPostgres,
} from './postgres-faults.ts'
import { racesOnNodes } from './races.ts'
import { expectSound } from './sound.ts'

const patience = { timeout: 300_000 }

describe.skipIf(withoutPostgres())('with its keys in PostgreSQL', () => {
  test('no acknowledged key is lost by kill -9 of a node at random moments', patience, () =>
    expectSound(killsOnPostgres, { kills: 30, keys: 30 }),
  )

  test('nor by a death around commit, audit and answer', patience, () =>
    expectSound(deathsOnPostgres, { deaths: 10, keys: 20 }),
  )

  test(
    '64 clients at once on one object, at two nodes, are explained by some order',
    patience,
    () => expectSound(racesOnNodes, { rounds: 16, done: 50, refused: 50 }),
  )

  // Only a cluster of our own may be killed.
  describe.skipIf(withoutCluster())('in a cluster of its own', () => {
    test('nor by crashes of the database, after which a node goes on', patience, () =>
      expectSound(databaseCrashes, { crashes: 12, keys: 30 }),
    )

    test(
      'nothing is promised while the database is gone, and all goes on when it is back',
      patience,
      () => expectSound(databaseGone, { operations: 500, refused: 300, absences: 3 }),
    )
  })
})
