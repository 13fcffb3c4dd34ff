/**
 * The one version switch of the model: attributes are `Attribute { name, index, value }` in 1.x
 * (KMIP 1.4 §2.1.1, §2.1.8) and a structure of tagged values in 2.x (KMIP 2.1 §5). In memory both
 * are the same list of instances.
 */
import {
  anyValue,
  dependent,
  integer,
  many,
  map,
  oneOf,
  opt,
  req,
  text,
  type Infer,
  type Schema,
  type TypedValue,
  type Version,
  type VersionText,
} from 'ttlv-codec'
import type { AttributeRow } from './attribute-rules.ts'
import { VendorAttribute, Name } from './attribute-values.ts'
import {
  attributeNames,
  attributes,
  filterSchema,
  inVersion,
  type AttributeName,
} from './attributes.ts'
import { KmipError } from './result.ts'
import { bag, shapes, struct, TagEnumeration } from './tags.ts'

/**
 * One attribute instance. `tag` is the attribute's tag in 2.x; `Attribute` is a vendor (custom) one,
 * `Template` the name of a Template to take attributes from (1.x only).
 * `index` is the Attribute Index of 1.x; absent means 0.
 */
export interface AttributeInstance {
  tag: AttributeName | 'Attribute' | 'Template'
  value: unknown
  index?: number
}

/** A vendor attribute's value: 2.x Vendor Attribute; `x-`/`y-` custom attributes of 1.x have vendor `x`/`y`. */
export interface VendorAttributeValue {
  VendorIdentification: string
  AttributeName: string
  AttributeValue: TypedValue
}

/** Which attribute: a row of the table, or a vendor attribute by vendor and name. */
export interface AttributeReference {
  tag: AttributeName | 'Attribute'
  vendor?: string
  name?: string
}

/** Vendor of an attribute whose 1.x name is neither in the table nor a custom one: always refused. */
export const unknownVendor = ''

/** The 1.x name of an attribute, or undefined where 1.x has no way to say it. */
export function attributeText(reference: AttributeReference): string | undefined {
  if (reference.tag !== 'Attribute') return attributes[reference.tag].text
  return reference.vendor === 'x' || reference.vendor === 'y'
    ? `${reference.vendor}-${reference.name}`
    : undefined
}

const namesByVersion = new Map<Version, ReadonlyMap<string, AttributeName>>()

/** The attribute that has this name in a version of 1.x. */
function namedIn(peer: Version, name: string): AttributeName | undefined {
  let names = namesByVersion.get(peer)
  if (names === undefined) {
    const known = attributeNames.filter((tag) => inVersion(tag, peer))
    names = new Map(known.map((tag) => [attributes[tag].text, tag]))
    namesByVersion.set(peer, names)
  }
  return names.get(name)
}

/** What an Attribute Name of 1.x refers to; names that version does not know get the unknown vendor. */
export function referenceFromText(name: string, peer: Version): AttributeReference {
  const row = namedIn(peer, name)
  if (row !== undefined) return { tag: row }
  const custom = /^([xy])-(.*)$/su.exec(name)
  if (custom !== null) return { tag: 'Attribute', vendor: custom[1]!, name: custom[2]! }
  return { tag: 'Attribute', vendor: unknownVendor, name }
}

/** What an instance is an instance of. */
export function referenceOf(instance: AttributeInstance): AttributeReference {
  if (instance.tag === 'Template') throw new TypeError('a template name is not an attribute')
  if (instance.tag !== 'Attribute') return { tag: instance.tag }
  const { VendorIdentification, AttributeName } = instance.value as VendorAttributeValue
  return { tag: 'Attribute', vendor: VendorIdentification, name: AttributeName }
}

/** An instance as answers show it: an Attribute Index of 0 is left out. */
export function shown({ tag, value, index }: AttributeInstance): AttributeInstance {
  return index === undefined || index === 0 ? { tag, value } : { tag, value, index }
}

/** True when both name the same attribute. */
export function sameReference(a: AttributeReference, b: AttributeReference): boolean {
  return a.tag === b.tag && a.vendor === b.vendor && a.name === b.name
}

type SchemaOf = (tag: AttributeName) => Schema<unknown>

const wholeValue: SchemaOf = (tag) => attributes[tag].schema as Schema<unknown>

const valueByName = (schemaOf: SchemaOf) =>
  dependent('AttributeName', (name, peer): Schema<unknown> => {
    const tag = namedIn(peer, name as string)
    return tag === undefined ? (anyValue as Schema<unknown>) : schemaOf(tag)
  })

