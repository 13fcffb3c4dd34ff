// A second person's approval: nothing leaves before it, it covers one recipient and one set of keys, and is used once.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allOf, bodyOf, putBody } from '../../src/access/documents.ts'
import { setGroupPolicy } from '../../src/access/groups.ts'
import { addOperator, revokeOperator } from '../../src/access/operators.ts'
import { Secret } from '../../src/crypto/secret.ts'
import type { UserError } from '../../src/errors.ts'
import {
  approvalRequest,
  approvalRequests,
  requestedKeys,
  selectionDigest,
} from '../../src/exchange/approval-requests.ts'
import { approveExport, foreseeApproval } from '../../src/exchange/approvals.ts'
import { exchangeLog, keysOf } from '../../src/exchange/exchange-log.ts'
import { renewEncryptionCertificate } from '../../src/exchange/identity.ts'
import { exportKeys, type ExportWish } from '../../src/exchange/export-keys.ts'
import { copiesOf, withFates } from '../../src/exchange/key-copies.ts'
import type { Store } from '../../src/keystore/store.ts'
import { person, type KindOfKey, type Person } from './people.ts'
import { day, now, scratch, twoSites, type Site } from './site.ts'

/** Two sites, of which the first wants approvals, with one key there and operators Carol and Dave. */
async function strictSite(kind: KindOfKey = 'P-256') {
  const { a, b } = await twoSites()
  const id = await a.key()
  await setGroupPolicy(a.store, 'default', ['approval=required'])
  const people = { carol: person('Carol', now, { kind }), dave: person('Dave', now) }
  for (const [name, { certificate }] of Object.entries(people))
    await addOperator(a.store, { name, input: Buffer.from(certificate), file: name })
  return { a, b, id, ...people }
}

/** The export is refused; answers the error, and the id that it has asked for. */
async function asked(site: Site, wish: Partial<ExportWish> = {}) {
  const error = await site.export({ peer: 'B', ...wish }).then(
    () => undefined,
    (thrown: unknown) => thrown as UserError,
  )
  expect(error).toMatchObject({ code: 'approval-wanted', exitStatus: 13 })
  const [, id = ''] = /keyreel exchange approve (\S+) --key FILE/.exec(error!.hint) ?? []
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
  return { id, message: error!.message }
}

function approve({ store }: Site, id: string, { key }: Pick<Person, 'key'>) {
  return approveExport(store, { id, key: new Secret(Buffer.from(key)), file: 'key.pem' })
}

const refused = { exitStatus: 13, code: 'refused-by-policy' }
const statesOf = async ({ store }: Site) =>
  (await store.read(approvalRequests)).map(({ state }) => state)

const recordsOf = ({ store }: Site) => store.readAudit({ chain: 'test', after: 0, limit: 1000 })

const outcomesOf = async ({ store }: Site, key: string) =>
  (await withFates(store, (await store.objectHistory(key)).entries))
    .filter(({ operation }) => operation === 'exchange export')
    .map(({ outcome }) => outcome)

/** A store whose acts fail from the moment on that something is so. */
function failingAt(store: Store, isSo: () => boolean, error: Error): Store {
  return Object.assign(Object.create(store) as Store, {
    act: (...words: Parameters<Store['act']>) =>
      isSo() ? Promise.reject(error) : store.act(...words),
  })
}

