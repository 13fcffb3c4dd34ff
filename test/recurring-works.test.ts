// Works that the server comes back to only after minutes: that they are there, and do what they are for.
import { expect, test } from 'vitest'
import { setGroupPolicy } from '../src/access/groups.ts'
import { destroyKey } from '../src/admin/managed-keys.ts'
import { NodeKeeper } from '../src/admin/node-keeper.ts'
import { settle } from '../src/config.ts'
import { loadObject } from '../src/keystore/keystore.ts'
import { recurringWorks, type WorkGround } from '../src/recurring-works.ts'
import { day, newSite, scratch, type Site } from './exchange/site.ts'

/** The works of a server over that site, by name, and its alarms. The parts that these tests do not run are absent. */
function worksOf({ store }: Site) {
  const alarms: string[] = []
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields: object, text: string) => void ('alarm' in fields && alarms.push(text)),
  }
  const nodes = new NodeKeeper(store, { directory: scratch(), version: '1' })
  const config = settle({ flags: {}, environment: {} })
  const ground: Pick<WorkGround, 'store' | 'log' | 'config' | 'nodes'> = {
    ...{ store, log, config, nodes },
  }
  const works = recurringWorks(ground as WorkGround)
  const run = async (name: string) => works.find((work) => work.name === name)!.run()
  return { alarms, run, works }
}

test('three keys in no verified backup are an alarm of the server once they are two days old', async () => {
  const site = await newSite()
  const { alarms, run } = worksOf(site)
  for (let at = 1; at <= 3; at++) await site.key({ barcode: `KR000${at}L8` })
  await run('watch what is in no verified backup')
  expect(alarms).toEqual([])
  site.time.seconds += 2n * day + 1n
  await run('watch what is in no verified backup')
  expect(alarms).toEqual(['backup: 3 objects are in no verified backup'])
})

test('a destroyed key is wiped by the server when its days are over', async () => {
  const site = await newSite()
  const { run } = worksOf(site)
  await setGroupPolicy(site.store, 'default', ['destroy=7d'])
  const id = await site.key()
  await destroyKey(site.store, id)
  const isKept = async () =>
    (await site.store.read((work) => loadObject(work, 'default', id)))!.stored!.hasMaterial
  site.time.seconds += 7n * day - 1n
  await run('wipe destroyed keys whose time is up')
  expect(await isKept()).toBe(true)
  site.time.seconds += 1n
  await run('wipe destroyed keys whose time is up')
  expect(await isKept()).toBe(false)
})

test('keys are told of, wiped, looked through and sealed anew within minutes', async () => {
  const { works } = worksOf(await newSite())
  const within = (name: string, seconds: number) =>
    expect(works.find((work) => work.name === name)!.every).toBeLessThanOrEqual(seconds * 1000)
  within('watch what is in no verified backup', 600)
  within('wipe destroyed keys whose time is up', 600)
  within('make the backups that are due', 10)
  within('delete backups that were kept for long enough', 600)
  within('look for damage in the keystore', 1)
  within('seal anew under the newest epoch', 1)
  within('follow the master key', 1)
})
