// The step XML and JSON share: items whose tags, types and values are spelled out, and back. What
// differs between the two is left to them: `separator` of mask names, numbers of JSON.

import { DecodeError } from './errors.ts'
import type { DecodeErrorCode } from './errors.ts'
import { fromHex, toHex } from './hex.ts'
import { itemTypes } from './items.ts'
import type { Item, ItemType, TypedValue } from './items.ts'
import { bigIntegerBytes, bigIntegerOf } from './primitives.ts'
import * as spelling from './text-vocabulary.ts'
import type { TextVocabulary } from './text-vocabulary.ts'

/** An item as text: names instead of numbers, a spelling instead of a value. */
export interface TextItem {
  readonly tag: string
  readonly type: string
  readonly value: string | number | boolean | readonly TextItem[]
  /** Where it was found, in characters. */
  readonly offset?: number
}

/** Spells an item out; values other than structures become strings. */
export function textOf(
  item: Item,
  vocabulary: TextVocabulary,
  separator: string,
  siblings: readonly Item[] = [],
): TextItem {
  const tag = vocabulary.tagName(item.tag)
  const { type, value } = item
  if (type === 'Structure') {
    return { tag, type, value: value.map((child) => textOf(child, vocabulary, separator, value)) }
  }
  const meaning = spelling.meaningOf(tag, siblings, vocabulary)
  return { tag, type, value: valueText(item, meaning, vocabulary, separator) }
}

/** The item that a text spells. Throws DecodeError with the code given. */
export function itemOf(
  root: TextItem,
  vocabulary: TextVocabulary,
  code: DecodeErrorCode,
  separator: string,
): Item {
  function itemIn(text: TextItem, siblings: readonly Item[], parent: string): Item {
    const path = parent === '' ? text.tag : `${parent}/${text.tag}`
    const fail = (reason: string): never => {
      throw new DecodeError(code, reason, { path, offset: text.offset ?? 0 })
    }
    const tag = tagOf(text.tag, vocabulary) ?? fail('not a tag')
    if (typeof text.value === 'object') {
      const children: Item[] = []
      for (const child of text.value) children.push(itemIn(child, children, path))
      return { tag, type: 'Structure', value: children }
    }
    if (!isItemType(text.type)) return fail('not an item type')
    // UTF-8, and so TTLV, has nothing for it.
    if (typeof text.value === 'string' && !text.value.isWellFormed()) {
      return fail('text has a lone surrogate')
    }
    const meaning = spelling.meaningOf(text.tag, siblings, vocabulary)
    const value = valueOf(text.type, text.value, meaning, vocabulary, separator)
    if (value === undefined) return fail(`the value is not ${text.type}`)
    return { tag, type: text.type, value } as Item
  }
  return itemIn(root, [], '')
}

function tagOf(name: string, vocabulary: TextVocabulary): number | undefined {
  return /^0x[0-9a-f]{6}$/i.test(name) ? Number(name) : vocabulary.tagNumber(name)
}

function isItemType(name: string): name is ItemType {
  return Object.hasOwn(itemTypes, name)
}

function valueText(
  item: TypedValue,
  meaning: string,
  vocabulary: TextVocabulary,
  separator: string,
): string {
  switch (item.type) {
    case 'Structure':
      return ''
    case 'Integer':
      return spelling.maskNames(item.value, meaning, vocabulary)?.join(separator) ?? `${item.value}`
    case 'Enumeration':
      return spelling.enumerationText(item.value, meaning, vocabulary)
    case 'BigInteger':
      return toHex(bigIntegerBytes(item.value))
    case 'ByteString':
      return toHex(item.value)
    case 'DateTime':
      return spelling.dateText(item.value) ?? hex64(item.value)
    case 'DateTimeExtended':
      return spelling.extendedDateText(item.value) ?? hex64(item.value)
    case 'Interval':
    case 'LongInteger':
    case 'Boolean':
    case 'TextString':
      return String(item.value)
  }
}

function valueOf(
  type: ItemType,
  value: string | number | boolean,
  meaning: string,
  vocabulary: TextVocabulary,
  separator: string,
): Exclude<TypedValue['value'], readonly Item[]> | undefined {
  if (type === 'TextString') return typeof value === 'string' ? value : undefined
  const text = String(value)
  switch (type) {
    case 'Structure':
      return undefined
    case 'Integer':
      return integerText(text, meaning, vocabulary, separator)
    case 'Enumeration':
      return typeof value === 'number'
        ? uint32(value)
        : spelling.enumerationNumber(text, meaning, vocabulary)
    case 'BigInteger':
      return bigIntegerText(value)
    case 'ByteString':
      return typeof value === 'string' ? fromHex(value) : undefined
    case 'DateTime':
      return spelling.dateOf(text) ?? int64Of(text)
    case 'DateTimeExtended':
      return spelling.extendedDateOf(text) ?? int64Of(text)
    case 'LongInteger':
      return int64Of(text)
    case 'Interval':
      return /^(\d{1,10}|0x[0-9a-f]{8})$/i.test(text) ? uint32(Number(text)) : undefined
    case 'Boolean':
      return booleanOf(text)
  }
}

/** A number, or names and numbers of a mask with separators between. */
function integerText(
  text: string,
  meaning: string,
  vocabulary: TextVocabulary,
  separator: string,
): number | undefined {
  let bits: number | undefined
  for (const part of text.split(separator).map((part) => part.trim())) {
    if (part === '') continue
    const bit = int32(spelling.maskBits(part, meaning, vocabulary))
    if (bit === undefined) return undefined
    bits = (bits ?? 0) | bit
  }
  return bits
}

function booleanOf(text: string): boolean | undefined {
  if (text === 'true' || /^0x0*1$/.test(text)) return true
  return text === 'false' || /^0x0+$/.test(text) ? false : undefined
}

function bigIntegerText(value: string | number | boolean): bigint | undefined {
  if (typeof value === 'number') return BigInt(value)
  const digits = String(value).replace(/^0x/, '')
  const bytes = digits === '' ? undefined : fromHex(digits)
  return bytes && bigIntegerOf(bytes)
}

/** A signed 64-bit number in decimal, or in 16 hexadecimal digits of two's complement. */
function int64Of(text: string): bigint | undefined {
  if (/^0x[0-9a-f]{16}$/i.test(text)) return BigInt.asIntN(64, BigInt(text))
  if (!/^-?\d{1,19}$/.test(text)) return undefined
  const number = BigInt(text)
  return number === BigInt.asIntN(64, number) ? number : undefined
}

/** 16 hexadecimal digits of two's complement, as `0x…`. */
export function hex64(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}`
}

function int32(number: number | undefined): number | undefined {
  return number !== undefined && number === (number | 0) ? number : undefined
}

function uint32(number: number): number | undefined {
  return number === number >>> 0 ? number : undefined
}
