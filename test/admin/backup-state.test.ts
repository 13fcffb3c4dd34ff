// What is in no verified backup is counted, told, and after a while an alarm.
import { expect, test } from 'vitest'
import { putBody, type Body } from '../../src/access/documents.ts'
import { administrator } from '../../src/access/documents.ts'
import { backupCheck } from '../../src/admin/backup-check.ts'
import {
  backupState,
  backupThresholds,
  isOverdue,
  unsavedText,
} from '../../src/admin/backup-state.ts'
import { backupWatch } from '../../src/admin/backup-watch.ts'
import { settle } from '../../src/config.ts'
import { loadObject, saveVitals } from '../../src/keystore/keystore.ts'
import { tables } from '../../src/keystore/tables.ts'
import { day, insertKey, newSite, now, type Site } from '../exchange/site.ts'

const thresholds = backupThresholds(settle({ flags: {}, environment: {} }))

/** Notes a backup of everything there is. */
async function noted(site: Site, wish: Partial<Body<'backup'>> = {}): Promise<void> {
  const created = Number(site.time.seconds)
  const objects = tables.find(({ name }) => name === 'objects')!
  const numbers = { ...objects, columns: { n: 'integer' } } as const
  const rows = await site.store.copy((source) => source.tableRows(numbers, undefined, 2000))
  const newest = Number(rows.at(-1)?.[0] ?? 0)
  await site.store.act(async (work) => {
    await putBody(work, 'backup', crypto.randomUUID(), {
      ...{ created, begun: created, file: '/mnt/b', recovery: 'R', digest: '', objects: 0 },
      ...{ newest, ...wish },
    })
    work.audit({ actor: administrator, operation: 'backup create', outcome: 'Success' })
  })
}

async function changed(site: Site, id: string): Promise<void> {
  await site.store.act(async (work) => {
    const object = (await loadObject(work, 'default', id))!
    object.vitals.LastChangeDate = work.now
    await saveVitals(work, object)
    work.audit({ actor: administrator, operation: 'test', object: id, outcome: 'Success' })
  })
}

const check = (site: Site) =>
  backupCheck(site.store, { directory: '/nowhere', thresholds, now: site.time.seconds })

test('by default it is an alarm once one key has been in no verified backup for two days', () => {
  expect(thresholds).toEqual({ keys: 1, age: 2n * day })
})

test('keys made since the newest verified backup are told apart from those changed since', async () => {
  const site = await newSite()
  const first = await site.key()
  await site.key({ barcode: 'KR0002L8' })
  expect(unsavedText(await backupState(site.store))).toBe('2 objects are in no verified backup')
  site.time.seconds += 10n
  await noted(site)
  expect(await backupState(site.store)).toMatchObject({
    verified: undefined,
    missing: { count: 2 },
  })
  await noted(site, { verified: Number(now) })
  expect(unsavedText(await backupState(site.store))).toBeUndefined()

  site.time.seconds += 10n
  await changed(site, first)
  expect(unsavedText(await backupState(site.store))).toBe(
    '1 object was changed since the newest verified backup',
  )
  site.time.seconds += 10n
  await site.key({ barcode: 'KR0003L8' })
  const state = await backupState(site.store)
  expect(unsavedText(state)).toBe(
    '1 object is in no verified backup, 1 was changed since the newest',
  )
  expect(state.since).toBe(now + 20n)
})

test('a backup whose file was deleted does not count', async () => {
  const site = await newSite()
  await site.key()
  site.time.seconds += 10n
  await noted(site, { verified: Number(now), removed: Number(now) })
  expect(await backupState(site.store)).toMatchObject({
    last: undefined,
    verified: undefined,
    missing: { count: 1 },
  })
})

test('counting stops at a thousand, for those made and for those changed', async () => {
  const site = await newSite()
  const make = (count: number) =>
    site.store.act(async (work) => {
      for (let at = 0; at < count; at++)
        await insertKey(work, crypto.randomUUID(), {}, site.time.seconds)
    })
  for (let round = 0; round < 6; round++) await make(200)
  expect(unsavedText(await backupState(site.store))).toBe(
    '1000 or more objects are in no verified backup',
  )
  // As if all had been changed after this one, and some made.
  await noted(site, { verified: Number(now), begun: Number(now) - 100, newest: 1150 })
  const state = await backupState(site.store)
  expect(state.changed).toEqual({ count: 1000, isFloor: true })
  expect(state.missing).toEqual({ count: 50, isFloor: false })
  expect(unsavedText(state)).toBe(
    '50 objects are in no verified backup, 1000 or more were changed since the newest',
  )
})

test('doctor warns of a key in no verified backup, and fails once that has lasted too long', async () => {
  const site = await newSite()
  expect(await check(site)).toMatchObject({ status: 'ok', found: 'nothing to back up yet' })
  await site.key()
  expect(await check(site)).toMatchObject({ status: 'warning' })
  site.time.seconds += 2n * day
  expect(await check(site)).toMatchObject({ status: 'warning' })
  site.time.seconds += 1n
  expect(await check(site)).toMatchObject({
    status: 'failed',
    found: '1 object is in no verified backup, the first since 2027-01-15',
  })
})

test('an old object that was imported lately counts from the backup that it is not in', async () => {
  const site = await newSite()
  await site.key()
  site.time.seconds += 100n * day
  await noted(site, { verified: Number(now) })
  await site.store.act(async (work) => {
    await insertKey(work, crypto.randomUUID(), { barcode: 'KR0009L8' }, now - 900n * day)
  })
  const state = await backupState(site.store)
  expect(state.since).toBe(now + 100n * day)
  expect(isOverdue(state, thresholds, site.time.seconds)).toBe(false)
})

test('so many keys are needed as are configured', async () => {
  const site = await newSite()
  await site.key()
  await site.key({ barcode: 'KR0002L8' })
  const state = await backupState(site.store)
  const later = now + 3n * day
  expect(isOverdue(state, { ...thresholds, keys: 2 }, later)).toBe(true)
  expect(isOverdue(state, { ...thresholds, keys: 3 }, later)).toBe(false)
})

test('the server alarms once a day while it is so, and anew when it comes back', async () => {
  const site = await newSite()
  const alarms: string[] = []
  const log = {
    error: (fields: object, text: string) => {
      if ('alarm' in fields) alarms.push(text)
    },
  }
  const look = backupWatch(site.store, thresholds, log)
  await site.key()
  await look()
  expect(alarms).toEqual([])
  site.time.seconds += 2n * day + 1n
  await look()
  await look()
  expect(alarms).toEqual(['backup: 1 object is in no verified backup'])
  site.time.seconds += day
  await look()
  expect(alarms).toHaveLength(2)
  await noted(site, { verified: Number(site.time.seconds) })
  await look()
  await site.key({ barcode: 'KR0002L8' })
  site.time.seconds += 2n * day + 1n
  await look()
  expect(alarms).toHaveLength(3)
})
