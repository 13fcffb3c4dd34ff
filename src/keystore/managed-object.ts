/**
 * What is kept about one Managed Object, and its record: the bytes that the keystore protects by a MAC.
 *
 * A record is TTLV: first the vitals that every operation looks at, then all other attributes, which
 * are decoded when first asked for. Items without a KMIP tag use the extension range (KMIP 2.1 §10.1.1).
 */
import {
  boolean,
  bytes,
  dateTime,
  decode,
  decodeRaw,
  dependent,
  encode,
  integer,
  interval,
  many,
  map,
  opt,
  raw,
  req,
  text,
  vocabulary,
  type EnumerationSchema,
  type Infer,
  type Raw,
  type Schema,
} from 'ttlv-codec'
import { VendorAttribute } from '../kmip/model/attribute-values.ts'
import {
  attributes as attributeTable,
  attributeNames,
  type AttributeName,
} from '../kmip/model/attributes.ts'
import { HashingAlgorithm, KeyFormatType, ObjectType, State } from '../kmip/model/enumerations.ts'
import { TagEnumeration, tags } from '../kmip/model/tags.ts'
import { newest } from '../kmip/model/versions.ts'
import { AttributeSet } from './attribute-set.ts'
import type { StoredObject } from './work.ts'

const { struct } = vocabulary({
  tags: {
    ...tags,
    ObjectRecord: [0x54a000, '1.0'],
    RecordFormat: [0x54a001, '1.0'],
    Vitals: [0x54a002, '1.0'],
    Owner: [0x54a003, '1.0'],
    ShownState: [0x54a004, '1.0'],
    WipeAfter: [0x54a005, '1.0'],
    HeldAttributes: [0x54a006, '1.0'],
    HeldAttribute: [0x54a007, '1.0'],
    PadEncrypted: [0x54a008, '1.0'],
    PadDecrypted: [0x54a009, '1.0'],
    CheckValue: [0x54a00a, '1.0'],
    Withdrawn: [0x54a00b, '1.0'],
  },
} as const)

const recordTag = 0x54a000
const attributesTag = 0x54a006
const recordFormat = 1
const version = newest.number

/** What we wrote and proved to be ours is read whatever its size. */
const trusted = {
  version,
  limits: { maxBytes: Infinity, maxItems: Infinity, maxDepth: 64 },
} as const

/**
 * An enumeration as a record keeps it: by number, so that names which later versions dropped can still
 * be kept.
 */
function byNumber<Name extends string>(names: EnumerationSchema<Name>): Schema<Name | number> {
  return map(names, {
    read: (value) => value,
    write: (value: Name | number) => names.numberOf(value as string) ?? value,
  })
}

/** How the value of an attribute is kept. Masks keep all bits, also those that only some versions have. */
function recordSchema(tag: AttributeName): Schema<unknown> {
  const schema = attributeTable[tag].schema as Schema<unknown>
  if (schema.itemType === 'Enumeration') return byNumber(schema as EnumerationSchema)
  return 'bits' in schema ? (integer as Schema<unknown>) : schema
}

/** A Digest names a format, of which some went with 2.0. */
const Digest = struct({
  HashingAlgorithm: req(HashingAlgorithm),
  DigestValue: opt(bytes),
  KeyFormatType: opt(byNumber(KeyFormatType)),
})

const recordSchemas = new Map<string, Schema<unknown>>([
  ['Attribute', VendorAttribute as Schema<unknown>],
  ...attributeNames.map((tag) => [tag, recordSchema(tag)] as const),
  ['Digest', Digest as Schema<unknown>],
])

/** The facts every operation looks at. The attributes of the same name are these and nothing else. */
const Vitals = struct({
  /** The client, or the user of a credential, that made the object. */
  Owner: req(text),
  Fresh: req(boolean),
  Sensitive: req(boolean),
  Extractable: req(boolean),
  KeyFormatType: opt(byNumber(KeyFormatType)),
  InitialDate: req(dateTime),
  ActivationDate: opt(dateTime),
  DeactivationDate: opt(dateTime),
  CompromiseDate: opt(dateTime),
  DestroyDate: opt(dateTime),
  ArchiveDate: opt(dateTime),
  LastChangeDate: req(dateTime),
  LeaseTime: req(interval),
  /** The last state shown to a client that time alone had brought about. */
  ShownState: opt(State),
  /** After Destroy: when the sealed material may be wiped. */
  WipeAfter: opt(dateTime),
  /** Of a One Time Pad: how many of its bytes have encrypted, and how many have decrypted in their turn. */
  PadEncrypted: opt(integer),
  PadDecrypted: opt(integer),
  /** Of the material, under a key of the epoch; absent for objects without, and those of older releases. */
  CheckValue: opt(bytes),
  /** Since when the site that the key came from wants it used no longer. */
  Withdrawn: opt(dateTime),
})

