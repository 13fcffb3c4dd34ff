/**
 * The enumerations of KMIP 1.0 to 2.1 in alphabetical order, one row per value: number, first
 * version, last version if removed. KMIP 1.0–1.4 §9.1.3.2, KMIP 2.0 and 2.1 §11. Names are those of
 * the XML and JSON encodings; where versions name a value differently, the name of 2.1 or of the
 * published test cases stands here. Reserved numbers have no row.
 */

import { enumeration } from 'ttlv-codec'

/** Adjustment Type – KMIP 2.1 §11.1. */
export const AdjustmentType = enumeration('AdjustmentType', {
  Increment: [0x01, '2.0'],
  Decrement: [0x02, '2.0'],
  Negate: [0x03, '2.0'],
})

/** Alternative Name Type – KMIP 2.1 §11.2. */
export const AlternativeNameType = enumeration('AlternativeNameType', {
  UninterpretedTextString: [0x01, '1.2'],
  URI: [0x02, '1.2'],
  ObjectSerialNumber: [0x03, '1.2'],
  EmailAddress: [0x04, '1.2'],
  DNSName: [0x05, '1.2'],
  X_500DistinguishedName: [0x06, '1.2'],
  IPAddress: [0x07, '1.2'],
})

/** Asynchronous Indicator – KMIP 2.1 §11.3. In 1.x the field of this name is a Boolean. */
export const AsynchronousIndicator = enumeration('AsynchronousIndicator', {
  Mandatory: [0x01, '2.0'],
  Optional: [0x02, '2.0'],
  Prohibited: [0x03, '2.0'],
})

/** Attestation Type – KMIP 2.1 §11.4. */
export const AttestationType = enumeration('AttestationType', {
  TPMQuote: [0x01, '1.2'],
  TCGIntegrityReport: [0x02, '1.2'],
  SAMLAssertion: [0x03, '1.2'],
})

/** Batch Error Continuation Option – KMIP 2.1 §11.5. */
export const BatchErrorContinuationOption = enumeration('BatchErrorContinuationOption', {
  Continue: [0x01, '1.0'],
  Stop: [0x02, '1.0'],
  Undo: [0x03, '1.0'],
})

/** Block Cipher Mode – KMIP 2.1 §11.6. */
export const BlockCipherMode = enumeration('BlockCipherMode', {
  CBC: [0x01, '1.0'],
  ECB: [0x02, '1.0'],
  PCBC: [0x03, '1.0'],
  CFB: [0x04, '1.0'],
  OFB: [0x05, '1.0'],
  CTR: [0x06, '1.0'],
  CMAC: [0x07, '1.0'],
  CCM: [0x08, '1.0'],
  GCM: [0x09, '1.0'],
  CBC_MAC: [0x0a, '1.0'],
  XTS: [0x0b, '1.0'],
  AESKeyWrapPadding: [0x0c, '1.0'],
  NISTKeyWrap: [0x0d, '1.0'],
  X9_102AESKW: [0x0e, '1.0'],
  X9_102TDKW: [0x0f, '1.0'],
  X9_102AKW1: [0x10, '1.0'],
  X9_102AKW2: [0x11, '1.0'],
  AEAD: [0x12, '1.4'],
})

/** Cancellation Result – KMIP 2.1 §11.7. */
export const CancellationResult = enumeration('CancellationResult', {
  Canceled: [0x01, '1.0'],
  UnableToCancel: [0x02, '1.0'],
  Completed: [0x03, '1.0'],
  Failed: [0x04, '1.0'],
  Unavailable: [0x05, '1.0'],
})

/** Certificate Request Type – KMIP 2.1 §11.8. */
export const CertificateRequestType = enumeration('CertificateRequestType', {
  CRMF: [0x01, '1.0'],
  PKCS_10: [0x02, '1.0'],
  PEM: [0x03, '1.0'],
  PGP: [0x04, '1.0', '1.4'],
})

/** Certificate Type – KMIP 2.1 §11.9. */
export const CertificateType = enumeration('CertificateType', {
  X_509: [0x01, '1.0'],
  PGP: [0x02, '1.0'],
})

/** Client Registration Method – KMIP 2.1 §11.10. */
export const ClientRegistrationMethod = enumeration('ClientRegistrationMethod', {
  Unspecified: [0x01, '1.3'],
  ServerPreGenerated: [0x02, '1.3'],
  ServerOnDemand: [0x03, '1.3'],
  ClientGenerated: [0x04, '1.3'],
  ClientRegistered: [0x05, '1.3'],
})

/** Credential Type – KMIP 2.1 §11.11. */
export const CredentialType = enumeration('CredentialType', {
  UsernameAndPassword: [0x01, '1.0'],
  Device: [0x02, '1.1'],
  Attestation: [0x03, '1.2'],
  OneTimePassword: [0x04, '2.0'],
  HashedPassword: [0x05, '2.0'],
  Ticket: [0x06, '2.0'],
})

/** Cryptographic Algorithm – KMIP 2.1 §11.12. */
export const CryptographicAlgorithm = enumeration('CryptographicAlgorithm', {
  DES: [0x01, '1.0'],
  DES3: [0x02, '1.0'],
  AES: [0x03, '1.0'],
  RSA: [0x04, '1.0'],
  DSA: [0x05, '1.0'],
  ECDSA: [0x06, '1.0'],
  HMAC_SHA1: [0x07, '1.0'],
  HMAC_SHA224: [0x08, '1.0'],
  HMAC_SHA256: [0x09, '1.0'],
  HMAC_SHA384: [0x0a, '1.0'],
  HMAC_SHA512: [0x0b, '1.0'],
  HMAC_MD5: [0x0c, '1.0'],
  DH: [0x0d, '1.0'],
  ECDH: [0x0e, '1.0'],
  ECMQV: [0x0f, '1.0'],
  Blowfish: [0x10, '1.0'],
  Camellia: [0x11, '1.0'],
  CAST5: [0x12, '1.0'],
  IDEA: [0x13, '1.0'],
  MARS: [0x14, '1.0'],
  RC2: [0x15, '1.0'],
  RC4: [0x16, '1.0'],
  RC5: [0x17, '1.0'],
  SKIPJACK: [0x18, '1.0'],
  Twofish: [0x19, '1.0'],
  EC: [0x1a, '1.2'],
  OneTimePad: [0x1b, '1.3'],
  ChaCha20: [0x1c, '1.4'],
  Poly1305: [0x1d, '1.4'],
  ChaCha20Poly1305: [0x1e, '1.4'],
  SHA3_224: [0x1f, '1.4'],
  SHA3_256: [0x20, '1.4'],
  SHA3_384: [0x21, '1.4'],
  SHA3_512: [0x22, '1.4'],
  HMAC_SHA3_224: [0x23, '1.4'],
  HMAC_SHA3_256: [0x24, '1.4'],
  HMAC_SHA3_384: [0x25, '1.4'],
  HMAC_SHA3_512: [0x26, '1.4'],
  SHAKE_128: [0x27, '1.4'],
  SHAKE_256: [0x28, '1.4'],
  ARIA: [0x29, '2.0'],
  SEED: [0x2a, '2.0'],
  SM2: [0x2b, '2.0'],
  SM3: [0x2c, '2.0'],
  SM4: [0x2d, '2.0'],
  GOSTR34_10_2012: [0x2e, '2.0'],
  GOSTR34_11_2012: [0x2f, '2.0'],
  GOSTR34_13_2015: [0x30, '2.0'],
  GOST28147_89: [0x31, '2.0'],
  XMSS: [0x32, '2.0'],
  SPHINCS_256: [0x33, '2.0'],
  McEliece: [0x34, '2.0'],
  McEliece_6960119: [0x35, '2.0'],
  McEliece_8192128: [0x36, '2.0'],
  Ed25519: [0x37, '2.0'],
  Ed448: [0x38, '2.0'],
})

/** Data – KMIP 2.1 §11.13. Which earlier answer of the batch is meant. */
export const Data = enumeration('Data', {
  Decrypt: [0x01, '2.0'],
  Encrypt: [0x02, '2.0'],
  Hash: [0x03, '2.0'],
  MACMACData: [0x04, '2.0'],
  RNGRetrieve: [0x05, '2.0'],
  SignSignatureData: [0x06, '2.0'],
  SignatureVerify: [0x07, '2.0'],
})

