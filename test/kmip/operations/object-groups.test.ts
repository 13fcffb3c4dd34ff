// Object groups: members that are fresh, the default member, and the reserved group that is never empty.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { everyVersion, principal, tapeKey, testEngine, type TestEngine } from './engine.ts'

const group = (value: string): AttributeInstance => ({ tag: 'ObjectGroup', value })
const late = everyVersion.filter((as) => as >= '1.1')

async function find(
  engine: TestEngine,
  as: VersionText,
  Attributes: AttributeInstance[],
  more: Partial<RequestPayload<'Locate'>> = {},
): Promise<string[]> {
  return (await engine.call(as, 'Locate', { Attributes, ...more })).UniqueIdentifier
}

const fresh = { ObjectGroupMember: 'GroupMemberFresh' } as const
const byDefault = { ObjectGroupMember: 'GroupMemberDefault' } as const

describe.each(late)('KMIP %s', (as) => {
  test('a member is fresh until it is served', async () => {
    const engine = await testEngine()
    const first = await engine.key(as, 'A', [group('pool')])
    engine.time.seconds += 1n
    const second = await engine.key(as, 'B', [group('pool'), group('other')])
    await engine.key(as, 'C')
    expect(await find(engine, as, [group('pool')], fresh)).toEqual([second, first])
    expect(await engine.attribute(as, second, 'Fresh')).toEqual([true])
    await engine.call(as, 'Get', { UniqueIdentifier: second })
    expect(await engine.attribute(as, second, 'Fresh')).toEqual([false])
    expect(await find(engine, as, [group('pool')], fresh)).toEqual([first])
    expect(await find(engine, as, [group('pool')])).toEqual([second, first])
    await engine.call(as, 'Get', { UniqueIdentifier: first })
    expect(await find(engine, as, [group('pool')], fresh)).toEqual([])
  })

  test('reading attributes does not serve an object', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [group('pool')])
    await engine.call(as, 'GetAttributes', { UniqueIdentifier: id })
    expect(await find(engine, as, [group('pool')], fresh)).toEqual([id])
  })

  test('Locate and Get in one batch hand every client a key of its own', async () => {
    const engine = await testEngine()
    for (const letter of ['A', 'B', 'C']) await engine.key(as, letter, [group('pool')])
    const taken = await Promise.all(
      [1, 2, 3].map(async () => {
        const items = await engine.batch(as, [
          ['Locate', { Attributes: [group('pool')], MaximumItems: 1, ...fresh }],
          ['Get', {}],
        ])
        return (items[1]!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier
      }),
    )
    expect(new Set(taken).size).toBe(3)
  })

  test('a client manages a group by adding and deleting the attribute', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    expect(await find(engine, as, [group('pool')])).toEqual([])
    await engine.call(as, 'AddAttribute', { UniqueIdentifier: id, NewAttribute: group('pool') })
    expect(await find(engine, as, [group('pool')])).toEqual([id])
    const drop = { UniqueIdentifier: id, AttributeReference: { tag: 'ObjectGroup' as const } }
    await engine.call(as, 'DeleteAttribute', drop)
    expect(await find(engine, as, [group('pool')])).toEqual([])
  })

  test('the default member is the newest of the group, fresh or not', async () => {
    const engine = await testEngine()
    const first = await engine.key(as, 'A', [group('pool')])
    engine.time.seconds += 1n
    const second = await engine.key(as, 'B', [group('pool')])
    await engine.call(as, 'Get', { UniqueIdentifier: second })
    expect(await find(engine, as, [group('pool')], byDefault)).toEqual([second])
    await engine.call(as, 'Destroy', { UniqueIdentifier: second })
    expect(await find(engine, as, [group('pool')], byDefault)).toEqual([first])
    expect(await find(engine, as, [group('none')], byDefault)).toEqual([])
  })

  test.each([fresh, byDefault])(
    'the reserved group makes a key when it has none: %o',
    async (how) => {
      const engine = await testEngine()
      const [id, ...more] = await find(engine, as, [group('default')], { ...how, MaximumItems: 1 })
      expect(more).toEqual([])
      expect(await engine.attribute(as, id!, 'ObjectGroup')).toEqual(['default'])
      expect(await engine.attribute(as, id!, 'Fresh')).toEqual([true])
      expect(await engine.attribute(as, id!, 'CryptographicLength')).toEqual([256])
      expect(await find(engine, as, [group('default')], how)).toEqual([id])
      const [record] = await engine.audited()
      expect(record).toMatchObject({
        actor: { name: 'alpha' },
        operation: 'Create',
        object: id,
        details: { memberOf: 'default' },
      })
    },
  )

  test('the key made is what the search asks for', async () => {
    const engine = await testEngine()
    const wanted: AttributeInstance[] = [
      group('default'),
      { tag: 'ObjectType', value: 'SymmetricKey' },
      { tag: 'CryptographicAlgorithm', value: 'AES' },
      { tag: 'CryptographicLength', value: 128 },
      { tag: 'CryptographicUsageMask', value: 4 },
    ]
    const items = await engine.batch(as, [
      ['Locate', { Attributes: wanted, ...fresh }],
      ['Get', {}],
    ])
    const got = items[1]!.ResponsePayload as { SymmetricKey: { KeyBlock: object } }
    expect(got.SymmetricKey.KeyBlock).toMatchObject({ CryptographicLength: 128 })
    const [id] = await find(engine, as, wanted)
    expect(await engine.attribute(as, id!, 'CryptographicUsageMask')).toEqual([4])
  })

  test('nothing is made for other groups, for other things, or without asking for a member', async () => {
    const engine = await testEngine()
    const none: AttributeInstance[][] = [
      [group('pool')],
      [],
      [group('default'), group('pool')],
      [group('default'), { tag: 'ObjectType', value: 'Certificate' }],
      [group('default'), { tag: 'State', value: 'Active' }],
      [group('default'), tapeKey('A')[0]!],
    ]
    for (const searched of none) expect(await find(engine, as, searched, fresh)).toEqual([])
    expect(await find(engine, as, [group('default')])).toEqual([])
    expect(await engine.audited()).toEqual([])
  })

  test('a search that cannot be met by a key is refused like a Create', async () => {
    const engine = await testEngine()
    const Attributes = [group('default'), { tag: 'CryptographicLength' as const, value: 7 }]
    const reason = await engine.refused(as, 'Locate', { Attributes, ...fresh })
    expect(reason).toBe(as < '2.0' ? 'InvalidField' : 'InvalidAttributeValue')
    const who = principal()
    expect((await engine.call(as, 'Locate', { Attributes }, who)).UniqueIdentifier).toEqual([])
  })
})
