// What another key server may do as a client with profile peer, and what it is refused – in the words of each
// version: KMIP 1.4 §11.11, §11.41; KMIP 2.1 §6.1.15.1, §6.1.18.1, §6.1.19.1, §6.1.44.1.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { Principal } from '../../../src/access/identity.ts'
import { bodyOf } from '../../../src/access/documents.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { receiptMessage, withdrawalMessage } from '../../../src/kmip/operations/peer-messages.ts'
import { everyVersion, principal, started, tapeKey, testEngine, type TestEngine } from './engine.ts'
import { clearBlock, hex, keyHex, kekHex, masks, usage } from './wrapped.ts'

const late: VersionText[] = everyVersion.filter((as) => as >= '1.4')

const peer: Principal = principal({ name: 'B', kind: 'peer', profile: 'peer' })
const other: Principal = principal({ name: 'C', kind: 'peer', profile: 'peer' })

const transportKey: AttributeInstance[] = [
  usage(masks.wrap | masks.unwrap),
  { tag: 'CryptographicParameters', value: { BlockCipherMode: 'AESKeyWrapPadding' } },
  { tag: 'Sensitive', value: true },
  { tag: 'Extractable', value: false },
  { tag: 'ActivationDate', value: started - 1n },
]

/** A peer brings a key; answers its identifier. */
async function brought(
  engine: TestEngine,
  who: Principal,
  Attributes: AttributeInstance[],
  digits = keyHex,
): Promise<string> {
  const request: Partial<RequestPayload<'Import'>> = {
    UniqueIdentifier: crypto.randomUUID(),
    ObjectType: 'SymmetricKey',
    Attributes,
    SymmetricKey: { KeyBlock: clearBlock(digits) },
  }
  return (await engine.call('2.1', 'Import', request, who)).UniqueIdentifier
}

const transport = (engine: TestEngine, who = peer) => brought(engine, who, transportKey, kekHex)
const tape = (engine: TestEngine, who = peer, data = 'KAD of B') =>
  brought(engine, who, [
    ...tapeKey(data).filter(({ tag }) => tag !== 'CryptographicLength'),
    { tag: 'ActivationDate', value: started - 1n },
  ])

const under = (UniqueIdentifier: string) => ({
  KeyWrappingSpecification: {
    WrappingMethod: 'Encrypt' as const,
    EncryptionKeyInformation: {
      UniqueIdentifier,
      CryptographicParameters: { BlockCipherMode: 'AESKeyWrapPadding' as const },
    },
    AttributeName: [],
    EncodingOption: 'NoEncoding' as const,
  },
})

const entryOf = (engine: TestEngine, id: string) =>
  engine.store.read((work) => bodyOf(work, 'exchange-export', id))