/** Derivation Method – KMIP 2.1 §11.14. */
export const DerivationMethod = enumeration('DerivationMethod', {
  PBKDF2: [0x01, '1.0'],
  HASH: [0x02, '1.0'],
  HMAC: [0x03, '1.0'],
  ENCRYPT: [0x04, '1.0'],
  NIST800_108_C: [0x05, '1.0'],
  NIST800_108_F: [0x06, '1.0'],
  NIST800_108_DPI: [0x07, '1.0'],
  AsymmetricKey: [0x08, '1.4'],
  AWSSignatureVersion4: [0x09, '2.0'],
  HKDF: [0x0a, '2.0'],
})

/** Destroy Action – KMIP 2.1 §11.15. */
export const DestroyAction = enumeration('DestroyAction', {
  Unspecified: [0x01, '1.3'],
  KeyMaterialDeleted: [0x02, '1.3'],
  KeyMaterialShredded: [0x03, '1.3'],
  MetaDataDeleted: [0x04, '1.3'],
  MetaDataShredded: [0x05, '1.3'],
  Deleted: [0x06, '1.3'],
  Shredded: [0x07, '1.3'],
})

/** Digital Signature Algorithm – KMIP 2.1 §11.16. 1.x adds "(PKCS#1 v1.5)". */
export const DigitalSignatureAlgorithm = enumeration('DigitalSignatureAlgorithm', {
  MD2WithRSAEncryption: [0x01, '1.1'],
  MD5WithRSAEncryption: [0x02, '1.1'],
  SHA_1WithRSAEncryption: [0x03, '1.1'],
  SHA_224WithRSAEncryption: [0x04, '1.1'],
  SHA_256WithRSAEncryption: [0x05, '1.1'],
  SHA_384WithRSAEncryption: [0x06, '1.1'],
  SHA_512WithRSAEncryption: [0x07, '1.1'],
  RSASSA_PSS: [0x08, '1.1'],
  DSAWithSHA_1: [0x09, '1.1'],
  DSAWithSHA224: [0x0a, '1.1'],
  DSAWithSHA256: [0x0b, '1.1'],
  ECDSAWithSHA_1: [0x0c, '1.1'],
  ECDSAWithSHA224: [0x0d, '1.1'],
  ECDSAWithSHA256: [0x0e, '1.1'],
  ECDSAWithSHA384: [0x0f, '1.1'],
  ECDSAWithSHA512: [0x10, '1.1'],
  SHA3_256WithRSAEncryption: [0x11, '1.4'],
  SHA3_384WithRSAEncryption: [0x12, '1.4'],
  SHA3_512WithRSAEncryption: [0x13, '1.4'],
})

/** DRBG Algorithm – KMIP 2.1 §11.17. */
export const DRBGAlgorithm = enumeration('DRBGAlgorithm', {
  Unspecified: [0x01, '1.3'],
  Dual_EC: [0x02, '1.3'],
  Hash: [0x03, '1.3'],
  HMAC: [0x04, '1.3'],
  CTR: [0x05, '1.3'],
})

/** Encoding Option – KMIP 2.1 §11.18. */
export const EncodingOption = enumeration('EncodingOption', {
  NoEncoding: [0x01, '1.1'],
  TTLVEncoding: [0x02, '1.1'],
})

/** Endpoint Role – KMIP 2.1 §11.19. */
export const EndpointRole = enumeration('EndpointRole', {
  Client: [0x01, '2.0'],
  Server: [0x02, '2.0'],
})

/** FIPS186 Variation – KMIP 2.1 §11.20. */
export const FIPS186Variation = enumeration('FIPS186Variation', {
  Unspecified: [0x01, '1.3'],
  GPXOriginal: [0x02, '1.3'],
  GPXChangeNotice: [0x03, '1.3'],
  XOriginal: [0x04, '1.3'],
  XChangeNotice: [0x05, '1.3'],
  KOriginal: [0x06, '1.3'],
  KChangeNotice: [0x07, '1.3'],
})

/** Hashing Algorithm – KMIP 2.1 §11.21. */
export const HashingAlgorithm = enumeration('HashingAlgorithm', {
  MD2: [0x01, '1.0'],
  MD4: [0x02, '1.0'],
  MD5: [0x03, '1.0'],
  SHA_1: [0x04, '1.0'],
  SHA_224: [0x05, '1.0'],
  SHA_256: [0x06, '1.0'],
  SHA_384: [0x07, '1.0'],
  SHA_512: [0x08, '1.0'],
  RIPEMD_160: [0x09, '1.0'],
  Tiger: [0x0a, '1.0'],
  Whirlpool: [0x0b, '1.0'],
  SHA_512_224: [0x0c, '1.2'],
  SHA_512_256: [0x0d, '1.2'],
  SHA3_224: [0x0e, '1.4'], // 1.4: SHA_3_224
  SHA3_256: [0x0f, '1.4'], // 1.4: SHA_3_256
  SHA3_384: [0x10, '1.4'], // 1.4: SHA_3_384
  SHA3_512: [0x11, '1.4'], // 1.4: SHA_3_512
})

/** Interop Function – KMIP 2.1 §11.22. */
export const InteropFunction = enumeration('InteropFunction', {
  Begin: [0x01, '2.0'],
  End: [0x02, '2.0'],
  Reset: [0x03, '2.0'],
})

/** Item Type – KMIP 2.1 §11.23. Numbers are the type bytes of TTLV. */
export const ItemType = enumeration('ItemType', {
  Structure: [0x01, '2.0'],
  Integer: [0x02, '2.0'],
  LongInteger: [0x03, '2.0'],
  BigInteger: [0x04, '2.0'],
  Enumeration: [0x05, '2.0'],
  Boolean: [0x06, '2.0'],
  TextString: [0x07, '2.0'],
  ByteString: [0x08, '2.0'],
  DateTime: [0x09, '2.0'],
  Interval: [0x0a, '2.0'],
  DateTimeExtended: [0x0b, '2.0'],
})

/** Key Compression Type – KMIP 2.1 §11.24. */
export const KeyCompressionType = enumeration('KeyCompressionType', {
  ECPublicKeyTypeUncompressed: [0x01, '1.0'],
  ECPublicKeyTypeX9_62CompressedPrime: [0x02, '1.0'],
  ECPublicKeyTypeX9_62CompressedChar2: [0x03, '1.0'],
  ECPublicKeyTypeX9_62Hybrid: [0x04, '1.0'],
})

/** Key Format Type – KMIP 2.1 §11.25. */
export const KeyFormatType = enumeration('KeyFormatType', {
  Raw: [0x01, '1.0'],
  Opaque: [0x02, '1.0'],
  PKCS_1: [0x03, '1.0'],
  PKCS_8: [0x04, '1.0'],
  X_509: [0x05, '1.0'],
  ECPrivateKey: [0x06, '1.0'],
  TransparentSymmetricKey: [0x07, '1.0'],
  TransparentDSAPrivateKey: [0x08, '1.0'],
  TransparentDSAPublicKey: [0x09, '1.0'],
  TransparentRSAPrivateKey: [0x0a, '1.0'],
  TransparentRSAPublicKey: [0x0b, '1.0'],
  TransparentDHPrivateKey: [0x0c, '1.0'],
  TransparentDHPublicKey: [0x0d, '1.0'],
  TransparentECDSAPrivateKey: [0x0e, '1.0', '1.4'],
  TransparentECDSAPublicKey: [0x0f, '1.0', '1.4'],
  TransparentECDHPrivateKey: [0x10, '1.0', '1.4'],
  TransparentECDHPublicKey: [0x11, '1.0', '1.4'],
  TransparentECMQVPrivateKey: [0x12, '1.0', '1.4'],
  TransparentECMQVPublicKey: [0x13, '1.0', '1.4'],
  TransparentECPrivateKey: [0x14, '1.3'],
  TransparentECPublicKey: [0x15, '1.3'],
  PKCS_12: [0x16, '1.4'],
  PKCS_10: [0x17, '2.0'],
})

