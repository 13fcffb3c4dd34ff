// What Import and Export refuse, and why: KMIP 1.4 §11.41, §11.42; KMIP 2.1 §6.1.18.1, §6.1.25.1.
import { expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { principal, started, testEngine, type Ask, type TestEngine } from './engine.ts'
import { contact, describeRefusals, name, since14, type Row } from './refusals.ts'
import { clearBlock, encryption, keyHex, masks, usage, wrappedBlock } from './wrapped.ts'

type Import = RequestPayload<'Import'>

const importing =
  (more: Partial<Import>, ...Attributes: AttributeInstance[]) =>
  (_: TestEngine, as: VersionText): Ask => [
    'Import',
    {
      UniqueIdentifier: 'imported',
      ...(as >= '2.0' && { ObjectType: 'SymmetricKey' as const }),
      Attributes: [usage(masks.use), ...Attributes],
      SymmetricKey: { KeyBlock: clearBlock(keyHex) },
      ...more,
    },
  ]

const late = (as: VersionText) => as >= '2.0'

const imports: Row[] = [
  [
    'an identifier that is taken',
    async (engine, as) => importing({ UniqueIdentifier: await engine.key(as, 'A1') })(engine, as),
    'ObjectAlreadyExists',
    'ObjectAlreadyExists',
    since14,
  ],
  [
    'an identifier that cannot be shown',
    importing({ UniqueIdentifier: 'line\nfeed' }),
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'an empty identifier',
    importing({ UniqueIdentifier: '' }),
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'no object at all',
    importing({ SymmetricKey: undefined as never }),
    'InvalidMessage',
    'InvalidMessage',
    since14,
  ],
  [
    'an object of another type than is said',
    importing({ ObjectType: 'SecretData' }),
    '',
    'InvalidField',
    late,
  ],
  [
    'a Unique Identifier among the attributes that is another',
    importing({}, { tag: 'UniqueIdentifier', value: 'other' }),
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'an Object Type among the attributes that is another',
    importing({}, { tag: 'ObjectType', value: 'PrivateKey' }),
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'a state that the dates do not give',
    importing({}, { tag: 'State', value: 'Compromised' }),
    'InvalidField',
    'InvalidAttributeValue',
    since14,
  ],
  [
    'dates in a wrong order',
    importing(
      {},
      { tag: 'ActivationDate', value: started },
      { tag: 'DeactivationDate', value: started - 1n },
    ),
    'InvalidField',
    'InvalidAttributeValue',
    since14,
  ],
  [
    'an attribute that such objects do not have',
    importing({}, { tag: 'CertificateType', value: 'X_509' }),
    'InvalidField',
    'InvalidAttribute',
    since14,
  ],
  [
    'two of what there is one of',
    importing({}, contact, contact),
    'InvalidField',
    'AttributeSingleValued',
    since14,
  ],
  [
    'an index twice',
    importing(
      {},
      { tag: 'ObjectGroup', value: 'a', index: 1 },
      { tag: 'ObjectGroup', value: 'b', index: 1 },
    ),
    'InvalidField',
    undefined,
    (as) => as === '1.4',
  ],
  [
    'a Name that is taken',
    async (engine, as) => {
      await engine.key(as, 'A1')
      return importing({}, name('name of A1'))(engine, as)
    },
    'InvalidField',
    'NonUniqueNameAttribute',
    since14,
  ],
  [
    'a length that is not that of the key',
    importing({
      SymmetricKey: { KeyBlock: clearBlock(keyHex, { CryptographicLength: 256 }) },
    }),
    'InvalidField',
    'InvalidField',
    since14,
  ],
  [
    'to unwrap by a key that is not there',
    importing({ KeyWrapType: 'NotWrapped', SymmetricKey: { KeyBlock: wrappedBlock('none') } }),
    'ItemNotFound',
    'WrappingObjectNotFound',
    since14,
  ],
  [
    'a Key Wrap Type nobody knows',
    importing({ KeyWrapType: 9 }),
    'FeatureNotSupported',
    'KeyWrapTypeNotSupported',
    since14,
  ],
]

describeRefusals('Import', imports)

const exporting =
  (...more: AttributeInstance[]) =>
  async (engine: TestEngine, as: VersionText): Promise<Ask> => [
    'Export',
    { UniqueIdentifier: await engine.key(as, 'A1', more) },
  ]

const exports: Row[] = [
  [
    'an object that is not there',
    () => ['Export', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
    since14,
  ],
  [
    'a sensitive object in the clear',
    exporting({ tag: 'Sensitive', value: true }),
    'Sensitive',
    'Sensitive',
    since14,
  ],
  [
    'an object that is not extractable',
    exporting({ tag: 'Extractable', value: false }),
    'NotExtractable',
    'NotExtractable',
    since14,
  ],
  [
    'an archived object',
    async (engine, as) => {
      const UniqueIdentifier = await engine.key(as, 'A1')
      await engine.call(as, 'Archive', { UniqueIdentifier })
      return ['Export', { UniqueIdentifier }]
    },
    'ObjectArchived',
    'ObjectArchived',
    since14,
  ],
  [
    'to wrap by a key that is not there',
    async (engine, as) => [
      'Export',
      {
        UniqueIdentifier: await engine.key(as, 'A1'),
        KeyWrappingSpecification: encryption('none'),
      },
    ],
    'ItemNotFound',
    'WrappingObjectNotFound',
    since14,
  ],
]

describeRefusals('Export', exports)

test('a tape library neither imports nor exports', async () => {
  const engine = await testEngine()
  const tape = principal({ profile: 'tape-library' })
  const UniqueIdentifier = await engine.key('2.1', 'A1')
  expect(await engine.refused('2.1', 'Export', { UniqueIdentifier }, tape)).toBe('PermissionDenied')
  const [, request] = importing({})(engine, '2.1')
  expect(await engine.refused('2.1', 'Import', request as Import, tape)).toBe('PermissionDenied')
})
