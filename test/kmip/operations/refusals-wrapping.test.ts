// What wrapping refuses, and why: KMIP 1.4 §11.12, KMIP 2.1 §6.1.19.1.
import { expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { Ask, TestEngine } from './engine.ts'
import { started, testEngine } from './engine.ts'
import { contact, describeRefusals, name, register, type Row } from './refusals.ts'
import {
  active,
  clearBlock,
  encryption,
  kekHex,
  keyWrap,
  masks,
  parameters,
  plainKey,
  registered,
  usage,
  wrappedBlock,
  wrappingKey,
} from './wrapped.ts'

type Specify = (engine: TestEngine, as: VersionText) => object | Promise<object>

/** Get of a key, wrapped as specified. */
const wrapped =
  (specify: Specify, object: (engine: TestEngine, as: VersionText) => Promise<string> = plainKey) =>
  async (engine: TestEngine, as: VersionText): Promise<Ask> => [
    'Get',
    {
      UniqueIdentifier: await object(engine, as),
      KeyWrappingSpecification: (await specify(engine, as)) as never,
    },
  ]

/** Wrapped by a key with these attributes instead of the usual ones. */
const by =
  (...attributes: AttributeInstance[]): Specify =>
  async (engine, as) =>
    encryption(await wrappingKey(engine, as, ...attributes))

const since11 = (as: VersionText) => as >= '1.1'

const rows: Row[] = [
  [
    'a wrapping key that is not there',
    wrapped(() => encryption('none')),
    'ItemNotFound',
    'WrappingObjectNotFound',
  ],
  [
    'a wrapping key that is destroyed',
    wrapped(async (engine, as) => {
      const kek = await registered(engine, as, clearBlock(kekHex), usage(masks.wrap))
      await engine.call(as, 'Destroy', { UniqueIdentifier: kek })
      return encryption(kek)
    }),
    'ItemNotFound',
    'WrappingObjectDestroyed',
  ],
  [
    'a wrapping key that is archived',
    wrapped(async (engine, as) => {
      const kek = await wrappingKey(engine, as)
      await engine.call(as, 'Archive', { UniqueIdentifier: kek })
      return encryption(kek)
    }),
    'ObjectArchived',
    'WrappingObjectArchived',
  ],
  [
    'a wrapping key that is not active yet',
    wrapped(by({ tag: 'ActivationDate', value: started + 60n })),
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'a wrapping key that is deactivated',
    wrapped(by({ tag: 'DeactivationDate', value: started - 60n })),
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'a wrapping key past its Protect Stop Date',
    wrapped(by({ tag: 'ProtectStopDate', value: started })),
    'PermissionDenied',
    'WrongKeyLifecycleState',
  ],
  [
    'a wrapping key whose mask does not say Wrap Key',
    wrapped(by(usage(masks.use | masks.unwrap))),
    'PermissionDenied',
    'IncompatibleCryptographicUsageMask',
  ],
  [
    'a wrapping object that is no key',
    wrapped(async (engine, as) => {
      const OpaqueObject = { OpaqueDataType: 0x80000001, OpaqueDataValue: Uint8Array.of(1) }
      const [, request] = register('OpaqueObject', { OpaqueObject })
      const made = await engine.call(as, 'Register', request as never)
      return encryption(made.UniqueIdentifier)
    }),
    'IllegalOperation',
    'InvalidObjectType',
  ],
  [
    'Cryptographic Parameters that the wrapping key does not have',
    wrapped(async (engine, as) =>
      encryption(await wrappingKey(engine, as), {}, { BlockCipherMode: 'GCM' }),
    ),
    'ItemNotFound',
    'BadCryptographicParameters',
  ],
  [
    'a wrapping key without any Cryptographic Parameters',
    wrapped(async (engine, as) => {
      const KeyBlock = clearBlock(kekHex)
      return encryption(
        await registered(engine, as, KeyBlock, usage(masks.wrap), active),
        {},
        keyWrap,
      )
    }),
    'ItemNotFound',
    'BadCryptographicParameters',
  ],
  [
    'a mode that wraps no keys',
    wrapped(by(parameters({ BlockCipherMode: 'ECB' }))),
    'FeatureNotSupported',
    'UnsupportedCryptographicParameters',
  ],
  [
    'TR-31',
    wrapped(async (engine, as) =>
      encryption(await wrappingKey(engine, as), { WrappingMethod: 'TR_31' }),
    ),
    'FeatureNotSupported',
    'FeatureNotSupported',
  ],
  [
    'a method without the key it needs',
    wrapped(async (engine, as) =>
      encryption(await wrappingKey(engine, as), { WrappingMethod: 'EncryptThenMACSign' }),
    ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a method with a key it does not take',
    wrapped(async (engine, as) => {
      const kek = await wrappingKey(engine, as)
      return encryption(kek, { MACSignatureKeyInformation: { UniqueIdentifier: kek } })
    }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a MAC by a key that may only wrap',
    wrapped(async (engine, as) => {
      const kek = await wrappingKey(engine, as)
      return encryption(kek, {
        WrappingMethod: 'EncryptThenMACSign',
        MACSignatureKeyInformation: { UniqueIdentifier: kek },
      })
    }),
    'PermissionDenied',
    'IncompatibleCryptographicUsageMask',
  ],
  [
    'attributes without encoding',
    wrapped(async (engine, as) =>
      encryption(await wrappingKey(engine, as), {
        EncodingOption: 'NoEncoding',
        AttributeName: ['State'],
      }),
    ),
    'EncodingOptionError',
    'EncodingOptionError',
    since11,
  ],
  [
    'a structure without encoding',
    async (engine, as) => [
      'Get',
      {
        UniqueIdentifier: await plainKey(engine, as),
        KeyFormatType: 'TransparentSymmetricKey',
        KeyWrappingSpecification: encryption(await wrappingKey(engine, as), {
          EncodingOption: 'NoEncoding',
        }),
      },
    ],
    'EncodingOptionError',
    'EncodingOptionError',
    since11,
  ],
  [
    'an Encoding Option nobody knows',
    wrapped(async (engine, as) => encryption(await wrappingKey(engine, as), { EncodingOption: 9 })),
    'EncodingOptionError',
    'EncodingOptionError',
    since11,
  ],
  [
    'attributes nobody knows',
    wrapped(async (engine, as) =>
      encryption(await wrappingKey(engine, as), { AttributeName: ['Colour'] }),
    ),
    'InvalidField',
    'InvalidAttribute',
  ],
  [
    'to wrap what is no key',
    wrapped(by(), async (engine, as) => {
      const OpaqueObject = { OpaqueDataType: 0x80000001, OpaqueDataValue: Uint8Array.of(1) }
      const [, request] = register('OpaqueObject', { OpaqueObject })
      return (await engine.call(as, 'Register', request as never)).UniqueIdentifier
    }),
    'IllegalOperation',
    'InvalidObjectType',
  ],
  [
    'to wrap a Template',
    wrapped(by(), async (engine, as) => {
      const [, request] = register('Template', { Template: { Attribute: [contact] } }, name('t'))
      return (await engine.call(as, 'Register', request as never)).UniqueIdentifier
    }),
    'InvalidField',
    undefined,
    (as) => as < '2.0',
  ],
  [
    'a Key Wrap Type nobody knows',
    async (engine, as) => ['Get', { UniqueIdentifier: await plainKey(engine, as), KeyWrapType: 9 }],
    'FeatureNotSupported',
    'KeyWrapTypeNotSupported',
    (as) => as >= '1.4',
  ],
]

describeRefusals('wrapping', rows)

/** Get of a key that was registered wrapped by another, which has these attributes. */
const unwrappedGet =
  (more: object, ...attributes: AttributeInstance[]) =>
  async (engine: TestEngine, as: VersionText): Promise<Ask> => {
    const kek = await wrappingKey(engine, as, ...attributes)
    const block = wrappedBlock(kek, more)
    return [
      'Get',
      {
        UniqueIdentifier: await registered(engine, as, block, usage(masks.use)),
        KeyWrapType: 'NotWrapped',
      },
    ]
  }

const since14 = (as: VersionText) => as >= '1.4'
const unencoded = { EncodingOption: 'NoEncoding' }

const unwrapping: Row[] = [
  [
    'a wrapping key that is not there',
    async (engine, as) => [
      'Get',
      {
        UniqueIdentifier: await registered(engine, as, wrappedBlock('none'), usage(masks.use)),
        KeyWrapType: 'NotWrapped',
      },
    ],
    'ItemNotFound',
    'WrappingObjectNotFound',
    since14,
  ],
  [
    'a wrapping key that was never active',
    unwrappedGet(unencoded, { tag: 'ActivationDate', value: started + 60n }),
    'PermissionDenied',
    'WrongKeyLifecycleState',
    since14,
  ],
  [
    'a wrapping key before its Process Start Date',
    unwrappedGet(unencoded, { tag: 'ProcessStartDate', value: started + 60n }),
    'PermissionDenied',
    'WrongKeyLifecycleState',
    since14,
  ],
  [
    'a wrapping key that is for other uses',
    unwrappedGet(unencoded, usage(masks.use)),
    'PermissionDenied',
    'IncompatibleCryptographicUsageMask',
    since14,
  ],
  [
    'a Key Value that is none once it is open',
    unwrappedGet({ EncodingOption: undefined }),
    'CryptographicFailure',
    'CryptographicFailure',
    since14,
  ],
  [
    'a key wrapped by a method that is not done',
    unwrappedGet({ WrappingMethod: 'TR_31' }),
    'FeatureNotSupported',
    'FeatureNotSupported',
    since14,
  ],
  [
    'a conversion of a key that stays wrapped',
    async (engine, as) => {
      const block = wrappedBlock(await wrappingKey(engine, as))
      const UniqueIdentifier = await registered(engine, as, block, usage(masks.use))
      return ['Get', { UniqueIdentifier, KeyFormatType: 'TransparentSymmetricKey' }]
    },
    'KeyFormatTypeNotSupported',
    'KeyFormatTypeNotSupported',
  ],
  [
    'a key at once as it is registered and wrapped anew',
    async (engine, as) => {
      const kek = await wrappingKey(engine, as)
      return [
        'Get',
        {
          UniqueIdentifier: await registered(engine, as, wrappedBlock(kek), usage(masks.use)),
          KeyWrapType: 'AsRegistered',
          KeyWrappingSpecification: encryption(kek),
        },
      ]
    },
    'FeatureNotSupported',
    'KeyWrapTypeNotSupported',
    since14,
  ],
]

describeRefusals('unwrapping', unwrapping)

test('1.0 has no word for No Encoding, so it is not handed a key that is wrapped so', async () => {
  const engine = await testEngine()
  const block = wrappedBlock(await wrappingKey(engine, '1.1'))
  const UniqueIdentifier = await registered(engine, '1.1', block, usage(masks.use))
  expect(await engine.refused('1.0', 'Get', { UniqueIdentifier })).toBe('InvalidField')
})

test('a version that has no word for the mode a key was wrapped in is not handed it', async () => {
  const engine = await testEngine()
  const CryptographicParameters = { BlockCipherMode: 'GCM', HashingAlgorithm: 'SHA3_256' }
  const block = wrappedBlock('elsewhere', {
    EncryptionKeyInformation: { UniqueIdentifier: 'elsewhere', CryptographicParameters },
  })
  const UniqueIdentifier = await registered(engine, '2.1', block, usage(masks.use))
  await engine.call('1.4', 'Get', { UniqueIdentifier })
  expect(await engine.refused('1.3', 'Get', { UniqueIdentifier })).toBe('EncodingOptionError')
})
