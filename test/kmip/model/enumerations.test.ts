import { describe, expect, it } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import * as enumerations from '../../../src/kmip/model/enumerations.ts'
import { versions } from '../../../src/kmip/model/versions.ts'

/** What is common to all enumerations, whatever their names. */
interface Table {
  enumerationName: string
  numberOf(name: string): number | undefined
  nameOf(number: number): string | undefined
  since(name: string): number
  names(version: number): readonly string[]
}

const tables: readonly Table[] = Object.values(enumerations)

/** How many values each version defines, counted in the tables of the specifications. */
const counts: Readonly<Record<keyof typeof enumerations, readonly number[]>> = {
  AdjustmentType: [0, 0, 0, 0, 0, 3, 3],
  AlternativeNameType: [0, 0, 7, 7, 7, 7, 7],
  AsynchronousIndicator: [0, 0, 0, 0, 0, 3, 3],
  AttestationType: [0, 0, 3, 3, 3, 3, 3],
  BatchErrorContinuationOption: [3, 3, 3, 3, 3, 3, 3],
  BlockCipherMode: [17, 17, 17, 17, 18, 18, 18],
  CancellationResult: [5, 5, 5, 5, 5, 5, 5],
  CertificateRequestType: [4, 4, 4, 4, 4, 3, 3],
  CertificateType: [2, 2, 2, 2, 2, 2, 2],
  ClientRegistrationMethod: [0, 0, 0, 5, 5, 5, 5],
  CredentialType: [1, 2, 3, 3, 3, 6, 6],
  CryptographicAlgorithm: [25, 25, 26, 27, 40, 56, 56],
  Data: [0, 0, 0, 0, 0, 7, 7],
  DerivationMethod: [7, 7, 7, 7, 8, 10, 10],
  DestroyAction: [0, 0, 0, 7, 7, 7, 7],
  DigitalSignatureAlgorithm: [0, 16, 16, 16, 19, 19, 19],
  DRBGAlgorithm: [0, 0, 0, 5, 5, 5, 5],
  EncodingOption: [0, 2, 2, 2, 2, 2, 2],
  EndpointRole: [0, 0, 0, 0, 0, 2, 2],
  FIPS186Variation: [0, 0, 0, 7, 7, 7, 7],
  HashingAlgorithm: [11, 11, 13, 13, 17, 17, 17],
  InteropFunction: [0, 0, 0, 0, 0, 3, 3],
  ItemType: [0, 0, 0, 0, 0, 11, 11],
  KeyCompressionType: [4, 4, 4, 4, 4, 4, 4],
  KeyFormatType: [19, 19, 19, 21, 22, 17, 17],
  KeyRoleType: [21, 21, 21, 21, 24, 24, 24],
  KeyValueLocationType: [0, 0, 2, 2, 2, 2, 2],
  KeyWrapType: [0, 0, 0, 0, 2, 2, 2],
  LinkType: [7, 7, 11, 11, 13, 14, 14],
  MaskGenerator: [0, 0, 0, 0, 1, 1, 1],
  NameType: [2, 2, 2, 2, 2, 2, 2],
  NISTKeyType: [0, 0, 0, 0, 0, 19, 19],
  ObjectGroupMember: [0, 2, 2, 2, 2, 2, 2],
  ObjectType: [8, 8, 9, 9, 9, 9, 9],
  OpaqueDataType: [0, 0, 0, 0, 0, 0, 0],
  Operation: [28, 30, 41, 41, 43, 53, 59],
  PaddingMethod: [10, 10, 10, 10, 10, 10, 10],
  PKCS_11Function: [0, 0, 0, 0, 0, 92, 92],
  PKCS_11ReturnCode: [0, 0, 0, 0, 0, 1, 1],
  ProcessingStage: [0, 0, 0, 0, 0, 0, 3],
  ProfileName: [0, 0, 0, 120, 156, 37, 37],
  ProtectionLevel: [0, 0, 0, 0, 0, 2, 2],
  PutFunction: [2, 2, 2, 2, 2, 2, 2],
  QueryFunction: [4, 6, 7, 12, 12, 14, 14],
  RecommendedCurve: [15, 15, 68, 68, 68, 70, 70],
  ResultReason: [18, 19, 22, 22, 25, 68, 71],
  ResultStatus: [4, 4, 4, 4, 4, 4, 4],
  RevocationReasonCode: [7, 7, 7, 7, 7, 7, 7],
  RNGAlgorithm: [0, 0, 0, 6, 6, 6, 6],
  RNGMode: [0, 0, 0, 3, 3, 3, 3],
  RotateNameType: [0, 0, 0, 0, 0, 0, 2],
  SecretDataType: [2, 2, 2, 2, 2, 2, 2],
  ShreddingAlgorithm: [0, 0, 0, 3, 3, 3, 3],
  SplitKeyMethod: [3, 3, 4, 4, 4, 4, 4],
  State: [6, 6, 6, 6, 6, 6, 6],
  TicketType: [0, 0, 0, 0, 0, 1, 1],
  UniqueIdentifier: [0, 0, 0, 0, 0, 17, 17],
  UnwrapMode: [0, 0, 0, 3, 3, 3, 3],
  UsageLimitsUnit: [2, 2, 2, 2, 2, 2, 2],
  ValidationAuthorityType: [0, 0, 0, 3, 3, 3, 3],
  ValidationType: [0, 0, 0, 5, 5, 5, 5],
  ValidityIndicator: [3, 3, 3, 3, 3, 3, 3],
  WrappingMethod: [5, 5, 5, 5, 5, 5, 5],
}

