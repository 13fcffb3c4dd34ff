// The record of a destruction: what it says, that openssl verifies it, and when there is none.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { administrator, putBody } from '../../src/access/documents.ts'
import { setGroupPolicy } from '../../src/access/groups.ts'
import { destructionText, wipedKey } from '../../src/admin/destruction-record.ts'
import { dependentsOf } from '../../src/admin/destruction.ts'
import { destroyKey } from '../../src/admin/managed-keys.ts'
import {
  destructionJson,
  destructionText as shownDestruction,
} from '../../src/cli/key-dependents.ts'
import { styleFor } from '../../src/cli/output.ts'
import { copiesOf } from '../../src/exchange/key-copies.ts'
import { signRecord, writeRecord } from '../../src/exchange/signed-record.ts'
import { own } from '../../src/exchange/identity.ts'
import { wipeDue } from '../../src/keystore/wiping.ts'
import { opensslDirectory } from '../crypto/openssl.ts'
import { day, now, scratch, twoSites, type Site } from './site.ts'

const wiped = ({ store }: Site, id: string) =>
  wipedKey(store, id, (key) => copiesOf(store, key), ['/mnt/journal'])

/** A key that went to site B, is in backups, was destroyed after a day, and wiped a month later. */
async function destroyed(): Promise<{ site: Site; id: string }> {
  const { a: site } = await twoSites()
  const id = await site.key({ barcode: 'KR0001L8' })
  await site.export({ peer: 'B' })
  const made = (at: bigint, file: string, more = {}) =>
    site.store.act(async (work) => {
      await putBody(work, 'backup', file, {
        ...{ created: Number(at), begun: Number(at), file, recovery: 'R', digest: '', objects: 1 },
        ...{ newest: 1, ...more },
      })
      work.audit({ actor: administrator, operation: 'backup create', outcome: 'Success' })
    })
  await made(now - day, '/mnt/before')
  await made(now + day, '/mnt/with')
  await made(now + day, '/mnt/deleted', { removed: Number(now + 9n * day) })
  await made(now + 50n * day, '/mnt/after')
  site.time.seconds += day
  await destroyKey(site.store, id)
  site.time.seconds += 31n * day
  await wipeDue(site.store)
  return { site, id }
}

test('it names key, cartridge, times, who, and every place that is known, and claims no more', async () => {
  const { site, id } = await destroyed()
  const key = await wiped(site, id)
  const record = JSON.parse(destructionText(site.store.id, key, now + 40n * day)) as object
  expect(record).toMatchObject({
    keyreel: 'destruction 1',
    store: site.store.id,
    issued: '2027-02-24T08:00:00Z',
    key: {
      id,
      group: 'default',
      type: 'SymmetricKey',
      algorithm: 'AES',
      length: 256,
      owner: 'alpha',
    },
    cartridge: { barcode: 'KR0001L8' },
    destroyed: { at: '2027-01-16T08:00:00Z', by: 'administrator' },
    wiped: {
      at: '2027-02-16T08:00:00Z',
      how: 'overwritten in the database file, and the write-ahead log cut off',
    },
    allRecordsLookedThrough: true,
  })
  const {
    mayStillBeIn,
    destroyed: end,
    wiped: wipe,
  } = record as {
    mayStillBeIn: { kind: string; where: string }[]
    destroyed: { record: { chain: string; number: number } }
    wiped: { record: { chain: string; number: number } }
  }
  expect(mayStillBeIn.map(({ kind }) => kind)).toEqual([
    'backup',
    'deleted backups',
    'journal',
    'data directory',
    'disk',
    'site',
  ])
  expect(mayStillBeIn[0]!.where).toMatch(/^backup \/mnt\/with of 2027-01-16T08:00:00Z/)
  expect(mayStillBeIn[1]!.where).toMatch(/^copies of 1 backups whose files the server has deleted/)
  expect(mayStillBeIn.at(-1)!.where).toMatch(/^site B, by export /)
  // Where it says that the audit record tells so, it does.
  for (const [{ record: told }, operation] of [
    [end, 'key destroy'],
    [wipe, 'Wipe'],
  ] as const) {
    const found = await site.store.readAudit({
      chain: told.chain,
      after: told.number - 1,
      limit: 1,
    })
    expect(found).toMatchObject([{ operation, object: id }])
  }
})

