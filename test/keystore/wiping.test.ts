// Wiping of destroyed keys when their time is over, and other work that comes back.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject, loadObject, saveObject } from '../../src/keystore/keystore.ts'
import { ManagedObject } from '../../src/keystore/managed-object.ts'
import { Upkeep } from '../../src/keystore/upkeep.ts'
import { wipeDue } from '../../src/keystore/wiping.ts'
import { actor, clock, dataDirectory, idOf, materialOf, opened, tamper } from './sample.ts'

/** A store with destroyed keys whose material may be wiped at these times. */
async function destroyed(times: bigint[]) {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await store.act(async (work) => {
    for (const [at, WipeAfter] of times.entries()) {
      const object = new ManagedObject(
        { id: idOf(at), group: 'default', objectType: 'SymmetricKey' },
        {
          Owner: 'alpha',
          Fresh: true,
          Sensitive: false,
          Extractable: true,
          InitialDate: clock,
          LastChangeDate: clock,
          LeaseTime: 0,
          DestroyDate: clock,
          WipeAfter,
        },
        new AttributeSet(),
      )
      await insertObject(work, object, materialOf(at))
    }
    work.audit({ actor, operation: 'made', outcome: 'Success' })
  })
  const kept = () =>
    tamper(directory, 'SELECT hex(id) AS id FROM objects WHERE sealed IS NOT NULL').length
  return { directory, store, kept }
}

const blob = (at: number) => Buffer.from(idOf(at).replaceAll('-', ''), 'hex')

test('what is due is wiped, however much it is, and the rest is kept', async () => {
  const { store, kept } = await destroyed([
    ...Array.from({ length: 230 }, () => clock),
    clock + 1n,
    clock + 1000n,
  ])
  await wipeDue(store)
  expect(kept()).toBe(2)
})

test('of what was wiped nothing is left in the files of the database', async () => {
  const { directory, store } = await destroyed(Array.from({ length: 40 }, () => clock))
  const sealed = tamper(directory, 'SELECT sealed FROM objects').map((row) => row.sealed)
  const left = () => {
    const files = readdirSync(directory).filter((name) => name.startsWith('keystore.db'))
    const bytes = Buffer.concat(files.map((name) => readFileSync(join(directory, name))))
    return sealed.filter((one) => bytes.includes(one as Uint8Array)).length
  }
  expect(left()).toBe(40)
  await wipeDue(store)
  await store.close()
  expect(left()).toBe(0)
})

test('a column that says so does not wipe a key whose record does not', async () => {
  const { directory, store, kept } = await destroyed([clock + 1000n])
  tamper(directory, 'UPDATE objects SET wipe_after = 0')
  await wipeDue(store)
  expect(kept()).toBe(1)
})

test('a recovered key is not wiped', async () => {
  const { store, kept } = await destroyed([clock])
  await store.act(async (work) => {
    const object = (await loadObject(work, 'default', idOf(0)))!
    delete object.vitals.DestroyDate
    delete object.vitals.WipeAfter
    await saveObject(work, object)
    work.audit({ actor, operation: 'recovered', outcome: 'Success' })
  })
  await wipeDue(store)
  expect(kept()).toBe(1)
})

test('a damaged key is named and left alone, and all others are wiped', async () => {
  const { directory, store, kept } = await destroyed(Array.from({ length: 150 }, () => clock))
  tamper(directory, `UPDATE objects SET record = x'00' WHERE id = ?`, blob(3))
  await expect(wipeDue(store)).rejects.toMatchObject({
    errors: [{ subject: idOf(3), code: 'changed' }],
  })
  expect(kept()).toBe(1)
})

describe('upkeep', () => {
  test('runs a task again after each run, also after one that failed, and stops', async () => {
    vi.useFakeTimers()
    const errors: unknown[] = []
    let runs = 0
    const upkeep = new Upkeep({ error: (fields) => void errors.push(fields) }, [
      {
        name: 'count',
        every: 1000,
        run: () => (++runs === 2 ? Promise.reject(new Error('once')) : Promise.resolve()),
      },
    ])
    try {
      await vi.advanceTimersByTimeAsync(999)
      expect(runs).toBe(0)
      await vi.advanceTimersByTimeAsync(3001)
      expect(runs).toBe(4)
      expect(errors).toMatchObject([{ task: 'count' }])
      await upkeep.stop()
      await vi.advanceTimersByTimeAsync(10_000)
      expect(runs).toBe(4)
    } finally {
      vi.useRealTimers()
    }
  })

  test('alarms when a task begins to fail and each minute while it goes on, not at each turn', async () => {
    vi.useFakeTimers()
    const errors: object[] = []
    let isBroken = true
    let now = 0
    const task = {
      name: 'count',
      every: 1000,
      run: () => {
        now += 1000
        return isBroken ? Promise.reject(new Error('away')) : Promise.resolve()
      },
    }
    const log = { error: (fields: object) => void errors.push(fields) }
    const upkeep = new Upkeep(log, [task], () => now)
    try {
      await vi.advanceTimersByTimeAsync(59_000)
      expect(errors).toMatchObject([{ alarm: true, task: 'count', failures: 1 }])
      await vi.advanceTimersByTimeAsync(3_000)
      expect(errors).toMatchObject([{ failures: 1 }, { alarm: true, failures: 61 }])
      isBroken = false
      await vi.advanceTimersByTimeAsync(1_000)
      isBroken = true
      await vi.advanceTimersByTimeAsync(5_000)
      expect(errors).toMatchObject([{}, {}, { alarm: true, failures: 1 }])
    } finally {
      await upkeep.stop()
      vi.useRealTimers()
    }
  })

  test('waits for what runs when it is stopped', async () => {
    const running = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const run = () => {
      started.resolve()
      return running.promise
    }
    const upkeep = new Upkeep({ error: () => undefined }, [{ name: 'long', every: 0, run }])
    await started.promise
    let stopped = false
    const stopping = upkeep.stop().then(() => (stopped = true))
    await new Promise(setImmediate)
    expect(stopped).toBe(false)
    running.resolve()
    await stopping
  })
})
