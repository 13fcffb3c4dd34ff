// Schemas made of other schemas: chosen by a sibling (`dependent`), chosen by the type on the wire
// (`oneOf`), of another form in memory (`map`), named before they exist (`lazy`).

import { DecodeError } from './errors.ts'
import { itemTypeName } from './items.ts'
import type { ItemType } from './items.ts'
import type { AnyItemType, Infer, InferInput, Schema, Writes } from './schema.ts'
import type { Version } from './versions.ts'
import type { Writer } from './writer.ts'

/**
 * A field whose schema is chosen by the value of a field that comes before it in the structure
 * (undefined when that is absent), as with an attribute's name and value.
 */
export function dependent<V, S extends Schema<unknown>>(
  key: string,
  choose: (value: V, version: Version) => S,
): Schema<Infer<S>> & Writes<InferInput<S>> {
  const chosen = (siblings: Readonly<Record<string, unknown>>, version: Version) =>
    choose(siblings[key] as V, version) as Schema<Infer<S>>
  return {
    itemType: 'Any',
    size: (value, writer) => chosen(writer.siblings, writer.version).size(value, writer),
    write: (value, writer, tag) =>
      chosen(writer.siblings, writer.version).write(value, writer, tag),
    read: (reader) => chosen(reader.siblings, reader.version).read(reader),
  }
}

/** What `oneOf` gives for one of its schemas. */
type Typed<S> = S extends Schema<infer T, infer K> ? { readonly type: K; readonly value: T } : never
type TypedInput<S> =
  S extends Schema<unknown, infer K> ? { readonly type: K; readonly value: InferInput<S> } : never

/** One of several schemas of different item types: `{ type, value }`. */
export function oneOf<const S extends readonly Schema<unknown, ItemType>[]>(
  ...schemas: S
): Schema<Typed<S[number]>> & Writes<TypedInput<S[number]>> {
  const byType = new Map<ItemType, Schema<unknown>>()
  for (const schema of schemas) {
    if (byType.has(schema.itemType)) throw new TypeError(`two schemas for ${schema.itemType}`)
    byType.set(schema.itemType, schema)
  }
  const expected = [...byType.keys()].join(' or ')
  const chosen = (value: { type: ItemType }, writer: Writer) =>
    byType.get(value.type) ?? writer.fail('value', `${value.type}, expected ${expected}`)
  return {
    itemType: 'Any',
    size: (value, writer) => chosen(value, writer).size(value.value, writer),
    write: (value, writer, tag) => chosen(value, writer).write(value.value, writer, tag),
    read(reader) {
      const type = itemTypeName(reader.type) ?? reader.failType(expected)
      const schema = byType.get(type) ?? reader.failType(expected)
      return { type, value: schema.read(reader) } as Typed<S[number]>
    },
  }
}

/** Both directions between two forms in memory. */
export interface Forms<T, U, W> {
  /** May throw a DecodeError without a path; the place is added. */
  read(value: T, version: Version): U
  /** Called twice for one encoding, so it must have no effects. */
  write(value: U, version: Version): T | W
}

/** The same items on the wire, another form in memory. */
export function map<T, K extends AnyItemType, U, W = never>(
  schema: Schema<T, K> & Writes<W>,
  forms: Forms<T, U, W>,
): Schema<U, K> {
  return {
    itemType: schema.itemType,
    tagName: schema.tagName,
    size: (value, writer) => schema.size(forms.write(value, writer.version) as T, writer),
    write: (value, writer, tag) =>
      schema.write(forms.write(value, writer.version) as T, writer, tag),
    read(reader) {
      const value = schema.read(reader)
      try {
        return forms.read(value, reader.version)
      } catch (error) {
        if (error instanceof DecodeError && error.path === '') reader.fail(error.code, error.reason)
        throw error
      }
    },
  }
}

/** A schema that is defined later or refers to itself; asked for when first used. */
export function lazy<T, K extends AnyItemType, W = never>(
  later: () => Schema<T, K> & Writes<W>,
): Schema<T, K> & Writes<W> {
  return {
    get itemType() {
      return later().itemType
    },
    get tagName() {
      return later().tagName
    },
    size: (value, writer) => later().size(value, writer),
    write: (value, writer, tag) => later().write(value, writer, tag),
    read: (reader) => later().read(reader),
  }
}