test('openssl verifies it with the certificate of the identity, and refuses one that was changed', async () => {
  const { site, id } = await destroyed()
  const text = destructionText(site.store.id, await wiped(site, id), now)
  const signed = await site.store.read((work) => signRecord(work, text))
  const openssl = opensslDirectory()
  const { identity } = await site.store.read(own)
  openssl.write('identity.pem', identity.pem)
  await writeRecord(openssl.path('record.pem'), signed)
  // The sites of these tests live at a time of their own.
  const trust = ['-CAfile', 'identity.pem', '-attime', String(site.time.seconds)]
  const verify = ['cms', '-verify', '-inform', 'PEM', ...trust, '-binary']
  openssl.run(...verify, '-in', 'record.pem', '-out', 'record.json')
  expect(readFileSync(openssl.path('record.json'), 'utf8')).toBe(text)

  const der = Buffer.from(signed.pem.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  const at = der.indexOf('KR0001L8')
  der[at + 5] = 0x32
  openssl.write('changed.der', der)
  const changed = ['cms', '-verify', '-inform', 'DER', ...trust]
  expect(() => openssl.run(...changed, '-in', 'changed.der')).toThrow()
  const other = await twoSites()
  openssl.write('identity.pem', (await other.a.store.read(own)).identity.pem)
  expect(() => openssl.run(...verify, '-in', 'record.pem')).toThrow()
})

test('a file that is there is not written over', async () => {
  const { site } = await destroyed()
  const file = join(scratch(), 'record.pem')
  const signed = await site.store.read((work) => signRecord(work, 'one'))
  await writeRecord(file, signed)
  const before = readFileSync(file)
  const other = await site.store.read((work) => signRecord(work, 'two'))
  await expect(writeRecord(file, other)).rejects.toMatchObject({ code: 'file-exists' })
  expect(readFileSync(file)).toEqual(before)
  expect(existsSync(`${file}.${process.pid}.tmp`)).toBe(false)
})

test('a key that is there, or can be brought back, has none', async () => {
  const { a: site } = await twoSites()
  const id = await site.key()
  await expect(wiped(site, id)).rejects.toMatchObject({ code: 'not-destroyed' })
  await destroyKey(site.store, id)
  await expect(wiped(site, id)).rejects.toMatchObject({
    code: 'not-wiped',
    hint: 'ask again after 2027-02-14T08:00:00Z; the server wipes it by itself',
  })
  await expect(wiped(site, 'ffffffff')).rejects.toMatchObject({ code: 'no-such-key' })
})

test('there is none while the bytes may be in the log of the database, and then it tells the moment they left it', async () => {
  const { site, id } = await destroyed()
  // A store whose log is read all the time, as a process that was killed would leave it.
  let isRead = true
  const left = now + 32n * day
  const busy: typeof site.store = {
    ...site.store,
    payLog: () => Promise.resolve(!isRead),
    leftLog: () => Promise.resolve(isRead ? undefined : left),
  }
  await expect(wiped({ ...site, store: busy }, id)).rejects.toMatchObject({
    code: 'not-wiped',
    message: `key ${id} was wiped, and its bytes may still be in the log of the database`,
  })
  const { destruction } = await dependentsOf(busy, id, [], undefined)
  expect(destructionJson(destruction!)).toMatchObject({ liveDatabase: 'log' })
  expect(shownDestruction(destruction!, styleFor(false))).toMatch(
    /wiped in the database; not yet in its log/,
  )
  expect(destruction!.places.map(({ where }) => where).join()).toContain(' to now, and archives')
  isRead = false
  const key = await wiped({ ...site, store: busy }, id)
  expect(key.destruction.wiped).toBe(left)
})

test('where the policy wipes at once, one record tells of both', async () => {
  const { a: site } = await twoSites()
  await setGroupPolicy(site.store, 'default', ['destroy=now'])
  const id = await site.key()
  await destroyKey(site.store, id)
  const { destruction } = await wiped(site, id)
  expect(destruction.wiped).toBe(now)
  expect(destruction.wipeRecord).toEqual(destruction.destroyRecord)
  expect(destruction.wipeRecord).toBeDefined()
})
