// Reading decoded items without a schema: names, fields, attribute keys, and how values are shown.
import type { Item, TypedValue } from 'ttlv-codec'
import { textVocabulary } from '../../src/kmip/model/text-vocabulary.ts'

/** The name of an item's tag. */
export function nameOf(item: Item): string {
  return textVocabulary.tagName(item.tag) ?? `0x${item.tag.toString(16)}`
}

/** The items inside a structure; none for any other item. */
export function childrenOf(item: Item | undefined): readonly Item[] {
  return item?.type === 'Structure' ? item.value : []
}

/** The first field of that name inside a structure. */
export function field(item: Item | undefined, name: string): Item | undefined {
  return childrenOf(item).find((child) => nameOf(child) === name)
}

/** All fields of that name inside a structure. */
export function fields(item: Item | undefined, name: string): readonly Item[] {
  return childrenOf(item).filter((child) => nameOf(child) === name)
}

/** The text of a Text String. */
export function textOf(item: Item | undefined): string | undefined {
  return item?.type === 'TextString' ? item.value : undefined
}

/**
 * The name of an enumeration's value, by the table of its tag, or of the attribute it is the value
 * of; undefined when it has none.
 */
export function enumerationName(item: Item | undefined, attribute?: string): string | undefined {
  if (item?.type !== 'Enumeration') return undefined
  const name = nameOf(item)
  const table = name === 'AttributeValue' && attribute !== undefined ? attribute : name
  return textVocabulary.enumerations[table]?.nameOf(item.value)
}

/**
 * What attribute an item is about, in one spelling for 1.x and 2.x: the tag's name for the
 * standard's, vendor-name for a client's or the server's own (`x-Barcode`).
 */
export function attributeKey(item: Item): string {
  const name = textOf(field(item, 'AttributeName'))
  if (name === undefined) return nameOf(item)
  const vendor = textOf(field(item, 'VendorIdentification'))
  if (vendor !== undefined) return `${vendor}-${name}`
  return /^[xy]-/.test(name) ? name : name.replace(/[^A-Za-z0-9]/g, '')
}

/** Whether two values are of one type and equal. */
export function sameValue(one: TypedValue, other: TypedValue): boolean {
  if (one.type !== other.type) return false
  if (one.type === 'ByteString' && other.type === 'ByteString') {
    return Buffer.compare(one.value, other.value) === 0
  }
  if (one.type === 'Structure' && other.type === 'Structure') {
    return (
      one.value.length === other.value.length &&
      one.value.every((item, at) => {
        const twin = other.value[at]!
        return item.tag === twin.tag && sameValue(item, twin)
      })
    )
  }
  return one.value === other.value
}

/**
 * An item for a report: names for enumerations, zoned dates, key material by its length only;
 * `attribute` is the one it is the value of.
 */
export function show(item: Item, attribute?: string): string {
  switch (item.type) {
    case 'Structure':
      return 'a structure'
    case 'Enumeration':
      return enumerationName(item, attribute) ?? `0x${item.value.toString(16).padStart(8, '0')}`
    case 'TextString':
      return JSON.stringify(item.value)
    case 'ByteString':
      return textVocabulary.secretTags.has(nameOf(item))
        ? `${item.value.length} secret bytes`
        : `bytes ${Buffer.from(item.value).toString('hex')}`
    case 'DateTime':
      return showDate(item.value)
    default:
      return String(item.value)
  }
}

/** Seconds since 1970 as a date; as a number when no calendar holds it. */
export function showDate(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000)
  return Number.isNaN(date.getTime()) ? `second ${seconds}` : date.toISOString()
}
