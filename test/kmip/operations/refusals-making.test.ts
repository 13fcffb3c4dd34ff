// What Create and Register refuse, and why.
import { isLate, tapeKey } from './engine.ts'
import { writePublicKey } from '../../../src/crypto/key-formats.ts'
import { certificate, half, inClear, kinds, pairOf } from './objects.ts'
import {
  describeRefusals,
  asi,
  contact,
  create,
  custom,
  early,
  key,
  mask,
  name,
  register,
  secret,
  without,
  type Row,
} from './refusals.ts'

const signs = { tag: 'CryptographicUsageMask' as const, value: 1 }
const pairBlock = (KeyFormatType: string, KeyMaterial: Uint8Array, more: object = {}) => ({
  KeyBlock: {
    KeyFormatType,
    KeyValue: inClear(KeyMaterial),
    CryptographicAlgorithm: 'RSA',
    CryptographicLength: 1024,
    ...more,
  },
})
const part = (more: object) => ({
  SplitKeyParts: 3,
  KeyPartIdentifier: 1,
  SplitKeyThreshold: 2,
  SplitKeyMethod: 'XOR',
  ...key(16),
  ...more,
})

const before14 = (as: string) => as < '1.4'

const creating: Row[] = [
  [
    'an object type that is not made',
    () => ['Create', { ObjectType: 'Certificate', Attributes: [] }],
    'InvalidField',
    'InvalidObjectType',
  ],
  [
    'an algorithm without symmetric keys',
    () => without('CryptographicAlgorithm', { tag: 'CryptographicAlgorithm', value: 'RSA' }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a length that the algorithm does not have',
    () => without('CryptographicLength', { tag: 'CryptographicLength', value: 100 }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  ['no algorithm', () => without('CryptographicAlgorithm'), 'InvalidField', undefined, early],
  ['no usage mask', () => without('CryptographicUsageMask'), 'InvalidField', undefined, before14],
  [
    'an attribute that the server sets',
    () => create({ tag: 'State', value: 'Active' }),
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
  [
    'an attribute of the server’s vendor',
    () => create(custom('y', 'Ours')),
    'PermissionDenied',
    'ReadOnlyAttribute',
  ],
  [
    'an attribute that such objects do not have',
    () => create({ tag: 'CryptographicDomainParameters', value: { Qlength: 160 } }),
    'InvalidField',
    'InvalidAttribute',
  ],
  [
    'an attribute of a later version',
    () =>
      create({
        tag: 'AlternativeName',
        value: { type: 'Structure', value: [] },
      }),
    'InvalidField',
    undefined,
    (as) => as < '1.2',
  ],
  [
    'two values of a single-valued attribute',
    () => create(contact, contact),
    'InvalidField',
    'AttributeSingleValued',
  ],
  [
    'more instances than are kept',
    () =>
      create(
        ...Array.from({ length: 65 }, (_, at) => ({ tag: 'ObjectGroup' as const, value: `${at}` })),
      ),
    'IndexOutOfBounds',
    'ServerLimitExceeded',
  ],
  [
    'more attributes than are kept',
    () => create(...Array.from({ length: 130 }, (_, at) => custom('x', `${at}`))),
    'IndexOutOfBounds',
    'ServerLimitExceeded',
  ],
  [
    'a Name that another object has',
    async (engine, as) => (await engine.key(as, 'old'), create(name('name of old'))),
    'InvalidField',
    'NonUniqueNameAttribute',
  ],
  [
    'the same Name twice',
    () => create(name('name of new')),
    'InvalidField',
    'NonUniqueNameAttribute',
  ],
  [
    'application information that another tape key has',
    async (engine, as) => (await engine.key(as, 'old'), create(asi('LIBRARY-LTO', 'old'))),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'application data left out in a namespace of others',
    () => create(asi('ssl')),
    'ApplicationNamespaceNotSupported',
    'ApplicationNamespaceNotSupported',
  ],
  [
    'a Deactivation Date before the Activation Date',
    () => create({ tag: 'ActivationDate', value: 20n }, { tag: 'DeactivationDate', value: 10n }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a Process Start Date before the Activation Date',
    () => create({ tag: 'ActivationDate', value: 20n }, { tag: 'ProcessStartDate', value: 10n }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a Protect Stop Date after the Deactivation Date',
    () => create({ tag: 'ProtectStopDate', value: 20n }, { tag: 'DeactivationDate', value: 10n }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'Usage Limits without a total',
    () => create({ tag: 'UsageLimits', value: { UsageLimitsUnit: 'Byte' } }),
    'InvalidField',
    'InvalidAttributeValue',
  ],
  [
    'a Template that is not there',
    () =>
      create({
        tag: 'Template',
        value: { NameValue: 'none', NameType: 'UninterpretedTextString' },
      }),
    'ItemNotFound',
    undefined,
    early,
  ],
  [
    'storage of a kind that is not here',
    () => [
      'Create',
      {
        ObjectType: 'SymmetricKey',
        Attributes: tapeKey('new'),
        ProtectionStorageMasks: { ProtectionStorageMask: [2, 5] },
      },
    ],
    '',
    'ProtectionStorageUnavailable',
    isLate,
  ],
]

describeRefusals('Create', creating)

/** Bytes that are no private key of the format, although some begin like one. */
const notPrivate: readonly (readonly [string, string, () => Promise<Uint8Array> | Uint8Array])[] = [
  [
    'a public key',
    'PKCS_8',
    async () => writePublicKey(await pairOf(kinds.RSA!), 'X_509') as Uint8Array,
  ],
  ['a certificate', 'PKCS_8', async () => certificate(await pairOf(kinds['P-256']!))],
  ['SEQUENCE{SEQUENCE{}, NULL}', 'PKCS_8', () => Uint8Array.of(0x30, 4, 0x30, 0, 5, 0)],
  [
    'a public key',
    'PKCS_1',
    async () => writePublicKey(await pairOf(kinds.RSA!), 'PKCS_1') as Uint8Array,
  ],
  ['SEQUENCE{7}', 'PKCS_1', () => Uint8Array.of(0x30, 3, 2, 1, 7)],
]

const registering: Row[] = [
  [
    'an object type that nobody knows',
    () => ['Register', { ObjectType: 0x77, Attributes: [], SymmetricKey: key(16) } as never],
    'InvalidField',
    'InvalidObjectType',
  ],
  [
    'a certificate that is none',
    () =>
      register('Certificate', {
        Certificate: { CertificateType: 'X_509', CertificateValue: Uint8Array.of(1) },
      }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a certificate of a type that nobody knows',
    () =>
      register('Certificate', {
        Certificate: { CertificateType: 0x77, CertificateValue: Uint8Array.of(1) },
      }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a certificate request that is none',
    () =>
      register('CertificateRequest', {
        CertificateRequest: {
          CertificateRequestType: 'PKCS_10',
          CertificateRequestValue: Uint8Array.of(1),
        },
      }),
    '',
    'InvalidField',
    isLate,
  ],
  [
    'a private key that cannot be read',
    () => register('PrivateKey', { PrivateKey: pairBlock('PKCS_1', Uint8Array.of(1)) }, signs),
    'InvalidField',
    'InvalidField',
  ],
  ...notPrivate.map(([what, format, of]): Row => [
    `${what} as a private key in ${format}`,
    async () =>
      register('PrivateKey', { PrivateKey: pairBlock(format, await of()) }, signs) as never,
    'InvalidField',
    'InvalidField',
  ]),
  [
    'a public key in a format of private keys',
    () => register('PublicKey', { PublicKey: pairBlock('PKCS_8', Uint8Array.of(1)) }, signs),
    'KeyFormatTypeNotSupported',
    'KeyFormatTypeNotSupported',
  ],
  [
    'an elliptic curve key as bytes without its curve',
    () =>
      register(
        'PublicKey',
        {
          PublicKey: pairBlock('Raw', new Uint8Array(65), {
            CryptographicAlgorithm: 'ECDSA',
            CryptographicLength: 256,
          }),
        },
        signs,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a public key of another algorithm than it says',
    async () => {
      const pair = half(await pairOf(kinds.RSA!), 'PublicKey', 'X_509', {
        CryptographicAlgorithm: 'DSA',
      })
      return ['Register', pair]
    },
    'InvalidField',
    'InvalidField',
  ],
  [
    'a public key of another length than it says',
    async () => {
      const pair = half(await pairOf(kinds.RSA!), 'PublicKey', 'PKCS_1', {
        CryptographicLength: 2048,
      })
      return ['Register', pair]
    },
    'InvalidField',
    'InvalidField',
  ],
  [
    'an RSA key with a compression of points',
    async () => {
      const { PublicKey } = half(await pairOf(kinds.RSA!), 'PublicKey', 'PKCS_1')
      const compressed = { KeyCompressionType: 'ECPublicKeyTypeUncompressed' } as const
      const KeyBlock = { ...PublicKey!.KeyBlock, ...compressed }
      return register('PublicKey', { PublicKey: { KeyBlock } }, signs)
    },
    'KeyCompressionTypeNotSupported',
    'KeyCompressionTypeNotSupported',
  ],
  [
    'a part of a key beyond the number of parts',
    () => register('SplitKey', { SplitKey: part({ KeyPartIdentifier: 4 }) }, mask),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a part of a key over a prime field that does not name it',
    () =>
      register(
        'SplitKey',
        { SplitKey: part({ SplitKeyMethod: 'PolynomialSharingPrimeField' }) },
        mask,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'an object of another type',
    () => register('SecretData', { SymmetricKey: key(16) }),
    'InvalidField',
    'InvalidField',
  ],
  ['no object', () => register('SecretData', {}), 'InvalidField', 'InvalidField'],
  [
    'a key of another length than it says',
    () => register('SymmetricKey', { SymmetricKey: key(24) }, mask),
    'InvalidField',
    'InvalidField',
  ],
  [
    'another algorithm as attribute than in the Key Block',
    () =>
      register('SymmetricKey', { SymmetricKey: key(16) }, mask, {
        tag: 'CryptographicAlgorithm',
        value: 'Camellia',
      }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a key without algorithm',
    () =>
      register(
        'SymmetricKey',
        { SymmetricKey: key(16, { CryptographicAlgorithm: undefined }) },
        mask,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'no usage mask',
    () => register('SymmetricKey', { SymmetricKey: key(16) }),
    'InvalidField',
    undefined,
    before14,
  ],
  [
    'a key without value',
    () => register('SymmetricKey', { SymmetricKey: key(16, { KeyValue: undefined }) }, mask),
    'InvalidField',
    undefined,
    (as) => as < '1.2',
  ],
  [
    'empty secret data',
    () =>
      register('SecretData', {
        SecretData: secret('Raw', {
          KeyValue: { type: 'Structure', value: { KeyMaterial: new Uint8Array() } },
        }),
      }),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a format that such keys do not have',
    () => register('SymmetricKey', { SymmetricKey: key(16, { KeyFormatType: 'PKCS_8' }) }, mask),
    'KeyFormatTypeNotSupported',
    'KeyFormatTypeNotSupported',
  ],
  [
    'a wrapped key without a wrapping key',
    () =>
      register(
        'SymmetricKey',
        {
          SymmetricKey: key(16, {
            KeyValue: { type: 'ByteString', value: new Uint8Array(24) },
            KeyWrappingData: { WrappingMethod: 'Encrypt' },
          }),
        },
        mask,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'wrapped bytes without a word about their wrapping',
    () =>
      register(
        'SymmetricKey',
        { SymmetricKey: key(16, { KeyValue: { type: 'ByteString', value: new Uint8Array(24) } }) },
        mask,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'a wrapped key whose length nobody says',
    () =>
      register(
        'SymmetricKey',
        {
          SymmetricKey: key(16, {
            KeyValue: { type: 'ByteString', value: new Uint8Array(24) },
            KeyWrappingData: {
              WrappingMethod: 'Encrypt',
              EncryptionKeyInformation: { UniqueIdentifier: 'elsewhere' },
            },
            CryptographicLength: undefined,
          }),
        },
        mask,
      ),
    'InvalidField',
    'InvalidField',
  ],
  [
    'an attribute that the server sets',
    () => register('SecretData', { SecretData: secret('Raw') }, { tag: 'InitialDate', value: 1n }),
    'PermissionDenied',
    'AttributeReadOnly',
  ],
  [
    'a Template with a Name in its structure',
    () => register('Template', { Template: { Attribute: [name('inside')] } }, name('template')),
    'InvalidField',
    undefined,
    early,
  ],
  [
    'a Name that another object has',
    async (engine, as) => (
      await engine.key(as, 'old'),
      register('SecretData', { SecretData: secret('Raw') }, name('name of old'))
    ),
    'InvalidField',
    'NonUniqueNameAttribute',
  ],
]

describeRefusals('Register', registering)