/** Between the structure of 1.x and an instance. */
const form1 = {
  read(
    found: { AttributeName: string; AttributeIndex?: number; AttributeValue?: unknown },
    peer: Version,
  ): AttributeInstance {
    const { AttributeName, AttributeIndex, AttributeValue } = found
    const { tag, vendor, name } = referenceFromText(AttributeName, peer)
    const value =
      tag === 'Attribute'
        ? { VendorIdentification: vendor, AttributeName: name, AttributeValue }
        : AttributeValue
    return AttributeIndex === undefined ? { tag, value } : { tag, value, index: AttributeIndex }
  },
  write(instance: AttributeInstance) {
    const AttributeName = attributeText(referenceOf(instance))
    if (AttributeName === undefined)
      throw new TypeError('1.x has no name for this vendor attribute')
    const AttributeValue =
      instance.tag === 'Attribute'
        ? (instance.value as VendorAttributeValue).AttributeValue
        : instance.value
    return instance.index === undefined
      ? { AttributeName, AttributeValue }
      : { AttributeName, AttributeIndex: instance.index, AttributeValue }
  },
}

const attribute1 = (schemaOf: SchemaOf) =>
  map(
    struct({
      AttributeName: req(text),
      AttributeIndex: opt(integer),
      AttributeValue: req(valueByName(schemaOf)),
    }),
    form1,
  )

/** 1.x Attribute (KMIP 1.4 §2.1.1). */
export const Attribute1 = attribute1(wholeValue)

type TaggedName = AttributeName | 'Attribute'

/** An instance as the bag of tagged values has it. */
type TaggedValue = { tag: TaggedName; value: unknown }

const tagged = (schemaOf: SchemaOf, vendorAttribute: Schema<unknown>) =>
  bag({
    Attribute: { schema: vendorAttribute, since: '2.0' as VersionText },
    ...Object.fromEntries(
      (Object.entries(attributes) as [AttributeName, AttributeRow<unknown>][]).map(
        ([tag, { since, until }]) => [
          tag,
          { schema: schemaOf(tag), since, ...(until && { until }) },
        ],
      ),
    ),
  } as unknown as Record<TaggedName, never>) as unknown as Schema<TaggedValue[]>

const taggedValues = tagged(wholeValue, VendorAttribute as Schema<unknown>)

const attributes2 = (values: typeof taggedValues) =>
  map(values, {
    read: (found): AttributeInstance[] => found as AttributeInstance[],
    write: (instances: readonly AttributeInstance[]) =>
      instances.map(({ tag, value }): TaggedValue => ({ tag: tag as TaggedName, value })),
  })

/** 2.x Attributes (KMIP 2.1 §5.1) and its likes. */
export const Attributes2 = attributes2(taggedValues)

/** 2.x Current Attribute and New Attribute (KMIP 2.1 §5.6, §5.7): exactly one attribute. */
export const SingleAttribute2 = map(taggedValues, {
  read(values): AttributeInstance {
    const [only, ...more] = values as AttributeInstance[]
    if (only === undefined || more.length > 0) {
      throw new KmipError('InvalidMessage', `expected one attribute, found ${values.length}`)
    }
    return only
  },
  write: ({ tag, value }: AttributeInstance): TaggedValue[] => [{ tag: tag as TaggedName, value }],
})

/** 1.x Template-Attribute (KMIP 1.4 §2.1.8). Template names come first, in order. */
export const TemplateAttribute1 = map(struct({ Name: many(Name), Attribute: many(Attribute1) }), {
  read: ({ Name: names, Attribute }): AttributeInstance[] => [
    ...names.map((value): AttributeInstance => ({ tag: 'Template', value })),
    ...Attribute,
  ],
  write: (instances: readonly AttributeInstance[]) => ({
    Name: instances
      .filter(({ tag }) => tag === 'Template')
      .map(({ value }) => value as Infer<typeof Name>),
    Attribute: instances.filter(({ tag }) => tag !== 'Template'),
  }),
})

/** Attributes given to a new object: Template-Attribute in 1.x, Attributes in 2.x. */
export const newObjectAttributes = shapes(
  { until: '1.4', tag: 'TemplateAttribute', schema: TemplateAttribute1 },
  { since: '2.0', tag: 'Attributes', schema: Attributes2 },
)

/** As `newObjectAttributes`, for one half of a key pair or for both (KMIP 1.4 §4.2, KMIP 2.1 §6.1.9). */
const pairAttributes = <Half extends 'Common' | 'PrivateKey' | 'PublicKey'>(half: Half) =>
  shapes(
    { until: '1.4', tag: `${half}TemplateAttribute`, schema: TemplateAttribute1 },
    { since: '2.0', tag: `${half}Attributes`, schema: Attributes2 },
  )

/** Attributes for both halves of a key pair. */
export const commonAttributes = pairAttributes('Common')

/** Attributes for the private key; they win over common ones. */
export const privateKeyAttributes = pairAttributes('PrivateKey')

/** Attributes for the public key; they win over common ones. */
export const publicKeyAttributes = pairAttributes('PublicKey')

