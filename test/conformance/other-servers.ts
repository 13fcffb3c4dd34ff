// Published cases whose answers describe one particular server, or a client. They exclude one another, so no
// server passes all of them by saying what is true of it; each is an exception with its exact differences.
import type { Exception } from './exceptions.ts'

/** Differences in the answer to the only request. */
function shown(...lines: readonly string[]): string[] {
  return lines.map((line) => `request 1: ResponseMessage/BatchItem[0]/ResponsePayload${line}`)
}

/** Profiles that were published, beside those that keyreel says at their places; it says more of them. */
function profiles(pairs: readonly (readonly [string, string])[]): string[] {
  const instead = pairs.map(
    ([expected, found]) => `/ProfileInformation/ProfileName: expected ${expected}, found ${found}`,
  )
  return shown(...instead, ': ProfileInformation is not expected')
}

/** The rows. */
export const otherServers: readonly Exception[] = [
  {
    case: 'TC-OTP-3-14',
    clause: 'KMIP 1.4 §2.1.3 Key Block',
    why: 'the pad it got with Encrypt as a key in TC-OTP-1 is here secret data with a Cryptographic Algorithm, which does not apply to secret data, and without a value',
    differences: [
      'request 3: ResponseMessage/BatchItem[0]/ResponsePayload/ObjectType: expected SecretData, found SymmetricKey',
      'request 3: ResponseMessage/BatchItem[0]/ResponsePayload: SecretData is missing',
      'request 3: ResponseMessage/BatchItem[0]/ResponsePayload: SymmetricKey is not expected',
    ],
  },
  {
    case: 'TC-OTP-4-14',
    clause: 'KMIP 1.4 §4.11 Get',
    why: 'the pad that TC-OTP-3 gets may not be got here, by a rule that no request makes: both cannot be answered by one server',
    differences: [
      'request 3: ResponseMessage/BatchItem[0]: expected OperationFailed, found Success',
    ],
  },
  {
    case: 'TC-Q-CAP-1-14',
    clause: 'KMIP 1.4 §2.1.21 Capability Information',
    why: 'a server without streaming and asynchronous requests, which says nothing of the rest; keyreel has both',
    differences: shown(
      '/CapabilityInformation/StreamingCapability: expected false, found true',
      '/CapabilityInformation/AsynchronousCapability: expected false, found true',
      '/CapabilityInformation/UnwrapMode: expected Unspecified, found NotProcessed',
      '/CapabilityInformation/DestroyAction: expected Unspecified, found KeyMaterialDeleted',
      '/CapabilityInformation/ShreddingAlgorithm: expected Unspecified, found Unsupported',
      '/CapabilityInformation/RNGMode: expected Unspecified, found SharedInstantiation',
    ),
  },
  {
    case: 'TC-Q-CAP-2-14',
    clause: 'KMIP 1.4 §2.1.21 Capability Information',
    why: 'a server with attestation; keyreel has none, as in TC-Q-CAP-1',
    differences: shown(
      '/CapabilityInformation/AttestationCapability: expected true, found false',
      '/CapabilityInformation/RNGMode: expected Unspecified, found SharedInstantiation',
    ),
  },
  {
    case: 'TC-Q-CAP-3-14',
    clause: 'KMIP 1.4 §2.1.21 Capability Information',
    why: 'a server with attestation; keyreel has none, as in TC-Q-CAP-1',
    differences: shown(
      '/CapabilityInformation/AttestationCapability: expected true, found false',
      '/CapabilityInformation/RNGMode: expected Unspecified, found SharedInstantiation',
    ),
  },
  {
    case: 'TC-Q-PROF-1-14',
    clause: 'KMIP 1.4 §2.1.19 Profile Information',
    why: 'a server with three tape library profiles and no other',
    differences: profiles([
      ['TapeLibraryServerKMIPV1_2', 'BaselineServerBasicKMIPV1_2'],
      ['TapeLibraryServerKMIPV1_3', 'BaselineServerTLSV1_2KMIPV1_2'],
      ['TapeLibraryServerKMIPV1_4', 'TapeLibraryServerKMIPV1_0'],
    ]),
  },
  {
    case: 'TC-Q-PROF-2-14',
    clause: 'KMIP 1.4 §2.1.19 Profile Information',
    why: 'a server of KMIP 1.2 with Suite B, which excludes what other libraries connect with',
    differences: profiles([
      ['CompleteServerBasicKMIPV1_2', 'TapeLibraryServerKMIPV1_0'],
      ['CompleteServerTLSV1_2KMIPV1_2', 'TapeLibraryServerKMIPV1_1'],
      ['TapeLibraryServerKMIPV1_0', 'TapeLibraryServerKMIPV1_2'],
      ['TapeLibraryServerKMIPV1_1', 'SymmetricKeyLifecycleServerKMIPV1_0'],
      ['TapeLibraryServerKMIPV1_2', 'SymmetricKeyLifecycleServerKMIPV1_1'],
      ['SymmetricKeyLifecycleServerKMIPV1_0', 'SymmetricKeyLifecycleServerKMIPV1_2'],
      ['SymmetricKeyLifecycleServerKMIPV1_1', 'AsymmetricKeyLifecycleServerKMIPV1_0'],
      ['SymmetricKeyLifecycleServerKMIPV1_2', 'AsymmetricKeyLifecycleServerKMIPV1_1'],
      ['AsymmetricKeyLifecycleServerKMIPV1_0', 'AsymmetricKeyLifecycleServerKMIPV1_2'],
      ['AsymmetricKeyLifecycleServerKMIPV1_1', 'BasicCryptographicServerKMIPV1_2'],
      ['AsymmetricKeyLifecycleServerKMIPV1_2', 'AdvancedCryptographicServerKMIPV1_2'],
      ['BasicCryptographicServerKMIPV1_2', 'RNGCryptographicServerKMIPV1_2'],
      ['AdvancedCryptographicServerKMIPV1_2', 'SymmetricKeyFoundryServerKMIPV1_0'],
      ['RNGCryptographicServerKMIPV1_2', 'SymmetricKeyFoundryServerKMIPV1_1'],
      ['SymmetricKeyFoundryServerKMIPV1_0', 'SymmetricKeyFoundryServerKMIPV1_2'],
      ['SymmetricKeyFoundryServerKMIPV1_1', 'OpaqueManagedObjectStoreServerKMIPV1_0'],
      ['SymmetricKeyFoundryServerKMIPV1_2', 'OpaqueManagedObjectStoreServerKMIPV1_1'],
      ['OpaqueManagedObjectStoreServerKMIPV1_0', 'OpaqueManagedObjectStoreServerKMIPV1_2'],
      [
        'OpaqueManagedObjectStoreServerKMIPV1_1',
        'StorageArrayWithSelfEncryptingDriveServerKMIPV1_0',
      ],
      [
        'OpaqueManagedObjectStoreServerKMIPV1_2',
        'StorageArrayWithSelfEncryptingDriveServerKMIPV1_1',
      ],
      ['SuiteBMinLOS_128ServerKMIPV1_0', 'StorageArrayWithSelfEncryptingDriveServerKMIPV1_2'],
      ['SuiteBMinLOS_128ServerKMIPV1_1', 'HTTPSServerKMIPV1_0'],
      ['SuiteBMinLOS_128ServerKMIPV1_2', 'HTTPSServerKMIPV1_1'],
      ['SuiteBMinLOS_192ServerKMIPV1_0', 'HTTPSServerKMIPV1_2'],
      ['SuiteBMinLOS_192ServerKMIPV1_1', 'JSONServerKMIPV1_0'],
      ['SuiteBMinLOS_192ServerKMIPV1_2', 'JSONServerKMIPV1_1'],
      ['StorageArrayWithSelfEncryptingDriveServerKMIPV1_0', 'JSONServerKMIPV1_2'],
      ['StorageArrayWithSelfEncryptingDriveServerKMIPV1_1', 'XMLServerKMIPV1_0'],
      ['StorageArrayWithSelfEncryptingDriveServerKMIPV1_2', 'XMLServerKMIPV1_1'],
      ['HTTPSServerKMIPV1_0', 'XMLServerKMIPV1_2'],
      ['HTTPSServerKMIPV1_1', 'BaselineServerBasicKMIPV1_3'],
      ['HTTPSServerKMIPV1_2', 'BaselineServerTLSV1_2KMIPV1_3'],
      ['JSONServerKMIPV1_0', 'TapeLibraryServerKMIPV1_3'],
      ['JSONServerKMIPV1_1', 'SymmetricKeyLifecycleServerKMIPV1_3'],
      ['JSONServerKMIPV1_2', 'AsymmetricKeyLifecycleServerKMIPV1_3'],
      ['XMLServerKMIPV1_0', 'BasicCryptographicServerKMIPV1_3'],
      ['XMLServerKMIPV1_1', 'AdvancedCryptographicServerKMIPV1_3'],
      ['XMLServerKMIPV1_2', 'RNGCryptographicServerKMIPV1_3'],
      ['XMLServerKMIPV1_3', 'SymmetricKeyFoundryServerKMIPV1_3'],
      ['XMLServerKMIPV1_4', 'OpaqueManagedObjectStoreServerKMIPV1_3'],
    ]),
  },
  {
    case: 'TC-Q-PROF-3-14',
    clause: 'KMIP 1.4 §2.1.19 Profile Information',
    why: 'a server at the address https://SERVER-NAME:5696/kmip',
    differences: shown(
      '/ProfileInformation/ProfileName: expected BaselineServerBasicKMIPV1_4, found BaselineServerBasicKMIPV1_2',
      '/ProfileInformation/ProfileName: expected HTTPSServerKMIPV1_4, found BaselineServerTLSV1_2KMIPV1_2',
      '/ProfileInformation: ServerURI is missing',
      '/ProfileInformation: ServerPort is missing',
      '/ProfileInformation/ProfileName: expected XMLServerKMIPV1_4, found TapeLibraryServerKMIPV1_0',
      '/ProfileInformation: ServerURI is missing',
      '/ProfileInformation: ServerPort is missing',
      ': ProfileInformation is not expected',
    ),
  },
  {
    case: 'TC-Q-RNGS-1-14',
    clause: 'KMIP 1.4 §2.1.18 RNG Parameters',
    why: 'a server that does not say what its generator is; keyreel does, as in TC-Q-RNGS-6',
    differences: shown(
      '/RNGParameters/RNGAlgorithm: expected Unspecified, found DRBG',
      '/RNGParameters: CryptographicAlgorithm is not expected',
      '/RNGParameters: CryptographicLength is not expected',
    ),
  },
  {
    case: 'TC-Q-RNGS-2-14',
    clause: 'KMIP 1.4 §2.1.18 RNG Parameters',
    why: 'a generator of ANSI X9.31, which is another than in TC-Q-RNGS-6',
    differences: shown('/RNGParameters/RNGAlgorithm: expected ANSIX9_31, found DRBG'),
  },
  {
    case: 'TC-Q-RNGS-3-14',
    clause: 'KMIP 1.4 §2.1.18 RNG Parameters',
    why: 'a generator of FIPS 186-2, which is another than in TC-Q-RNGS-6',
    differences: shown(
      '/RNGParameters/RNGAlgorithm: expected FIPS186_2, found DRBG',
      '/RNGParameters: HashingAlgorithm is missing',
      '/RNGParameters: FIPS186Variation is missing',
      '/RNGParameters: CryptographicAlgorithm is not expected',
      '/RNGParameters: CryptographicLength is not expected',
    ),
  },
  {
    case: 'TC-Q-RNGS-4-14',
    clause: 'KMIP 1.4 §2.1.18 RNG Parameters',
    why: 'several generators, with HMAC and SHA-256',
    differences: shown(
      '/RNGParameters/CryptographicAlgorithm: expected HMAC_SHA256, found AES',
      '/RNGParameters: DRBGAlgorithm is missing',
      '/RNGParameters: PredictionResistance is missing',
      '/RNGParameters: CryptographicLength is not expected',
      ': RNGParameters is missing',
    ),
  },
  {
    case: 'TC-Q-RNGS-5-14',
    clause: 'KMIP 1.4 §2.1.18 RNG Parameters',
    why: 'a Dual EC generator, which nobody should have',
    differences: shown(
      '/RNGParameters: HashingAlgorithm is missing',
      '/RNGParameters: DRBGAlgorithm is missing',
      '/RNGParameters: RecommendedCurve is missing',
      '/RNGParameters: PredictionResistance is missing',
      '/RNGParameters: CryptographicAlgorithm is not expected',
      '/RNGParameters: CryptographicLength is not expected',
    ),
  },
  {
    case: 'TC-Q-S2C-1-14',
    clause: 'KMIP 1.4 §5.4 Query',
    why: 'the server asks, and the answer is that of a client',
    differences: shown(
      '/CapabilityInformation/StreamingCapability: expected false, found true',
      '/CapabilityInformation/AsynchronousCapability: expected false, found true',
      '/CapabilityInformation: BatchUndoCapability is not expected',
      '/CapabilityInformation: BatchContinueCapability is not expected',
      '/CapabilityInformation/UnwrapMode: expected Unspecified, found NotProcessed',
      '/CapabilityInformation/DestroyAction: expected Unspecified, found KeyMaterialDeleted',
      '/CapabilityInformation/ShreddingAlgorithm: expected Cryptographic, found Unsupported',
      '/CapabilityInformation/RNGMode: expected Unspecified, found SharedInstantiation',
    ),
  },
  {
    case: 'TC-Q-S2C-PROF-1-14',
    clause: 'KMIP 1.4 §5.4 Query',
    why: 'the server asks, and the answer is that of a client',
    differences: profiles([['TapeLibraryClientKMIPV1_0', 'BaselineServerBasicKMIPV1_2']]),
  },
  {
    case: 'TC-Q-S2C-PROF-2-14',
    clause: 'KMIP 1.4 §5.4 Query',
    why: 'the server asks, and the answer is that of a client',
    differences: shown(
      ': ServerInformation is not expected',
      '/ProfileInformation/ProfileName: expected BaselineClientBasicKMIPV1_2, found BaselineServerBasicKMIPV1_2',
      '/ProfileInformation/ProfileName: expected BaselineClientTLSV1_2KMIPV1_2, found BaselineServerTLSV1_2KMIPV1_2',
      '/ProfileInformation/ProfileName: expected TapeLibraryClientKMIPV1_0, found TapeLibraryServerKMIPV1_0',
      '/ProfileInformation/ProfileName: expected TapeLibraryClientKMIPV1_1, found TapeLibraryServerKMIPV1_1',
      '/ProfileInformation/ProfileName: expected TapeLibraryClientKMIPV1_2, found TapeLibraryServerKMIPV1_2',
      '/ProfileInformation/ProfileName: expected SymmetricKeyLifecycleClientKMIPV1_0, found SymmetricKeyLifecycleServerKMIPV1_0',
      '/ProfileInformation/ProfileName: expected SymmetricKeyLifecycleClientKMIPV1_1, found SymmetricKeyLifecycleServerKMIPV1_1',
      '/ProfileInformation/ProfileName: expected SymmetricKeyLifecycleClientKMIPV1_2, found SymmetricKeyLifecycleServerKMIPV1_2',
      ': ProfileInformation is not expected',
      '/CapabilityInformation/StreamingCapability: expected false, found true',
      '/CapabilityInformation/AsynchronousCapability: expected false, found true',
      '/CapabilityInformation: BatchUndoCapability is not expected',
      '/CapabilityInformation: BatchContinueCapability is not expected',
      '/CapabilityInformation/UnwrapMode: expected Unspecified, found NotProcessed',
      '/CapabilityInformation/DestroyAction: expected Unspecified, found KeyMaterialDeleted',
      '/CapabilityInformation/ShreddingAlgorithm: expected Cryptographic, found Unsupported',
      '/CapabilityInformation/RNGMode: expected Unspecified, found SharedInstantiation',
    ),
  },
  {
    case: 'TC-Q-VAL-1-14',
    clause: 'KMIP 1.4 §2.1.20 Validation Information',
    why: 'a server with certificate 1747 of the CMVP; keyreel has no certificate, as in TC-Q-VAL-2',
    differences: shown(': ValidationInformation is missing'),
  },
]
