// The entry points for bytes: whole items by schema, generic items, items kept raw, and a glance
// at a message's version.

import { anyValue, readItem } from './any-value.ts'
import type { Raw } from './any-value.ts'
import { DecodeError, EncodeError } from './errors.ts'
import { itemTypes, tagHex } from './items.ts'
import type { Item } from './items.ts'
import { limits as defaultLimits, Reader } from './reader.ts'
import type { DecodeOptions, Limits } from './reader.ts'
import type { Schema, Writes } from './schema.ts'
import type { Version } from './versions.ts'
import { Writer } from './writer.ts'

/** For which version to write, and how large the item may get (default: what a length can say). */
export interface EncodeOptions {
  readonly version: Version
  readonly maxBytes?: number
}

const largest = 0xffff_ffff + 8

/**
 * The bytes of the whole item, header included, in one buffer of their own. Throws EncodeError
 * before anything is allocated.
 */
export function encode<T, W = never>(
  schema: Schema<T> & Writes<W>,
  tag: number,
  value: NoInfer<T | W>,
  { version, maxBytes = largest }: EncodeOptions,
): Uint8Array {
  const writer = new Writer(version, schema.tagName?.(tag) ?? tagHex(tag))
  const size = schema.size(value as T, writer)
  if (size > maxBytes) throw new EncodeError('size', `${size} bytes exceed ${maxBytes}`)
  writer.allocate(size)
  schema.write(value as T, writer, tag)
  return writer.finished()
}

/** How many bytes `encode` would give. Throws what it would throw. */
export function measure<T, W = never>(
  schema: Schema<T> & Writes<W>,
  tag: number,
  value: NoInfer<T | W>,
  { version, maxBytes = largest }: EncodeOptions,
): number {
  const size = schema.size(value as T, new Writer(version, schema.tagName?.(tag) ?? tagHex(tag)))
  if (size > maxBytes) throw new EncodeError('size', `${size} bytes exceed ${maxBytes}`)
  return size
}

/**
 * The value of the one item the bytes hold. Throws DecodeError. Byte strings are views of `bytes`.
 */
export function decode<T>(
  schema: Schema<T>,
  tag: number,
  bytes: Uint8Array,
  options: DecodeOptions,
): T {
  const reader = new Reader(bytes, options)
  if (schema.tagName !== undefined) reader.tagName = schema.tagName
  reader.header()
  if (reader.tag !== tag) reader.fail('tag', `expected ${reader.tagName(tag)}`)
  const value = schema.read(reader)
  reader.finish()
  return value
}

/** The value of an item that was kept `raw`; errors tell its place in the message it came from. */
export function decodeRaw<T>(schema: Schema<T>, raw: Raw, options: DecodeOptions): T {
  const reader = new Reader(raw.bytes, options, raw)
  if (schema.tagName !== undefined) reader.tagName = schema.tagName
  reader.resume(itemTypes[raw.type])
  const value = schema.read(reader)
  reader.finish()
  return value
}

/** The one item the bytes hold, without a schema. Throws DecodeError. */
export function decodeItem(bytes: Uint8Array, limits: Partial<Limits> = defaultLimits): Item {
  const reader = new Reader(bytes, { version: 0, limits })
  reader.header()
  const item = readItem(reader)
  reader.finish()
  return item
}

/** The bytes of an item, without a schema. Throws EncodeError. */
export function encodeItem(item: Item): Uint8Array {
  return encode(anyValue, item.tag, item, { version: 0 })
}

/** How many bytes `encodeItem` would give. */
export function measureItem(item: Item): number {
  return anyValue.size(item, new Writer(0, tagHex(item.tag)))
}

const messageTags = [0x420078, 0x42007b]
const headerTags = [0x420077, 0x42007a]
const protocolVersion = 0x420069
const major = 0x42006a
const minor = 0x42006b

/**
 * The protocol version told in the header of a request or response message, or undefined when it
 * cannot be made out. Looks at the header only and never throws.
 */
export function peekVersion(bytes: Uint8Array): Version | undefined {
  const reader = new Reader(bytes, { version: 0, limits: { maxBytes: Infinity } })
  try {
    reader.header()
    if (!messageTags.includes(reader.tag)) return undefined
    reader.enter()
    reader.header()
    if (!headerTags.includes(reader.tag)) return undefined
    reader.enter()
    for (;;) {
      reader.header()
      if (reader.tag === protocolVersion) break
      reader.skip()
    }
    const { type, value } = readItem(reader)
    if (type !== 'Structure') return undefined
    const [first, second] = [major, minor].map((tag) => value.find((part) => part.tag === tag))
    if (first?.type !== 'Integer' || second?.type !== 'Integer') return undefined
    if (!isVersionPart(first.value) || !isVersionPart(second.value)) return undefined
    return first.value * 256 + second.value
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function isVersionPart(number: number): boolean {
  return number >= 0 && number <= 255
}
