// The words that need a table of tags: keys of structures and bags are names of tags, checked by
// the compiler and turned into numbers here.

import { bagSchema } from './bag.ts'
import type { BagSchema, BagTable } from './bag.ts'
import { shapesField } from './fields.ts'
import type { Field, Presence, Shape, ShapesField } from './fields.ts'
import { tagHex } from './items.ts'
import { namedNumbers } from './named-numbers.ts'
import { structSchema } from './struct.ts'
import type { Fields, StructSchema } from './struct.ts'
import type { Rows } from './versions.ts'

/** Fields whose keys, or else the tags they name, are in the table. */
type KnownKeys<F, Tag extends string> = {
  readonly [K in Exclude<keyof F, Tag>]: { readonly tag: Tag }
}

/** Fields whose options name no tag outside the table. */
type TaggedFields<Tag extends string> = Readonly<
  Record<string, Field<unknown, unknown, Presence, Tag | undefined>>
>

/** Refuses keys that are not in the table. */
type OnlyTags<B, Tag extends string> = { readonly [K in Exclude<keyof B, Tag>]: never }

type StructWord<Tag extends string> = <const F extends TaggedFields<Tag>>(
  fields: F & KnownKeys<F, Tag>,
) => StructSchema<F>

type BagWord<Tag extends string> = <const B extends BagTable>(
  table: B & OnlyTags<B, Tag>,
) => BagSchema<B>

/** Words bound to a table of tags. */
export interface Vocabulary<Tag extends string> {
  /**
   * A structure. Keys are tag names, or the field's options name the tag; the order of the literal
   * is the order on the wire. Fields outside a version are not written and are refused on reading.
   */
  readonly struct: StructWord<Tag>
  /** A field whose form on the wire depends on the version, with one form in memory. */
  shapes<const V extends readonly Shape<Tag>[]>(...variants: V): ShapesField<V, Tag>
  /** A structure whose children come in any order and number: `{ tag, value }[]`. */
  readonly bag: BagWord<Tag>
  /** The number of a tag; undefined when the table does not have the name. */
  tagNumber(name: Tag): number
  tagNumber(name: string): number | undefined
  /** The name of a tag; hexadecimal when the table does not have the number. */
  tagName(number: number): string
}

/** Binds the words to a table: `const { struct, shapes, bag } = vocabulary({ tags })`. */
export function vocabulary<const T extends Rows>({
  tags,
}: {
  readonly tags: T
}): Vocabulary<keyof T & string> {
  type Tag = keyof T & string
  const table = namedNumbers(tags)
  function tagNumber(name: Tag): number
  function tagNumber(name: string): number | undefined
  function tagNumber(name: string): number | undefined {
    return table.row(name)?.number
  }
  const tagName = (number: number) => table.rowOf(number)?.name ?? tagHex(number)
  const tagTable = { tagNumber, tagName }
  return {
    // The signatures of the words check keys more closely than their makers do.
    struct: ((fields: Fields) => structSchema(fields, tagTable)) as StructWord<Tag>,
    shapes: (...variants) => shapesField(variants),
    bag: ((table: BagTable) => bagSchema(table, tagTable)) as BagWord<Tag>,
    tagNumber,
    tagName,
  }
}
