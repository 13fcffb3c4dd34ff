/**
 * Names that the test cases published by OASIS for 1.0, 1.4 and 2.1 use, taken from their files.
 */

/** Tag names, as element names. */
export const tagNames = words(`
  ActivationDate AlternativeName AlternativeNameType AlternativeNameValue AlwaysSensitive
  ApplicationData ApplicationNamespace ApplicationSpecificInformation AsynchronousCapability
  AttestationCapability Attribute AttributeIndex AttributeName AttributeReference AttributeValue
  Attributes AuthenticatedEncryptionAdditionalData AuthenticatedEncryptionTag Authentication
  BatchContinueCapability BatchCount BatchErrorContinuationOption BatchItem BatchOrderOption
  BatchUndoCapability BlockCipherMode CRTCoefficient CapabilityInformation Certificate
  CertificateIssuerDistinguishedName CertificateLength CertificateSerialNumber
  CertificateSubjectCN CertificateSubjectDistinguishedName CertificateType CertificateValue
  ClientCorrelationValue ClientRegistrationMethod CommonTemplateAttribute
  CompromiseOccurrenceDate CorrelationValue Credential CredentialType CredentialValue
  CryptographicAlgorithm CryptographicLength CryptographicParameters CryptographicUsageMask
  DRBGAlgorithm Data DeactivationDate DerivationData DerivationMethod DerivationParameters
  Description DestroyAction Digest DigestValue DigestedData EncodingOption
  EncryptionKeyInformation Extractable FIPS186Variation FinalIndicator Fresh G HashingAlgorithm
  IVCounterNonce InitIndicator InitialDate InteropFunction InteropIdentifier Issuer
  IssuerDistinguishedName IterationCount Key KeyBlock KeyFormatType KeyMaterial
  KeyPartIdentifier KeyValue KeyValueLocationType KeyValueLocationValue KeyWrapType
  KeyWrappingData KeyWrappingSpecification LastChangeDate LeaseTime LinkType
  LinkedObjectIdentifier LocatedItems LogMessage MACData MaskGenerator
  MaskGeneratorHashingAlgorithm MaximumItems MaximumResponseSize Modulus Name NameType NameValue
  NeverExtractable NewAttribute ObjectType OffsetItems OpaqueDataType OpaqueDataValue
  OpaqueObject Operation OriginalCreationDate P PGPKey PGPKeyVersion PSource PaddingMethod
  Password PredictionResistance PrimeExponentP PrimeExponentQ PrivateExponent PrivateKey
  PrivateKeyTemplateAttribute PrivateKeyUniqueIdentifier ProfileInformation ProfileName
  ProtectStopDate ProtectionStorageMask ProtocolVersion ProtocolVersionMajor
  ProtocolVersionMinor PublicExponent PublicKey PublicKeyTemplateAttribute
  PublicKeyUniqueIdentifier PutFunction Q Qlength QueryFunction RNGAlgorithm RNGMode
  RNGParameters RandomIV RandomNumberGenerator RecommendedCurve RequestHeader RequestMessage
  RequestPayload ResponseHeader ResponseMessage ResponsePayload ResultMessage ResultReason
  ResultStatus RevocationMessage RevocationReason RevocationReasonCode Salt SaltLength
  SecretData SecretDataType Sensitive SerialNumber ServerCorrelationValue ServerInformation
  ServerPort ServerURI ShortUniqueIdentifier ShreddingAlgorithm SignatureData SplitKey
  SplitKeyMethod SplitKeyParts SplitKeyThreshold State StreamingCapability
  SubjectDistinguishedName SymmetricKey TagLength TemplateAttribute TimeStamp UniqueBatchItemID
  UniqueIdentifier UnwrapMode UsageLimitsTotal UsageLimitsUnit Username
  ValidationAuthorityCountry ValidationAuthorityType ValidationAuthorityURI
  ValidationCertificateIdentifier ValidationCertificateURI ValidationInformation ValidationLevel
  ValidationType ValidationVersionMajor ValidityIndicator VendorIdentification WrappingMethod X
  Y
`)