const HeldAttributes = struct({
  HeldAttribute: many(
    struct({
      AttributeReference: req(byNumber(TagEnumeration)),
      AttributeIndex: req(integer),
      AttributeValue: req(
        dependent('AttributeReference', (tag): Schema<unknown> =>
          recordSchemas.get(tag as string)!,
        ),
      ),
    }),
  ),
})

const ObjectRecord = struct({
  RecordFormat: req(integer),
  Vitals: req(Vitals),
  HeldAttributes: req(raw),
})

export type Vitals = Infer<typeof Vitals>

/** Object Type, by name. */
export type ObjectTypeName = Extract<Infer<typeof ObjectType>, string>

/** One Managed Object without its material. Changing it changes nothing until it is saved. */
export class ManagedObject {
  readonly id: string
  readonly group: string
  readonly objectType: ObjectTypeName
  readonly vitals: Vitals
  /** The row it came from; absent before it is first kept. */
  stored: StoredObject | undefined
  #attributes: AttributeSet | undefined
  #undecoded: Raw | undefined

  constructor(
    identity: { id: string; group: string; objectType: ObjectTypeName },
    vitals: Vitals,
    attributes: AttributeSet | Raw,
  ) {
    this.id = identity.id
    this.group = identity.group
    this.objectType = identity.objectType
    this.vitals = vitals
    if (attributes instanceof AttributeSet) this.#attributes = attributes
    else this.#undecoded = attributes
  }

  /** All attributes that are no vitals. */
  get attributes(): AttributeSet {
    this.#attributes ??= decodeAttributes(this.#undecoded!)
    return this.#attributes
  }

  /** The record of this object as it is now. */
  encodeRecord(): Uint8Array {
    return encode(
      ObjectRecord,
      recordTag,
      {
        RecordFormat: recordFormat,
        Vitals: this.vitals,
        HeldAttributes:
          this.#attributes === undefined ? this.#undecoded! : encodeAttributes(this.#attributes),
      },
      { version },
    )
  }

  /** Reads a record whose MAC has been verified; see `ofRecord`. */
  static decodeRecord(
    identity: { id: string; group: string; objectType: ObjectTypeName },
    record: Uint8Array,
  ): ManagedObject {
    return ManagedObject.ofRecord(identity, readRecord(record))
  }

  /**
   * The object that a record holds; what is decoded of it may be shared.
   * @throws RangeError for a record format of a later release
   */
  static ofRecord(
    identity: { id: string; group: string; objectType: ObjectTypeName },
    { RecordFormat, Vitals, HeldAttributes }: DecodedRecord,
  ): ManagedObject {
    if (RecordFormat !== recordFormat) {
      throw new RangeError(
        `object ${identity.id} has record format ${RecordFormat}, expected ${recordFormat}`,
      )
    }
    return new ManagedObject(identity, { ...Vitals }, HeldAttributes)
  }
}

/** A record in its parts, attributes undecoded. */
export type DecodedRecord = Readonly<Infer<typeof ObjectRecord>>

/** The parts of a record whose MAC has been verified. */
export function readRecord(record: Uint8Array): DecodedRecord {
  return decode(ObjectRecord, recordTag, record, trusted)
}

function decodeAttributes(undecoded: Raw): AttributeSet {
  const { HeldAttribute } = decodeRaw(HeldAttributes, undecoded, trusted)
  return new AttributeSet(
    HeldAttribute.map(({ AttributeReference, AttributeIndex, AttributeValue }) => ({
      tag: AttributeReference as AttributeName | 'Attribute',
      value: AttributeValue,
      index: AttributeIndex,
    })),
  )
}

function encodeAttributes(attributes: AttributeSet): Raw {
  const HeldAttribute = attributes.instances.map(({ tag, index, value }) => ({
    AttributeReference: tag as AttributeName | 'Attribute',
    AttributeIndex: index,
    AttributeValue: value,
  }))
  const whole = encode(HeldAttributes, attributesTag, { HeldAttribute }, { version })
  return { type: 'Structure', bytes: whole.subarray(8), offset: 8, path: 'HeldAttributes' }
}
