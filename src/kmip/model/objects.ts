/**
 * Managed objects on the wire – KMIP 2.1 §2 and §3: key blocks, key values, key wrapping data.
 * The shapes are equal in all versions but for the attributes inside a Key Value.
 */
import {
  bigInteger,
  bytes,
  dependent,
  integer,
  many,
  oneOf,
  opt,
  req,
  text,
  type Infer,
  type Schema,
} from 'ttlv-codec'
import { attributesOfKeyValue } from './attribute-forms.ts'
import { CryptographicParameters } from './attribute-values.ts'
import {
  CertificateRequestType,
  CertificateType,
  CryptographicAlgorithm,
  EncodingOption,
  KeyCompressionType,
  KeyFormatType,
  OpaqueDataType,
  RecommendedCurve,
  SecretDataType,
  SplitKeyMethod,
  WrappingMethod,
} from './enumerations.ts'
import { UniqueIdentifier } from './unique-identifier.ts'
import { struct } from './tags.ts'

/** §3.4 – §3.12: Key Material in transparent form, by Key Format Type. */
export const transparentMaterial: Record<string, Schema<unknown>> = {
  TransparentSymmetricKey: struct({ Key: req(bytes) }) as Schema<unknown>,
  TransparentDSAPrivateKey: struct({
    P: req(bigInteger),
    Q: req(bigInteger),
    G: req(bigInteger),
    X: req(bigInteger),
  }) as Schema<unknown>,
  TransparentDSAPublicKey: struct({
    P: req(bigInteger),
    Q: req(bigInteger),
    G: req(bigInteger),
    Y: req(bigInteger),
  }) as Schema<unknown>,
  TransparentRSAPrivateKey: struct({
    Modulus: req(bigInteger),
    PrivateExponent: opt(bigInteger),
    PublicExponent: opt(bigInteger),
    P: opt(bigInteger),
    Q: opt(bigInteger),
    PrimeExponentP: opt(bigInteger),
    PrimeExponentQ: opt(bigInteger),
    CRTCoefficient: opt(bigInteger),
  }) as Schema<unknown>,
  TransparentRSAPublicKey: struct({
    Modulus: req(bigInteger),
    PublicExponent: req(bigInteger),
  }) as Schema<unknown>,
  TransparentDHPrivateKey: struct({
    P: req(bigInteger),
    Q: opt(bigInteger),
    G: req(bigInteger),
    J: opt(bigInteger),
    X: req(bigInteger),
  }) as Schema<unknown>,
  TransparentDHPublicKey: struct({
    P: req(bigInteger),
    Q: opt(bigInteger),
    G: req(bigInteger),
    J: opt(bigInteger),
    Y: req(bigInteger),
  }) as Schema<unknown>,
  ...Object.fromEntries(
    ['EC', 'ECDSA', 'ECDH', 'ECMQV'].flatMap((family): [string, Schema<unknown>][] => [
      [
        `Transparent${family}PrivateKey`,
        struct({ RecommendedCurve: req(RecommendedCurve), D: req(bigInteger) }) as Schema<unknown>,
      ],
      [
        `Transparent${family}PublicKey`,
        struct({ RecommendedCurve: req(RecommendedCurve), QString: req(bytes) }) as Schema<unknown>,
      ],
    ]),
  ),
}

/** §3.2 Key Value in the clear: Key Material is bytes, or a structure for transparent formats. */
const plainKeyValue = struct({
  KeyMaterial: req(bytes),
  Attributes: attributesOfKeyValue,
})

const transparentValues = new Map<unknown, Schema<KeyValue, 'Structure'>>(
  Object.entries(transparentMaterial).map(([format, material]) => {
    const value = struct({ KeyMaterial: req(material), Attributes: attributesOfKeyValue })
    return [format, value as unknown as Schema<KeyValue, 'Structure'>]
  }),
)

/** A Key Value in the clear, of that Key Format Type: what is wrapped in TTLV encoding. */
export function keyValueSchema(format: unknown): Schema<KeyValue, 'Structure'> {
  return (
    transparentValues.get(format) ?? (plainKeyValue as unknown as Schema<KeyValue, 'Structure'>)
  )
}

