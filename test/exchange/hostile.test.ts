// What is not a bundle, was changed on the way, or is meant badly: one error each, and nothing imported.
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { open, readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { encodePart, importRequest } from '../../src/exchange/bundle-items.ts'
import { BundleFile } from '../../src/exchange/bundle-reader.ts'
import { BundleWriter } from '../../src/exchange/bundle-writer.ts'
import { ensureExchange, openExchangeKeys, openIdentity } from '../../src/exchange/identity.ts'
import type { ImportRequest } from '../../src/exchange/import-payload.ts'
import { encryptionFor, peerNamed, type Peer } from '../../src/exchange/peers.ts'
import { inspectBundle } from '../../src/exchange/inspect.ts'
import { writeReceipt } from '../../src/exchange/receipts.ts'
import { UserError } from '../../src/errors.ts'
import type { Recipient } from '../../src/crypto/cms-recipients.ts'
import { measure, sequence } from '../../src/crypto/der.ts'
import { signContent, verifySigned } from '../../src/crypto/cms-signed.ts'
import { toHex } from '../../src/crypto/primitives/hash.ts'
import { TransportKey } from '../../src/crypto/transport-key.ts'
import { loadObject, materialOf } from '../../src/keystore/keystore.ts'
import { newSite, now, scratch, twoSites, type Site } from './site.ts'

const exportId = '5b7c0e52-6d43-4c5a-8f0e-1f2d3c4b5a69'

/** A bundle of A's for B with these requests, part by part, made by hand. */
async function byHand(
  a: Site,
  parts: readonly (readonly ImportRequest[])[],
  transport: TransportKey,
  folder = scratch(),
  plain: 'rsa' | 'ec' | undefined = undefined,
): Promise<string> {
  const file = join(folder, 'by-hand')
  const peer = await a.store.read((work) => peerNamed(work, 'B'))
  const own = await ensureExchange(a.store)
  const writer = new BundleWriter(file, exportId, [recipientOf(peer, plain)])
  for (const requests of parts) await writer.add(encodePart(requests), requests.length)
  const facts = {
    ExportIdentifier: exportId,
    CreationDate: now,
    SenderKeyDigest: Buffer.from(own.pin, 'hex'),
    SenderCertificateDigest: Buffer.from(own.identity.fingerprint, 'hex'),
    RecipientCertificateDigest: Buffer.from(peer.current.fingerprint, 'hex'),
    SourceGroup: 'default',
    Selection: 'key',
    TransportKeyIdentifier: exportId,
    TransportKey: transport.secret.bytes,
  }
  const signer = await a.store.read((work) => openIdentity(work))
  await writer.finish(facts, signer, now)
  return file
}

/** The peer's hybrid keys, or one of them alone as a site without keyreel would be encrypted to. */
function recipientOf(peer: Peer, plain: 'rsa' | 'ec' | undefined): Recipient {
  const { recipient, rsa } = encryptionFor(peer)
  if (plain === undefined || recipient.kind === 'shared') return recipient
  const publicKey = plain === 'rsa' ? rsa! : createPublicKey(peer.current.pem)
  return { kind: plain, name: recipient.name, publicKey }
}

/** The Import request of a key of A's. */
function requestOf(a: Site, id: string, transport: TransportKey): Promise<ImportRequest> {
  return a.store.act(async (work) => {
    const object = (await loadObject(work, 'default', id))!
    const secret = (await materialOf(work, object))!
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'look', outcome: 'Success' })
    return importRequest(object, secret, transport, exportId, now)
  })
}

/** The DER elements of a bundle: manifest and parts. */
function elements(bundle: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let rest = bundle; rest.length > 0; rest = rest.subarray(found.at(-1)!.length))
    found.push(rest.subarray(0, measure(rest)!.end))
  return found
}