/** Key Role Type – KMIP 2.1 §11.26. */
export const KeyRoleType = enumeration('KeyRoleType', {
  BDK: [0x01, '1.0'],
  CVK: [0x02, '1.0'],
  DEK: [0x03, '1.0'],
  MKAC: [0x04, '1.0'],
  MKSMC: [0x05, '1.0'],
  MKSMI: [0x06, '1.0'],
  MKDAC: [0x07, '1.0'],
  MKDN: [0x08, '1.0'],
  MKCP: [0x09, '1.0'],
  MKOTH: [0x0a, '1.0'],
  KEK: [0x0b, '1.0'],
  MAC16609: [0x0c, '1.0'],
  MAC97971: [0x0d, '1.0'],
  MAC97972: [0x0e, '1.0'],
  MAC97973: [0x0f, '1.0'],
  MAC97974: [0x10, '1.0'],
  MAC97975: [0x11, '1.0'],
  ZPK: [0x12, '1.0'],
  PVKIBM: [0x13, '1.0'],
  PVKPVV: [0x14, '1.0'],
  PVKOTH: [0x15, '1.0'],
  DUKPT: [0x16, '1.4'],
  IV: [0x17, '1.4'],
  TRKBK: [0x18, '1.4'],
})

/** Key Value Location Type – KMIP 2.1 §11.27. */
export const KeyValueLocationType = enumeration('KeyValueLocationType', {
  UninterpretedTextString: [0x01, '1.2'],
  URI: [0x02, '1.2'],
})

/** Key Wrap Type – KMIP 2.1 §11.29. */
export const KeyWrapType = enumeration('KeyWrapType', {
  NotWrapped: [0x01, '1.4'],
  AsRegistered: [0x02, '1.4'],
})

/** Link Type – KMIP 2.1 §11.28. */
export const LinkType = enumeration('LinkType', {
  CertificateLink: [0x101, '1.0'],
  PublicKeyLink: [0x102, '1.0'],
  PrivateKeyLink: [0x103, '1.0'],
  DerivationBaseObjectLink: [0x104, '1.0'],
  DerivedKeyLink: [0x105, '1.0'],
  ReplacementObjectLink: [0x106, '1.0'],
  ReplacedObjectLink: [0x107, '1.0'],
  ParentLink: [0x108, '1.2'],
  ChildLink: [0x109, '1.2'],
  PreviousLink: [0x10a, '1.2'],
  NextLink: [0x10b, '1.2'],
  PKCS_12CertificateLink: [0x10c, '1.4'],
  PKCS_12PasswordLink: [0x10d, '1.4'],
  WrappingKeyLink: [0x10e, '2.0'],
})

/** Mask Generator – KMIP 2.1 §11.30. */
export const MaskGenerator = enumeration('MaskGenerator', {
  MGF1: [0x01, '1.4'], // 2.0 and 2.1 print MFG1
})

/** Name Type – KMIP 2.1 §11.31. */
export const NameType = enumeration('NameType', {
  UninterpretedTextString: [0x01, '1.0'],
  URI: [0x02, '1.0'],
})

/** NIST Key Type – KMIP 2.1 §11.32. */
export const NISTKeyType = enumeration('NISTKeyType', {
  PrivateSignatureKey: [0x01, '2.0'],
  PublicSignatureVerificationKey: [0x02, '2.0'],
  SymmetricAuthenticationKey: [0x03, '2.0'],
  PrivateAuthenticationKey: [0x04, '2.0'],
  PublicAuthenticationKey: [0x05, '2.0'],
  SymmetricDataEncryptionKey: [0x06, '2.0'],
  SymmetricKeyWrappingKey: [0x07, '2.0'],
  SymmetricRandomNumberGenerationKey: [0x08, '2.0'],
  SymmetricMasterKey: [0x09, '2.0'],
  PrivateKeyTransportKey: [0x0a, '2.0'],
  PublicKeyTransportKey: [0x0b, '2.0'],
  SymmetricKeyAgreementKey: [0x0c, '2.0'],
  PrivateStaticKeyAgreementKey: [0x0d, '2.0'],
  PublicStaticKeyAgreementKey: [0x0e, '2.0'],
  PrivateEphemeralKeyAgreementKey: [0x0f, '2.0'],
  PublicEphemeralKeyAgreementKey: [0x10, '2.0'],
  SymmetricAuthorizationKey: [0x11, '2.0'],
  PrivateAuthorizationKey: [0x12, '2.0'],
  PublicAuthorizationKey: [0x13, '2.0'],
})

/** Object Group Member – KMIP 2.1 §11.33. */
export const ObjectGroupMember = enumeration('ObjectGroupMember', {
  GroupMemberFresh: [0x01, '1.1'],
  GroupMemberDefault: [0x02, '1.1'],
})

/** Object Type – KMIP 2.1 §11.34. */
export const ObjectType = enumeration('ObjectType', {
  Certificate: [0x01, '1.0'],
  SymmetricKey: [0x02, '1.0'],
  PublicKey: [0x03, '1.0'],
  PrivateKey: [0x04, '1.0'],
  SplitKey: [0x05, '1.0'],
  Template: [0x06, '1.0', '1.4'],
  SecretData: [0x07, '1.0'],
  OpaqueObject: [0x08, '1.0'],
  PGPKey: [0x09, '1.2'],
  CertificateRequest: [0x0a, '2.0'],
})

/** Opaque Data Type – KMIP 2.1 §11.35. All values are extensions, 0x8XXXXXXX. */
export const OpaqueDataType = enumeration('OpaqueDataType', {})

/** Operation – KMIP 2.1 §11.36. */
export const Operation = enumeration('Operation', {
  Create: [0x01, '1.0'],
  CreateKeyPair: [0x02, '1.0'],
  Register: [0x03, '1.0'],
  ReKey: [0x04, '1.0'],
  DeriveKey: [0x05, '1.0'],
  Certify: [0x06, '1.0'],
  ReCertify: [0x07, '1.0'],
  Locate: [0x08, '1.0'],
  Check: [0x09, '1.0'],
  Get: [0x0a, '1.0'],
  GetAttributes: [0x0b, '1.0'],
  GetAttributeList: [0x0c, '1.0'],
  AddAttribute: [0x0d, '1.0'],
  ModifyAttribute: [0x0e, '1.0'],
  DeleteAttribute: [0x0f, '1.0'],
  ObtainLease: [0x10, '1.0'],
  GetUsageAllocation: [0x11, '1.0'],
  Activate: [0x12, '1.0'],
  Revoke: [0x13, '1.0'],
  Destroy: [0x14, '1.0'],
  Archive: [0x15, '1.0'],
  Recover: [0x16, '1.0'],
  Validate: [0x17, '1.0'],
  Query: [0x18, '1.0'],
  Cancel: [0x19, '1.0'],
  Poll: [0x1a, '1.0'],
  Notify: [0x1b, '1.0'],
  Put: [0x1c, '1.0'],
  ReKeyKeyPair: [0x1d, '1.1'],
  DiscoverVersions: [0x1e, '1.1'],
  Encrypt: [0x1f, '1.2'],
  Decrypt: [0x20, '1.2'],
  Sign: [0x21, '1.2'],
  SignatureVerify: [0x22, '1.2'],
  MAC: [0x23, '1.2'],
  MACVerify: [0x24, '1.2'],
  RNGRetrieve: [0x25, '1.2'],
  RNGSeed: [0x26, '1.2'],
  Hash: [0x27, '1.2'],
  CreateSplitKey: [0x28, '1.2'],
  JoinSplitKey: [0x29, '1.2'],
  Import: [0x2a, '1.4'],
  Export: [0x2b, '1.4'],
  Log: [0x2c, '2.0'],
  Login: [0x2d, '2.0'],
  Logout: [0x2e, '2.0'],
  DelegatedLogin: [0x2f, '2.0'],
  AdjustAttribute: [0x30, '2.0'],
  SetAttribute: [0x31, '2.0'],
  SetEndpointRole: [0x32, '2.0'],
  PKCS_11: [0x33, '2.0'],
  Interop: [0x34, '2.0'],
  ReProvision: [0x35, '2.0'],
  SetDefaults: [0x36, '2.1'],
  SetConstraints: [0x37, '2.1'],
  GetConstraints: [0x38, '2.1'],
  QueryAsynchronousRequests: [0x39, '2.1'],
  Process: [0x3a, '2.1'],
  Ping: [0x3b, '2.1'],
})