describe.each(late)('KMIP %s: a peer that takes keys', (as) => {
  /** The refusal of an Export by a peer: reason and message. */
  async function refused(
    engine: TestEngine,
    request: Partial<RequestPayload<'Export'>>,
    who = peer,
  ): Promise<readonly [string, string]> {
    const [item] = await engine.batch(as, [['Export', request]], {}, who)
    return [String(item?.ResultReason), String(item?.ResultMessage)]
  }

  test('gets them wrapped under the transport key that it has brought, on record', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const id = await transport(engine)
    const { SymmetricKey } = await engine.call(
      as,
      'Export',
      { UniqueIdentifier, ...under(id) },
      peer,
    )
    const value = SymmetricKey?.KeyBlock.KeyValue
    expect(value?.type).toBe('ByteString')
    expect((value?.value as Uint8Array).length).toBe(40)
    expect(await entryOf(engine, id)).toMatchObject({ peer: 'B', keys: 1, taken: true, live: true })
    const { entries } = await engine.store.objectHistory(UniqueIdentifier)
    expect(entries.find(({ operation }) => operation === 'exchange export')).toMatchObject({
      actor: { name: 'B', kind: 'peer' },
      details: { peer: 'B', export: id },
    })
  })

  test('says what became of them when it is done, which closes the entry', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const id = await transport(engine)
    await engine.call(as, 'Export', { UniqueIdentifier, ...under(id) }, peer)
    const counts = { new: 1, here: 0, conflict: 0, refused: 0 }
    const RevocationReason = {
      RevocationReasonCode: 'CessationOfOperation' as const,
      RevocationMessage: receiptMessage(counts),
    }
    await engine.call(as, 'Revoke', { UniqueIdentifier: id, RevocationReason }, peer)
    expect(await entryOf(engine, id)).toMatchObject({
      finished: Number(started),
      receipt: { counts, imported: Number(started) },
    })
    await engine.call(as, 'Destroy', { UniqueIdentifier: id }, peer)
  })

  test('gets none without wrapping, or with a MAC alone', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const reason = ['PermissionDenied', 'profile peer allows Export of wrapped keys only']
    expect(await refused(engine, { UniqueIdentifier })).toEqual(reason)
    const KeyWrappingSpecification = {
      WrappingMethod: 'MACSign' as const,
      MACSignatureKeyInformation: { UniqueIdentifier },
      AttributeName: [],
    }
    expect(await refused(engine, { UniqueIdentifier, KeyWrappingSpecification })).toEqual(reason)
  })

  test("gets none under a key that is not its own transport key: a library's, another peer's, one that can leave", async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const wrapping = {
      ObjectType: 'SymmetricKey' as const,
      Attributes: [
        { tag: 'CryptographicAlgorithm' as const, value: 'AES' },
        { tag: 'CryptographicLength' as const, value: 256 },
        ...transportKey.filter(({ tag }) => tag !== 'Sensitive' && tag !== 'Extractable'),
      ] as AttributeInstance[],
    }
    const library = (await engine.call('2.1', 'Create', wrapping)).UniqueIdentifier
    const reason = [
      'PermissionDenied',
      'a peer takes keys under a transport key that it has brought itself only',
    ]
    const can = transportKey.filter(({ tag }) => tag !== 'Extractable')
    for (const id of [library, await transport(engine, other), await brought(engine, peer, can)])
      expect(await refused(engine, { UniqueIdentifier, ...under(id) })).toEqual(reason)
  })

  test('gets none under a transport key that is not there', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const [reason] = await refused(engine, { UniqueIdentifier, ...under('nothing') })
    expect(reason).toBe(as >= '2.0' ? 'WrappingObjectNotFound' : 'ItemNotFound')
  })

  test('gets none of a group that keeps its keys from it, or wants a second person', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const request = { UniqueIdentifier, ...under(await transport(engine)) }
    await engine.policy('export=C,D')
    expect(await refused(engine, request)).toEqual([
      'PermissionDenied',
      'group default does not export its keys to peer B',
    ])
    await engine.policy('export=B', 'approval=required')
    expect((await refused(engine, request))[0]).toBe('PermissionDenied')
    expect((await refused(engine, request))[1]).toMatch(/a second person has approved/)
  })

  test('cannot make the entry of another export its own by the identifier of its transport key', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const id = await transport(engine)
    await engine.store.act(async (work) => {
      const body = { peer: 'C', recipient: '', group: 'default', selection: 'all' }
      await work.putDocument('exchange-export', id, { ...body, started: 1, keys: 3 })
      work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'look', outcome: 'Success' })
    })
    expect(await refused(engine, { UniqueIdentifier, ...under(id) })).toEqual([
      'PermissionDenied',
      'the transport key has the identifier of an earlier export',
    ])
  })
})