/** Values read off the tables of the specifications: enumeration, name, number, first version. */
const known: readonly [keyof typeof enumerations, string, number, VersionText][] = [
  ['BlockCipherMode', 'CBC', 1, '1.0'],
  ['BlockCipherMode', 'NISTKeyWrap', 0x0d, '1.0'],
  ['BlockCipherMode', 'AESKeyWrapPadding', 0x0c, '1.0'],
  ['BlockCipherMode', 'AEAD', 0x12, '1.4'],
  ['CertificateType', 'X_509', 1, '1.0'],
  ['CredentialType', 'UsernameAndPassword', 1, '1.0'],
  ['CredentialType', 'Device', 2, '1.1'],
  ['CredentialType', 'Ticket', 6, '2.0'],
  ['CryptographicAlgorithm', 'DES3', 2, '1.0'],
  ['CryptographicAlgorithm', 'AES', 3, '1.0'],
  ['CryptographicAlgorithm', 'HMAC_SHA256', 9, '1.0'],
  ['CryptographicAlgorithm', 'EC', 0x1a, '1.2'],
  ['CryptographicAlgorithm', 'OneTimePad', 0x1b, '1.3'],
  ['CryptographicAlgorithm', 'ChaCha20Poly1305', 0x1e, '1.4'],
  ['CryptographicAlgorithm', 'Ed448', 0x38, '2.0'],
  ['DerivationMethod', 'HKDF', 0x0a, '2.0'],
  ['DigitalSignatureAlgorithm', 'SHA_256WithRSAEncryption', 5, '1.1'],
  ['DigitalSignatureAlgorithm', 'ECDSAWithSHA256', 0x0e, '1.1'],
  ['HashingAlgorithm', 'SHA_256', 6, '1.0'],
  ['HashingAlgorithm', 'SHA_512_256', 0x0d, '1.2'],
  ['HashingAlgorithm', 'SHA3_512', 0x11, '1.4'],
  ['ItemType', 'Structure', 1, '2.0'],
  ['ItemType', 'DateTimeExtended', 0x0b, '2.0'],
  ['KeyFormatType', 'PKCS_8', 4, '1.0'],
  ['KeyFormatType', 'TransparentECDSAPrivateKey', 0x0e, '1.0'],
  ['KeyFormatType', 'TransparentECPrivateKey', 0x14, '1.3'],
  ['KeyFormatType', 'PKCS_12', 0x16, '1.4'],
  ['KeyFormatType', 'PKCS_10', 0x17, '2.0'],
  ['LinkType', 'CertificateLink', 0x101, '1.0'],
  ['LinkType', 'PKCS_12PasswordLink', 0x10d, '1.4'],
  ['LinkType', 'WrappingKeyLink', 0x10e, '2.0'],
  ['MaskGenerator', 'MGF1', 1, '1.4'],
  ['ObjectType', 'SymmetricKey', 2, '1.0'],
  ['ObjectType', 'Template', 6, '1.0'],
  ['ObjectType', 'PGPKey', 9, '1.2'],
  ['ObjectType', 'CertificateRequest', 0x0a, '2.0'],
  ['Operation', 'Create', 1, '1.0'],
  ['Operation', 'Locate', 8, '1.0'],
  ['Operation', 'Get', 0x0a, '1.0'],
  ['Operation', 'Destroy', 0x14, '1.0'],
  ['Operation', 'Query', 0x18, '1.0'],
  ['Operation', 'DiscoverVersions', 0x1e, '1.1'],
  ['Operation', 'Encrypt', 0x1f, '1.2'],
  ['Operation', 'Import', 0x2a, '1.4'],
  ['Operation', 'SetAttribute', 0x31, '2.0'],
  ['Operation', 'Ping', 0x3b, '2.1'],
  ['ProfileName', 'TapeLibraryServerKMIPV1_0', 0x0a, '1.3'],
  ['ProfileName', 'TapeLibraryServerKMIPV1_4', 0x80, '1.4'],
  ['ProfileName', 'TapeLibraryServer', 0x107, '2.0'],
  ['QueryFunction', 'QueryProfiles', 0x0a, '1.3'],
  ['RecommendedCurve', 'P_256', 7, '1.0'],
  ['RecommendedCurve', 'SECP256K1', 0x19, '1.2'],
  ['RecommendedCurve', 'CURVE25519', 0x45, '2.0'],
  ['ResultReason', 'ItemNotFound', 1, '1.0'],
  ['ResultReason', 'IllegalOperation', 0x0b, '1.0'],
  ['ResultReason', 'EncodingOptionError', 0x12, '1.1'],
  ['ResultReason', 'AttestationFailed', 0x15, '1.2'],
  ['ResultReason', 'ObjectAlreadyExists', 0x18, '1.4'],
  ['ResultReason', 'ObjectNotFound', 0x37, '2.0'],
  ['ResultReason', 'WrongKeyLifecycleState', 0x43, '2.0'],
  ['ResultReason', 'UnknownObjectGroup', 0x4a, '2.1'],
  ['ResultReason', 'GeneralFailure', 0x100, '1.0'],
  ['ResultStatus', 'Success', 0, '1.0'],
  ['ResultStatus', 'OperationUndone', 3, '1.0'],
  ['RevocationReasonCode', 'KeyCompromise', 2, '1.0'],
  ['SplitKeyMethod', 'PolynomialSharingGF2_16', 2, '1.0'],
  ['SplitKeyMethod', 'PolynomialSharingGF2_8', 4, '1.2'],
  ['State', 'DestroyedCompromised', 6, '1.0'],
  ['UniqueIdentifier', 'IDPlaceholder', 1, '2.0'],
  ['WrappingMethod', 'Encrypt', 1, '1.0'],
]