/** Enumeration values by the tag that carries them. */
export const enumerationValues: Readonly<Record<string, readonly string[]>> = {
  AlternativeNameType: words('ObjectSerialNumber UninterpretedTextString'),
  AttributeReference: words(`
    AlternativeName AlwaysSensitive ApplicationSpecificInformation CertificateLength
    CertificateSubjectCN CryptographicAlgorithm CryptographicLength CryptographicUsageMask
    Description Digest Extractable Fresh InitialDate KeyFormatType LastChangeDate LeaseTime Name
    NeverExtractable ObjectType OriginalCreationDate ProtectionStorageMask RandomNumberGenerator
    Sensitive ShortUniqueIdentifier State UniqueIdentifier
  `),
  BatchErrorContinuationOption: words('Undo'),
  BlockCipherMode: words('CBC ECB GCM NISTKeyWrap XTS'),
  CertificateType: words('X_509'),
  ClientRegistrationMethod: words(`
    ClientGenerated ClientRegistered ServerOnDemand ServerPreGenerated
  `),
  CredentialType: words('UsernameAndPassword'),
  CryptographicAlgorithm: words('AES DES3 DSA EC ECDH ECDSA HMAC_SHA1 HMAC_SHA256 OneTimePad RSA'),
  DRBGAlgorithm: words('Dual_EC HMAC Hash'),
  DerivationMethod: words('AsymmetricKey HASH HMAC PBKDF2'),
  DestroyAction: words('KeyMaterialDeleted Unspecified'),
  DigitalSignatureAlgorithm: words('ECDSAWithSHA256 SHA_256WithRSAEncryption'),
  EncodingOption: words('NoEncoding'),
  FIPS186Variation: words('XChangeNotice'),
  HashingAlgorithm: words('SHA_1 SHA_256 SHA_384 SHA_512'),
  InteropFunction: words('Begin End'),
  KeyFormatType: words(`
    ECPrivateKey Opaque PKCS_1 PKCS_12 PKCS_8 Raw TransparentDSAPrivateKey
    TransparentDSAPublicKey TransparentRSAPrivateKey TransparentRSAPublicKey
    TransparentSymmetricKey X_509
  `),
  KeyValueLocationType: words('URI UninterpretedTextString'),
  KeyWrapType: words('AsRegistered NotWrapped'),
  LinkType: words(`
    CertificateLink NextLink PKCS_12CertificateLink PKCS_12PasswordLink PreviousLink
    PrivateKeyLink PublicKeyLink
  `),
  MaskGenerator: words('MGF1'),
  MaskGeneratorHashingAlgorithm: words('SHA_256 SHA_384 SHA_512'),
  NameType: words('UninterpretedTextString'),
  ObjectType: words(`
    Certificate OpaqueObject PGPKey PrivateKey PublicKey SecretData SplitKey SymmetricKey
    Template
  `),
  Operation: words(`
    Activate AddAttribute Archive Cancel Certify Check Create CreateKeyPair CreateSplitKey
    Decrypt DeleteAttribute DeriveKey Destroy DiscoverVersions Encrypt Get GetAttributeList
    GetAttributes GetUsageAllocation Hash Interop JoinSplitKey Locate Log MAC MACVerify
    ModifyAttribute Notify ObtainLease Poll Put Query RNGRetrieve RNGSeed ReCertify ReKey
    ReKeyKeyPair Recover Register Revoke Sign SignatureVerify Validate
  `),
  PaddingMethod: words('OAEP PKCS5 PSS'),
  ProfileName: words(`
    AdvancedCryptographicServerKMIPV1_2 AsymmetricKeyLifecycleServerKMIPV1_0
    AsymmetricKeyLifecycleServerKMIPV1_1 AsymmetricKeyLifecycleServerKMIPV1_2
    BaselineClientBasicKMIPV1_2 BaselineClientTLSV1_2KMIPV1_2 BaselineServerBasicKMIPV1_2
    BaselineServerBasicKMIPV1_4 BaselineServerTLSV1_2KMIPV1_2 BasicCryptographicServerKMIPV1_2
    CompleteServerBasicKMIPV1_2 CompleteServerTLSV1_2KMIPV1_2 HTTPSServerKMIPV1_0
    HTTPSServerKMIPV1_1 HTTPSServerKMIPV1_2 HTTPSServerKMIPV1_4 JSONServerKMIPV1_0
    JSONServerKMIPV1_1 JSONServerKMIPV1_2 OpaqueManagedObjectStoreServerKMIPV1_0
    OpaqueManagedObjectStoreServerKMIPV1_1 OpaqueManagedObjectStoreServerKMIPV1_2
    RNGCryptographicServerKMIPV1_2 StorageArrayWithSelfEncryptingDriveServerKMIPV1_0
    StorageArrayWithSelfEncryptingDriveServerKMIPV1_1
    StorageArrayWithSelfEncryptingDriveServerKMIPV1_2 SuiteBMinLOS_128ServerKMIPV1_0
    SuiteBMinLOS_128ServerKMIPV1_1 SuiteBMinLOS_128ServerKMIPV1_2 SuiteBMinLOS_192ServerKMIPV1_0
    SuiteBMinLOS_192ServerKMIPV1_1 SuiteBMinLOS_192ServerKMIPV1_2
    SymmetricKeyFoundryServerKMIPV1_0 SymmetricKeyFoundryServerKMIPV1_1
    SymmetricKeyFoundryServerKMIPV1_2 SymmetricKeyLifecycleClientKMIPV1_0
    SymmetricKeyLifecycleClientKMIPV1_1 SymmetricKeyLifecycleClientKMIPV1_2
    SymmetricKeyLifecycleServerKMIPV1_0 SymmetricKeyLifecycleServerKMIPV1_1
    SymmetricKeyLifecycleServerKMIPV1_2 TapeLibraryClientKMIPV1_0 TapeLibraryClientKMIPV1_1
    TapeLibraryClientKMIPV1_2 TapeLibraryServerKMIPV1_0 TapeLibraryServerKMIPV1_1
    TapeLibraryServerKMIPV1_2 TapeLibraryServerKMIPV1_3 TapeLibraryServerKMIPV1_4
    XMLServerKMIPV1_0 XMLServerKMIPV1_1 XMLServerKMIPV1_2 XMLServerKMIPV1_3 XMLServerKMIPV1_4
  `),
  PutFunction: words('New'),
  QueryFunction: words(`
    QueryApplicationNamespaces QueryAttestationTypes QueryCapabilities
    QueryClientRegistrationMethods QueryObjects QueryOperations QueryProfiles QueryRNGs
    QueryServerInformation QueryValidations
  `),
  RNGAlgorithm: words('ANSIX9_31 DRBG FIPS186_2 Unspecified'),
  RNGMode: words('Unspecified'),
  RecommendedCurve: words('P_256 SECP256K1'),
  ResultReason: words(`
    AttributeReadOnly AttributeSingleValued CryptographicFailure GeneralFailure
    IncompatibleCryptographicUsageMask InvalidMessage NonUniqueNameAttribute NotExtractable
    ObjectDestroyed ObjectNotFound PermissionDenied ResponseTooLarge Sensitive
  `),
  ResultStatus: words('OperationFailed OperationUndone Success'),
  RevocationReasonCode: words('CessationOfOperation KeyCompromise Unspecified'),
  SecretDataType: words('Password Seed'),
  ShreddingAlgorithm: words('Cryptographic Unspecified Unsupported'),
  SplitKeyMethod: words('PolynomialSharingGF2_8 XOR'),
  State: words('Active Compromised Destroyed PreActive'),
  UnwrapMode: words('NotProcessed Unspecified'),
  UsageLimitsUnit: words('Byte'),
  ValidationAuthorityType: words('NISTCMVP'),
  ValidationType: words('Software'),
  ValidityIndicator: words('Invalid Valid'),
  WrappingMethod: words('Encrypt'),
}