describe('in a group that wants approvals', () => {
  test('an export releases nothing, keeps one request however often it is tried, and says what to run', async () => {
    const { a } = await strictSite()
    const out = join(scratch(), 'bundle')
    const { id } = await asked(a, { out })
    expect(await asked(a, { out })).toMatchObject({ id })
    expect(existsSync(out)).toBe(false)
    expect(await statesOf(a)).toEqual(['waiting'])
    expect(await a.store.read(exchangeLog)).toEqual([])
    const operations = (await recordsOf(a)).map(({ operation }) => operation)
    expect(operations).toContain('exchange approval request')
    expect(operations).not.toContain('exchange export')
  })

  test.each<KindOfKey>(['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048'])(
    'an approval with a key of %s lets the same export through once, on record',
    async (kind) => {
      const { a, b, id: key, carol } = await strictSite(kind)
      const { id } = await asked(a)
      const { state } = await approve(a, id.slice(0, 8), carol)
      expect(state).toBe('approved')
      const { file, report } = await a.export({ peer: 'B' })
      expect(report).toMatchObject({ id, keys: 1 })
      expect(await statesOf(a)).toEqual(['used'])
      const [entry] = await a.store.read(exchangeLog)
      expect(entry).toMatchObject({ id, requester: 'administrator', approver: 'carol' })
      expect((await b.import(file)).counts.new).toBe(1)
      expect(await b.bytesOf(key)).toBe(await a.bytesOf(key))
      expect((await asked(a)).id).not.toBe(id)
      const approval = (await recordsOf(a)).find((one) => one.operation === 'exchange approve')
      expect(approval).toMatchObject({
        actor: { name: 'carol', kind: 'operator' },
        object: id,
        details: { peer: 'B', operator: 'carol', digest: selectionDigest([{ id: key }]) },
      })
    },
  )

  test('an approval is not used up by an export of which no bundle comes, and lets one through later', async () => {
    const { a, id: key, carol } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    const out = join(scratch(), 'bundle')
    const nowhere = a.export({ peer: 'B', out: join(out, 'z') })
    await expect(nowhere).rejects.toMatchObject({
      code: 'out-unwritable',
      message: `cannot write ${join(out, 'z')}: there is no directory ${out}`,
    })
    expect(await statesOf(a), 'nothing was begun').toEqual(['approved'])
    expect(await a.store.read(exchangeLog)).toEqual([])
    const full = Object.assign(new Error('ENOSPC: no space left, write'), { code: 'ENOSPC' })
    const openFile = () => Promise.reject(full)
    const failing = a.export({ peer: 'B', out, openFile })
    await expect(failing).rejects.toMatchObject({
      code: 'ENOSPC',
      message: `${out} cannot be written: the disk is full`,
    })
    expect(await statesOf(a), 'the keys were unsealed, but none has left').toEqual(['approved'])
    const [failed] = await a.store.read(exchangeLog)
    expect(failed).toMatchObject({ id, failed: `${out} cannot be written: the disk is full` })
    expect(await keysOf(a.store, failed!)).toEqual([
      { id: key, verdict: 'refused', reason: 'no bundle was made' },
    ])
    expect(await outcomesOf(a, key)).toEqual(['GeneralFailure'])
    expect(await copiesOf(a.store, key)).toEqual([])
    const end = (await recordsOf(a)).find((one) => one.operation === 'exchange export failed')
    expect(end?.outcome).toBe('GeneralFailure')

    const { report } = await a.export({ peer: 'B', out })
    expect(report.id).toBe(id)
    expect(await statesOf(a)).toEqual(['used'])
    const [made] = await a.store.read(exchangeLog)
    expect(made).toMatchObject({ id, failed: undefined, keys: 1 })
    expect(await keysOf(a.store, made!)).toEqual([{ id: key, verdict: 'new' }])
    expect(await copiesOf(a.store, key)).toHaveLength(1)
    await asked(a)
  })

  test('an approval stays used once the bundle is there, whatever fails after that', async () => {
    const { a, id: key, carol } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    const out = join(scratch(), 'bundle')
    const broken = new Error('the database went away')
    const ending = exportKeys(
      failingAt(a.store, () => existsSync(out), broken),
      {
        ...{ peer: 'B', group: 'default', selection: { scope: 'all' }, out, validDays: 9 },
      },
    )
    await expect(ending).rejects.toBe(broken)
    expect(existsSync(out)).toBe(true)
    expect(await statesOf(a)).toEqual(['used'])
    const [entry] = await a.store.read(exchangeLog)
    expect(entry).toMatchObject({ id, finished: undefined, failed: undefined })
    expect(await copiesOf(a.store, key), 'somebody may have the copy').toHaveLength(1)
  })

  test('a dry run names the operator, signs nothing, and refuses whom the approval would', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    const wish = { id, key: new Secret(Buffer.from(carol.key)), file: 'key.pem' }
    expect(await foreseeApproval(a.store, wish)).toBe('carol')
    expect(await statesOf(a)).toEqual(['waiting'])
    await asked(a)
    await revokeOperator(a.store, 'carol')
    await expect(foreseeApproval(a.store, wish)).rejects.toMatchObject(refused)
  })

  test('keys that were added since the approval make it refuse, and say so', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    await a.key({ barcode: 'KR0002L8' })
    const again = await asked(a)
    expect(again.id).not.toBe(id)
    expect(again.message).toContain(`not those approved as ${id.slice(0, 8)}`)
  })

  test('another recipient is another request, also when it is the same peer with a new certificate', async () => {
    const { a, b, carol } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    await renewEncryptionCertificate(b.store)
    await a.trust('B', b)
    expect((await asked(a)).id).not.toBe(id)
    await a.trust('C', (await twoSites()).b)
    expect((await asked(a, { peer: 'C' })).id).not.toBe(id)
  })

  test('nobody waits, and no approval counts, for longer than seven days', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    a.time.seconds = now + 7n * day + 1n
    const later = await asked(a)
    expect(later.id).not.toBe(id)
    a.time.seconds += 7n * day + 1n
    await expect(approve(a, later.id, carol)).rejects.toMatchObject(refused)
    expect(await statesOf(a)).toEqual(['expired', 'expired'])
  })

  test('whoever asks cannot approve, and a name that is no operator cannot ask', async () => {
    const { a, carol, dave } = await strictSite()
    const { id } = await asked(a, { requester: 'carol' })
    await expect(approve(a, id, carol)).rejects.toMatchObject(refused)
    await approve(a, id, dave)
    expect((await asked(a)).id).not.toBe(id)
    expect((await asked(a, { requester: 'dave' })).id).not.toBe(id)
    const { report } = await a.export({ peer: 'B', requester: 'carol' })
    expect(report.id).toBe(id)
    const stranger = a.export({ peer: 'B', requester: 'eve' })
    await expect(stranger).rejects.toMatchObject({ code: 'no-such-operator' })
    await revokeOperator(a.store, 'carol')
    await expect(a.export({ peer: 'B', requester: 'carol' })).rejects.toMatchObject(refused)
  })

  test('an approval of an operator who was revoked since is void, and another one may approve', async () => {
    const { a, carol, dave } = await strictSite()
    const { id } = await asked(a)
    await approve(a, id, carol)
    await revokeOperator(a.store, 'carol')
    expect(await statesOf(a)).toEqual(['void'])
    expect((await asked(a)).id).toBe(id)
    await expect(approve(a, id, carol)).rejects.toMatchObject(refused)
    await approve(a, id, dave)
    expect((await a.export({ peer: 'B' })).report.id).toBe(id)
  })

  test('a signature over another export is none over this one', async () => {
    const { a, carol } = await strictSite()
    const first = await asked(a)
    await approve(a, first.id, carol)
    await a.key({ barcode: 'KR0002L8' })
    const second = await asked(a)
    await a.store.act(async (work) => {
      const { approval } = (await bodyOf(work, 'exchange-approval', first.id))!
      const body = (await bodyOf(work, 'exchange-approval', second.id))!
      await putBody(work, 'exchange-approval', second.id, { ...body, approval })
      const actor = { name: 'test', kind: 'cli' }
      work.audit({ actor, operation: 'forge', outcome: 'Success' })
    })
    await asked(a)
  })

  test('keys and ids that are nobody’s are refused', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    await expect(approve(a, id, person('Eve', now))).rejects.toMatchObject(refused)
    const notAKey = { code: 'not-a-private-key' }
    await expect(approve(a, id, { key: carol.certificate })).rejects.toMatchObject(notAKey)
    const format = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const
    const encrypted = carol.pair.privateKey.export(format).toString()
    await expect(approve(a, id, { key: encrypted })).rejects.toMatchObject(notAKey)
    await expect(approve(a, 'zzz', carol)).rejects.toMatchObject({ code: 'no-such-request' })
    await approve(a, id, carol)
    await expect(approve(a, id, carol)).rejects.toMatchObject(refused)
    await a.export({ peer: 'B' })
    await expect(approve(a, id, carol)).rejects.toMatchObject(refused)
  })

  test('the private key of an operator is kept nowhere', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    const request = await approve(a, id, carol)
    const kept = await a.store.read((work) => allOf(work, 'exchange-approval'))
    const text = JSON.stringify([request, kept, await recordsOf(a)], (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    const { d } = carol.pair.privateKey.export({ format: 'jwk' }) as { d: string }
    for (const line of [...carol.key.split('\n').slice(1, -2), d]) expect(text).not.toContain(line)
  })
})

