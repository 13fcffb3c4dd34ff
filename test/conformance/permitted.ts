// What an answer may have otherwise than published: KMIP Tape Library Profile 1.0 §4.7 and the
// same section of KMIP Profiles 1.3 to 2.1. What is not named here has to be as published.
import { version, type Item, type Version } from 'ttlv-codec'
import type { Expected } from './expected.ts'
import { attributeKey, childrenOf, enumerationName, field, fields, nameOf } from './items.ts'
import type { CaseMemory } from './memory.ts'

/** Where in an answer an item stands. */
export interface Place {
  /** Names from the message down, for the report. */
  readonly path: string
  readonly version: Version
  readonly memory: CaseMemory
  /** The name of the structure around it. */
  readonly parent: string
  /** Within a Batch Item: its Operation, and the payload that was sent for it. */
  readonly operation?: string
  readonly asked?: Item
  /** Within a payload: the Unique Identifier of the object it is about. */
  readonly object?: string
  /** Within a payload: it tells an IV that the server has made. */
  readonly randomIv?: boolean
  /** Within an attribute: which one (`Digest`, `x-Barcode`). */
  readonly attribute?: string
  /** Within a Key Block: how the material is encoded; absent when it is wrapped. */
  readonly format?: string
}

/** Dates that the server sets where the client has not. */
export const serverDates: ReadonlySet<string> = new Set([
  'ActivationDate',
  'ArchiveDate',
  'CompromiseDate',
  'CompromiseOccurrenceDate',
  'DeactivationDate',
  'DestroyDate',
  'InitialDate',
  'LastChangeDate',
  'OriginalCreationDate',
  'ProcessStartDate',
  'ProtectStopDate',
  'RotateDate',
  'ValidityDate',
])

/** Items that hold an identifier the server may choose. */
export const identifiers: ReadonlySet<string> = new Set([
  'UniqueIdentifier',
  'PrivateKeyUniqueIdentifier',
  'PublicKeyUniqueIdentifier',
  'LinkedObjectIdentifier',
  'ShortUniqueIdentifier',
])

type Variation = (expected: Expected, found: Item, place: Place) => boolean

/** Items whose value, or whole content, is free; the type stays as published. */
const freeValues: Readonly<Record<string, Variation>> = {
  TimeStamp: (_, __, { parent }) => parent === 'ResponseHeader',
  ServerCorrelationValue: (_, __, { parent }) => parent === 'ResponseHeader',
  ResultMessage: () => true,
  // one that stands for a value is bound to it, so that a Poll can send it
  AsynchronousCorrelationValue: ({ placeholder }) => placeholder === undefined,
  VendorIdentification: (_, __, { operation, parent }) =>
    operation === 'Query' && parent === 'ResponsePayload',
  // the digest of a key differs with the key, and its algorithm is the server's choice
  HashingAlgorithm: (_, __, place) => place.attribute === 'Digest' && isServerMade(place),
  DigestValue: (_, __, place) => place.attribute === 'Digest' && isServerMade(place),
  // how the server makes its keys is a fact of the server
  RandomNumberGenerator: (_, __, place) => isServerMade(place),
  AttributeValue: (_, __, place) =>
    place.attribute === 'RandomNumberGenerator' && isServerMade(place),
}

/** Whether the value found may differ from the published one. */
export function isFree(expected: Expected, found: Item, place: Place): boolean {
  return freeValues[expected.name]?.(expected, found, place) ?? false
}

/**
 * Whether key material may be other bytes than published: that of an object the server has made,
 * and that shown as a row of 2a. Only the length is compared then.
 */
export function isFreeMaterial(expected: Expected, place: Place): boolean {
  if (expected.name !== 'KeyMaterial' || expected.item.type !== 'ByteString') return false
  if (expected.placeholder !== undefined) return false
  if (expected.item.value.every((byte) => byte === 0x2a)) return true
  return place.object !== undefined && place.memory.run.origins.get(place.object) === 'server'
}

/** Byte strings of an answer that are computed with a key. */
const computed: ReadonlySet<string> = new Set([
  'Data',
  'IVCounterNonce',
  'AuthenticatedEncryptionTag',
  'SignatureData',
  'MACData',
])

/**
 * Whether bytes may be others because they are computed with a key that the server has made, or with
 * randomness of its own: an IV, or the padding of an encryption with a public key (RFC 8017 §7). Only the
 * length is compared then.
 */