/** Wrapped bytes or a Key Value in the clear. */
const eitherForm = (inClear: unknown) =>
  oneOf(bytes, inClear as Schema<KeyValue, 'Structure'>) as unknown as Schema<KeyValueForm>

const plainForm = eitherForm(plainKeyValue)

const transparentForms = new Map<unknown, Schema<KeyValueForm>>(
  [...transparentValues].flatMap(([format, value]) => {
    const form = eitherForm(value)
    return [format, KeyFormatType.numberOf(format as string)].map((name) => [name, form] as const)
  }),
)

/** A Key Value in the clear. */
export interface KeyValue {
  KeyMaterial: unknown
  Attributes: Infer<typeof plainKeyValue>['Attributes']
}

/** §3.3 Encryption Key Information and MAC/Signature Key Information. */
export const KeyInformation = struct({
  UniqueIdentifier: req(UniqueIdentifier),
  CryptographicParameters: opt(CryptographicParameters),
})

/** §3.3 Key Wrapping Data. */
export const KeyWrappingData = struct({
  WrappingMethod: req(WrappingMethod),
  EncryptionKeyInformation: opt(KeyInformation),
  MACSignatureKeyInformation: opt(KeyInformation),
  MACSignature: opt(bytes),
  IVCounterNonce: opt(bytes),
  EncodingOption: opt(EncodingOption, { since: '1.1' }),
})

/** §3.1 Key Block. The Key Value is a structure in the clear, bytes when wrapped. */
export const KeyBlock = struct({
  KeyFormatType: req(KeyFormatType),
  KeyCompressionType: opt(KeyCompressionType),
  KeyValue: opt(dependent('KeyFormatType', (format) => transparentForms.get(format) ?? plainForm)),
  CryptographicAlgorithm: opt(CryptographicAlgorithm),
  CryptographicLength: opt(integer),
  KeyWrappingData: opt(KeyWrappingData),
})

/** What a Key Block carries: wrapped bytes or a Key Value in the clear. */
export type KeyValueForm =
  { type: 'ByteString'; value: Uint8Array } | { type: 'Structure'; value: KeyValue }

/** §2: the structure of each Managed Object, by Object Type. */
export const objectFields = {
  Certificate: struct({ CertificateType: req(CertificateType), CertificateValue: req(bytes) }),
  CertificateRequest: struct({
    CertificateRequestType: req(CertificateRequestType),
    CertificateRequestValue: req(bytes),
  }),
  OpaqueObject: struct({ OpaqueDataType: req(OpaqueDataType), OpaqueDataValue: req(bytes) }),
  PGPKey: struct({ PGPKeyVersion: req(integer), KeyBlock: req(KeyBlock) }),
  PrivateKey: struct({ KeyBlock: req(KeyBlock) }),
  PublicKey: struct({ KeyBlock: req(KeyBlock) }),
  SecretData: struct({ SecretDataType: req(SecretDataType), KeyBlock: req(KeyBlock) }),
  SplitKey: struct({
    SplitKeyParts: req(integer),
    KeyPartIdentifier: req(integer),
    SplitKeyThreshold: req(integer),
    SplitKeyMethod: req(SplitKeyMethod),
    PrimeFieldSize: opt(bigInteger),
    KeyBlock: req(KeyBlock),
  }),
  SymmetricKey: struct({ KeyBlock: req(KeyBlock) }),
}

/** §7.18 Key Wrapping Specification: how Get and Export are asked to wrap. */
export const KeyWrappingSpecification = struct({
  WrappingMethod: req(WrappingMethod),
  EncryptionKeyInformation: opt(KeyInformation),
  MACSignatureKeyInformation: opt(KeyInformation),
  AttributeName: many(text),
  EncodingOption: opt(EncodingOption, { since: '1.1' }),
})

export type KeyBlock = Infer<typeof KeyBlock>
export type KeyWrappingData = Infer<typeof KeyWrappingData>