/** Mask bits by the tag that carries them. */
export const maskBits: Readonly<Record<string, readonly string[]>> = {
  CryptographicUsageMask: words(`
    Decrypt DeriveKey Encrypt MACGenerate MACVerify Sign UnwrapKey Verify WrapKey
  `),
  ProtectionStorageMask: words('Software'),
}

/** Attribute names of 1.x but custom ones. */
export const attributeTexts = [
  'Activation Date',
  'Alternative Name',
  'Always Sensitive',
  'Application Specific Information',
  'Certificate Identifier',
  'Certificate Issuer',
  'Certificate Issuer C',
  'Certificate Issuer CN',
  'Certificate Issuer O',
  'Certificate Issuer OU',
  'Certificate Length',
  'Certificate Subject',
  'Certificate Subject C',
  'Certificate Subject CN',
  'Certificate Subject O',
  'Certificate Subject OU',
  'Certificate Type',
  'Cryptographic Algorithm',
  'Cryptographic Domain Parameters',
  'Cryptographic Length',
  'Cryptographic Parameters',
  'Cryptographic Usage Mask',
  'Deactivation Date',
  'Destroy Date',
  'Digest',
  'Digital Signature Algorithm',
  'Extractable',
  'Fresh',
  'Initial Date',
  'Key Value Location',
  'Key Value Present',
  'Last Change Date',
  'Lease Time',
  'Link',
  'Name',
  'Never Extractable',
  'Object Group',
  'Object Type',
  'Original Creation Date',
  'PKCS#12 Friendly Name',
  'Process Start Date',
  'Protect Stop Date',
  'Random Number Generator',
  'Sensitive',
  'State',
  'Unique Identifier',
  'Usage Limits',
  'X.509 Certificate Identifier',
  'X.509 Certificate Issuer',
  'X.509 Certificate Subject',
]

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/u)
}