/** Numbers that look random and are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('a bundle that was changed on the way', () => {
  let sites: { a: Site; b: Site }
  let bundle: Uint8Array
  let other: Uint8Array
  let plain: { rsa: Uint8Array; ec: Uint8Array }
  beforeAll(async () => {
    const [a, b] = [await newSite({ lasting: true }), await newSite({ lasting: true })]
    await a.trust('B', b)
    await b.trust('A', a)
    sites = { a, b }
    const folders = [1, 2, 3, 4].map(() => mkdtempSync(join(tmpdir(), 'keyreel-hostile-')))
    const ids = [await a.key({ barcode: 'KR0001L8' }), await a.key({ barcode: 'KR0002L8' })]
    const [one, two] = [TransportKey.random(), TransportKey.random()]
    const both = async (transport: TransportKey) =>
      Promise.all(ids.map(async (id) => [await requestOf(a, id, transport)]))
    bundle = await readFile(await byHand(a, await both(one), one, folders[0]))
    other = await readFile(await byHand(a, await both(two), two, folders[1]))
    const alone = async (kind: 'rsa' | 'ec', folder: string) =>
      readFile(await byHand(a, await both(one), one, folder, kind))
    plain = { rsa: await alone('rsa', folders[2]!), ec: await alone('ec', folders[3]!) }
    return async () => {
      await a.store.close()
      await b.store.close()
      for (const folder of folders) rmSync(folder, { recursive: true })
    }
  })

  const refusedBy = async (changed: Uint8Array): Promise<string> => {
    const file = join(scratch(), 'changed')
    await writeFile(file, changed)
    const failure: unknown = await sites.b.import(file).then(
      () => 'imported',
      (error: unknown) => error,
    )
    return failure instanceof UserError ? failure.code : String(failure)
  }

  test('opens when nothing was changed', async () => {
    const file = join(scratch(), 'unchanged')
    await writeFile(file, bundle)
    const { counts } = await sites.b.import(file, { dryRun: true })
    expect(counts).toMatchObject({ new: 2, refused: 0 })
    expect(elements(bundle)).toHaveLength(3)
    for (const bytes of [plain.rsa, plain.ec]) {
      await writeFile(file, bytes)
      expect((await sites.b.import(file, { dryRun: true })).counts).toMatchObject({ new: 2 })
      expect(elements(bytes)).toHaveLength(1)
    }
  })

  test.each([
    ['in parts, to the hybrid keys', 10_000, () => bundle],
    ['whole, to an RSA key', 5_000, () => plain.rsa],
    ['whole, to a P-384 key', 5_000, () => plain.ec],
  ])(
    '%s, is refused for each of %i flipped bits, and the process lives',
    async (...row) => {
      const [, flips, made] = row
      const bundle = made()
      const random = seeded(20_261_128)
      const keys = await sites.b.store.read((work) => openExchangeKeys(work))
      const { pin } = await ensureExchange(sites.a.store)
      const path = join(scratch(), 'flipped')
      const handle = await open(path, 'w+')
      await handle.write(bundle)
      const codes = new Map<string, number>()
      for (let n = 0; n < flips; n += 1) {
        const at = Math.floor(random() * bundle.length)
        const bit = 1 << Math.floor(random() * 8)
        await handle.write(Uint8Array.of(bundle[at]! ^ bit), 0, 1, at)
        const code = await readWhole(path, keys, pin).catch((error: unknown) =>
          error instanceof UserError ? error.code : `${String(error)} at byte ${at}`,
        )
        codes.set(code, (codes.get(code) ?? 0) + 1)
        await handle.write(Uint8Array.of(bundle[at]!), 0, 1, at)
      }
      await handle.close()
      const known = ['bundle-unreadable', 'sender-differs', 'sender-unknown', 'bundle-for-another']
      expect([...codes.keys()].filter((code) => !known.includes(code))).toEqual([])
      expect([...codes.values()].reduce((sum, count) => sum + count, 0)).toBe(flips)
    },
    600_000,
  )

  test('is refused when it is cut off anywhere', async () => {
    const random = seeded(7)
    const ends = [0, 1, 5, 6, bundle.length - 1, ...elements(bundle).map(({ length }) => length)]
    for (let n = 0; n < 40; n += 1) ends.push(Math.floor(random() * bundle.length))
    for (const end of ends) {
      expect(await refusedBy(bundle.subarray(0, end)), `${end} bytes`).toBe('bundle-unreadable')
    }
  }, 120_000)

  test('is refused with parts reordered, doubled, left out, mixed in or followed by more', async () => {
    const [first, one, two] = elements(bundle) as [Uint8Array, Uint8Array, Uint8Array]
    const [otherFirst, otherOne] = elements(other) as [Uint8Array, Uint8Array]
    const lists = {
      reordered: [first, two, one],
      doubled: [first, one, one],
      'doubled at the end': [first, one, two, two],
      'left out': [first, two],
      'without parts': [first],
      'without manifest': [one, two],
      'mixed in': [first, otherOne, two],
      "with another's manifest": [otherFirst, one, two],
      'two manifests': [first, otherFirst, one, two],
      followed: [first, one, two, Uint8Array.of(0)],
    }
    for (const [what, list] of Object.entries(lists))
      expect(await refusedBy(Buffer.concat(list)), what).toBe('bundle-unreadable')
  })

  test('has left nothing behind: no key, no report', async () => {
    const { total } = await sites.b.store.read((work) =>
      work.find({
        group: 'default',
        equals: [],
        ranges: [],
        destroyed: 'include',
        archived: 'include',
        offset: 0,
        limit: 1,
      }),
    )
    expect(total).toBe(0)
    expect(await sites.b.store.read((work) => work.documents('exchange-import'))).toEqual([])
  })

  test('or signed again by somebody else is refused, though both are trusted', async () => {
    const { b } = sites
    const c = await newSite()
    await b.trust('C', c)
    const [first, ...parts] = elements(bundle)
    const { inner } = verifySigned(first!)
    const signer = await c.store.read((work) => openIdentity(work))
    const resigned = Buffer.concat([signContent(inner, signer, now), ...parts])
    expect(await refusedBy(resigned)).toBe('sender-differs')
  })
})

/** What an import does before it looks at keys. */
async function readWhole(
  path: string,
  keys: Parameters<BundleFile['decrypt']>[0],
  trusted: string,
): Promise<string> {
  const bundle = await BundleFile.open(path)
  try {
    if (bundle.envelope.pin !== trusted) return 'sender-unknown'
    const { parts } = await bundle.decrypt(keys, now)
    for await (const { content } of parts()) void content
    return 'opened'
  } finally {
    await bundle.close()
  }
}