/** Padding Method – KMIP 2.1 §11.37. */
export const PaddingMethod = enumeration('PaddingMethod', {
  None: [0x01, '1.0'],
  OAEP: [0x02, '1.0'],
  PKCS5: [0x03, '1.0'],
  SSL3: [0x04, '1.0'],
  Zeros: [0x05, '1.0'],
  ANSIX9_23: [0x06, '1.0'],
  ISO10126: [0x07, '1.0'],
  PKCS1V1_5: [0x08, '1.0'],
  X9_31: [0x09, '1.0'],
  PSS: [0x0a, '1.0'],
})

/** PKCS#11 Function – KMIP 2.1 §11.38. Members of CK_FUNCTION_LIST_3_0, counted from 1. */
export const PKCS_11Function = enumeration('PKCS_11Function', {
  C_Initialize: [0x01, '2.0'],
  C_Finalize: [0x02, '2.0'],
  C_GetInfo: [0x03, '2.0'],
  C_GetFunctionList: [0x04, '2.0'],
  C_GetSlotList: [0x05, '2.0'],
  C_GetSlotInfo: [0x06, '2.0'],
  C_GetTokenInfo: [0x07, '2.0'],
  C_GetMechanismList: [0x08, '2.0'],
  C_GetMechanismInfo: [0x09, '2.0'],
  C_InitToken: [0x0a, '2.0'],
  C_InitPIN: [0x0b, '2.0'],
  C_SetPIN: [0x0c, '2.0'],
  C_OpenSession: [0x0d, '2.0'],
  C_CloseSession: [0x0e, '2.0'],
  C_CloseAllSessions: [0x0f, '2.0'],
  C_GetSessionInfo: [0x10, '2.0'],
  C_GetOperationState: [0x11, '2.0'],
  C_SetOperationState: [0x12, '2.0'],
  C_Login: [0x13, '2.0'],
  C_Logout: [0x14, '2.0'],
  C_CreateObject: [0x15, '2.0'],
  C_CopyObject: [0x16, '2.0'],
  C_DestroyObject: [0x17, '2.0'],
  C_GetObjectSize: [0x18, '2.0'],
  C_GetAttributeValue: [0x19, '2.0'],
  C_SetAttributeValue: [0x1a, '2.0'],
  C_FindObjectsInit: [0x1b, '2.0'],
  C_FindObjects: [0x1c, '2.0'],
  C_FindObjectsFinal: [0x1d, '2.0'],
  C_EncryptInit: [0x1e, '2.0'],
  C_Encrypt: [0x1f, '2.0'],
  C_EncryptUpdate: [0x20, '2.0'],
  C_EncryptFinal: [0x21, '2.0'],
  C_DecryptInit: [0x22, '2.0'],
  C_Decrypt: [0x23, '2.0'],
  C_DecryptUpdate: [0x24, '2.0'],
  C_DecryptFinal: [0x25, '2.0'],
  C_DigestInit: [0x26, '2.0'],
  C_Digest: [0x27, '2.0'],
  C_DigestUpdate: [0x28, '2.0'],
  C_DigestKey: [0x29, '2.0'],
  C_DigestFinal: [0x2a, '2.0'],
  C_SignInit: [0x2b, '2.0'],
  C_Sign: [0x2c, '2.0'],
  C_SignUpdate: [0x2d, '2.0'],
  C_SignFinal: [0x2e, '2.0'],
  C_SignRecoverInit: [0x2f, '2.0'],
  C_SignRecover: [0x30, '2.0'],
  C_VerifyInit: [0x31, '2.0'],
  C_Verify: [0x32, '2.0'],
  C_VerifyUpdate: [0x33, '2.0'],
  C_VerifyFinal: [0x34, '2.0'],
  C_VerifyRecoverInit: [0x35, '2.0'],
  C_VerifyRecover: [0x36, '2.0'],
  C_DigestEncryptUpdate: [0x37, '2.0'],
  C_DecryptDigestUpdate: [0x38, '2.0'],
  C_SignEncryptUpdate: [0x39, '2.0'],
  C_DecryptVerifyUpdate: [0x3a, '2.0'],
  C_GenerateKey: [0x3b, '2.0'],
  C_GenerateKeyPair: [0x3c, '2.0'],
  C_WrapKey: [0x3d, '2.0'],
  C_UnwrapKey: [0x3e, '2.0'],
  C_DeriveKey: [0x3f, '2.0'],
  C_SeedRandom: [0x40, '2.0'],
  C_GenerateRandom: [0x41, '2.0'],
  C_GetFunctionStatus: [0x42, '2.0'],
  C_CancelFunction: [0x43, '2.0'],
  C_WaitForSlotEvent: [0x44, '2.0'],
  C_GetInterfaceList: [0x45, '2.0'],
  C_GetInterface: [0x46, '2.0'],
  C_LoginUser: [0x47, '2.0'],
  C_SessionCancel: [0x48, '2.0'],
  C_MessageEncryptInit: [0x49, '2.0'],
  C_EncryptMessage: [0x4a, '2.0'],
  C_EncryptMessageBegin: [0x4b, '2.0'],
  C_EncryptMessageNext: [0x4c, '2.0'],
  C_MessageEncryptFinal: [0x4d, '2.0'],
  C_MessageDecryptInit: [0x4e, '2.0'],
  C_DecryptMessage: [0x4f, '2.0'],
  C_DecryptMessageBegin: [0x50, '2.0'],
  C_DecryptMessageNext: [0x51, '2.0'],
  C_MessageDecryptFinal: [0x52, '2.0'],
  C_MessageSignInit: [0x53, '2.0'],
  C_SignMessage: [0x54, '2.0'],
  C_SignMessageBegin: [0x55, '2.0'],
  C_SignMessageNext: [0x56, '2.0'],
  C_MessageSignFinal: [0x57, '2.0'],
  C_MessageVerifyInit: [0x58, '2.0'],
  C_VerifyMessage: [0x59, '2.0'],
  C_VerifyMessageBegin: [0x5a, '2.0'],
  C_VerifyMessageNext: [0x5b, '2.0'],
  C_MessageVerifyFinal: [0x5c, '2.0'],
})

/** PKCS#11 Return Code – KMIP 2.1 §11.39. The CK_RV numbers of PKCS#11 that are used here. */
export const PKCS_11ReturnCode = enumeration('PKCS_11ReturnCode', {
  CKR_FUNCTION_NOT_SUPPORTED: [0x54, '2.0'],
})

/** Processing Stage – KMIP 2.1 §11.40. */
export const ProcessingStage = enumeration('ProcessingStage', {
  Submitted: [0x01, '2.1'],
  InProcess: [0x02, '2.1'],
  Completed: [0x03, '2.1'],
})

