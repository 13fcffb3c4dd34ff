// Keys in: what is taken, what is left out and why, and that nothing here is ever changed by a bundle.
import { describe, expect, test } from 'vitest'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { exchangeLog, keysOf } from '../../src/exchange/exchange-log.ts'
import { ensureExchange, renewEncryptionCertificate } from '../../src/exchange/identity.ts'
import { originOf } from '../../src/keystore/key-origin.ts'
import { peerNamed, revokePeer } from '../../src/exchange/peers.ts'
import { destroyKey } from '../../src/admin/managed-keys.ts'
import { setGroupPolicy } from '../../src/access/groups.ts'
import { day, newSite, now, twoSites } from './site.ts'

const counts = (key: number, here = 0, conflict = 0, refused = 0) => ({
  ...{ new: key, here, conflict, refused },
})

describe('a bundle of the other site', () => {
  test('brings its keys with every attribute a library looks for, for reading', async () => {
    const { a, b } = await twoSites()
    const id = await a.key({ name: 'tape one', barcode: 'KR0007L8', used: true })
    const { file, report } = await a.export({ peer: 'B' })
    expect(report).toMatchObject({ keys: 1, mode: 'hybrid', leftOut: [], missing: [] })
    b.time.seconds = now + 5n
    const imported = await b.import(file)
    expect(imported.counts).toEqual(counts(1))
    expect(await b.bytesOf(id)).toBe(await a.bytesOf(id))
    const [source, copy] = [(await a.object(id))!, (await b.object(id))!]
    const attributes = ['Name', 'AlternativeName', 'ApplicationSpecificInformation'] as const
    for (const tag of attributes)
      expect(copy.attributes.values(tag)).toEqual(source.attributes.values(tag))
    for (const name of ['Barcode', 'MediumSerial']) {
      const reference = { tag: 'Attribute', vendor: 'x', name } as const
      expect(copy.attributes.of(reference)).toEqual(source.attributes.of(reference))
    }
    expect(copy.vitals.InitialDate).toBe(source.vitals.InitialDate)
    expect(copy.vitals.ActivationDate).toBe(now)
    expect(copy.vitals.Owner).toBe('A')
    expect(copy.vitals.Fresh).toBe(true)
    expect(copy.attributes.first('CryptographicUsageMask')).toBe(0x08)
    const origin = { peer: 'A', exportId: report.id, date: now + 5n }
    expect(originOf(copy)).toEqual(origin)
  })

  test('may bring keys for writing when the administrator says so', async () => {
    const { a, b } = await twoSites()
    const id = await a.key()
    const { file } = await a.export({ peer: 'B' })
    await b.import(file, { allowWriting: true })
    expect((await b.object(id))?.attributes.first('CryptographicUsageMask')).toBe(0x0c)
  })

  test('goes into the group named, and no other', async () => {
    const { a, b } = await twoSites()
    const id = await a.key()
    const { file } = await a.export({ peer: 'B' })
    await b.import(file, { group: 'vault' })
    expect(await b.object(id, 'default')).toBeUndefined()
    expect(await b.bytesOf(id, 'vault')).toBe(await a.bytesOf(id))
    await expect(b.import(file, { group: 'attic' })).rejects.toMatchObject({
      code: 'no-such-group',
    })
    const again = await b.import(file)
    expect(again.counts).toEqual(counts(0, 0, 1))
    expect(again.reports[0]?.reason).toContain('in group vault')
  })

  test('changes nothing when it is imported twice, or only looked at', async () => {
    const { a, b } = await twoSites()
    const ids = [await a.key(), await a.key({ barcode: 'KR0002L8' })]
    const { file } = await a.export({ peer: 'B' })
    const dry = await b.import(file, { dryRun: true })
    expect(dry.counts).toEqual(counts(2))
    expect(await b.object(ids[0]!)).toBeUndefined()
    expect(await b.store.read(exchangeLog)).toEqual([])
    await b.import(file)
    const before = await Promise.all(ids.map(async (id) => (await b.object(id))?.stored?.revision))
    const again = await b.import(file)
    expect(again.counts).toEqual(counts(0, 2))
    const after = await Promise.all(ids.map(async (id) => (await b.object(id))?.stored?.revision))
    expect(after).toEqual(before)
  })

  test('of many keys comes in parts and steps, and the report names them all', async () => {
    const { a, b } = await twoSites()
    const { insertKey } = await import('./site.ts')
    const ids = Array.from({ length: 1203 }, () => crypto.randomUUID())
    for (let first = 0; first < ids.length; first += 200)
      await a.store.act(async (work) => {
        for (const id of ids.slice(first, first + 200)) await insertKey(work, id, {}, now)
      })
    const { file } = await a.export({ peer: 'B' })
    const seen: number[] = []
    const report = await b.import(file, { progress: (done) => seen.push(done) })
    expect(report.counts).toEqual(counts(1203))
    expect(seen.at(-1)).toBe(1203)
    const [entry] = await b.store.read(exchangeLog)
    expect(entry).toMatchObject({ kind: 'import', peer: 'A', keys: 1203, counts: counts(1203) })
    const logged = await keysOf(b.store, entry!)
    expect(new Set(logged.map(({ id }) => id))).toEqual(new Set(ids))
    const [exported] = await a.store.read(exchangeLog)
    expect(await keysOf(a.store, exported!)).toHaveLength(1203)
  })

  test('imports of one second are in the log as they came, newest first', async () => {
    const { a, b } = await twoSites()
    await a.key()
    const { file } = await a.export({ peer: 'B' })
    const ids: unknown[] = []
    for (let turn = 0; turn < 8; turn++) ids.unshift((await b.import(file)).id)
    const log = await b.store.read(exchangeLog)
    expect(new Set(log.map(({ started }) => started)).size).toBe(1)
    expect(log.map(({ id }) => id)).toEqual(ids)
    expect(log.map(({ entry }) => entry)).toEqual([8, 7, 6, 5, 4, 3, 2, 1])
  })

  test('made for our older certificate still opens', async () => {
    const { a, b } = await twoSites()
    const id = await a.key()
    const { file } = await a.export({ peer: 'B' })
    await renewEncryptionCertificate(b.store)
    expect((await b.import(file)).counts).toEqual(counts(1))
    expect(await b.bytesOf(id)).toBe(await a.bytesOf(id))
  })
})

