// When a scheduled backup is due, and which files have been kept for long enough.
import { describe, expect, test } from 'vitest'
import {
  deletable,
  isDue,
  isMissed,
  nextDue,
  removeSchedule,
  schedules,
  setSchedule,
  type Kept,
  type Schedule,
  type ScheduleRun,
} from '../../src/admin/backup-schedules.ts'
import { day, newSite } from '../exchange/site.ts'

const midnight = 1_800_057_600n
const hour = 3600n

function schedule(
  wish: Partial<Schedule['body']> = {},
  run?: Partial<ScheduleRun> & { started: number },
): Schedule {
  const body = {
    ...{ directory: '/mnt/safe', every: Number(day), keep: 7, elsewhere: true },
    ...{ added: Number(midnight + 15n * hour), ...wish },
  }
  return { name: 'nightly', body, run: run && { file: '/mnt/safe/b', failures: 0, ...run } }
}

const done = (at: bigint) => ({ started: Number(at), finished: Number(at) + 60 })

describe('the next backup', () => {
  test('of a new schedule is due at once', () => {
    expect(nextDue(schedule({ at: 7200 }))).toBe(midnight + 15n * hour)
  })

  test('comes at its time of day, whenever the first was made', () => {
    const first = midnight + 15n * hour
    expect(nextDue(schedule({ at: 7200 }, done(first)))).toBe(midnight + 26n * hour)
    expect(nextDue(schedule({ at: 7200 }, done(midnight + 26n * hour + 3n)))).toBe(
      midnight + 50n * hour,
    )
  })

  test('of every week keeps its day of the week', () => {
    const weekly = (at: bigint) => nextDue(schedule({ every: 7 * Number(day), at: 7200 }, done(at)))
    const first = weekly(midnight + 15n * hour)
    expect(first).toBe(midnight + 7n * day + 2n * hour)
    expect(weekly(first + 500n)).toBe(first + 7n * day)
    // Made up for three days late.
    expect(weekly(first + 3n * day)).toBe(first + 7n * day)
  })

  test('without a time of day comes so long after the one before', () => {
    const at = midnight + 15n * hour + 77n
    expect(nextDue(schedule({ every: 43_200 }, done(at)))).toBe(at + 12n * hour)
  })

  test('after a failure comes in ten minutes, then later and later, but never later than planned', () => {
    const at = midnight + 15n * hour
    const after = (failures: number, wish = {}) =>
      nextDue(schedule(wish, { started: Number(at), failed: 'x', failures })) - at
    expect([1, 2, 3, 9].map((failures) => after(failures))).toEqual([600n, 1200n, 2400n, 21_600n])
    expect(after(9, { every: 3600 })).toBe(hour)
  })

  test('after a turn that was cut off comes in ten minutes', () => {
    const at = midnight + 15n * hour
    expect(nextDue(schedule({}, { started: Number(at) }))).toBe(at + 600n)
  })

  test('that was missed is due now, once', () => {
    const missed = schedule({ at: 7200 }, done(midnight))
    const now = midnight + 5n * day
    expect(isDue(missed, now)).toBe(true)
    expect(isMissed(missed, now)).toBe(true)
    const made = schedule({ at: 7200 }, done(now))
    expect(isDue(made, now + 60n)).toBe(false)
    expect(isMissed(made, now + 60n)).toBe(false)
  })

  test('is due when the newest lies in the future of a clock that was wrong', () => {
    expect(isDue(schedule({}, done(midnight + 3650n * day)), midnight)).toBe(true)
  })
})

describe('what may be deleted', () => {
  /** Days old, whether verified, whether there. */
  const kept = (rows: [age: number, verified?: boolean, isThere?: boolean][]): Kept[] =>
    rows.map(([age, verified = true, isThere = true], at) => ({
      id: `${age}`,
      isThere,
      body: {
        ...{ created: Number(midnight) - age * Number(day), file: `/b${age}`, recovery: '' },
        ...{ digest: '', objects: 1, newest: 100 - at, ...(verified && { verified: 1 }) },
      },
    }))
  const gone = (policy: { keep: number; keepDays?: number }, all: Kept[]) =>
    deletable(policy, all, midnight).map(({ id }) => id)

  test('is what has as many newer verified ones as are kept', () => {
    expect(gone({ keep: 2 }, kept([[1], [2], [3], [4]]))).toEqual(['3', '4'])
  })

  test('is nothing younger than the days that are kept', () => {
    expect(gone({ keep: 1, keepDays: 3 }, kept([[1], [2], [3], [4], [5]]))).toEqual(['4', '5'])
    expect(gone({ keep: 4, keepDays: 3 }, kept([[1], [2], [3], [4], [5]]))).toEqual(['5'])
  })

  test('is never the last one that was verified, however old it is and whatever came after', () => {
    expect(gone({ keep: 1 }, kept([[1, false], [2, false], [900]]))).toEqual([])
    expect(gone({ keep: 1 }, kept([[1, false], [2], [3, false], [4]]))).toEqual(['3', '4'])
    expect(gone({ keep: 0 }, kept([[900]]))).toEqual([])
  })

  test('does not count on files that somebody took away', () => {
    expect(gone({ keep: 1 }, kept([[1, true, false], [2]]))).toEqual([])
    expect(gone({ keep: 1 }, kept([[1, true, false], [2], [3]]))).toEqual(['3'])
  })
})

describe('a schedule', () => {
  const wish = { directory: '/mnt/safe', every: 86_400, keep: 7, elsewhere: false }

  test('is kept, replaced and taken away, each on record', async () => {
    const { store } = await newSite()
    await setSchedule(store, 'nightly', wish)
    await setSchedule(store, 'nightly', { ...wish, keep: 3, at: 7200 })
    expect(await store.read(schedules)).toMatchObject([
      { name: 'nightly', body: { keep: 3, at: 7200 }, run: undefined },
    ])
    await removeSchedule(store, 'nightly')
    expect(await store.read(schedules)).toEqual([])
    await expect(removeSchedule(store, 'nightly')).rejects.toMatchObject({
      code: 'no-such-schedule',
    })
    const records = await store.readAudit({ chain: 'test', limit: 1000, after: 0 })
    expect(records.map(({ operation }) => operation).slice(-3)).toEqual([
      'backup schedule set',
      'backup schedule set',
      'backup schedule remove',
    ])
  })

  test.each([
    ['Nightly!', {}],
    ['nightly', { every: 60 }],
    ['nightly', { every: 3600, at: 7200 }],
    ['nightly', { keep: 0 }],
    ['nightly', { keepDays: 0 }],
  ])('that makes no sense is refused: %s %o', async (name, changed) => {
    const { store } = await newSite()
    await expect(setSchedule(store, name, { ...wish, ...changed })).rejects.toMatchObject({
      code: 'schedule',
    })
    expect(await store.read(schedules)).toEqual([])
  })
})
