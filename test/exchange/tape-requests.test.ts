// Requests for the keys of foreign tapes: signed there, judged here, and answered with exactly those keys.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openIdentity } from '../../src/exchange/identity.ts'
import { revokePeer } from '../../src/exchange/peers.ts'
import { writeNote } from '../../src/exchange/signed-notes.ts'
import { readRequest, writeRequest, type ForeignTape } from '../../src/exchange/tape-requests.ts'
import { keepUnknownTapes, unknownTapes } from '../../src/exchange/unknown-tapes.ts'
import { UnknownTapes } from '../../src/kmip/operations/unknown-tapes.ts'
import { newSite, now, scratch, twoSites, type Site } from './site.ts'

/** B's request to A, in a file. */
async function request({ store }: Site, tapes: ForeignTape[], peer = 'A'): Promise<string> {
  const out = join(scratch(), 'request')
  await writeRequest(store, { peer, tapes, out })
  return out
}

const kad = (data: string, namespace = 'LIBRARY-LTO') => ({ namespace, data })

describe('a request', () => {
  test('names the keys that would be released, and no others', async () => {
    const { a, b } = await twoSites()
    const [one, two] = [
      await a.key({ data: 'kad-1', barcode: 'KR0001L8' }),
      await a.key({ data: 'kad-2', barcode: 'KR0002L8' }),
    ]
    await a.key({ data: 'kad-3', barcode: 'KR0003L8' })
    const tapes = [
      kad('kad-1', 'ACME-LIBRARY-LTO'),
      { barcode: 'KR0002L8' },
      kad('kad-9'),
      kad('kad-3', 'OTHER'),
    ]
    const asked = await readRequest(a.store, await request(b, tapes), 'default')
    expect(asked).toMatchObject({ peer: 'B', signed: now, group: 'default' })
    expect(asked.tapes.map(({ keys }) => keys)).toEqual([[one], [two], [], []])
    const elsewhere = await readRequest(a.store, await request(b, tapes), 'vault')
    expect(elsewhere.tapes.flatMap(({ keys }) => keys)).toEqual([])
    const records = await b.store.readAudit({ chain: 'test', after: 0, limit: 1000 })
    const record = records.findLast(({ operation }) => operation === 'exchange request')
    expect(record).toMatchObject({ details: { peer: 'A', tapes: 4 } })
  })

  test('of a stranger, of a revoked peer, or for another server is refused', async () => {
    const { a, b } = await twoSites()
    const tapes = [kad('kad-1')]
    const c = await newSite()
    await c.trust('A', a)
    const code = async (file: string, site = a) =>
      readRequest(site.store, file, 'default').then(
        () => 'taken',
        (error: unknown) => (error as { code: string }).code,
      )
    expect(await code(await request(c, tapes))).toBe('sender-unknown')
    await c.trust('B', b)
    const toA = await request(b, tapes)
    expect(await code(toA, c)).toBe('request-for-another')
    expect(await code(toA)).toBe('taken')
    await revokePeer(a.store, 'B')
    expect(await code(toA)).toBe('sender-revoked')
    await expect(request(c, tapes, 'nobody')).rejects.toMatchObject({ code: 'no-such-peer' })
  })

  test('that was changed, or says something else, is refused', async () => {
    const { a, b } = await twoSites()
    const file = await request(b, [kad('kad-1')])
    const bytes = await readFile(file)
    const unreadable = { code: 'note-unreadable' }
    for (let at = 0; at < bytes.length; at += 17) {
      const copy = Buffer.from(bytes)
      copy[at]! ^= 1 << (at % 8)
      await writeFile(file, copy)
      await expect(readRequest(a.store, file, 'default')).rejects.toMatchObject(unreadable)
    }
    const signer = await b.store.read((work) => openIdentity(work))
    const body = { keyreel: 'request 1' as const, request: crypto.randomUUID(), to: 'x', tapes: [] }
    await writeNote<'request'>(file, body, signer, now)
    await expect(readRequest(a.store, file, 'default')).rejects.toMatchObject(unreadable)
  })
})

describe('identifiers that libraries look for in vain', () => {
  const search = (namespace: string, data?: string) => [
    {
      tag: 'ApplicationSpecificInformation' as const,
      value: { ApplicationNamespace: namespace, ApplicationData: data },
    },
  ]
  const by = (asked: bigint, group = 'default') => ({ group, library: 'beta', asked })

  test('are noted once each, of tape namespaces only, until they are taken', () => {
    const noted = new UnknownTapes()
    noted.note(search('LIBRARY-LTO', 'kad-1'), by(now))
    noted.note(search('ACME-LIBRARY-LTO', 'kad-1'), by(now + 1n))
    noted.note(search('LIBRARY-LTO8', 'kad-1'), by(now))
    noted.note(search('LIBRARY-LTO', 'kad-1'), by(now, 'vault'))
    noted.note(search('BACKUP', 'kad-2'), by(now))
    noted.note(search('LIBRARY-LTO'), by(now))
    noted.note(search('LIBRARY-LTO', 'x'.repeat(257)), by(now))
    const taken = noted.take()
    expect(taken.map(({ group, namespace, asked }) => [group, namespace, asked])).toEqual([
      ['default', 'LIBRARY-LTO', now + 1n],
      ['default', 'LIBRARY-LTO8', now],
      ['vault', 'LIBRARY-LTO', now],
    ])
    expect(noted.take()).toEqual([])
    for (let one = 0; one < 10_005; one++) noted.note(search('LIBRARY-LTO', `kad-${one}`), by(now))
    expect(noted.take()).toHaveLength(10_000)
  })

  test('are kept by group, newest first, as long as the key is not here', async () => {
    const site = await newSite()
    const tape = (data: string, asked: bigint, group = 'default') => ({
      ...{ ...by(asked, group), namespace: 'LIBRARY-LTO', data },
    })
    await keepUnknownTapes(site.store, [tape('kad-1', now), tape('kad-2', now)])
    await keepUnknownTapes(site.store, [tape('kad-1', now + 5n), tape('kad-3', now, 'vault')])
    const list = async (group = 'default') =>
      (await unknownTapes(site.store, group)).map(({ data }) => data)
    expect(await list()).toEqual(['kad-1', 'kad-2'])
    expect(await list('vault')).toEqual(['kad-3'])
    await site.key({ data: 'kad-1' })
    expect(await list()).toEqual(['kad-2'])
    await expect(unknownTapes(site.store, 'attic')).rejects.toMatchObject({ code: 'no-such-group' })
    site.time.seconds = now + 367n * 86_400n
    expect(await list()).toEqual([])
  })

  test('are bounded: the oldest of a group make room', async () => {
    const site = await newSite()
    const tapes = (from: number, count: number, asked: bigint) =>
      Array.from({ length: count }, (_, at) => ({
        ...{ ...by(asked), namespace: 'LIBRARY-LTO', data: `kad-${from + at}` },
      }))
    await keepUnknownTapes(site.store, tapes(0, 10_000, now))
    await keepUnknownTapes(site.store, tapes(10_000, 5, now + 1n))
    const held = await site.store.read((work) => work.transientsHeld('unknown-tape', 'default'))
    expect(held.count).toBe(9_000)
    const [newest] = await site.store.read((work) =>
      work
        .transients('unknown-tape', 'default', 10_000)
        .then((rows) => rows.toSorted((x, y) => Number(y.expires - x.expires))),
    )
    expect(newest?.body).toMatchObject({ asked: Number(now) + 1 })
  })
})
