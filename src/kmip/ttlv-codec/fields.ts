// The fields of a structure: `req`, `opt`, `many`, and `shapes` for a field whose form on the wire
// depends on the version. A field is a list of variants; at most one of them fits a version.

import type { Infer, InferInput, Schema } from './schema.ts'
import { covers, span } from './versions.ts'
import type { Span, Version, VersionRange, VersionText } from './versions.ts'

/** Whether the member is there: always, perhaps, or as a list that may be empty. */
export type Presence = 'required' | 'optional' | 'list'

/** One form of a field on the wire. */
export interface Variant extends Span {
  readonly tag: string | undefined
  readonly schema: Schema<unknown>
  readonly list: boolean
  /** How many items there are at least: 1 for a required field. */
  readonly min: number
}

/** A member of a structure: `T` in memory, `W` accepted on writing. */
export interface Field<
  T,
  W,
  P extends Presence = Presence,
  Tag extends string | undefined = string | undefined,
> {
  readonly presence: P
  /** The tag when it is not the member's key. */
  readonly tag: Tag
  readonly variants: readonly Variant[]
  readonly value?: T
  readonly written?: W
}

/** Versions a field belongs to, and its tag when that is not its key. */
export interface FieldOptions<
  Tag extends string | undefined = string | undefined,
> extends VersionRange {
  readonly tag?: Tag
}

/** The tag that options name; undefined when they name none. */
type TagOf<O> = O extends { readonly tag: infer Tag extends string } ? Tag : undefined

/** A field that must be there. */
export function req<S extends Schema<unknown>, const O extends FieldOptions = object>(
  schema: S,
  options?: O,
): Field<Infer<S>, InferInput<S>, 'required', TagOf<O>> {
  return field('required', schema, options, 1)
}

/** A field that may be absent; its member is then absent too. */
export function opt<S extends Schema<unknown>, const O extends FieldOptions = object>(
  schema: S,
  options?: O,
): Field<Infer<S>, InferInput<S>, 'optional', TagOf<O>> {
  return field('optional', schema, options, 0)
}

/** A field that may be repeated: always an array, empty when there is none. */
export function many<
  S extends Schema<unknown>,
  const O extends FieldOptions & { readonly min?: number } = object,
>(schema: S, options?: O): Field<Infer<S>[], readonly InferInput<S>[], 'list', TagOf<O>> {
  return field('list', schema, options, options?.min ?? 0)
}

function field<T, W, P extends Presence, Tag extends string | undefined>(
  presence: P,
  schema: Schema<unknown>,
  options: FieldOptions = {},
  min: number,
): Field<T, W, P, Tag> {
  const { tag } = options
  return {
    presence,
    tag: tag as Tag,
    variants: [{ ...span(options), tag, schema, list: presence === 'list', min }],
  }
}

/** One form of a `shapes` field: one item (`schema`) or repeated items (`many`) of a tag. */
export type Shape<Tag extends string> = {
  readonly since?: VersionText
  readonly until?: VersionText
  readonly tag: Tag
} & (
  | { readonly schema: Schema<unknown>; readonly required?: boolean }
  | { readonly many: Schema<unknown>; readonly min?: number }
)

type ShapeValue<V> = V extends { readonly many: infer S }
  ? Infer<S>[]
  : V extends { readonly schema: infer S }
    ? Infer<S>
    : never

type ShapeInput<V> = V extends { readonly many: infer S }
  ? readonly InferInput<S>[]
  : V extends { readonly schema: infer S }
    ? InferInput<S>
    : never

type ShapePresence<V> = V extends { readonly many: unknown }
  ? 'list'
  : V extends { readonly required: true }
    ? 'required'
    : 'optional'

type Joined<P> = 'optional' extends P ? 'optional' : [P] extends ['list'] ? 'list' : 'required'

/** The field that `shapes` makes of its variants. */
export type ShapesField<V extends readonly unknown[], Tag extends string> = Field<
  ShapeValue<V[number]>,
  ShapeInput<V[number]>,
  Joined<ShapePresence<V[number]>> & Presence,
  Tag
>

/** The fields of variants; bound to a table of tags by `vocabulary`. */
export function shapesField<Tag extends string, const V extends readonly Shape<Tag>[]>(
  shapes: V,
): ShapesField<V, Tag> {
  const variants = shapes.map((shape): Variant => {
    if ('many' in shape) {
      return { ...span(shape), tag: shape.tag, schema: shape.many, list: true, min: shape.min ?? 0 }
    }
    const min = shape.required === true ? 1 : 0
    return { ...span(shape), tag: shape.tag, schema: shape.schema, list: false, min }
  })
  const optional = variants.some((variant) => !variant.list && variant.min === 0)
  const allLists = variants.every((variant) => variant.list)
  const always: Presence = allLists ? 'list' : 'required'
  const presence: Presence = optional ? 'optional' : always
  return {
    presence: presence as ShapesField<V, Tag>['presence'],
    tag: variants[0]?.tag as Tag,
    variants,
  }
}

/** The variant of a field that fits a version, if any. */
export function variantOf(
  { variants }: Pick<Field<unknown, unknown>, 'variants'>,
  version: Version,
): Variant | undefined {
  return variants.find((variant) => covers(variant, version))
}
