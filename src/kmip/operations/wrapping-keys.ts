/**
 * The keys that wrap and unwrap others – KMIP 2.1 §3.3, §7.18, §6.1.19.1; KMIP 1.4 §2.1.5, §2.1.6, §11.12.
 * They are found as any object of the client is, and used only as their state, dates and usage mask allow.
 */
import type { Infer } from 'ttlv-codec'
import type { WrappingRequest } from '../../crypto/key-wrapping.ts'
import type { CryptographicParameters } from '../../crypto/parameters.ts'
import type { ManagedObject, ObjectTypeName } from '../../keystore/managed-object.ts'
import { CryptographicUsageMask } from '../model/masks.ts'
import type { KeyInformation } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { checkReadiness } from './key-readiness.ts'
import type { Context } from './operation.ts'
import { printable } from './printable.ts'
import { sayable } from './sayable.ts'
import { identifierOf, recordState, visibleObject } from './subject.ts'

type Information = Infer<typeof KeyInformation>

/** A key that takes part in a wrapping, with the Cryptographic Parameters it is used with. */
export interface ChosenKey {
  object: ManagedObject
  parameters: CryptographicParameters
}

/** The keys of a wrapping, and the wrapping in words that need no batch to be understood. */
export interface ChosenKeys {
  encryption: ChosenKey | undefined
  integrity: ChosenKey | undefined
  wrapping: WrappingRequest
}

const { WrapKey, UnwrapKey, Sign, Verify, MACGenerate, MACVerify } = CryptographicUsageMask.bits

interface Role {
  /** Bits of the usage mask, by Object Type; one of them is enough. No row: such an object is no key for it. */
  uses: Partial<Record<ObjectTypeName, number>>
  /** Bits that are enough for a key which the client could get in the clear. */
  usesOfReadable?: number
  /** A public key that is named stands for the private key it is linked to (KMIP 2.1 §3.3). */
  private?: true
  /** Whether it protects, or processes what is protected already (KMIP 2.1 §4.57). */
  protects: boolean
}

/**
 * What a key has to be for its part. The published cases TC-WRAP-2 and TC-WRAP-3 have the server unwrap
 * by a key that may wrap only. That gives nothing away when the client could get the key and unwrap by
 * itself. Otherwise Unwrap Key must be said: a Sensitive object that left wrapped by a Sensitive key would
 * be registered wrapped, and handed out in the clear.
 */
const roles = {
  encrypt: {
    uses: { SymmetricKey: WrapKey, PublicKey: WrapKey, PrivateKey: WrapKey },
    protects: true,
  },
  authenticate: {
    uses: { SymmetricKey: MACGenerate, PrivateKey: Sign },
    private: true,
    protects: true,
  },
  decrypt: {
    uses: { SymmetricKey: UnwrapKey, PrivateKey: UnwrapKey },
    usesOfReadable: WrapKey,
    private: true,
    protects: false,
  },
  verify: {
    uses: {
      SymmetricKey: MACVerify | MACGenerate,
      PublicKey: Verify,
      PrivateKey: Verify | Sign,
    },
    protects: false,
  },
} as const satisfies Record<string, Role>

/** The keys that a Key Wrapping Specification names. */
export async function keysToWrap(
  context: Context,
  specification: WrappingRequest,
): Promise<ChosenKeys> {
  return chosenFor(context, specification, ['encrypt', 'authenticate'], held)
}

/** The keys that Key Wrapping Data names. */
export async function keysToUnwrap(context: Context, data: WrappingRequest): Promise<ChosenKeys> {
  return chosenFor(context, data, ['decrypt', 'verify'], named)
}

/** The methods that are done, each with the keys it takes. */
const methods: Partial<Record<string, { encrypts: boolean; authenticates: boolean }>> = {
  Encrypt: { encrypts: true, authenticates: false },
  MACSign: { encrypts: false, authenticates: true },
  EncryptThenMACSign: { encrypts: true, authenticates: true },
  MACSignThenEncrypt: { encrypts: true, authenticates: true },
}

/** Whether what is wrapped so is secret; MAC/sign alone leaves it in the clear. */
export function encrypts({ WrappingMethod }: Pick<WrappingRequest, 'WrappingMethod'>): boolean {
  return methods[WrappingMethod]?.encrypts === true
}

/** Chooses the Cryptographic Parameters of a key: those to use, and those to name. */
type Choose = (object: ManagedObject, given: CryptographicParameters | undefined) => Parameters

interface Parameters {
  used: CryptographicParameters
  said: CryptographicParameters | undefined
}

async function chosenFor(
  context: Context,
  wrapping: WrappingRequest,
  [encryptor, authenticator]: [keyof typeof roles, keyof typeof roles],
  choose: Choose,
): Promise<ChosenKeys> {
  const { WrappingMethod, EncodingOption } = wrapping
  const method = methods[WrappingMethod]
  if (method === undefined)
    throw new KmipError('FeatureNotSupported', `Wrapping Method ${WrappingMethod} is not done`)
  const one = async (needed: boolean, information: Information | undefined, role: Role) => {
    if (needed !== (information !== undefined)) {
      const what = needed ? 'a key is missing' : 'one key too many is named'
      throw new KmipError('InvalidField', `${what} for Wrapping Method ${WrappingMethod}`)
    }
    return information && (await chosenKey(context, information, role, choose))
  }
  const encryption = await one(method.encrypts, wrapping.EncryptionKeyInformation, roles[encryptor])
  const integrity = await one(
    method.authenticates,
    wrapping.MACSignatureKeyInformation,
    roles[authenticator],
  )
  return {
    encryption: encryption?.key,
    integrity: integrity?.key,
    wrapping: {
      WrappingMethod,
      ...(encryption && { EncryptionKeyInformation: encryption.information }),
      ...(integrity && { MACSignatureKeyInformation: integrity.information }),
      ...(EncodingOption && { EncodingOption }),
    },
  }
}

