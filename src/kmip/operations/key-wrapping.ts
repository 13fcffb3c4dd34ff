/**
 * Key Blocks wrapped and unwrapped – KMIP 2.1 §3.1 to §3.3, §7.18; KMIP 1.4 §2.1.3 to §2.1.6. The Key
 * Value is wrapped in TTLV unless No Encoding is asked for: then the Key Material is wrapped alone.
 */
import { groupPolicy } from '../../access/policy.ts'
import { unwrap, wrap, type WrappingKey, type WrappingKeys } from '../../crypto/key-wrapping.ts'
import { sha256, toHex } from '../../crypto/primitives/hash.ts'
import { Secret } from '../../crypto/secret.ts'
import { materialOf, saveObject } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock, KeyWrappingData } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { asideWithKeys } from './aside-with-keys.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import type { Context } from './operation.ts'
import { algorithmOf, usableKey, type UsableKey } from './usable-key.ts'
import { allocate, unitsOf, type Amount } from './usage-allocation.ts'
import {
  absentValue,
  decodedValue,
  isUnencoded,
  plainBytes,
  type Specification,
} from './wrapped-value.ts'
import {
  encrypts,
  keysToUnwrap,
  keysToWrap,
  type ChosenKey,
  type ChosenKeys,
} from './wrapping-keys.ts'

/** A Key Block whose value is wrapped. */
export type WrappedBlock = KeyBlock & { KeyWrappingData: KeyWrappingData }

/** Whether the block is kept as somebody else has wrapped it. */
export function isWrapped(block: KeyBlock): block is WrappedBlock {
  return block.KeyWrappingData !== undefined
}

/**
 * Whether the wrapped bytes stand as Key Material in a Key Value structure. The text has a wrapped Key
 * Value as bytes; the published cases TC-WRAP register it so, and get it back in the same form.
 */
function isInStructure({ KeyValue }: KeyBlock): boolean {
  return KeyValue?.type === 'Structure'
}

/** The block in the clear, wrapped by the keys that the specification names. `kept`: as it is stored. */
export async function wrappedBlock(
  context: Context,
  object: ManagedObject,
  { block, kept }: { block: KeyBlock; kept: KeyBlock },
  specification: Specification,
): Promise<KeyBlock> {
  const chosen = await keysToWrap(context, specification)
  const keys = await inUse(context, chosen, 0)
  const plain = plainBytes(context, object, block, specification)
  const amount = { bytes: plain.length, objects: 1 }
  const limited = allocated(object, chosen, amount)
  noteKeys(context, chosen)
  const options = await wrappingOptions(context, object.group)
  try {
    const name = `wrap ${object.id} ${object.stored?.revision}`
    const { keyValue, wrappingData } = computed(context, keys, plain, name, (inHand, bytes) =>
      wrap(chosen.wrapping, inHand, bytes, options),
    )
    // A MAC alone leaves the key readable.
    if (!encrypts(specification)) context.secrets.push(new Secret(keyValue))
    for (const key of limited) await keepAllocated(context, key)
    const inStructure = isWrapped(kept) && isInStructure(kept) && isUnencoded(specification)
    const { attributes } = object
    return {
      ...block,
      KeyValue: inStructure
        ? { type: 'Structure', value: { KeyMaterial: keyValue, Attributes: undefined } }
        : { type: 'ByteString', value: keyValue },
      CryptographicAlgorithm:
        block.CryptographicAlgorithm ?? attributes.first('CryptographicAlgorithm'),
      CryptographicLength: block.CryptographicLength ?? attributes.first('CryptographicLength'),
      KeyWrappingData: wrappingData,
    } as KeyBlock
  } finally {
    plain.fill(0)
  }
}

/** The fields with the Key Block in the clear, if there is one and it is wrapped. */
export async function fieldsInClear(context: Context, fields: object, depth = 0): Promise<object> {
  if (!('KeyBlock' in fields)) return fields
  const block = fields.KeyBlock as KeyBlock
  if (!isWrapped(block)) return fields
  return { ...fields, KeyBlock: await unwrappedBlock(context, block, depth) }
}

/** How many wrapping keys may be wrapped in one another. */
const deepest = 4

/** The block in the clear. Its bytes are wiped after the answer. */
export async function unwrappedBlock(
  context: Context,
  block: WrappedBlock,
  depth = 0,
): Promise<KeyBlock> {
  const { KeyWrappingData: kept, KeyValue, ...rest } = block
  // What is unsealed is wiped when the act is given up; what was said of the wrapping is needed later.
  const KeyWrappingData = withOwnBytes(kept)
  if (depth > deepest)
    throw new KmipError('FeatureNotSupported', 'too many wrapping keys are wrapped in one another')
  const chosen = await keysToUnwrap(context, KeyWrappingData)
  const keys = await inUse(context, chosen, depth)
  const bytes = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : KeyValue?.value
  if (!(bytes instanceof Uint8Array))
    throw new KmipError('InvalidField', 'the wrapped Key Block holds no bytes')
  const group = (chosen.encryption ?? chosen.integrity)!.object.group
  const options = await wrappingOptions(context, group)
  const name = `unwrap ${toHex(sha256(bytes))}`
  const secret = computed(
    context,
    keys,
    bytes,
    name,
    (inHand, wrapped) => unwrap(KeyWrappingData, inHand, wrapped, options),
    (opened) => [opened],
  )
  const value = isUnencoded(KeyWrappingData)
    ? { KeyMaterial: secret.bytes, Attributes: undefined }
    : decodedValue(secret.bytes, block.KeyFormatType)
  return { ...rest, KeyValue: { type: 'Structure', value } }
}

