// Notify and Put of another server, received: KMIP 1.4 §5.1, §5.2; KMIP 2.1 §6.2.2, §6.2.3.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  answerOf,
  childrenOf,
  edited,
  everyVersion,
  found,
  isLate,
  principal,
  requestBytes,
  started,
  testEngine,
  type Ask,
  type Header,
  type TestEngine,
} from './engine.ts'
import { contact, custom, describeRefusals, name, type Row } from './refusals.ts'
import { active, clearBlock, hex, keyHex, masks, plainKey, usage } from './wrapped.ts'

type Put = Partial<RequestPayload<'Put'>>

const other = '11'.repeat(16)
const putting = (UniqueIdentifier: string, more: Put = {}, digits = keyHex): Put => ({
  UniqueIdentifier,
  PutFunction: 'New',
  SymmetricKey: { KeyBlock: clearBlock(digits) },
  Attributes: [usage(masks.use)],
  ...more,
})
const replacing = (UniqueIdentifier: string, ReplacedUniqueIdentifier: string, more: Put = {}) =>
  putting(UniqueIdentifier, { PutFunction: 'Replace', ReplacedUniqueIdentifier, ...more }, other)

async function material(engine: TestEngine, as: VersionText, UniqueIdentifier: string) {
  const { SymmetricKey } = await engine.call(as, 'Get', { UniqueIdentifier })
  const { KeyValue } = SymmetricKey!.KeyBlock
  return KeyValue!.type === 'Structure' && hex(KeyValue!.value.KeyMaterial as Uint8Array)
}

const auditOf = async (engine: TestEngine, operation: string) =>
  (await engine.audited()).filter((entry) => entry.operation === operation)

const notFound = (as: VersionText) => (isLate(as) ? 'ObjectNotFound' : 'ItemNotFound')
const exists = (as: VersionText) => (as < '1.4' ? 'IllegalOperation' : 'ObjectAlreadyExists')