test('a group without approvals exports as before, and notes who asked when that is said', async () => {
  const { a } = await twoSites()
  await a.key()
  const { certificate } = person('Carol', now)
  await addOperator(a.store, { name: 'carol', input: Buffer.from(certificate), file: 'carol' })
  await a.export({ peer: 'B', requester: 'carol' })
  const [entry] = await a.store.read(exchangeLog)
  expect(entry).toMatchObject({ requester: 'carol', approver: undefined })
  expect(await statesOf(a)).toEqual([])
})

describe('what the second person sees', () => {
  test('is every key that would be released, and exactly those whose digest is signed', async () => {
    const { a, id: one, carol } = await strictSite()
    const two = await a.key({ barcode: 'KR0002L8' })
    const { id } = await asked(a)
    const request = await a.store.read((work) => approvalRequest(work, id))
    const keys = await requestedKeys(a.store, request)
    expect(keys.toSorted((x, y) => x.barcode!.localeCompare(y.barcode!))).toEqual([
      { id: one, barcode: 'KR0001L8' },
      { id: two, barcode: 'KR0002L8' },
    ])
    expect(selectionDigest(keys)).toBe(request.body.digest)
    await approve(a, id, carol)
    expect((await a.export({ peer: 'B' })).report.keys).toBe(2)
  })

  test('is refused, and cannot be approved, when its record is not that of the digest', async () => {
    const { a, carol } = await strictSite()
    const { id } = await asked(a)
    await a.store.act(async (work) => {
      const body = (await bodyOf(work, 'exchange-approval', id))!
      const digest = selectionDigest([{ id: crypto.randomUUID() }])
      await putBody(work, 'exchange-approval', id, { ...body, digest })
      work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'test', outcome: 'Success' })
    })
    await expect(approve(a, id, carol)).rejects.toMatchObject({ code: 'list-differs' })
  })
})
