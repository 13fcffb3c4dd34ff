// An item that fails has no effect, wherever in its work it fails: a refusal is put behind each write
// of each operation in turn, and nothing but its answer and its audit record may be left.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AuditRecord, Work } from '../../../src/keystore/work.ts'
import type { ActingStore } from '../../../src/kmip/operations/batch.ts'
import { KmipError } from '../../../src/kmip/model/result.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { started, tapeKey, testEngine, type Ask, type TestEngine } from './engine.ts'
import { active, bytes, symmetric, usage } from './keys.ts'
import { half, kinds, pairOf } from './objects.ts'
import { contact } from './refusals.ts'

const writing: readonly (string | symbol)[] = [
  'insert',
  'update',
  'replace',
  'wipe',
  'putDocument',
  'deleteDocument',
  'putTransient',
  'deleteTransient',
]

/** Runs acts whose second item is refused right after so many writes of its own; tells whether it was. */
function refusing(store: ActingStore, writes: number) {
  let written = 0
  const watched = (work: Work): Work => {
    let items = 0
    return new Proxy(work, {
      get(target, name) {
        const found: unknown = Reflect.get(target, name, target)
        if (typeof found !== 'function') return found
        const call = found.bind(target) as (...given: unknown[]) => unknown
        // An item ends with its audit record.
        if (name === 'audit')
          return (record: AuditRecord) => {
            if (record.actor.name !== 'clock') items++
            target.audit(record)
          }
        if (!writing.includes(name)) return call
        return async (...given: unknown[]) => {
          const result = await call(...given)
          if (items === 1 && ++written === writes)
            throw new KmipError('PermissionDenied', 'refused for the sake of the test')
          return result
        }
      },
    })
  }
  const acting: ActingStore = {
    act: (fn) => store.act((work) => fn(watched(work))),
    read: (fn) => store.read(fn),
  }
  return { acting, wasRefused: () => written >= writes }
}

const tables = ['objects', 'revisions', 'attribute_index', 'unique_entries'] as const
const ownTables = ['documents', 'transients'] as const

/** Everything that the database holds about objects up to a row, and beside objects. */
async function contents(engine: TestEngine, upTo: number) {
  const rows: unknown[] = []
  for (const table of tables) {
    const key = table === 'revisions' ? 'object' : 'n'
    rows.push(
      ...(await engine.tamper(`SELECT * FROM ${table} WHERE ${key} <= ?1 ORDER BY 1, 2, 3`, upTo)),
    )
  }
  for (const table of ownTables)
    rows.push(...(await engine.tamper(`SELECT * FROM ${table} ORDER BY 1, 2, 3`)))
  return rows
}

const newestRow = async (engine: TestEngine) =>
  Number((await engine.tamper('SELECT coalesce(max(n), 0) FROM objects'))[0]![0])

const create = (data: string, ...more: AttributeInstance[]): Ask => [
  'Create',
  { ObjectType: 'SymmetricKey', Attributes: [...tapeKey(data), ...more] },
]
const limits: AttributeInstance = {
  tag: 'UsageLimits',
  value: { UsageLimitsTotal: 100n, UsageLimitsUnit: 'Byte' },
}
const material = '000102030405060708090a0b0c0d0e0f'
const rsa = [
  { tag: 'CryptographicAlgorithm', value: 'RSA' },
  { tag: 'CryptographicLength', value: 2048 },
] as AttributeInstance[]

type Scenario = (engine: TestEngine, as: VersionText) => Promise<Ask>