describe.each(everyVersion)('KMIP %s', (as) => {
  test('Query lists both for the profile general, and neither for a tape library', async () => {
    const engine = await testEngine()
    const ask = { QueryFunction: ['QueryOperations' as const] }
    const { Operation } = await engine.call(as, 'Query', ask)
    expect(Operation).toEqual(expect.arrayContaining(['Notify', 'Put']))
    const tape = principal({ profile: 'tape-library' })
    const listed = (await engine.call(as, 'Query', ask, tape)).Operation
    expect(listed).not.toContain('Notify')
    expect(listed).not.toContain('Put')
    const UniqueIdentifier = await engine.key(as, 'A1')
    const told = { UniqueIdentifier, Attributes: [contact] }
    expect(await engine.refused(as, 'Notify', told, tape)).toBe('PermissionDenied')
    expect(await engine.refused(as, 'Put', putting('put'), tape)).toBe('PermissionDenied')
  })

  test('an object that is put is kept under its identifier with the attributes given', async () => {
    const engine = await testEngine()
    const Attributes: AttributeInstance[] = [
      usage(masks.use),
      active,
      name('pushed'),
      { tag: 'UniqueIdentifier', value: 'pushed-1' },
      { tag: 'InitialDate', value: started - 100n },
      { tag: 'State', value: 'Active' },
    ]
    expect(await engine.call(as, 'Put', putting('pushed-1', { Attributes }))).toEqual({})
    expect(await material(engine, as, 'pushed-1')).toBe(keyHex)
    expect(await engine.attribute(as, 'pushed-1', 'State')).toEqual(['Active'])
    expect(await engine.attribute(as, 'pushed-1', 'InitialDate')).toEqual([started - 100n])
    const located = await engine.call(as, 'Locate', { Attributes: [name('pushed')] })
    expect(located.UniqueIdentifier).toEqual(['pushed-1'])
    expect(await auditOf(engine, 'Put')).toMatchObject([
      { object: 'pushed-1', outcome: 'Success', actor: { name: 'alpha' } },
    ])
  })

  test('an object may come without attributes, a key before 1.4 not without its usage', async () => {
    const engine = await testEngine()
    const bare = putting('bare')
    delete bare.Attributes
    if (as < '1.4') {
      expect(await engine.refused(as, 'Put', bare)).toBe('InvalidField')
      return
    }
    await engine.call(as, 'Put', bare)
    expect(await engine.attribute(as, 'bare', 'CryptographicLength')).toEqual([128])
  })

  test('the same object again changes nothing; another under its identifier is refused', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, as, contact)
    await engine.call(as, 'Get', { UniqueIdentifier: id })
    const before = await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    engine.time.seconds += 10n
    const again = putting(id, { Attributes: [usage(masks.use), name('else')] })
    expect(await engine.call(as, 'Put', again)).toEqual({})
    expect(await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })).toEqual(before)
    expect((await auditOf(engine, 'Put')).at(-1)?.details).toEqual({ unchanged: true })
    expect(await engine.refused(as, 'Put', putting(id, {}, other))).toBe(exists(as))
    expect(await material(engine, as, id)).toBe(keyHex)
    expect(await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })).toEqual(before)
  })

  test('a replaced object is destroyed, and kept for an administrator to bring back', async () => {
    const engine = await testEngine()
    const old = await plainKey(engine, as, name('tape'))
    const Attributes = [usage(masks.use), name('tape')]
    await engine.call(as, 'Put', replacing('new', old, { Attributes }))
    expect(await material(engine, as, 'new')).toBe(other)
    expect(await engine.attribute(as, old, 'State')).toEqual(['Destroyed'])
    const located = await engine.call(as, 'Locate', { Attributes: [name('tape')] })
    expect(located.UniqueIdentifier).toContain('new')
    const kept = await engine.store.read((work) => work.load('default', old))
    expect(kept).toMatchObject({ hasMaterial: true })
    expect(kept!.columns.wipeAfter).toBe(started + 30n * 86_400n)
    expect((await auditOf(engine, 'Put'))[0]?.details).toEqual({
      replaced: 'SymmetricKey',
      keptAs: old,
    })
    expect(await auditOf(engine, 'Destroy')).toMatchObject([
      { object: old, outcome: 'Success', details: { replacedBy: 'new' } },
    ])
    // Said again by a server that got no answer.
    await engine.call(as, 'Put', replacing('new', old, { Attributes }))
    expect((await auditOf(engine, 'Put')).at(-1)?.details).toEqual({ unchanged: true })
  })

  test('an object is replaced under its own identifier as Import replaces one', async () => {
    const engine = await testEngine()
    const id = await plainKey(engine, as)
    await engine.call(as, 'Put', replacing(id, id))
    expect(await material(engine, as, id)).toBe(other)
    const { keptAs } = (await auditOf(engine, 'Put'))[0]!.details as { keptAs: string }
    expect(await engine.attribute(as, keptAs, 'State')).toEqual(['Destroyed'])
  })

  test('Replace means New where there is nothing to replace', async () => {
    const engine = await testEngine()
    await engine.call(as, 'Put', replacing('new', 'nowhere'))
    expect(await material(engine, as, 'new')).toBe(other)
    expect(await auditOf(engine, 'Destroy')).toEqual([])
  })

  test('a group that wipes at once keeps nothing, one that refuses Destroy refuses Replace', async () => {
    const engine = await testEngine()
    const old = await plainKey(engine, as)
    await engine.policy('destroy=refuse')
    expect(await engine.refused(as, 'Put', replacing('new', old))).toBe('PermissionDenied')
    expect(await material(engine, as, old)).toBe(keyHex)
    expect(await engine.refused(as, 'Get', { UniqueIdentifier: 'new' })).toBe(notFound(as))
    await engine.policy('destroy=now')
    await engine.call(as, 'Put', replacing('new', old))
    const kept = await engine.store.read((work) => work.load('default', old))
    expect(kept).toMatchObject({ hasMaterial: false })
  })

  test('nobody replaces what somebody else owns, or learns of what is of another group', async () => {
    const engine = await testEngine()
    const old = await plainKey(engine, as)
    const bob = principal({ owner: 'alpha/bob', ownOnly: true })
    expect(await engine.refused(as, 'Put', replacing('b', old), bob)).toBe('PermissionDenied')
    const stranger = principal({ name: 'gamma', group: 'other' })
    expect(await engine.call(as, 'Put', replacing('c', old), stranger)).toEqual({})
    for (const by of [bob, stranger])
      expect(await engine.refused(as, 'Put', putting(old), by)).toBe(exists(as))
    expect(await material(engine, as, old)).toBe(keyHex)
    expect(await engine.attribute(as, old, 'State')).toEqual(['PreActive'])
  })

  test('Notify changes nothing, and the audit record has the names and no value', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await plainKey(engine, as, contact)
    const before = await engine.call(as, 'GetAttributes', { UniqueIdentifier })
    engine.time.seconds += 10n
    const Attributes: AttributeInstance[] = [
      { tag: 'LastChangeDate', value: started + 5n },
      { tag: 'ContactInformation', value: 'hush' },
      custom('x', 'provider', 'hush'),
    ]
    expect(await engine.call(as, 'Notify', { UniqueIdentifier, Attributes })).toEqual({})
    expect(await engine.call(as, 'GetAttributes', { UniqueIdentifier })).toEqual(before)
    const told = await auditOf(engine, 'Notify')
    expect(told).toMatchObject([
      {
        object: UniqueIdentifier,
        outcome: 'Success',
        details: { changed: ['Last Change Date', 'Contact Information', 'x-provider'] },
      },
    ])
    expect(JSON.stringify(told[0]!.details)).not.toContain('hush')
  })

  test('Notify tells of deleted attributes in the form of its version, and of destroyed objects', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await plainKey(engine, as)
    await engine.call(as, 'Destroy', { UniqueIdentifier })
    const changed: AttributeInstance[] = [{ tag: 'LastChangeDate', value: started }]
    const gone: AttributeInstance[] = [
      { tag: 'ContactInformation', value: undefined },
      { tag: 'Attribute', value: { VendorIdentification: 'x', AttributeName: 'provider' } },
    ]
    await engine.call(
      as,
      'Notify',
      isLate(as)
        ? {
            UniqueIdentifier,
            Attributes: changed,
            AttributeReference: [
              { tag: 'ContactInformation' },
              { tag: 'Attribute', vendor: 'x', name: 'provider' },
            ],
          }
        : { UniqueIdentifier, Attributes: [...changed, ...gone] },
    )
    expect((await auditOf(engine, 'Notify'))[0]?.details).toEqual({
      changed: ['Last Change Date'],
      deleted: ['Contact Information', 'x-provider'],
    })
  })
})