function withOwnBytes<T>(value: T): T {
  if (value instanceof Uint8Array) return Uint8Array.from(value) as T
  if (typeof value !== 'object' || value === null) return value
  const own = Object.entries(value).map(([field, one]) => [field, withOwnBytes(one as unknown)])
  return Object.fromEntries(own) as T
}

/** The audit names the keys that may open what leaves. */
function noteKeys({ noted }: Context, { encryption, integrity }: ChosenKeys): void {
  const used = [encryption, integrity].filter((chosen) => chosen !== undefined)
  const wrappedBy = used.map(({ object }) => object.id)
  noted.details = { ...(noted.details as object | undefined), wrappedBy }
}

/** A key in use, with its Cryptographic Parameters. */
interface KeyInHand extends Pick<ChosenKey, 'object' | 'parameters'> {
  key: UsableKey
}

interface KeysInHand {
  encryption: KeyInHand | undefined
  integrity: KeyInHand | undefined
}

/** The keys chosen, with their material. It is wiped after the answer. */
async function inUse(
  context: Context,
  { encryption, integrity }: ChosenKeys,
  depth: number,
): Promise<KeysInHand> {
  const one = async (chosen: ChosenKey | undefined) =>
    chosen && { ...chosen, key: await keyOf(context, chosen.object, depth) }
  return { encryption: await one(encryption), integrity: await one(integrity) }
}

async function keyOf(context: Context, object: ManagedObject, depth: number): Promise<UsableKey> {
  const secret = await materialOf(context.work, object)
  if (secret === undefined) throw absentValue(object.id)
  context.secrets.push(secret)
  const fields = unsealedFields(object.objectType as SealedType, secret.bytes)
  return usableKey(object, await fieldsInClear(context, fields, depth + 1))
}

/**
 * Computes with the keys: at once, or outside the act where a private key makes it long. `bytes` are
 * those to wrap or to unwrap. What `secretsOf` finds in the result is wiped after the answer.
 */
function computed<T>(
  context: Context,
  { encryption, integrity }: KeysInHand,
  bytes: Uint8Array,
  name: string,
  compute: (keys: WrappingKeys, bytes: Uint8Array) => T,
  secretsOf: (result: T) => readonly Secret[] = () => [],
): T {
  const inHand = [encryption, integrity].filter((one) => one !== undefined)
  const run = (usable: readonly UsableKey[], data: Uint8Array) => {
    const keys = inHand.map(({ object, parameters }, at) => ({
      key: inWords(usable[at]!, object),
      parameters,
    }))
    const [first, second] = keys
    return compute(
      { encryption: encryption && first, integrity: integrity && (encryption ? second : first) },
      data,
    )
  }
  const own = inHand.map(({ key }) => key)
  if (!own.some(({ kind }) => kind === 'private')) {
    const result = run(own, bytes)
    context.secrets.push(...secretsOf(result))
    return result
  }
  const work = (copies: readonly UsableKey[]) =>
    new Promise<T>((resolve) => {
      const data = copies.at(-1)!
      resolve(run(copies, data.kind === 'octets' ? data.bytes : bytes))
    })
  return asideWithKeys(context, [...own, { kind: 'octets', bytes }], name, work, secretsOf)
}

/** The key as the wrapping of keys takes it. */
function inWords(key: UsableKey, object: ManagedObject): WrappingKey['key'] {
  return key.kind === 'octets' ? { algorithm: algorithmOf(object), bytes: key.bytes } : key.half
}

/** Takes the wrapping off the Usage Limits of its keys; answers those that are to be saved once it is done. */
function allocated(
  object: ManagedObject,
  { encryption, integrity }: ChosenKeys,
  amount: Amount,
): ManagedObject[] {
  const used = [encryption, integrity].filter((chosen) => chosen !== undefined)
  // A key that wraps itself, or does both parts, is one object.
  const keys = new Map(used.map(({ object: key }) => [key.id, key.id === object.id ? object : key]))
  return [...keys.values()].filter((key) => {
    const units = unitsOf(key, amount)
    allocate(key, units)
    return units > 0n
  })
}

async function keepAllocated(context: Context, key: ManagedObject): Promise<void> {
  key.vitals.LastChangeDate = context.now
  await saveObject(context.work, key)
}

/** PKCS#1 v1.5 padding only where the group says so: devices that know nothing else. */
async function wrappingOptions({ work }: Context, group: string) {
  return { legacyPadding: (await groupPolicy(work, group)).padding === 'pkcs1' }
}