const scenarios: Record<string, Scenario> = {
  Create: () => Promise.resolve(create('new')),
  Register: async () => {
    const request = half(await pairOf(kinds['P-256']!), 'PrivateKey', 'PKCS_8')
    return ['Register', request]
  },
  CreateKeyPair: () =>
    Promise.resolve([
      'CreateKeyPair',
      {
        CommonAttributes: rsa,
        PrivateKeyAttributes: [usage('Sign')],
        PublicKeyAttributes: [usage('Verify')],
      },
    ]),
  ReKey: async (engine, as) => ['ReKey', { UniqueIdentifier: await engine.key(as, 'old') }],
  ReKeyKeyPair: async (engine, as) => {
    const { PrivateKeyUniqueIdentifier } = await engine.call(as, 'CreateKeyPair', {
      CommonAttributes: rsa,
      PrivateKeyAttributes: [usage('Sign')],
      PublicKeyAttributes: [usage('Verify')],
    })
    return ['ReKeyKeyPair', { PrivateKeyUniqueIdentifier }]
  },
  DeriveKey: async (engine, as) => {
    const base = await symmetric(engine, as, material, [usage('DeriveKey'), active, limits])
    return [
      'DeriveKey',
      {
        ObjectType: 'SymmetricKey',
        UniqueIdentifier: [base],
        DerivationMethod: 'HMAC',
        DerivationParameters: {
          CryptographicParameters: { HashingAlgorithm: 'SHA_256' },
          DerivationData: [bytes('01')],
        },
        Attributes: [
          { tag: 'CryptographicAlgorithm', value: 'AES' },
          { tag: 'CryptographicLength', value: 128 },
          usage('Encrypt'),
        ],
      },
    ]
  },
  Certify: async (engine, as) => {
    const { UniqueIdentifier } = await engine.call(
      as,
      'Register',
      half(await pairOf(kinds['P-256']!), 'PublicKey', 'X_509'),
    )
    const Attributes: AttributeInstance[] = [{ tag: 'CertificateType', value: 'X_509' }]
    return ['Certify', { UniqueIdentifier, Attributes }]
  },
  CreateSplitKey: async (engine, as) => [
    'CreateSplitKey',
    {
      ObjectType: 'SplitKey',
      UniqueIdentifier: await engine.key(as, 'old'),
      SplitKeyParts: 4,
      SplitKeyThreshold: 3,
      SplitKeyMethod: 'PolynomialSharingGF2_8',
      Attributes: [],
    },
  ],
  Encrypt: async (engine, as) => {
    const UniqueIdentifier = await symmetric(engine, as, material, [
      usage('Encrypt'),
      active,
      limits,
    ])
    const CryptographicParameters = { BlockCipherMode: 'ECB', PaddingMethod: 'PKCS5' } as const
    return ['Encrypt', { UniqueIdentifier, CryptographicParameters, Data: bytes('01') }]
  },
  Get: async (engine, as) => ['Get', { UniqueIdentifier: await engine.key(as, 'old') }],
  Activate: async (engine, as) => ['Activate', { UniqueIdentifier: await engine.key(as, 'old') }],
  Revoke: async (engine, as) => [
    'Revoke',
    {
      UniqueIdentifier: await engine.key(as, 'old'),
      RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
    },
  ],
  'Destroy with wiping at once': async (engine, as) => {
    await engine.policy('destroy=now')
    return ['Destroy', { UniqueIdentifier: await engine.key(as, 'old') }]
  },
  Archive: async (engine, as) => ['Archive', { UniqueIdentifier: await engine.key(as, 'old') }],
  Recover: async (engine, as) => {
    const UniqueIdentifier = await engine.key(as, 'old')
    await engine.call(as, 'Archive', { UniqueIdentifier })
    return ['Recover', { UniqueIdentifier }]
  },
  GetUsageAllocation: async (engine, as) => {
    const UniqueIdentifier = await engine.key(as, 'old', [active, limits])
    return ['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 7n }]
  },
  AddAttribute: async (engine, as) => [
    'AddAttribute',
    { UniqueIdentifier: await engine.key(as, 'old'), NewAttribute: contact },
  ],
  DeleteAttribute: async (engine, as) => [
    'DeleteAttribute',
    {
      UniqueIdentifier: await engine.key(as, 'old', [contact]),
      AttributeReference: { tag: 'ContactInformation' },
    },
  ],
  'ModifyAttribute of a value that another key waits for': async (engine, as) => {
    await engine.policy('duplicates=allow')
    const UniqueIdentifier = await engine.key(as, 'twice')
    await engine.call(as, 'Create', {
      ObjectType: 'SymmetricKey',
      Attributes: tapeKey('twice', 'another name'),
    })
    const [, , , , asi] = tapeKey('once')
    return ['ModifyAttribute', { UniqueIdentifier, NewAttribute: asi! }]
  },
  'Put with Replace': async (engine, as) => [
    'Put',
    {
      UniqueIdentifier: 'put-1',
      PutFunction: 'Replace',
      ReplacedUniqueIdentifier: await engine.key(as, 'old'),
      SymmetricKey: {
        KeyBlock: {
          KeyFormatType: 'Raw',
          KeyValue: { type: 'Structure', value: { KeyMaterial: bytes(material) } },
          CryptographicAlgorithm: 'AES',
          CryptographicLength: 128,
        },
      },
      Attributes: [usage('Encrypt')],
    } as never,
  ],
  'Import with Replace Existing': async (engine, as) => {
    const UniqueIdentifier = await engine.key(as, 'old')
    return [
      'Import',
      {
        UniqueIdentifier,
        ObjectType: 'SymmetricKey',
        ReplaceExisting: true,
        SymmetricKey: {
          KeyBlock: {
            KeyFormatType: 'Raw',
            KeyValue: { type: 'Structure', value: { KeyMaterial: bytes(material) } },
            CryptographicAlgorithm: 'AES',
            CryptographicLength: 128,
          },
        },
        Attributes: [usage('Encrypt')],
      } as never,
    ]
  },
  Login: () => Promise.resolve(['Login', {}]),
}

/** Operations of 2.0 on, and one that takes no Batch Error Continuation Option before (KMIP 1.4 §5.2). */
const late: readonly string[] = ['Login', 'Put with Replace']

describe.each<VersionText>(['1.4', '2.1'])('KMIP %s', (as) => {
  const names = Object.keys(scenarios).filter((name) => as >= '2.0' || !late.includes(name))
  test.each(names)('%s leaves nothing when it fails behind a write', async (name) => {
    for (let writes = 1; ; writes++) {
      const engine = await testEngine()
      const { responder, store } = engine
      const ask = await scenarios[name]!(engine, as)
      const last = await newestRow(engine)
      const before = await contents(engine, last)
      const asks = [create('A'), ask, create('B')]
      const { acting, wasRefused } = refusing(store, writes)
      responder.store = acting
      const answers = await engine.batch(as, asks, { BatchErrorContinuationOption: 'Continue' })
      const statuses = answers.map(({ ResultStatus }) => ResultStatus)
      if (!wasRefused()) {
        expect(statuses).toEqual(['Success', 'Success', 'Success'])
        expect(writes).toBeGreaterThan(1)
        return
      }
      expect(statuses).toEqual(['Success', 'OperationFailed', 'Success'])
      expect(answers[1]!.ResultReason).toBe('PermissionDenied')
      expect(await contents(engine, last)).toEqual(before)
      expect(await newestRow(engine)).toBe(last + 2)
    }
  })
})

const goOn = { BatchErrorContinuationOption: 'Continue' as const }
const failing = { UniqueIdentifier: 'no such key' }

describe.each<VersionText>(['1.4', '2.1'])('KMIP %s', (as) => {
  test('a state that time has brought about stays recorded when the item that met it fails', async () => {
    const engine = await testEngine()
    const { store, responder } = engine
    const soon: AttributeInstance = { tag: 'ActivationDate', value: started + 10n }
    const id = await engine.key(as, 'A', [soon, limits])
    engine.time.seconds += 20n
    // The state is the first write, what the item takes is the second.
    const { acting, wasRefused } = refusing(store, 2)
    responder.store = acting
    const [, item] = await engine.batch(
      as,
      [create('B'), ['GetUsageAllocation', { UniqueIdentifier: id, UsageLimitsCount: 7n }]],
      goOn,
    )
    expect([item!.ResultReason, wasRefused()]).toEqual(['PermissionDenied', true])
    engine.time.seconds -= 15n
    expect(await engine.attribute(as, id, 'State')).toEqual(['Active'])
    const left = { UsageLimitsTotal: 100n, UsageLimitsCount: 100n, UsageLimitsUnit: 'Byte' }
    expect(await engine.attribute(as, id, 'UsageLimits')).toEqual([left])
    const reached = (await engine.audited()).filter(({ operation }) => operation === 'StateReached')
    expect(reached).toMatchObject([{ object: id, details: { state: 'Active' } }])
  })

  test('key material that was unsealed is on record, though the item was taken back', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    engine.responder.store = refusing(engine.store, 1).acting
    const get: Ask = ['Get', { UniqueIdentifier: id }]
    const answers = await engine.batch(as, [create('B'), get, ['Get', failing]], goOn)
    expect(answers.map(({ ResultStatus }) => ResultStatus)).toEqual([
      'Success',
      'OperationFailed',
      'OperationFailed',
    ])
    const gets = (await engine.audited()).filter(({ operation }) => operation === 'Get')
    expect(gets).toContainEqual(
      expect.objectContaining({ object: id, outcome: 'PermissionDenied' }),
    )
    expect(await engine.attribute(as, id, 'Fresh')).toEqual([true])
  })

  test('a batch with Undo is undone whole', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [active, limits])
    engine.responder.store = refusing(engine.store, 1).acting
    const answers = await engine.batch(
      as,
      [create('B'), ['GetUsageAllocation', { UniqueIdentifier: id, UsageLimitsCount: 7n }]],
      { BatchErrorContinuationOption: 'Undo' },
    )
    expect(answers.map(({ ResultStatus }) => ResultStatus)).toEqual([
      'OperationUndone',
      'OperationFailed',
    ])
    engine.responder.store = engine.store
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([id])
  })

  test('the batches of others that commit together are not touched', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [active, limits])
    engine.responder.store = refusing(engine.store, 1).acting
    const failed = engine.batch(
      as,
      [create('B'), ['GetUsageAllocation', { UniqueIdentifier: id, UsageLimitsCount: 7n }]],
      goOn,
    )
    const others = ['C', 'D', 'E'].map((data) => engine.batch(as, [create(data)]))
    expect((await failed).map(({ ResultStatus }) => ResultStatus)).toEqual([
      'Success',
      'OperationFailed',
    ])
    for (const answers of await Promise.all(others))
      expect(answers[0]!.ResultStatus).toBe('Success')
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toHaveLength(5)
  })
})