export function isComputedFreely(expected: Expected, place: Place): boolean {
  if (place.parent !== 'ResponsePayload' || expected.placeholder !== undefined) return false
  if (!computed.has(expected.name) || place.operation === 'Hash') return false
  const { object = '', operation, memory } = place
  if (memory.run.origins.get(object) === 'server') return true
  return operation === 'Encrypt' && (place.randomIv === true || memory.run.publicKeys.has(object))
}

/** An object not known to have been handed in by the client counts as made by the server. */
function isServerMade({ object, memory }: Place): boolean {
  return object === undefined || memory.run.origins.get(object) !== 'client'
}

type Presence = (item: Item, place: Place) => boolean

/** Items that may stand in an answer or be left out, whatever the case shows. */
const freePresence: Readonly<Record<string, Presence>> = {
  ResultMessage: (_, { parent }) => parent === 'BatchItem',
  ServerCorrelationValue: (_, { parent }) => parent === 'ResponseHeader',
  AttributeIndex: (item, { version: spoken }) =>
    item.type === 'Integer' && item.value === 0 && spoken >= version('1.1'),
  TemplateAttribute: (_, { parent }) => parent === 'ResponsePayload',
}

/** Items that an answer may hold beyond the published ones. */
const freeExtras: Readonly<Record<string, Presence>> = {
  MessageExtension: (item) => {
    const critical = field(item, 'CriticalityIndicator')
    return critical?.type === 'Boolean' && !critical.value
  },
  ApplicationNamespace: (_, { operation }) => operation === 'Query',
  ExtensionInformation: (_, { operation }) => operation === 'Query',
}

/** Whether an item that the case does not show may be there. */
export function mayBeExtra(item: Item, place: Place): boolean {
  const name = nameOf(item)
  return (freePresence[name] ?? freeExtras[name])?.(item, place) ?? false
}

/** Whether an item that the case shows may be missing. */
export function mayBeMissing({ name, item }: Expected, place: Place): boolean {
  return freePresence[name]?.(item, place) ?? false
}

/**
 * Members of one set: their order says nothing, members of one key keep the order among
 * themselves (the instances of an attribute).
 */
export interface MemberSet {
  /** Whether an item belongs to the set; a set lies in one piece between its neighbours. */
  holds(item: Item): boolean
  /** What makes two members the same one. */
  key(item: Item): string
  /** Whether more members than published may be there. */
  readonly open: boolean
  /** Members whose order matters after all; more may stand between the published ones. */
  readonly ordered?: true
}

/** Sets by operation of the Batch Item and by tag, standing directly in the payload. */
const payloadSets: Readonly<Record<string, Readonly<Record<string, (asked?: Item) => boolean>>>> = {
  Query: { Operation: always, ObjectType: always, ApplicationNamespace: always },
  GetAttributes: { Attribute: (asked) => fields(asked, 'AttributeName').length === 0 },
  Export: { Attribute: always },
  GetAttributeList: { AttributeName: always, AttributeReference: always },
  DiscoverVersions: { ProtocolVersion: (asked) => fields(asked, 'ProtocolVersion').length === 0 },
}

function always(): boolean {
  return true
}

/** The set that an item belongs to at its place, or undefined where order matters. */
export function setOf(item: Item, place: Place): MemberSet | undefined {
  if (place.parent === 'Attributes' || place.parent === 'TemplateAttribute') {
    return { holds: () => true, key: attributeKey, open: attributesOpen(place) }
  }
  if (place.parent !== 'ResponsePayload') return undefined
  const name = nameOf(item)
  const open = payloadSets[place.operation ?? '']?.[name]
  if (open === undefined) return undefined
  const holds = (other: Item): boolean => nameOf(other) === name
  if (name === 'ProtocolVersion') {
    return { holds, key: versionKey, open: open(place.asked), ordered: true }
  }
  return { holds, key: memberKey, open: open(place.asked) }
}

/** Further attributes are welcome where the client has not said which ones it wants. */
function attributesOpen({ operation, asked }: Place): boolean {
  if (operation !== 'GetAttributes') return true
  return fields(asked, 'AttributeReference').length === 0
}

function memberKey(item: Item): string {
  if (item.type === 'Structure') return attributeKey(item)
  return enumerationName(item) ?? String(item.value)
}

function versionKey(item: Item): string {
  return childrenOf(item)
    .map((part) => String(part.value))
    .join('.')
}
