// What Get, Locate and the operations on the life cycle refuse, and why.
import { describe, expect, test } from 'vitest'
import { principal, testEngine } from './engine.ts'
import {
  describeRefusals,
  activated,
  destroyed,
  early,
  register,
  secret,
  since14,
  template,
  tried,
  type Row,
} from './refusals.ts'

const getting: Row[] = [
  [
    'an object that is not there',
    () => ['Get', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'a destroyed object',
    async (engine, as) => ['Get', { UniqueIdentifier: await destroyed(engine, as) }],
    'ItemNotFound',
    'ObjectDestroyed',
  ],
  [
    'a sensitive object',
    async (engine, as) => [
      'Get',
      { UniqueIdentifier: await engine.key(as, 'old', [{ tag: 'Sensitive', value: true }]) },
    ],
    'Sensitive',
    'Sensitive',
    since14,
  ],
  [
    'an object that is not extractable',
    async (engine, as) => [
      'Get',
      { UniqueIdentifier: await engine.key(as, 'old', [{ tag: 'Extractable', value: false }]) },
    ],
    'NotExtractable',
    'NotExtractable',
    since14,
  ],
  [
    'a format it is not converted to',
    async (engine, as) => [
      'Get',
      { UniqueIdentifier: await engine.key(as, 'old'), KeyFormatType: 'PKCS_8' },
    ],
    'KeyFormatTypeNotSupported',
    'KeyFormatTypeNotSupported',
  ],
  [
    'a compressed form',
    async (engine, as) => [
      'Get',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        KeyCompressionType: 'ECPublicKeyTypeUncompressed',
      },
    ],
    'KeyCompressionTypeNotSupported',
    'KeyCompressionTypeNotSupported',
  ],
  [
    'the same attribute twice',
    async (engine, as) => [
      'GetAttributes',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        AttributeReference: [{ tag: 'State' }, { tag: 'State' }],
      },
    ],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'attributes of an object that is not there',
    () => ['GetAttributes', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
  [
    'an attribute list of an object that is not there',
    () => ['GetAttributeList', { UniqueIdentifier: 'none' }],
    'ItemNotFound',
    'ObjectNotFound',
  ],
]

describeRefusals('Get and its like', getting)

const living: Row[] = [
  [
    'activating an active key',
    async (engine, as) => ['Activate', { UniqueIdentifier: await activated(engine, as) }],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'activating a key whose Deactivation Date is past',
    async (engine, as) => [
      'Activate',
      { UniqueIdentifier: await engine.key(as, 'old', [{ tag: 'DeactivationDate', value: 5n }]) },
    ],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'activating a Template',
    async (engine, as) => ['Activate', { UniqueIdentifier: await template(engine, as) }],
    'IllegalOperation',
    undefined,
    early,
  ],
  [
    'revoking a pre-active key without a compromise',
    async (engine, as) => [
      'Revoke',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        RevocationReason: { RevocationReasonCode: 'Superseded' },
      },
    ],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'revoking with a reason nobody knows',
    async (engine, as) => [
      'Revoke',
      {
        UniqueIdentifier: await engine.key(as, 'old'),
        RevocationReason: { RevocationReasonCode: 99 },
      },
    ],
    'InvalidField',
    'InvalidField',
  ],
  [
    'revoking with an occurrence date but no compromise',
    async (engine, as) => [
      'Revoke',
      {
        UniqueIdentifier: await activated(engine, as),
        RevocationReason: { RevocationReasonCode: 'Superseded' },
        CompromiseOccurrenceDate: 1n,
      },
    ],
    'InvalidField',
    'InvalidField',
  ],
  [
    'revoking a Template',
    async (engine, as) => [
      'Revoke',
      {
        UniqueIdentifier: await template(engine, as),
        RevocationReason: { RevocationReasonCode: 'KeyCompromise' },
      },
    ],
    'IllegalOperation',
    undefined,
    early,
  ],
  [
    'destroying an active key',
    async (engine, as) => ['Destroy', { UniqueIdentifier: await activated(engine, as) }],
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'destroying a key twice',
    async (engine, as) => ['Destroy', { UniqueIdentifier: await destroyed(engine, as) }],
    'PermissionDenied',
    'ObjectDestroyed',
  ],
  [
    'destroying where the group refuses it',
    async (engine, as) => (
      await engine.policy('destroy=refuse'),
      ['Destroy', { UniqueIdentifier: await engine.key(as, 'old') }]
    ),
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'checking for a use that the mask does not have',
    async (engine, as) => [
      'Check',
      { UniqueIdentifier: await engine.key(as, 'old'), CryptographicUsageMask: 1 },
    ],
    'PermissionDenied',
    'IncompatibleCryptographicUsageMask',
  ],
  [
    'checking for more use than is left',
    async (engine, as) => [
      'Check',
      {
        UniqueIdentifier: await engine.key(as, 'old', [
          { tag: 'UsageLimits', value: { UsageLimitsTotal: 5n, UsageLimitsUnit: 'Byte' } },
        ]),
        UsageLimitsCount: 6n,
      },
    ],
    'PermissionDenied',
    'UsageLimitExceeded',
  ],
  [
    'checking for a longer lease than is granted',
    async (engine, as) => [
      'Check',
      { UniqueIdentifier: await engine.key(as, 'old'), LeaseTime: 3601 },
    ],
    'PermissionDenied',
    'PermissionDenied',
  ],
  [
    'checking a destroyed key',
    async (engine, as) => [
      'Check',
      { UniqueIdentifier: await destroyed(engine, as), CryptographicUsageMask: 4 },
    ],
    'PermissionDenied',
    'ObjectDestroyed',
  ],
  [
    'checking a Template',
    async (engine, as) => ['Check', { UniqueIdentifier: await template(engine, as) }],
    'IllegalOperation',
    undefined,
    early,
  ],
  [
    'locating by three values of one date',
    () => [
      'Locate',
      { Attributes: [1n, 2n, 3n].map((value) => ({ tag: 'InitialDate' as const, value })) },
    ],
    'InvalidMessage',
    'InvalidMessage',
  ],
  [
    'locating with a negative maximum',
    () => ['Locate', { Attributes: [], MaximumItems: -1 }],
    'InvalidField',
    'InvalidField',
  ],
  [
    'locating an attribute of a later version',
    () => [
      'Locate',
      { Attributes: [{ tag: 'Description', value: { type: 'TextString', value: 'x' } }] },
    ],
    'InvalidField',
    undefined,
    (as) => as < '1.4',
  ],
]

describeRefusals('life cycle and search', living)

describe.each(tried)('KMIP %s', (as) => {
  test('a client whose profile does not have the operation is denied it', async () => {
    const engine = await testEngine()
    const tape = principal({ profile: 'tape-library' })
    const SecretData = secret('Raw')
    const [operation, request] = register('SecretData', { SecretData })
    expect(await engine.refused(as, operation, request as never, tape)).toBe('PermissionDenied')
    await engine.call(as, operation, request as never)
  })
})