test.each(everyVersion)(
  'KMIP %s: a message that pushes has the header of its version',
  async (as) => {
    const engine = await testEngine()
    const UniqueIdentifier = await plainKey(engine, as, contact)
    const changed: AttributeInstance[] = [{ tag: 'LastChangeDate', value: started }]
    const asks: Ask[] = [
      ['Notify', { UniqueIdentifier, Attributes: changed }],
      ['Put', putting('pushed')],
    ]
    const headers: Header[] = [
      { MaximumResponseSize: 4096 },
      { AsynchronousIndicator: 'Prohibited' },
      { BatchErrorContinuationOption: 'Stop' },
      { BatchOrderOption: true },
    ]
    for (const ask of asks)
      for (const header of headers) {
        const [item] = await engine.batch(as, [ask], header)
        if (isLate(as)) expect(item).toMatchObject({ ResultStatus: 'Success' })
        else {
          expect(item).toMatchObject({ ResultReason: 'InvalidMessage' })
          expect(item!.Operation).toBeUndefined()
        }
      }
    expect(await auditOf(engine, 'Notify')).toHaveLength(isLate(as) ? 4 : 0)
    const plain = await engine.batch(as, asks)
    expect(plain.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
  },
)

const before14 = (as: VersionText) => as < '1.4'
const since14 = (as: VersionText) => as >= '1.4'
const taken: Row[1] = async (engine, as) => ['Put', putting(await plainKey(engine, as), {}, other)]
const replacedUnderTaken: Row[1] = async (engine, as) => {
  const [one, two] = [await plainKey(engine, as), await plainKey(engine, as)]
  return ['Put', replacing(one, two)]
}

describeRefusals('Put', [
  ['the identifier of another key', taken, 'IllegalOperation', '', before14],
  ['the identifier of another key', taken, 'ObjectAlreadyExists', 'ObjectAlreadyExists', since14],
  [
    'to replace one key under the identifier of a second',
    replacedUnderTaken,
    'ObjectAlreadyExists',
    'ObjectAlreadyExists',
    since14,
  ],
  [
    'the identifier of a destroyed key',
    async (engine, as) => {
      const UniqueIdentifier = await plainKey(engine, as)
      await engine.policy('destroy=now')
      await engine.call(as, 'Destroy', { UniqueIdentifier })
      return ['Put', putting(UniqueIdentifier)]
    },
    'ObjectAlreadyExists',
    'ObjectAlreadyExists',
    since14,
  ],
  [
    'to replace an archived object',
    async (engine, as) => {
      const UniqueIdentifier = await plainKey(engine, as)
      await engine.call(as, 'Archive', { UniqueIdentifier })
      return ['Put', replacing('new', UniqueIdentifier)]
    },
    'ObjectArchived',
    'ObjectArchived',
  ],
  [
    'Replace without what is replaced',
    () => ['Put', putting('new', { PutFunction: 'Replace' })],
    'InvalidField',
    'InvalidField',
  ],
  [
    'a Put Function nobody knows',
    () => ['Put', putting('new', { PutFunction: 9 })],
    'InvalidField',
    'InvalidField',
  ],
  [
    'no object at all',
    () => ['Put', { UniqueIdentifier: 'new', PutFunction: 'New', Attributes: [] }],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'two objects',
    () => [
      'Put',
      putting('new', {
        OpaqueObject: { OpaqueDataType: 1, OpaqueDataValue: Uint8Array.of(1) },
      } as Put),
    ],
    'InvalidField',
    'InvalidField',
  ],
  [
    'an identifier that cannot be shown',
    () => ['Put', putting('line\nfeed')],
    'InvalidField',
    'InvalidField',
  ],
  [
    'a Unique Identifier among the attributes that is another',
    () => ['Put', putting('new', { Attributes: [{ tag: 'UniqueIdentifier', value: 'old' }] })],
    'InvalidField',
    'InvalidField',
  ],
  [
    'a Name that is taken',
    async (engine, as) => {
      await engine.key(as, 'A1')
      return ['Put', putting('new', { Attributes: [name('name of A1')] })]
    },
    'InvalidField',
    'NonUniqueNameAttribute',
  ],
])

describeRefusals('Notify', [
  [
    'an object that is not there',
    () => ['Notify', { UniqueIdentifier: 'none', Attributes: [contact] }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'more attributes than an object has',
    async (engine, as) => [
      'Notify',
      {
        UniqueIdentifier: await plainKey(engine, as),
        Attributes: Array.from({ length: 2000 }, (_, at) => custom('x', `a${at}`)),
      },
    ],
    'IndexOutOfBounds',
    'ServerLimitExceeded',
  ],
])

test('Notify that tells of nothing is no message before 2.0, and is taken from then on', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await plainKey(engine, '2.1')
  await engine.call('2.1', 'Notify', { UniqueIdentifier, Attributes: [] })
  const request = requestBytes('1.4', [['Notify', { UniqueIdentifier, Attributes: [contact] }]])
  const empty = edited(request, (root) => childrenOf(found(root, 'RequestPayload')).splice(1))
  const [item] = answerOf(await engine.raw(empty), '1.4').BatchItem
  expect(item!.ResultReason).toBe('InvalidMessage')
})