async function chosenKey(
  context: Context,
  { UniqueIdentifier, CryptographicParameters }: Information,
  role: Role,
  choose: Choose,
): Promise<{ key: ChosenKey; information: Information }> {
  const id = identifierOf(UniqueIdentifier, context)
  const object = await wrappingObject(context, id, role)
  checkUse(object, role)
  await checkReadiness(object, role.protects, context)
  const { used, said } = choose(object, CryptographicParameters)
  const told = isSayable(said, object, context) ? said : CryptographicParameters
  return {
    key: { object, parameters: used },
    information: { UniqueIdentifier: id, ...(told && { CryptographicParameters: told }) },
  }
}

/** Whether the version of the request has words for the parameters: a key may have others than it knows. */
function isSayable(
  value: CryptographicParameters | undefined,
  { objectType }: ManagedObject,
  { version }: Context,
): boolean {
  const tag = 'CryptographicParameters'
  return value === undefined || sayable([{ tag, value }], objectType, version).length > 0
}

/** The object named, or the private key that belongs to it where that is what is needed. */
async function wrappingObject(context: Context, id: string, role: Role): Promise<ManagedObject> {
  const object = await existing(context, id)
  if (!role.private || object.objectType !== 'PublicKey') return object
  const link = object.attributes
    .values('Link')
    .find(({ LinkType }) => LinkType === 'PrivateKeyLink')
  const linked = link?.LinkedObjectIdentifier
  if (typeof linked === 'string') return existing(context, linked)
  throw new KmipError('WrappingObjectNotFound', `public key ${id} has no private key here`)
}

async function existing(context: Context, id: string): Promise<ManagedObject> {
  const object = await visibleObject(context, id)
  if (object === undefined)
    throw new KmipError('WrappingObjectNotFound', `no wrapping key ${printable(id)}`)
  if (object.vitals.DestroyDate !== undefined)
    throw new KmipError('WrappingObjectDestroyed', `wrapping key ${id} is destroyed`)
  if (object.vitals.ArchiveDate !== undefined)
    throw new KmipError('WrappingObjectArchived', `wrapping key ${id} is archived`)
  await recordState(object, context)
  return object
}

/** Refuses a key that is none, or that may not be used so. */
function checkUse({ id, objectType, vitals, attributes }: ManagedObject, role: Role) {
  const bits = role.uses[objectType]
  if (bits === undefined) {
    throw new KmipError('InvalidObjectType', `object ${id} is no key for this wrapping`, {
      before20: 'IllegalOperation',
    })
  }
  const isReadable = vitals.Extractable && !vitals.Sensitive
  const enough = isReadable ? bits | (role.usesOfReadable ?? 0) : bits
  if (((attributes.first('CryptographicUsageMask') ?? 0) & enough) === 0) {
    throw new KmipError(
      'IncompatibleCryptographicUsageMask',
      `the usage mask of key ${id} does not allow this wrapping`,
    )
  }
}

/** Modes that leave nothing to the parameters beside them. */
const complete: ReadonlySet<unknown> = new Set(['NISTKeyWrap', 'AESKeyWrapPadding'])

/**
 * KMIP 1.4 §2.1.6: parameters that are given must match those of the key, in what they say; without
 * any, the key's first are taken. What is left out is completed from the key's, and told where whoever
 * unwraps may not know it: a hash, the length of a tag.
 */
const held: Choose = ({ id, attributes }, given) => {
  const found = matching(attributes.values('CryptographicParameters'), given)
  if (found === undefined) throw unmatched(id)
  const used = { ...found, ...given }
  return { used, said: complete.has(used.BlockCipherMode) ? given : used }
}

/** KMIP 2.1 §3.3: what was wrapped elsewhere says how, and else the wrapping key does. */
const named: Choose = ({ id, attributes }, given) => {
  const found = matching(attributes.values('CryptographicParameters'), given)
  if (found === undefined && given === undefined) throw unmatched(id)
  return { used: { ...found, ...given }, said: given }
}

/** The first instance that agrees in what is given. */
function matching(
  instances: readonly CryptographicParameters[],
  given: CryptographicParameters | undefined,
): CryptographicParameters | undefined {
  return given === undefined ? instances[0] : instances.find((instance) => matches(instance, given))
}

function unmatched(id: string): KmipError {
  return new KmipError(
    'BadCryptographicParameters',
    `key ${id} has no such Cryptographic Parameters`,
    { before20: 'ItemNotFound' },
  )
}

function matches(instance: CryptographicParameters, given: CryptographicParameters): boolean {
  return Object.entries(given).every(([field, value]) => {
    const own = instance[field as keyof CryptographicParameters]
    return value instanceof Uint8Array && own instanceof Uint8Array
      ? Buffer.compare(value, own) === 0
      : own === value
  })
}
