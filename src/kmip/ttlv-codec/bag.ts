// A structure whose children come in any order and number, each of a tag from a table; KMIP 2.x
// keeps attributes that way.

import type { Infer, InferInput, Schema, Writes } from './schema.ts'
import type { TagTable } from './struct.ts'
import { covers, span } from './versions.ts'
import type { Span, VersionRange } from './versions.ts'

/** What a tag of a bag holds, and since when. */
export type BagRow = Schema<unknown> | ({ readonly schema: Schema<unknown> } & VersionRange)

/** The tags a bag may hold. */
export type BagTable = Readonly<Record<string, BagRow>>

type SchemaOf<R> =
  R extends Schema<unknown> ? R : R extends { readonly schema: infer S } ? S : never

/** One child of a bag. */
export type BagEntry<B extends BagTable> = {
  [K in keyof B & string]: { readonly tag: K; readonly value: Infer<SchemaOf<B[K]>> }
}[keyof B & string]

type BagEntryInput<B extends BagTable> = {
  [K in keyof B & string]: { readonly tag: K; readonly value: InferInput<SchemaOf<B[K]>> }
}[keyof B & string]

/** Schema of a bag: its children in order. */
export interface BagSchema<B extends BagTable>
  extends Schema<BagEntry<B>[], 'Structure'>, Writes<readonly BagEntryInput<B>[]> {}

interface Entry extends Span {
  readonly name: string
  readonly tag: number
  readonly schema: Schema<unknown>
}

/** The schema of a bag; bound to a table of tags by `vocabulary`. */
export function bagSchema<B extends BagTable>(table: B, tags: TagTable): BagSchema<B> {
  const byName = new Map<string, Entry>()
  const byTag = new Map<number, Entry>()
  for (const [name, row] of Object.entries(table)) {
    const tag = tags.tagNumber(name)
    if (tag === undefined) throw new TypeError(`${name} is not a tag`)
    const { schema, ...range } = 'schema' in row ? row : { schema: row }
    const entry: Entry = { name, tag, schema, ...span(range) }
    byName.set(name, entry)
    byTag.set(tag, entry)
  }
  return {
    itemType: 'Structure',
    tagName: tags.tagName,
    size(value, writer) {
      let size = 8
      writer.enter()
      for (const { tag: name, value: child } of value) {
        writer.member(name)
        const entry = byName.get(name) ?? writer.fail('value', 'has no place here')
        if (covers(entry, writer.version)) size += entry.schema.size(child, writer)
      }
      writer.leave()
      return size
    },
    write(value, writer, tag) {
      const start = writer.startStructure(tag)
      for (const { tag: name, value: child } of value) {
        const entry = byName.get(name)
        if (entry !== undefined && covers(entry, writer.version)) {
          entry.schema.write(child, writer, entry.tag)
        }
      }
      writer.endStructure(start)
    },
    read(reader) {
      const children: { tag: string; value: unknown }[] = []
      reader.tagName = tags.tagName
      const outer = reader.enter()
      while (reader.position < reader.end) {
        reader.header()
        const entry = byTag.get(reader.tag)
        if (entry === undefined || !covers(entry, reader.version)) reader.unknownItem()
        else children.push({ tag: entry.name, value: entry.schema.read(reader) })
      }
      reader.leave(outer)
      return children as BagEntry<B>[]
    },
  }
}