describe('what is here is never overwritten', () => {
  const id = '11111111-1111-4111-8111-111111111111'

  test('the same identifier with another key is a conflict', async () => {
    const { a, b } = await twoSites()
    await a.key({ id })
    await b.key({ id })
    const before = await b.bytesOf(id)
    const { file } = await a.export({ peer: 'B' })
    const { counts: found, reports } = await b.import(file)
    expect(found).toEqual(counts(0, 0, 1))
    expect(reports[0]?.reason).toBe('another key with this identifier is here')
    expect(await b.bytesOf(id)).toBe(before)
  })

  test('the same application information in the group is a conflict that names the holder', async () => {
    const { a, b } = await twoSites()
    await a.key({ data: 'same' })
    const holder = await b.key({ data: 'same' })
    const other = await a.key({ data: 'other', barcode: 'KR0002L8' })
    const { file } = await a.export({ peer: 'B' })
    const { counts: found, reports } = await b.import(file)
    expect(found).toEqual(counts(1, 0, 1))
    expect(reports.find(({ verdict }) => verdict === 'conflict')?.reason).toContain(holder)
    expect(await b.bytesOf(other)).toBe(await a.bytesOf(other))
  })

  test('the same Name is a conflict; two such keys within one bundle are found by the engine', async () => {
    const { a, b } = await twoSites()
    await a.key({ name: 'taken' })
    await b.key({ name: 'taken' })
    const { file } = await a.export({ peer: 'B' })
    const { counts: found, reports } = await b.import(file)
    expect(found).toEqual(counts(0, 0, 1))
    expect(reports[0]?.reason).toContain('its Name is that of key')
    const c = await newSite()
    await setGroupPolicy(a.store, 'default', ['duplicates=allow'])
    await a.key({ data: 'twin', barcode: 'KR0003L8' })
    await a.key({ data: 'twin', barcode: 'KR0004L8' })
    await a.trust('C', c)
    await c.trust('A', a)
    const twins = await a.export({ peer: 'C' })
    expect((await c.import(twins.file)).counts).toMatchObject({ new: 2 })
  })

  test('the same barcode with another key: both are kept, and it is said', async () => {
    const { a, b } = await twoSites()
    const theirs = await a.key({ barcode: 'KR0001L8' })
    const ours = await b.key({ barcode: 'KR0001L8' })
    const { file } = await a.export({ peer: 'B' })
    const { counts: found, reports } = await b.import(file)
    expect(found).toEqual(counts(1))
    expect(reports[0]?.reason).toContain(ours)
    expect(await b.object(theirs)).toBeDefined()
  })

  test('a key that was destroyed here is not brought back by an old bundle', async () => {
    const { a, b } = await twoSites()
    const gone = await a.key()
    const { file } = await a.export({ peer: 'B' })
    await b.import(file)
    await destroyKey(b.store, gone)
    const { counts: found, reports } = await b.import(file)
    expect(found).toEqual(counts(0, 0, 0, 1))
    expect(reports[0]?.reason).toBe('it was destroyed here 2027-01-15 and is not brought back')
    expect((await b.object(gone))?.vitals.DestroyDate).toBe(now)
  })
})