describe('a whole bundle of a trusted sender with something wrong inside', () => {
  test('loses only the keys that are damaged, and names them', async () => {
    const { a, b } = await twoSites()
    const ids = await Promise.all([1, 2, 3, 4].map((n) => a.key({ barcode: `KR000${n}L8` })))
    const transport = TransportKey.random()
    const requests = await Promise.all(ids.map((id) => requestOf(a, id, transport)))
    const wrapped = requests[1]!.SymmetricKey.KeyBlock.KeyValue as { value: Uint8Array }
    wrapped.value[3]! ^= 1
    const digest = requests[2]!.Attributes.find(({ tag }) => tag === 'Digest')!
    digest.value = { HashingAlgorithm: 'SHA_256', DigestValue: Buffer.alloc(32) }
    Object.assign(requests[3]!.SymmetricKey.KeyBlock.KeyWrappingData!, {
      EncryptionKeyInformation: { UniqueIdentifier: 'another key' },
    })
    const { counts, reports } = await b.import(await byHand(a, [requests], transport))
    expect(counts).toEqual({ new: 1, here: 0, conflict: 0, refused: 3 })
    expect(reports.map(({ reason }) => reason)).toEqual([
      undefined,
      'it is damaged: it does not unwrap',
      'it is damaged: its digest is another',
      'it is damaged: it does not unwrap',
    ])
    expect(reports[1]).toMatchObject({ id: ids[1], barcode: 'KR0002L8' })
    expect(await b.bytesOf(ids[0]!)).toBe(await a.bytesOf(ids[0]!))
  })

  test('with the same key twice takes it once', async () => {
    const { a, b } = await twoSites()
    const id = await a.key()
    const transport = TransportKey.random()
    const request = await requestOf(a, id, transport)
    const { counts } = await b.import(await byHand(a, [[request, request]], transport))
    expect(counts).toEqual({ new: 1, here: 0, conflict: 1, refused: 0 })
  })

  test('with two keys for one tape identifier takes the first', async () => {
    const { a, b } = await twoSites()
    const [one, two] = [await a.key({ data: 'one' }), await a.key({ data: 'two' })]
    const transport = TransportKey.random()
    const requests = [await requestOf(a, one, transport), await requestOf(a, two, transport)]
    const information = requests[1]!.Attributes.find(
      ({ tag }) => tag === 'ApplicationSpecificInformation',
    )!
    information.value = { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: 'one' }
    const { counts, reports } = await b.import(await byHand(a, [requests], transport))
    expect(counts.new).toBe(1)
    expect(reports[1]?.verdict).not.toBe('new')
    expect(await b.object(two)).toBeUndefined()
  })
})

