// What wrapping refuses, and why: KMIP 1.4 §11.12, KMIP 2.1 §6.1.19.1.
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { Ask, TestEngine } from './engine.ts'
import { started } from './engine.ts'
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