describe.each(everyVersion)('KMIP %s: a peer', (as) => {
  test('has no Get, whatever the wrapping, and makes and registers nothing', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await engine.key('2.1', 'KAD')
    const id = await transport(engine)
    const KeyBlock = clearBlock(keyHex)
    const asks = [
      ['Get', { UniqueIdentifier }],
      ['Get', { UniqueIdentifier, ...(as > '1.0' && under(id)) }],
      ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('new') }],
      ['Register', { ObjectType: 'SymmetricKey', Attributes: [], SymmetricKey: { KeyBlock } }],
    ] as const
    for (const [operation, request] of asks)
      expect(await engine.refused(as, operation, request as never, peer)).toBe('PermissionDenied')
  })

  test('destroys and revokes what others have, or what is made here, never', async () => {
    const engine = await testEngine()
    const reason = { RevocationReason: { RevocationReasonCode: 'PrivilegeWithdrawn' as const } }
    for (const id of [await engine.key('2.1', 'KAD'), await tape(engine, other)]) {
      const request = { UniqueIdentifier: id }
      expect(await engine.refused(as, 'Destroy', request, peer)).toBe('PermissionDenied')
      const revoking = { ...request, ...reason }
      expect(await engine.refused(as, 'Revoke', revoking, peer)).toBe('PermissionDenied')
    }
  })

  test('withdraws a key that it has brought: nobody gets it any more, and it may say so again', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await tape(engine)
    await engine.call(as, 'Get', { UniqueIdentifier })
    const notice = crypto.randomUUID()
    const request = {
      UniqueIdentifier,
      RevocationReason: {
        RevocationReasonCode: 'PrivilegeWithdrawn' as const,
        RevocationMessage: withdrawalMessage(notice),
      },
    }
    await engine.call(as, 'Revoke', request, peer)
    await engine.call(as, 'Revoke', request, peer)
    const [item] = await engine.batch(as, [['Get', { UniqueIdentifier }]])
    expect(item).toMatchObject({ ResultReason: 'PermissionDenied' })
    expect(item?.ResultMessage).toMatch(/was withdrawn 2027-01-15 by peer B/)
    expect(await engine.attribute(as, UniqueIdentifier, 'State')).toEqual(['Deactivated'])
    const entry = await engine.store.read((work) => bodyOf(work, 'exchange-withdrawal', notice))
    expect(entry).toMatchObject({ direction: 'received', peer: 'B', keys: 1, live: true })
    const record = (await engine.audited()).find(({ operation }) => operation === 'Revoke')
    expect(record?.details).toEqual({ reason: 'PrivilegeWithdrawn', withdrawn: 'B', notice })
  })

  test('withdraws for no other reason, where the group refuses it not at all, and destroys nothing on tapes', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await tape(engine)
    const revoking = (RevocationReasonCode: 'Superseded' | 'KeyCompromise') => ({
      UniqueIdentifier,
      RevocationReason: { RevocationReasonCode },
    })
    expect(await engine.refused(as, 'Revoke', revoking('Superseded'), peer)).toBe(
      'PermissionDenied',
    )
    await engine.policy('withdraw=refuse')
    const compromise = revoking('KeyCompromise')
    expect(await engine.refused(as, 'Revoke', compromise, peer)).toBe('PermissionDenied')
    await engine.policy('withdraw=apply')
    await engine.call(as, 'Revoke', compromise, peer)
    expect(await engine.attribute(as, UniqueIdentifier, 'State')).toEqual(['Compromised'])
    const destroying = { UniqueIdentifier }
    expect(await engine.refused(as, 'Destroy', destroying, peer)).toBe('PermissionDenied')
  })
})

test('a withdrawn key is not unsealed for any use, and never leaves', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await tape(engine)
  await engine.call(
    '2.1',
    'Revoke',
    { UniqueIdentifier, RevocationReason: { RevocationReasonCode: 'PrivilegeWithdrawn' } },
    peer,
  )
  const Data = Buffer.alloc(16)
  const CryptographicParameters = { BlockCipherMode: 'ECB' as const }
  const decrypting = { UniqueIdentifier, Data, CryptographicParameters }
  expect(await engine.refused('2.1', 'Decrypt', decrypting)).toBe('PermissionDenied')
  expect(await engine.refused('2.1', 'Export', { UniqueIdentifier })).toBe('PermissionDenied')
  expect(hex(Data)).toBe('00'.repeat(16))
})