describe('what is no bundle', () => {
  const nested = (depth: number) => {
    let bytes: Uint8Array = Uint8Array.of(0x05, 0x00)
    for (let n = 0; n < depth; n += 1) bytes = sequence(bytes)
    return bytes
  }
  test.each([
    ['an empty file', Buffer.alloc(0)],
    ['text', Buffer.from('hello, these are not keys')],
    ['a length of four gigabytes', Buffer.from('3084ffffffff00', 'hex')],
    ['a length without end', Buffer.from('308030800000', 'hex')],
    ['a length in nine bytes', Buffer.from('3088000000000000000100', 'hex')],
    ['ten thousand levels', nested(10_000)],
    [
      'a hundred thousand empty elements',
      Buffer.concat(Array(100_000).fill(Buffer.from('3000', 'hex'))),
    ],
    [
      'an integer of a megabyte',
      Buffer.concat([Buffer.from('308310000402830fffff', 'hex'), Buffer.alloc(0x0fffff, 0xff)]),
    ],
  ])('is refused at once: %s', async (_, bytes) => {
    const b = await newSite()
    const file = join(scratch(), 'bomb')
    await writeFile(file, bytes)
    const began = performance.now()
    await expect(b.import(file)).rejects.toMatchObject({ code: 'bundle-unreadable' })
    expect(performance.now() - began).toBeLessThan(5_000)
  })
})

test('a damaged bundle is still told for whom it is, and a receipt is no bundle', async () => {
  const { a, b } = await twoSites()
  await a.key()
  const { file } = await a.export({ peer: 'B' })
  const whole = await readFile(file)
  expect(await inspectBundle(b.store, file)).toMatchObject({ isForUs: true, reason: undefined })
  expect(await inspectBundle(a.store, file)).toMatchObject({ isForUs: false, manifest: undefined })
  const report = await b.import(file)
  await writeFile(file, Buffer.concat([whole.subarray(0, -1), Buffer.of(whole.at(-1)! ^ 1)]))
  expect(await inspectBundle(b.store, file)).toMatchObject({
    isForUs: true,
    manifest: undefined,
    reason: expect.stringContaining('is not the one its manifest names') as string,
  })
  const receipt = join(scratch(), 'receipt')
  await writeReceipt(b.store, { bundle: file, out: receipt, report })
  await expect(inspectBundle(a.store, receipt)).rejects.toMatchObject({
    code: 'not-a-bundle',
    message: `${receipt} is a receipt, not a bundle`,
    hint: `read it with  keyreel exchange receipt ${receipt}`,
  })
})

describe('a disk that is full', () => {
  test('leaves no file, neither whole nor in part, and the log says so', async () => {
    const { a } = await twoSites()
    await a.key()
    const folder = scratch()
    const out = join(folder, 'bundle')
    // The device on which every write fails for lack of space.
    const openFile = ((path: string, flags: string) =>
      open(flags === 'r' ? path : '/dev/full', 'r+')) as typeof open
    await expect(a.export({ peer: 'B', out, openFile })).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await readdir(folder)).toEqual([])
    const [entry] = await a.store.read(async (work) => work.documents('exchange-export'))
    expect(entry?.body).toMatchObject({ failed: `${out} cannot be written: the disk is full` })
  })

  test('never takes the place of a file that is there', async () => {
    const { a } = await twoSites()
    await a.key()
    const folder = scratch()
    const out = join(folder, 'bundle')
    await writeFile(out, 'precious')
    await expect(a.export({ peer: 'B', out })).rejects.toMatchObject({ code: 'file-exists' })
    expect(await readdir(folder)).toEqual(['bundle'])
    expect(await readFile(out, 'utf8')).toBe('precious')
  })
})

test('errors about bundles never hold a key', async () => {
  const { a, b } = await twoSites()
  const id = await a.key()
  const transport = TransportKey.random()
  const secret = toHex(transport.secret.bytes)
  const request = await requestOf(a, id, transport)
  const file = await byHand(a, [[request]], transport)
  const bytes = await readFile(file)
  bytes[bytes.length - 1]! ^= 1
  await writeFile(file, bytes)
  const failure: unknown = await b.import(file).catch((error: unknown) => error)
  const { inspect } = await import('node:util')
  const text = inspect(failure, { depth: 10, showHidden: true })
  expect(text).not.toContain(secret)
  expect(text).not.toContain(await a.bytesOf(id))
})