/** Attributes of one half that a 1.x answer may add to say what the server chose. */
export const chosenForPrivateKey = shapes({
  until: '1.4',
  tag: 'PrivateKeyTemplateAttribute',
  schema: TemplateAttribute1,
})

/** As `chosenForPrivateKey`. */
export const chosenForPublicKey = shapes({
  until: '1.4',
  tag: 'PublicKeyTemplateAttribute',
  schema: TemplateAttribute1,
})

/** Attributes that a 1.x answer may add to say what the server chose; 2.x has no such field. */
export const chosenAttributes = shapes({
  until: '1.4',
  tag: 'TemplateAttribute',
  schema: TemplateAttribute1,
})

/** A plain list of attributes: repeated Attribute in 1.x, one Attributes structure in 2.x. */
export const attributeList = shapes(
  { until: '1.4', tag: 'Attribute', many: Attribute1 },
  { since: '2.0', tag: 'Attributes', schema: Attributes2, required: true },
)

const partialVendorAttribute = struct({
  VendorIdentification: req(text),
  AttributeName: req(text),
  AttributeValue: opt(anyValue),
})

const partialValues = tagged(filterSchema, partialVendorAttribute as Schema<unknown>)

/** What Locate asks for; structured values may be partial (KMIP 2.1 §6.1.28). */
export const attributeFilter = shapes(
  { until: '1.4', tag: 'Attribute', many: attribute1(filterSchema) },
  { since: '2.0', tag: 'Attributes', schema: attributes2(partialValues), required: true },
)

/** 1.x Attribute in Notify: one that was deleted has no value (KMIP 1.4 §5.1). */
const notifiedAttribute1 = map(
  struct({
    AttributeName: req(text),
    AttributeIndex: opt(integer),
    AttributeValue: opt(valueByName(wholeValue)),
  }),
  form1,
)

/** The attributes that Notify tells of; those of vendors may be without a value (KMIP 2.1 §4.60). */
export const notifiedAttributes = shapes(
  { until: '1.4', tag: 'Attribute', many: notifiedAttribute1, min: 1 },
  {
    since: '2.0',
    tag: 'Attributes',
    schema: attributes2(tagged(wholeValue, partialVendorAttribute as Schema<unknown>)),
  },
)

/** As `attributeList`, where 2.x may leave the structure out. */
export const optionalAttributeList = shapes(
  { until: '1.4', tag: 'Attribute', many: Attribute1 },
  { since: '2.0', tag: 'Attributes', schema: Attributes2 },
)

/** Attributes wrapped up with key material (KMIP 2.1 §3.2). */
export const attributesOfKeyValue = shapes(
  { until: '1.4', tag: 'Attribute', many: Attribute1 },
  { since: '2.0', tag: 'Attributes', schema: Attributes2 },
)

/** The attribute that Add, Modify and Set Attribute write. */
export const newAttribute = shapes(
  { until: '1.4', tag: 'Attribute', schema: Attribute1, required: true },
  { since: '2.0', tag: 'NewAttribute', schema: SingleAttribute2, required: true },
)

/** The attribute as it is now, which 1.x answers of attribute operations show. */
export const resultingAttribute = shapes({ until: '1.4', tag: 'Attribute', schema: Attribute1 })

const reference1 = map(text, {
  read: referenceFromText,
  write: (reference: AttributeReference) => attributeText(reference) ?? '',
})

/** 2.x Attribute Reference (KMIP 2.1 §5.5): a tag, or vendor and name. */
export const AttributeReference2 = map(
  oneOf(TagEnumeration, struct({ VendorIdentification: req(text), AttributeName: req(text) })),
  {
    read(item): AttributeReference {
      if (item.type === 'Structure') {
        const { VendorIdentification, AttributeName } = item.value
        return { tag: 'Attribute', vendor: VendorIdentification, name: AttributeName }
      }
      return typeof item.value === 'string' && item.value in attributes
        ? { tag: item.value as AttributeName }
        : { tag: 'Attribute', vendor: unknownVendor, name: String(item.value) }
    },
    write(reference: AttributeReference) {
      return reference.tag === 'Attribute'
        ? {
            type: 'Structure' as const,
            value: {
              VendorIdentification: reference.vendor ?? unknownVendor,
              AttributeName: reference.name ?? '',
            },
          }
        : { type: 'Enumeration' as const, value: reference.tag }
    },
  },
)

/** Names of attributes: repeated Attribute Name in 1.x, repeated Attribute Reference in 2.x. */
export const attributeReferences = shapes(
  { until: '1.4', tag: 'AttributeName', many: reference1 },
  { since: '2.0', tag: 'AttributeReference', many: AttributeReference2 },
)

/** The attribute that Delete Attribute names; `CurrentAttribute` may stand in its place in 2.x. */
export const deletedReference = shapes(
  { until: '1.4', tag: 'AttributeName', schema: reference1, required: true },
  { since: '2.0', tag: 'AttributeReference', schema: AttributeReference2 },
)