test('a peer replaces no key that it has brought', async () => {
  const engine = await testEngine()
  const UniqueIdentifier = await tape(engine)
  const again = {
    UniqueIdentifier,
    ReplaceExisting: true,
    ObjectType: 'SymmetricKey' as const,
    Attributes: [usage(masks.use)],
    SymmetricKey: { KeyBlock: clearBlock(kekHex) },
  }
  expect(await engine.refused('2.1', 'Import', again, peer)).toBe('PermissionDenied')
})

describe.each(everyVersion)('KMIP %s: a peer that may not take keys of the group', (as) => {
  const question = (data: string, namespace = 'LIBRARY-LTO'): AttributeInstance => ({
    tag: 'ApplicationSpecificInformation',
    value: { ApplicationNamespace: namespace, ApplicationData: data },
  })
  const located = async (engine: TestEngine, ...Attributes: AttributeInstance[]) =>
    (await engine.call(as, 'Locate', { Attributes }, peer)).UniqueIdentifier

  test('learns whether a key is here whose identifier on the tape it names, and of no other', async () => {
    const engine = await testEngine()
    const ours = await engine.key('2.1', 'KAD 1')
    const own = await tape(engine)
    await engine.policy('export=refuse')
    expect(await located(engine, question('KAD 1'))).toEqual([ours])
    expect(await located(engine, question('KAD 1', 'ACME-LIBRARY-LTO'))).toEqual([ours])
    expect(await located(engine, question('KAD 9'))).toEqual([])
    const type: AttributeInstance = { tag: 'ObjectType', value: 'SymmetricKey' }
    expect(await located(engine, type)).toEqual([own])
    const name = { NameValue: 'name of KAD 1', NameType: 'UninterpretedTextString' }
    expect(await located(engine, { tag: 'Name', value: name })).toEqual([])
    expect(await located(engine, question('KAD 1'), { tag: 'Name', value: name })).toEqual([])
    expect(engine.responder.unknownTapes?.take()).toEqual([])
    await engine.policy('export=B')
    expect((await located(engine, type)).toSorted()).toEqual([ours, own].toSorted())
  })

  test('sees the attributes of what it has brought only', async () => {
    const engine = await testEngine()
    const ours = await engine.key('2.1', 'KAD 1')
    const own = await tape(engine)
    await engine.policy('export=refuse')
    for (const operation of ['GetAttributes', 'GetAttributeList'] as const) {
      const look = (UniqueIdentifier: string) => [operation, { UniqueIdentifier }, peer] as const
      expect(await engine.refused(as, ...look(ours))).toBe('PermissionDenied')
      await engine.call(as, ...look(own))
    }
  })

  test('is refused and reported when it asks too much, until an hour has passed', async () => {
    const engine = await testEngine()
    for (let asked = 0; asked < 5; asked++) await located(engine, question(`KAD ${asked}`))
    const asking = { Attributes: [question('KAD 6')] }
    const [first] = await engine.batch(as, [['Locate', asking]], {}, peer)
    expect(first?.ResultReason).toBe(as >= '2.0' ? 'ServerLimitExceeded' : 'PermissionDenied')
    expect(first?.ResultMessage).toMatch(/ask again in an hour/)
    await engine.refused(as, 'Locate', asking, peer)
    expect(engine.alarms()).toEqual(['peer B asks for more tapes than a site has'])
    const alarmed = (await engine.audited()).find(({ operation }) => operation === 'Locate')
    expect(alarmed?.details).toMatchObject({ alarms: engine.alarms() })
    expect((await engine.call(as, 'Locate', asking, other)).UniqueIdentifier).toEqual([])
    engine.time.seconds += 3600n
    expect(await located(engine, question('KAD 6'))).toEqual([])
  })
})