/** Profile Name – KMIP 2.1 §11.41. In 1.x a name holds the version of the profile. */
export const ProfileName = enumeration('ProfileName', {
  BaselineServerBasicKMIPV1_2: [0x001, '1.3', '1.4'],
  BaselineServerTLSV1_2KMIPV1_2: [0x002, '1.3', '1.4'],
  BaselineClientBasicKMIPV1_2: [0x003, '1.3', '1.4'],
  BaselineClientTLSV1_2KMIPV1_2: [0x004, '1.3', '1.4'],
  CompleteServerBasicKMIPV1_2: [0x005, '1.3', '1.4'],
  CompleteServerTLSV1_2KMIPV1_2: [0x006, '1.3', '1.4'],
  TapeLibraryClientKMIPV1_0: [0x007, '1.3', '1.4'],
  TapeLibraryClientKMIPV1_1: [0x008, '1.3', '1.4'],
  TapeLibraryClientKMIPV1_2: [0x009, '1.3', '1.4'],
  TapeLibraryServerKMIPV1_0: [0x00a, '1.3', '1.4'],
  TapeLibraryServerKMIPV1_1: [0x00b, '1.3', '1.4'],
  TapeLibraryServerKMIPV1_2: [0x00c, '1.3', '1.4'],
  SymmetricKeyLifecycleClientKMIPV1_0: [0x00d, '1.3', '1.4'],
  SymmetricKeyLifecycleClientKMIPV1_1: [0x00e, '1.3', '1.4'],
  SymmetricKeyLifecycleClientKMIPV1_2: [0x00f, '1.3', '1.4'],
  SymmetricKeyLifecycleServerKMIPV1_0: [0x010, '1.3', '1.4'],
  SymmetricKeyLifecycleServerKMIPV1_1: [0x011, '1.3', '1.4'],
  SymmetricKeyLifecycleServerKMIPV1_2: [0x012, '1.3', '1.4'],
  AsymmetricKeyLifecycleClientKMIPV1_0: [0x013, '1.3', '1.4'],
  AsymmetricKeyLifecycleClientKMIPV1_1: [0x014, '1.3', '1.4'],
  AsymmetricKeyLifecycleClientKMIPV1_2: [0x015, '1.3', '1.4'],
  AsymmetricKeyLifecycleServerKMIPV1_0: [0x016, '1.3', '1.4'],
  AsymmetricKeyLifecycleServerKMIPV1_1: [0x017, '1.3', '1.4'],
  AsymmetricKeyLifecycleServerKMIPV1_2: [0x018, '1.3', '1.4'],
  BasicCryptographicClientKMIPV1_2: [0x019, '1.3', '1.4'],
  BasicCryptographicServerKMIPV1_2: [0x01a, '1.3', '1.4'],
  AdvancedCryptographicClientKMIPV1_2: [0x01b, '1.3', '1.4'],
  AdvancedCryptographicServerKMIPV1_2: [0x01c, '1.3', '1.4'],
  RNGCryptographicClientKMIPV1_2: [0x01d, '1.3', '1.4'],
  RNGCryptographicServerKMIPV1_2: [0x01e, '1.3', '1.4'],
  BasicSymmetricKeyFoundryClientKMIPV1_0: [0x01f, '1.3', '1.4'],
  IntermediateSymmetricKeyFoundryClientKMIPV1_0: [0x020, '1.3', '1.4'],
  AdvancedSymmetricKeyFoundryClientKMIPV1_0: [0x021, '1.3', '1.4'],
  BasicSymmetricKeyFoundryClientKMIPV1_1: [0x022, '1.3', '1.4'],
  IntermediateSymmetricKeyFoundryClientKMIPV1_1: [0x023, '1.3', '1.4'],
  AdvancedSymmetricKeyFoundryClientKMIPV1_1: [0x024, '1.3', '1.4'],
  BasicSymmetricKeyFoundryClientKMIPV1_2: [0x025, '1.3', '1.4'],
  IntermediateSymmetricKeyFoundryClientKMIPV1_2: [0x026, '1.3', '1.4'],
  AdvancedSymmetricKeyFoundryClientKMIPV1_2: [0x027, '1.3', '1.4'],
  SymmetricKeyFoundryServerKMIPV1_0: [0x028, '1.3', '1.4'],
  SymmetricKeyFoundryServerKMIPV1_1: [0x029, '1.3', '1.4'],
  SymmetricKeyFoundryServerKMIPV1_2: [0x02a, '1.3', '1.4'],
  OpaqueManagedObjectStoreClientKMIPV1_0: [0x02b, '1.3', '1.4'],
  OpaqueManagedObjectStoreClientKMIPV1_1: [0x02c, '1.3', '1.4'],
  OpaqueManagedObjectStoreClientKMIPV1_2: [0x02d, '1.3', '1.4'],
  OpaqueManagedObjectStoreServerKMIPV1_0: [0x02e, '1.3', '1.4'],
  OpaqueManagedObjectStoreServerKMIPV1_1: [0x02f, '1.3', '1.4'],
  OpaqueManagedObjectStoreServerKMIPV1_2: [0x030, '1.3', '1.4'],
  SuiteBMinLOS_128ClientKMIPV1_0: [0x031, '1.3', '1.4'],
  SuiteBMinLOS_128ClientKMIPV1_1: [0x032, '1.3', '1.4'],
  SuiteBMinLOS_128ClientKMIPV1_2: [0x033, '1.3', '1.4'],
  SuiteBMinLOS_128ServerKMIPV1_0: [0x034, '1.3', '1.4'],
  SuiteBMinLOS_128ServerKMIPV1_1: [0x035, '1.3', '1.4'],
  SuiteBMinLOS_128ServerKMIPV1_2: [0x036, '1.3', '1.4'],
  SuiteBMinLOS_192ClientKMIPV1_0: [0x037, '1.3', '1.4'],
  SuiteBMinLOS_192ClientKMIPV1_1: [0x038, '1.3', '1.4'],
  SuiteBMinLOS_192ClientKMIPV1_2: [0x039, '1.3', '1.4'],
  SuiteBMinLOS_192ServerKMIPV1_0: [0x03a, '1.3', '1.4'],
  SuiteBMinLOS_192ServerKMIPV1_1: [0x03b, '1.3', '1.4'],
  SuiteBMinLOS_192ServerKMIPV1_2: [0x03c, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveClientKMIPV1_0: [0x03d, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveClientKMIPV1_1: [0x03e, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveClientKMIPV1_2: [0x03f, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveServerKMIPV1_0: [0x040, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveServerKMIPV1_1: [0x041, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveServerKMIPV1_2: [0x042, '1.3', '1.4'],
  HTTPSClientKMIPV1_0: [0x043, '1.3', '1.4'],
  HTTPSClientKMIPV1_1: [0x044, '1.3', '1.4'],
  HTTPSClientKMIPV1_2: [0x045, '1.3', '1.4'],
  HTTPSServerKMIPV1_0: [0x046, '1.3', '1.4'],
  HTTPSServerKMIPV1_1: [0x047, '1.3', '1.4'],
  HTTPSServerKMIPV1_2: [0x048, '1.3', '1.4'],
  JSONClientKMIPV1_0: [0x049, '1.3', '1.4'],
  JSONClientKMIPV1_1: [0x04a, '1.3', '1.4'],
  JSONClientKMIPV1_2: [0x04b, '1.3', '1.4'],
  JSONServerKMIPV1_0: [0x04c, '1.3', '1.4'],
  JSONServerKMIPV1_1: [0x04d, '1.3', '1.4'],
  JSONServerKMIPV1_2: [0x04e, '1.3', '1.4'],
  XMLClientKMIPV1_0: [0x04f, '1.3', '1.4'],
  XMLClientKMIPV1_1: [0x050, '1.3', '1.4'],
  XMLClientKMIPV1_2: [0x051, '1.3', '1.4'],
  XMLServerKMIPV1_0: [0x052, '1.3', '1.4'],
  XMLServerKMIPV1_1: [0x053, '1.3', '1.4'],
  XMLServerKMIPV1_2: [0x054, '1.3', '1.4'],
  BaselineServerBasicKMIPV1_3: [0x055, '1.3', '1.4'],
  BaselineServerTLSV1_2KMIPV1_3: [0x056, '1.3', '1.4'],
  BaselineClientBasicKMIPV1_3: [0x057, '1.3', '1.4'],
  BaselineClientTLSV1_2KMIPV1_3: [0x058, '1.3', '1.4'],
  CompleteServerBasicKMIPV1_3: [0x059, '1.3', '1.4'],
  CompleteServerTLSV1_2KMIPV1_3: [0x05a, '1.3', '1.4'],
  TapeLibraryClientKMIPV1_3: [0x05b, '1.3', '1.4'],
  TapeLibraryServerKMIPV1_3: [0x05c, '1.3', '1.4'],
  SymmetricKeyLifecycleClientKMIPV1_3: [0x05d, '1.3', '1.4'],
  SymmetricKeyLifecycleServerKMIPV1_3: [0x05e, '1.3', '1.4'],
  AsymmetricKeyLifecycleClientKMIPV1_3: [0x05f, '1.3', '1.4'],
  AsymmetricKeyLifecycleServerKMIPV1_3: [0x060, '1.3', '1.4'],
  BasicCryptographicClientKMIPV1_3: [0x061, '1.3', '1.4'],
  BasicCryptographicServerKMIPV1_3: [0x062, '1.3', '1.4'],
  AdvancedCryptographicClientKMIPV1_3: [0x063, '1.3', '1.4'],
  AdvancedCryptographicServerKMIPV1_3: [0x064, '1.3', '1.4'],
  RNGCryptographicClientKMIPV1_3: [0x065, '1.3', '1.4'],
  RNGCryptographicServerKMIPV1_3: [0x066, '1.3', '1.4'],
  BasicSymmetricKeyFoundryClientKMIPV1_3: [0x067, '1.3', '1.4'],
  IntermediateSymmetricKeyFoundryClientKMIPV1_3: [0x068, '1.3', '1.4'],
  AdvancedSymmetricKeyFoundryClientKMIPV1_3: [0x069, '1.3', '1.4'],
  SymmetricKeyFoundryServerKMIPV1_3: [0x06a, '1.3', '1.4'],
  OpaqueManagedObjectStoreClientKMIPV1_3: [0x06b, '1.3', '1.4'],
  OpaqueManagedObjectStoreServerKMIPV1_3: [0x06c, '1.3', '1.4'],
  SuiteBMinLOS_128ClientKMIPV1_3: [0x06d, '1.3', '1.4'],
  SuiteBMinLOS_128ServerKMIPV1_3: [0x06e, '1.3', '1.4'],
  SuiteBMinLOS_192ClientKMIPV1_3: [0x06f, '1.3', '1.4'],
  SuiteBMinLOS_192ServerKMIPV1_3: [0x070, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveClientKMIPV1_3: [0x071, '1.3', '1.4'],
  StorageArrayWithSelfEncryptingDriveServerKMIPV1_3: [0x072, '1.3', '1.4'],
  HTTPSClientKMIPV1_3: [0x073, '1.3', '1.4'],
  HTTPSServerKMIPV1_3: [0x074, '1.3', '1.4'],
  JSONClientKMIPV1_3: [0x075, '1.3', '1.4'],
  JSONServerKMIPV1_3: [0x076, '1.3', '1.4'],
  XMLClientKMIPV1_3: [0x077, '1.3', '1.4'],
  XMLServerKMIPV1_3: [0x078, '1.3', '1.4'],
  BaselineServerBasicKMIPV1_4: [0x079, '1.4', '1.4'],
  BaselineServerTLSV1_2KMIPV1_4: [0x07a, '1.4', '1.4'],
  BaselineClientBasicKMIPV1_4: [0x07b, '1.4', '1.4'],
  BaselineClientTLSV1_2KMIPV1_4: [0x07c, '1.4', '1.4'],
  CompleteServerBasicKMIPV1_4: [0x07d, '1.4', '1.4'],
  CompleteServerTLSV1_2KMIPV1_4: [0x07e, '1.4', '1.4'],
  TapeLibraryClientKMIPV1_4: [0x07f, '1.4', '1.4'],
  TapeLibraryServerKMIPV1_4: [0x080, '1.4', '1.4'],
  SymmetricKeyLifecycleClientKMIPV1_4: [0x081, '1.4', '1.4'],
  SymmetricKeyLifecycleServerKMIPV1_4: [0x082, '1.4', '1.4'],
  AsymmetricKeyLifecycleClientKMIPV1_4: [0x083, '1.4', '1.4'],
  AsymmetricKeyLifecycleServerKMIPV1_4: [0x084, '1.4', '1.4'],
  BasicCryptographicClientKMIPV1_4: [0x085, '1.4', '1.4'],
  BasicCryptographicServerKMIPV1_4: [0x086, '1.4', '1.4'],
  AdvancedCryptographicClientKMIPV1_4: [0x087, '1.4', '1.4'],
  AdvancedCryptographicServerKMIPV1_4: [0x088, '1.4', '1.4'],
  RNGCryptographicClientKMIPV1_4: [0x089, '1.4', '1.4'],
  RNGCryptographicServerKMIPV1_4: [0x08a, '1.4', '1.4'],
  BasicSymmetricKeyFoundryClientKMIPV1_4: [0x08b, '1.4', '1.4'],
  IntermediateSymmetricKeyFoundryClientKMIPV1_4: [0x08c, '1.4', '1.4'],
  AdvancedSymmetricKeyFoundryClientKMIPV1_4: [0x08d, '1.4', '1.4'],
  SymmetricKeyFoundryServerKMIPV1_4: [0x08e, '1.4', '1.4'],
  OpaqueManagedObjectStoreClientKMIPV1_4: [0x08f, '1.4', '1.4'],
  OpaqueManagedObjectStoreServerKMIPV1_4: [0x090, '1.4', '1.4'],
  SuiteBMinLOS_128ClientKMIPV1_4: [0x091, '1.4', '1.4'],
  SuiteBMinLOS_128ServerKMIPV1_4: [0x092, '1.4', '1.4'],
  SuiteBMinLOS_192ClientKMIPV1_4: [0x093, '1.4', '1.4'],
  SuiteBMinLOS_192ServerKMIPV1_4: [0x094, '1.4', '1.4'],
  StorageArrayWithSelfEncryptingDriveClientKMIPV1_4: [0x095, '1.4', '1.4'],
  StorageArrayWithSelfEncryptingDriveServerKMIPV1_4: [0x096, '1.4', '1.4'],
  HTTPSClientKMIPV1_4: [0x097, '1.4', '1.4'],
  HTTPSServerKMIPV1_4: [0x098, '1.4', '1.4'],
  JSONClientKMIPV1_4: [0x099, '1.4', '1.4'],
  JSONServerKMIPV1_4: [0x09a, '1.4', '1.4'],
  XMLClientKMIPV1_4: [0x09b, '1.4', '1.4'],
  XMLServerKMIPV1_4: [0x09c, '1.4', '1.4'],
  CompleteServerBasic: [0x104, '2.0'],
  CompleteServerTLSV1_2: [0x105, '2.0'],
  TapeLibraryClient: [0x106, '2.0'],
  TapeLibraryServer: [0x107, '2.0'],
  SymmetricKeyLifecycleClient: [0x108, '2.0'],
  SymmetricKeyLifecycleServer: [0x109, '2.0'],
  AsymmetricKeyLifecycleClient: [0x10a, '2.0'],
  AsymmetricKeyLifecycleServer: [0x10b, '2.0'],
  BasicCryptographicClient: [0x10c, '2.0'],
  BasicCryptographicServer: [0x10d, '2.0'],
  AdvancedCryptographicClient: [0x10e, '2.0'],
  AdvancedCryptographicServer: [0x10f, '2.0'],
  RNGCryptographicClient: [0x110, '2.0'],
  RNGCryptographicServer: [0x111, '2.0'],
  BasicSymmetricKeyFoundryClient: [0x112, '2.0'],
  IntermediateSymmetricKeyFoundryClient: [0x113, '2.0'],
  AdvancedSymmetricKeyFoundryClient: [0x114, '2.0'],
  SymmetricKeyFoundryServer: [0x115, '2.0'],
  OpaqueManagedObjectStoreClient: [0x116, '2.0'],
  OpaqueManagedObjectStoreServer: [0x117, '2.0'],
  StorageArrayWithSelfEncryptingDriveClient: [0x11c, '2.0'],
  StorageArrayWithSelfEncryptingDriveServer: [0x11d, '2.0'],
  HTTPSClient: [0x11e, '2.0'],
  HTTPSServer: [0x11f, '2.0'],
  JSONClient: [0x120, '2.0'],
  JSONServer: [0x121, '2.0'],
  XMLClient: [0x122, '2.0'],
  XMLServer: [0x123, '2.0'],
  AESXTSClient: [0x124, '2.0'],
  AESXTSServer: [0x125, '2.0'],
  QuantumSafeClient: [0x126, '2.0'],
  QuantumSafeServer: [0x127, '2.0'],
  PKCS_11Client: [0x128, '2.0'],
  PKCS_11Server: [0x129, '2.0'],
  BaselineClient: [0x12a, '2.0'],
  BaselineServer: [0x12b, '2.0'],
  CompleteServer: [0x12c, '2.0'],
})

/** Protection Level – KMIP 2.1 §11.42. */
export const ProtectionLevel = enumeration('ProtectionLevel', {
  High: [0x01, '2.0'],
  Low: [0x02, '2.0'],
})

/** Put Function – KMIP 2.1 §11.43. */
export const PutFunction = enumeration('PutFunction', {
  New: [0x01, '1.0'],
  Replace: [0x02, '1.0'],
})

/** Query Function – KMIP 2.1 §11.44. */
export const QueryFunction = enumeration('QueryFunction', {
  QueryOperations: [0x01, '1.0'],
  QueryObjects: [0x02, '1.0'],
  QueryServerInformation: [0x03, '1.0'],
  QueryApplicationNamespaces: [0x04, '1.0'],
  QueryExtensionList: [0x05, '1.1'],
  QueryExtensionMap: [0x06, '1.1'],
  QueryAttestationTypes: [0x07, '1.2'],
  QueryRNGs: [0x08, '1.3'],
  QueryValidations: [0x09, '1.3'],
  QueryProfiles: [0x0a, '1.3'],
  QueryCapabilities: [0x0b, '1.3'],
  QueryClientRegistrationMethods: [0x0c, '1.3'],
  QueryDefaultsInformation: [0x0d, '2.0'],
  QueryStorageProtectionMasks: [0x0e, '2.0'],
})

/** Recommended Curve – KMIP 2.1 §11.45. 1.0 and 1.1 know the first fifteen. */
export const RecommendedCurve = enumeration('RecommendedCurve', {
  P_192: [0x01, '1.0'],
  K_163: [0x02, '1.0'],
  B_163: [0x03, '1.0'],
  P_224: [0x04, '1.0'],
  K_233: [0x05, '1.0'],
  B_233: [0x06, '1.0'],
  P_256: [0x07, '1.0'],
  K_283: [0x08, '1.0'],
  B_283: [0x09, '1.0'],
  P_384: [0x0a, '1.0'],
  K_409: [0x0b, '1.0'],
  B_409: [0x0c, '1.0'],
  P_521: [0x0d, '1.0'],
  K_571: [0x0e, '1.0'],
  B_571: [0x0f, '1.0'],
  SECP112R1: [0x10, '1.2'],
  SECP112R2: [0x11, '1.2'],
  SECP128R1: [0x12, '1.2'],
  SECP128R2: [0x13, '1.2'],
  SECP160K1: [0x14, '1.2'],
  SECP160R1: [0x15, '1.2'],
  SECP160R2: [0x16, '1.2'],
  SECP192K1: [0x17, '1.2'],
  SECP224K1: [0x18, '1.2'],
  SECP256K1: [0x19, '1.2'],
  SECT113R1: [0x1a, '1.2'],
  SECT113R2: [0x1b, '1.2'],
  SECT131R1: [0x1c, '1.2'],
  SECT131R2: [0x1d, '1.2'],
  SECT163R1: [0x1e, '1.2'],
  SECT193R1: [0x1f, '1.2'],
  SECT193R2: [0x20, '1.2'],
  SECT239K1: [0x21, '1.2'],
  ANSIX9P192V2: [0x22, '1.2'],
  ANSIX9P192V3: [0x23, '1.2'],
  ANSIX9P239V1: [0x24, '1.2'],
  ANSIX9P239V2: [0x25, '1.2'],
  ANSIX9P239V3: [0x26, '1.2'],
  ANSIX9C2PNB163V1: [0x27, '1.2'],
  ANSIX9C2PNB163V2: [0x28, '1.2'],
  ANSIX9C2PNB163V3: [0x29, '1.2'],
  ANSIX9C2PNB176V1: [0x2a, '1.2'],
  ANSIX9C2TNB191V1: [0x2b, '1.2'],
  ANSIX9C2TNB191V2: [0x2c, '1.2'],
  ANSIX9C2TNB191V3: [0x2d, '1.2'],
  ANSIX9C2PNB208W1: [0x2e, '1.2'],
  ANSIX9C2TNB239V1: [0x2f, '1.2'],
  ANSIX9C2TNB239V2: [0x30, '1.2'],
  ANSIX9C2TNB239V3: [0x31, '1.2'],
  ANSIX9C2PNB272W1: [0x32, '1.2'],
  ANSIX9C2PNB304W1: [0x33, '1.2'],
  ANSIX9C2TNB359V1: [0x34, '1.2'],
  ANSIX9C2PNB368W1: [0x35, '1.2'],
  ANSIX9C2TNB431R1: [0x36, '1.2'],
  BRAINPOOLP160R1: [0x37, '1.2'],
  BRAINPOOLP160T1: [0x38, '1.2'],
  BRAINPOOLP192R1: [0x39, '1.2'],
  BRAINPOOLP192T1: [0x3a, '1.2'],
  BRAINPOOLP224R1: [0x3b, '1.2'],
  BRAINPOOLP224T1: [0x3c, '1.2'],
  BRAINPOOLP256R1: [0x3d, '1.2'],
  BRAINPOOLP256T1: [0x3e, '1.2'],
  BRAINPOOLP320R1: [0x3f, '1.2'],
  BRAINPOOLP320T1: [0x40, '1.2'],
  BRAINPOOLP384R1: [0x41, '1.2'],
  BRAINPOOLP384T1: [0x42, '1.2'],
  BRAINPOOLP512R1: [0x43, '1.2'],
  BRAINPOOLP512T1: [0x44, '1.2'],
  CURVE25519: [0x45, '2.0'],
  CURVE448: [0x46, '2.0'],
})

/** Result Reason – KMIP 2.1 §11.46. */
export const ResultReason = enumeration('ResultReason', {
  ItemNotFound: [0x001, '1.0'],
  ResponseTooLarge: [0x002, '1.0'],
  AuthenticationNotSuccessful: [0x003, '1.0'],
  InvalidMessage: [0x004, '1.0'],
  OperationNotSupported: [0x005, '1.0'],
  MissingData: [0x006, '1.0'],
  InvalidField: [0x007, '1.0'],
  FeatureNotSupported: [0x008, '1.0'],
  OperationCanceledByRequester: [0x009, '1.0'],
  CryptographicFailure: [0x00a, '1.0'],
  IllegalOperation: [0x00b, '1.0', '1.4'],
  PermissionDenied: [0x00c, '1.0'],
  ObjectArchived: [0x00d, '1.0'],
  IndexOutOfBounds: [0x00e, '1.0', '1.4'],
  ApplicationNamespaceNotSupported: [0x00f, '1.0'],
  KeyFormatTypeNotSupported: [0x010, '1.0'],
  KeyCompressionTypeNotSupported: [0x011, '1.0'],
  EncodingOptionError: [0x012, '1.1'],
  KeyValueNotPresent: [0x013, '1.2'],
  AttestationRequired: [0x014, '1.2'],
  AttestationFailed: [0x015, '1.2'],
  Sensitive: [0x016, '1.4'],
  NotExtractable: [0x017, '1.4'],
  ObjectAlreadyExists: [0x018, '1.4'],
  InvalidTicket: [0x019, '2.0'],
  UsageLimitExceeded: [0x01a, '2.0'],
  NumericRange: [0x01b, '2.0'],
  InvalidDataType: [0x01c, '2.0'],
  ReadOnlyAttribute: [0x01d, '2.0'],
  MultiValuedAttribute: [0x01e, '2.0'],
  UnsupportedAttribute: [0x01f, '2.0'],
  AttributeInstanceNotFound: [0x020, '2.0'],
  AttributeNotFound: [0x021, '2.0'],
  AttributeReadOnly: [0x022, '2.0'],
  AttributeSingleValued: [0x023, '2.0'],
  BadCryptographicParameters: [0x024, '2.0'],
  BadPassword: [0x025, '2.0'],
  CodecError: [0x026, '2.0'],
  IllegalObjectType: [0x028, '2.0'],
  IncompatibleCryptographicUsageMask: [0x029, '2.0'],
  InternalServerError: [0x02a, '2.0'],
  InvalidAsynchronousCorrelationValue: [0x02b, '2.0'],
  InvalidAttribute: [0x02c, '2.0'],
  InvalidAttributeValue: [0x02d, '2.0'],
  InvalidCorrelationValue: [0x02e, '2.0'],
  InvalidCSR: [0x02f, '2.0'],
  InvalidObjectType: [0x030, '2.0'],
  KeyWrapTypeNotSupported: [0x032, '2.0'],
  MissingInitializationVector: [0x034, '2.0'],
  NonUniqueNameAttribute: [0x035, '2.0'],
  ObjectDestroyed: [0x036, '2.0'],
  ObjectNotFound: [0x037, '2.0'],
  NotAuthorised: [0x039, '2.0'],
  ServerLimitExceeded: [0x03a, '2.0'],
  UnknownEnumeration: [0x03b, '2.0'],
  UnknownMessageExtension: [0x03c, '2.0'],
  UnknownTag: [0x03d, '2.0'],
  UnsupportedCryptographicParameters: [0x03e, '2.0'],
  UnsupportedProtocolVersion: [0x03f, '2.0'],
  WrappingObjectArchived: [0x040, '2.0'],
  WrappingObjectDestroyed: [0x041, '2.0'],
  WrappingObjectNotFound: [0x042, '2.0'],
  WrongKeyLifecycleState: [0x043, '2.0'],
  ProtectionStorageUnavailable: [0x044, '2.0'],
  PKCS_11CodecError: [0x045, '2.0'],
  PKCS_11InvalidFunction: [0x046, '2.0'],
  PKCS_11InvalidInterface: [0x047, '2.0'],
  PrivateProtectionStorageUnavailable: [0x048, '2.0'],
  PublicProtectionStorageUnavailable: [0x049, '2.0'],
  UnknownObjectGroup: [0x04a, '2.1'],
  ConstraintViolation: [0x04b, '2.1'],
  DuplicateProcessRequest: [0x04c, '2.1'],
  GeneralFailure: [0x100, '1.0'],
})

/** Result Status – KMIP 2.1 §11.47. */
export const ResultStatus = enumeration('ResultStatus', {
  Success: [0x00, '1.0'],
  OperationFailed: [0x01, '1.0'],
  OperationPending: [0x02, '1.0'],
  OperationUndone: [0x03, '1.0'],
})

/** Revocation Reason Code – KMIP 2.1 §11.48. */
export const RevocationReasonCode = enumeration('RevocationReasonCode', {
  Unspecified: [0x01, '1.0'],
  KeyCompromise: [0x02, '1.0'],
  CACompromise: [0x03, '1.0'],
  AffiliationChanged: [0x04, '1.0'],
  Superseded: [0x05, '1.0'],
  CessationOfOperation: [0x06, '1.0'],
  PrivilegeWithdrawn: [0x07, '1.0'],
})

/** RNG Algorithm – KMIP 2.1 §11.49. */
export const RNGAlgorithm = enumeration('RNGAlgorithm', {
  Unspecified: [0x01, '1.3'],
  FIPS186_2: [0x02, '1.3'],
  DRBG: [0x03, '1.3'],
  NRBG: [0x04, '1.3'],
  ANSIX9_31: [0x05, '1.3'],
  ANSIX9_62: [0x06, '1.3'],
})

/** RNG Mode – KMIP 2.1 §11.50. */
export const RNGMode = enumeration('RNGMode', {
  Unspecified: [0x01, '1.3'],
  SharedInstantiation: [0x02, '1.3'],
  NonSharedInstantiation: [0x03, '1.3'],
})

/** Rotate Name Type – KMIP 2.1 §11.51. */
export const RotateNameType = enumeration('RotateNameType', {
  UninterpretedTextString: [0x01, '2.1'],
  URI: [0x02, '2.1'],
})

/** Secret Data Type – KMIP 2.1 §11.52. */
export const SecretDataType = enumeration('SecretDataType', {
  Password: [0x01, '1.0'],
  Seed: [0x02, '1.0'],
})

/** Shredding Algorithm – KMIP 2.1 §11.53. */
export const ShreddingAlgorithm = enumeration('ShreddingAlgorithm', {
  Unspecified: [0x01, '1.3'],
  Cryptographic: [0x02, '1.3'],
  Unsupported: [0x03, '1.3'],
})

/** Split Key Method – KMIP 2.1 §11.54. */
export const SplitKeyMethod = enumeration('SplitKeyMethod', {
  XOR: [0x01, '1.0'],
  PolynomialSharingGF2_16: [0x02, '1.0'],
  PolynomialSharingPrimeField: [0x03, '1.0'],
  PolynomialSharingGF2_8: [0x04, '1.2'],
})

/** State – KMIP 2.1 §11.55. */
export const State = enumeration('State', {
  PreActive: [0x01, '1.0'],
  Active: [0x02, '1.0'],
  Deactivated: [0x03, '1.0'],
  Compromised: [0x04, '1.0'],
  Destroyed: [0x05, '1.0'],
  DestroyedCompromised: [0x06, '1.0'],
})

/** Ticket Type – KMIP 2.1 §11.57. */
export const TicketType = enumeration('TicketType', {
  Login: [0x01, '2.0'],
})

/** Unique Identifier – KMIP 2.1 §11.58. Which identifier of the batch is meant. */
export const UniqueIdentifier = enumeration('UniqueIdentifier', {
  IDPlaceholder: [0x01, '2.0'],
  Certify: [0x02, '2.0'],
  Create: [0x03, '2.0'],
  CreateKeyPair: [0x04, '2.0'],
  CreateKeyPairPrivateKey: [0x05, '2.0'],
  CreateKeyPairPublicKey: [0x06, '2.0'],
  CreateSplitKey: [0x07, '2.0'],
  DeriveKey: [0x08, '2.0'],
  Import: [0x09, '2.0'],
  JoinSplitKey: [0x0a, '2.0'],
  Locate: [0x0b, '2.0'],
  Register: [0x0c, '2.0'],
  ReKey: [0x0d, '2.0'],
  ReCertify: [0x0e, '2.0'],
  ReKeyKeyPair: [0x0f, '2.0'],
  ReKeyKeyPairPrivateKey: [0x10, '2.0'],
  ReKeyKeyPairPublicKey: [0x11, '2.0'],
})

/** Unwrap Mode – KMIP 2.1 §11.59. */
export const UnwrapMode = enumeration('UnwrapMode', {
  Unspecified: [0x01, '1.3'],
  Processed: [0x02, '1.3'],
  NotProcessed: [0x03, '1.3'],
})

/** Usage Limits Unit – KMIP 2.1 §11.60. */
export const UsageLimitsUnit = enumeration('UsageLimitsUnit', {
  Byte: [0x01, '1.0'],
  Object: [0x02, '1.0'],
})

/** Validation Authority Type – KMIP 2.1 §11.63. */
export const ValidationAuthorityType = enumeration('ValidationAuthorityType', {
  Unspecified: [0x01, '1.3'],
  NISTCMVP: [0x02, '1.3'],
  CommonCriteria: [0x03, '1.3'],
})

/** Validation Type – KMIP 2.1 §11.64. */
export const ValidationType = enumeration('ValidationType', {
  Unspecified: [0x01, '1.3'],
  Hardware: [0x02, '1.3'],
  Software: [0x03, '1.3'],
  Firmware: [0x04, '1.3'],
  Hybrid: [0x05, '1.3'],
})

/** Validity Indicator – KMIP 2.1 §11.61. */
export const ValidityIndicator = enumeration('ValidityIndicator', {
  Valid: [0x01, '1.0'],
  Invalid: [0x02, '1.0'],
  Unknown: [0x03, '1.0'],
})

/** Wrapping Method – KMIP 2.1 §11.62. */
export const WrappingMethod = enumeration('WrappingMethod', {
  Encrypt: [0x01, '1.0'],
  MACSign: [0x02, '1.0'],
  EncryptThenMACSign: [0x03, '1.0'],
  MACSignThenEncrypt: [0x04, '1.0'],
  TR_31: [0x05, '1.0'],
})
