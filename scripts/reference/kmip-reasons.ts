// docs/reference/kmip-result-reasons.md: what each refusal is called, and how older versions say it.
import { ResultReason } from '../../src/kmip/model/enumerations.ts'
import { KmipError } from '../../src/kmip/model/result.ts'
import type { ResultReasonName } from '../../src/kmip/model/result.ts'
import { newest } from '../../src/kmip/model/versions.ts'
import { version } from '../../src/kmip/ttlv-codec/index.ts'
import { code, sections, spaced, table } from './markdown.ts'

interface Situation {
  readonly reason: ResultReasonName
  readonly when: string
  /** The reason before 2.0, where the operation decides it. */
  readonly before20?: ResultReasonName
}

const situations: readonly Situation[] = [
  {
    reason: 'InvalidMessage',
    when: 'the message cannot be read; a field stands twice or is missing; Batch Count is wrong; a Unique Batch Item ID is missing; a date stands more than twice in Locate; an attribute is named twice in Get Attributes; Offset beside the dates that it makes',
  },
  { reason: 'UnsupportedProtocolVersion', when: 'the major version is not spoken here' },
  { reason: 'UnknownTag', when: 'a field that the version does not have' },
  { reason: 'UnknownEnumeration', when: 'an enumeration value that the version does not have' },
  { reason: 'UnknownMessageExtension', when: 'a critical Message Extension' },
  {
    reason: 'OperationNotSupported',
    when: 'an operation that is unknown, not there yet, or not part of the version',
  },
  {
    reason: 'FeatureNotSupported',
    when: 'Wrapping Method TR-31; Set Endpoint Role Client; Asynchronous Indicator Mandatory from a client whose profile has no Poll, or for Poll and the like; Ephemeral; a placeholder that stands for several objects',
  },
  { reason: 'AttestationFailed', when: 'an Attestation credential: none is verified here' },
  { reason: 'InvalidTicket', when: 'Logout of what is no ticket of this client' },
  { reason: 'AuthenticationNotSuccessful', when: 'a credential is missing or wrong' },
  {
    reason: 'PermissionDenied',
    when: 'the profile does not allow it; the group refuses Destroy; Check asks for a longer lease than there is, or for a use that protects of a key that protects nothing any more; Obtain Lease of an object out of use; Re-key of a key that is destroyed or has a replacement, Re-key Key Pair of a private key without its public key; Get Usage Allocation of an object that is not Active or past its Protect Stop Date',
  },
  {
    reason: 'ObjectNotFound',
    when: 'no such object for this client; the ID Placeholder is empty; no Template of that name',
  },
  { reason: 'ItemNotFound', when: 'the same in Adjust Attribute' },
  { reason: 'ObjectDestroyed', when: 'Get of a destroyed object' },
  {
    reason: 'ObjectDestroyed',
    when: 'Destroy of a destroyed object',
    before20: 'PermissionDenied',
  },
  { reason: 'ObjectArchived', when: 'the object is archived' },
  {
    reason: 'WrongKeyLifecycleState',
    when: 'the state does not allow it: Destroy of an Active object, Activate of one that is not Pre-Active, Revoke that leads nowhere, a date that has passed, any change of a destroyed object',
  },
  {
    reason: 'IncompatibleCryptographicUsageMask',
    when: 'Check asks for a use that the object does not allow',
  },
  {
    reason: 'UsageLimitExceeded',
    when: 'a use, Check or Get Usage Allocation asks for more than is left',
  },
  {
    reason: 'InvalidAttribute',
    when: 'an attribute that the version does not know, or, in Create, Register, Modify and Set, that such objects do not have',
  },
  {
    reason: 'InvalidAttribute',
    when: 'Add of an attribute that such objects do not have',
    before20: 'PermissionDenied',
  },
  {
    reason: 'InvalidAttribute',
    when: 'Delete of an attribute that the version does not know',
    before20: 'ItemNotFound',
  },
  {
    reason: 'UnsupportedAttribute',
    when: 'Adjust of an attribute that such objects do not have',
    before20: 'InvalidField',
  },
  { reason: 'InvalidDataType', when: 'Adjust of what is no number, date or Boolean' },
  { reason: 'NumericRange', when: 'Adjust beyond what the type of the attribute holds' },
  {
    reason: 'InvalidAttributeValue',
    when: 'dates in a wrong order; in Import a State that the dates do not give; an algorithm or a length that is not made here; Usage Limits without total or unit; Application Specific Information that another tape key holds',
  },
  {
    reason: 'InvalidField',
    when: 'Locate, Register, Revoke, Add, Modify or Delete Attribute with values that do not go together; an attribute that 1.x demands is missing',
  },
  {
    reason: 'InvalidField',
    when: 'an Offset for dates of a key without Activation Date',
    before20: 'IllegalOperation',
  },
  {
    reason: 'InvalidObjectType',
    when: 'Create or Register of a type that is not made or kept here',
  },
  {
    reason: 'InvalidObjectType',
    when: 'Activate or Revoke of a Template',
    before20: 'IllegalOperation',
  },
  {
    reason: 'InvalidObjectType',
    when: 'Re-key of what is no symmetric key, Re-key Key Pair of what is no private key',
    before20: 'PermissionDenied',
  },
  {
    reason: 'InvalidObjectType',
    when: 'Get Usage Allocation of an object that does not apply protection',
    before20: 'IllegalOperation',
  },
  { reason: 'IllegalObjectType', when: 'Check of a Template' },
  {
    reason: 'ReadOnlyAttribute',
    when: 'Create, Add, Set or Adjust of an attribute that only the server sets',
  },
  { reason: 'AttributeReadOnly', when: 'Register, Modify or Delete of such an attribute' },
  { reason: 'AttributeSingleValued', when: 'Add of a second instance where there may be one' },
  {
    reason: 'AttributeSingleValued',
    when: 'the same in Create and Register',
    before20: 'InvalidField',
  },
  {
    reason: 'MultiValuedAttribute',
    when: 'Set, Adjust, or Modify without Current Attribute, where there are several instances',
  },
  { reason: 'AttributeNotFound', when: 'Delete of an attribute that the object does not have' },
  { reason: 'AttributeNotFound', when: 'Modify of such an attribute', before20: 'InvalidField' },
  {
    reason: 'AttributeNotFound',
    when: 'Get Usage Allocation of an object without Usage Limits',
    before20: 'IllegalOperation',
  },
  { reason: 'AttributeInstanceNotFound', when: 'no instance with that index or that value' },
  {
    reason: 'NonUniqueNameAttribute',
    when: 'Create or Register with a Name that another object holds',
  },
  {
    reason: 'NonUniqueNameAttribute',
    when: 'the same in Add, Modify and Set Attribute',
    before20: 'IllegalOperation',
  },
  {
    reason: 'ApplicationNamespaceNotSupported',
    when: 'Application Data is left out in a namespace for which none is made',
  },
  {
    reason: 'ProtectionStorageUnavailable',
    when: 'Create or Register that accepts no storage in software',
  },
  {
    reason: 'PrivateProtectionStorageUnavailable',
    when: 'Create Key Pair that accepts no storage in software for the private key',
  },
  {
    reason: 'PublicProtectionStorageUnavailable',
    when: 'the same for the public key',
  },
  {
    reason: 'PKCS_11InvalidFunction',
    when: 'PKCS#11 with a function that is not in the interface; those of vendors are in none',
  },
  { reason: 'PKCS_11InvalidInterface', when: 'PKCS#11 with an interface other than PKCS 11' },
  { reason: 'PKCS_11CodecError', when: 'PKCS#11 with more than 64 KiB of parameters' },
  {
    reason: 'ConstraintViolation',
    when: 'a new object that a constraint of its group does not allow (Set Constraints)',
  },
  {
    reason: 'BadPassword',
    when: 'a PKCS#12 file whose password is not linked, is no password or does not fit',
    before20: 'InvalidField',
  },
  {
    reason: 'BadPassword',
    when: 'a PKCS#12 file whose password is not Active',
    before20: 'PermissionDenied',
  },
  {
    reason: 'InvalidCSR',
    when: 'a certificate request that cannot be read, is not signed by its key, or is of another key',
    before20: 'InvalidField',
  },
  {
    reason: 'ServerLimitExceeded',
    when: 'more attributes, or more instances of one, than an object may have; more operations in parts, or longer ones, than a client may have open',
  },
  {
    reason: 'ServerLimitExceeded',
    when: 'a Locate that would look at too many objects',
    before20: 'GeneralFailure',
  },
  {
    reason: 'ServerLimitExceeded',
    when: 'more asynchronous requests, or tickets, than a client may have',
    before20: 'GeneralFailure',
  },
  {
    reason: 'InvalidAsynchronousCorrelationValue',
    when: 'Poll or Process of what is no request of this client',
  },
  { reason: 'OperationCanceledByRequester', when: 'Poll of a request that was canceled' },
  { reason: 'ResponseTooLarge', when: 'the answer would exceed Maximum Response Size' },
  {
    reason: 'KeyFormatTypeNotSupported',
    when: 'a key format that is not taken, not converted to, or not part of the version',
  },
  { reason: 'KeyCompressionTypeNotSupported', when: 'Get or Register with a Key Compression Type' },
  {
    reason: 'KeyValueNotPresent',
    when: 'a use of a key of which only the attributes are kept, or the wrapped value',
  },
  {
    reason: 'MissingInitializationVector',
    when: 'a mode needs an IV/Counter/Nonce, and none is given or asked for',
  },
  {
    reason: 'BadCryptographicParameters',
    when: 'a tag of a length that the mode does not have',
    before20: 'GeneralFailure',
  },
  {
    reason: 'InvalidCorrelationValue',
    when: 'no operation in parts of this client, operation and key is under way',
  },
  {
    reason: 'KeyValueNotPresent',
    when: 'Get or Re-key of an object of which only the attributes are kept',
    before20: 'IllegalOperation',
  },
  { reason: 'Sensitive', when: 'Get of a Sensitive object that would not leave encrypted' },
  { reason: 'NotExtractable', when: 'Get of an object that is not Extractable' },
  {
    reason: 'WrappingObjectNotFound',
    when: 'a wrapping key that is not there for this client, or a public key without its private key where that is needed',
  },
  {
    reason: 'ObjectAlreadyExists',
    when: 'Import under an identifier that is taken, Put under that of another object',
  },
  { reason: 'WrappingObjectArchived', when: 'a wrapping key that is archived' },
  { reason: 'WrappingObjectDestroyed', when: 'a wrapping key that is destroyed' },
  {
    reason: 'InvalidObjectType',
    when: 'a wrapping key that is no key; wrapping of an object that has no Key Block',
    before20: 'IllegalOperation',
  },
  {
    reason: 'IncompatibleCryptographicUsageMask',
    when: 'a wrapping key whose usage mask does not allow it',
  },
  {
    reason: 'WrongKeyLifecycleState',
    when: 'a wrapping key that is not Active, or outside its dates',
  },
  {
    reason: 'BadCryptographicParameters',
    when: 'parameters that the wrapping key does not have',
    before20: 'ItemNotFound',
  },
  {
    reason: 'BadCryptographicParameters',
    when: 'parameters that do not go together, or not with what is to be wrapped',
    before20: 'InvalidField',
  },
  {
    reason: 'UnsupportedCryptographicParameters',
    when: 'a mode or a padding that does not wrap keys here',
    before20: 'FeatureNotSupported',
  },
  {
    reason: 'EncodingOptionError',
    when: 'No Encoding with attributes, or of a key that is a structure; an Encoding Option that is not known',
  },
  { reason: 'KeyWrapTypeNotSupported', when: 'a Key Wrap Type that does not fit the request' },
  { reason: 'CryptographicFailure', when: 'what is to be unwrapped does not fit its key' },
  {
    reason: 'GeneralFailure',
    when: 'the key store in trouble, [named by the message](../how-to/find-out-why-a-library-is-refused.md#the-key-store-is-in-trouble); a stored object that failed its integrity check; or an error of the server’s own, of which the message names a reference to look up in the log and nothing else. Also an asynchronous request that was not done: behind a failed one, or cut off by a stop of the server',
  },
]

export const reasonsPage = {
  title: 'Result reasons',
  about: 'when the server refuses something, and with which reason in each version',
  body: () =>
    sections(
      'Result Reason is there if and only if an item failed. The same situation is called by the name that the version of the request has for it. Result Message says more in words; it is for people, and its text may change.',
      table(['when', 'reason in 2.1', 'number', 'in 1.4', 'in 1.0'], situations.map(row)),
      'The test suite compares this list with the source.',
    ),
}

function row({ reason, when, before20 }: Situation) {
  const error = new KmipError(reason, '', before20 === undefined ? {} : { before20 })
  const number = ResultReason.numberOf(reason).toString(16).toUpperCase().padStart(2, '0')
  return [
    when,
    spaced(error.reasonFor(newest.number)),
    code(`0x${number}`),
    spaced(error.reasonFor(version('1.4'))),
    spaced(error.reasonFor(version('1.0'))),
  ]
}

/** Reasons that a situation is given for; a test compares them with those the source uses. */
export const reasonsDescribed: ReadonlySet<string> = new Set(
  situations.flatMap(({ reason, before20 }) => [
    reason,
    ...(before20 === undefined ? [] : [before20]),
  ]),
)