describe('a sender', () => {
  test('that is not trusted is asked about, and named by its key when somebody vouches', async () => {
    const { a, b } = await twoSites()
    const stranger = await newSite()
    await stranger.trust('B', b)
    const id = await stranger.key()
    const { file } = await stranger.export({ peer: 'B' })
    await expect(b.import(file)).rejects.toThrow('a stranger')
    expect(await b.object(id)).toBeUndefined()
    const { pin } = await ensureExchange(stranger.store)
    const { peer } = await b.import(file, { vouch: () => Promise.resolve() })
    expect(peer).toBe(`identity-${pin.slice(0, 16)}`)
    expect(await a.object(id)).toBeUndefined()
  })

  test('that was revoked, or whose identity expired, or signs in the future, is refused', async () => {
    const { a, b } = await twoSites()
    await a.key()
    const { file } = await a.export({ peer: 'B', validDays: undefined })
    b.time.seconds = now - 3n * day
    await expect(b.import(file)).rejects.toMatchObject({ code: 'signed-in-future' })
    const { identity } = await ensureExchange(a.store)
    b.time.seconds = identity.notAfter + 1n
    await expect(b.import(file)).rejects.toMatchObject({ code: 'sender-expired' })
    b.time.seconds = now
    await revokePeer(b.store, 'A')
    await expect(b.import(file)).rejects.toMatchObject({ code: 'sender-revoked' })
    await expect(b.store.read((work) => peerNamed(work, 'A'))).rejects.toMatchObject({
      code: 'peer-revoked',
    })
  })

  test('whose site was set up anew is a stranger again', async () => {
    const { b } = await twoSites()
    const anew = await newSite()
    await anew.trust('B', b)
    await anew.key()
    const { file } = await anew.export({ peer: 'B' })
    await expect(b.import(file)).rejects.toThrow('a stranger')
  })
})

test('a bundle made for another server, or past its time, is refused', async () => {
  const { a, b } = await twoSites()
  const c = await newSite()
  await c.trust('A', a)
  await a.key()
  const { file } = await a.export({ peer: 'B' })
  await expect(c.import(file)).rejects.toMatchObject({ code: 'bundle-for-another' })
  b.time.seconds = now + 91n * day
  await expect(b.import(file)).rejects.toMatchObject({ code: 'bundle-expired' })
})

test('no private key, transport key or key material is in an error, a report or the audit record', async () => {
  const { a, b } = await twoSites()
  const id = await a.key()
  const { file, report } = await a.export({ peer: 'B' })
  const imported = await b.import(file)
  const bytes = (await a.bytesOf(id))!
  const records = [
    ...(await a.store.readAudit({ chain: 'test', after: 0, limit: 1000 })),
    ...(await b.store.readAudit({ chain: 'test', after: 0, limit: 1000 })),
  ]
  const text = JSON.stringify([records, report, imported], (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  expect(text).not.toContain(bytes)
  expect(text).not.toContain(Buffer.from(bytes, 'hex').toString('base64'))
  expect(parseCertificate((await ensureExchange(a.store)).identity.pem).key.name).toBe('P-384')
})