describe('enumerations', () => {
  it('are named as they are exported', () => {
    for (const [name, { enumerationName }] of Object.entries(enumerations)) {
      expect(enumerationName).toBe(name)
    }
  })

  it.each(Object.entries(counts))(
    '%s has as many values per version as specified',
    (name, expected) => {
      const table: Table = enumerations[name as keyof typeof enumerations]
      expect(versions.map(({ number }) => table.names(number).length)).toEqual(expected)
    },
  )

  it.each(known)('%s has %s', (enumeration, name, number, since) => {
    const table: Table = enumerations[enumeration]
    expect(table.numberOf(name)).toBe(number)
    expect(table.nameOf(number)).toBe(name)
    expect(table.since(name)).toBe(version(since))
  })

  it('give each number one name, and find it by both', () => {
    for (const table of tables) {
      const names = new Set(versions.flatMap(({ number }) => table.names(number)))
      const numbers = [...names].map((name) => table.numberOf(name))
      expect(new Set(numbers).size, table.enumerationName).toBe(names.size)
      for (const name of names) expect(table.nameOf(table.numberOf(name) ?? -1)).toBe(name)
    }
  })

  it('keep a value without gaps from its first version to its last', () => {
    for (const table of tables) {
      const present = versions.map(({ number }) => new Set(table.names(number)))
      for (const name of new Set(present.flatMap((names) => [...names]))) {
        const spans = present.map((names) => (names.has(name) ? '1' : '0')).join('')
        expect(spans, `${table.enumerationName} ${name}`).toMatch(/^0*1+0*$/u)
      }
    }
  })

  it('drop after 1.4 what 2.0 removed', () => {
    const gone = (table: Table) => {
      const kept = new Set(table.names(version('2.0')))
      return table.names(version('1.4')).filter((name) => !kept.has(name))
    }
    expect(gone(enumerations.ObjectType)).toEqual(['Template'])
    expect(gone(enumerations.ResultReason)).toEqual(['IllegalOperation', 'IndexOutOfBounds'])
    expect(gone(enumerations.CertificateRequestType)).toEqual(['PGP'])
    expect(gone(enumerations.Operation)).toEqual([])
    expect(gone(enumerations.KeyFormatType)).toHaveLength(6)
  })
})
