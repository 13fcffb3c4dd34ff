// Structures: members by name, in the order of the literal on the wire. The list of fields is worked
// out once for each version; reading tries the next fields first, so items in order cost one look.

import { variantOf } from './fields.ts'
import type { Field } from './fields.ts'
import type { Reader } from './reader.ts'
import type { Schema, Writes } from './schema.ts'
import type { Version } from './versions.ts'
import type { Writer } from './writer.ts'

/** Members of a structure. */
export type Fields = Readonly<Record<string, Field<unknown, unknown>>>

type ValueOf<F> = F extends { readonly value?: infer T } ? T : never
type WrittenOf<F> = F extends Writes<infer W> ? W : never
type KeysOf<F extends Fields, P> = {
  [K in keyof F]: F[K]['presence'] extends P ? K : never
}[keyof F]

/** What decoding gives for the fields: optional members may be absent, lists never are. */
export type StructValue<F extends Fields> = Flat<
  { [K in KeysOf<F, 'required' | 'list'>]: ValueOf<F[K]> } & {
    [K in KeysOf<F, 'optional'>]?: ValueOf<F[K]>
  }
>

/** What encoding accepts for the fields: lists may be absent, optional members undefined. */
export type StructInput<F extends Fields> = Flat<
  { readonly [K in KeysOf<F, 'required'>]: WrittenOf<F[K]> } & {
    readonly [K in KeysOf<F, 'optional' | 'list'>]?: WrittenOf<F[K]> | undefined
  }
>

type Flat<T> = { [K in keyof T]: T[K] }

/** Schema of a structure. */
export interface StructSchema<F extends Fields>
  extends Schema<StructValue<F>, 'Structure'>, Writes<StructInput<F>> {}

/** How a vocabulary turns keys into tags. */
export interface TagTable {
  tagNumber(name: string): number | undefined
  tagName(number: number): string
}

interface PlannedField {
  readonly key: string
  readonly tag: number
  readonly schema: Schema<unknown>
  readonly list: boolean
  readonly min: number
}

interface Plan {
  readonly fields: readonly PlannedField[]
  /** Fields that are required or lists: what must be seen to at the end. */
  readonly owed: readonly PlannedField[]
}

type Members = Record<string, unknown>

/** The schema of a structure with these fields; bound to a table of tags by `vocabulary`. */
export function structSchema<F extends Fields>(fields: F, tags: TagTable): StructSchema<F> {
  const plans = new Map<Version, Plan>()
  let lastVersion: Version = -1
  let lastPlan: Plan = { fields: [], owed: [] }

  function planOf(version: Version): Plan {
    if (version === lastVersion) return lastPlan
    const known = plans.get(version) ?? plan(fields, tags, version)
    plans.set(version, known)
    lastVersion = version
    lastPlan = known
    return known
  }

  return {
    itemType: 'Structure',
    tagName: tags.tagName,
    size: (value, writer) => sizeOf(planOf(writer.version), value as Members, writer),
    write: (value, writer, tag) => write(planOf(writer.version), value as Members, writer, tag),
    read(reader) {
      reader.tagName = tags.tagName
      return read(planOf(reader.version), reader) as StructValue<F>
    },
  }
}

/** The fields that are part of a version, with the numbers of their tags. */
function plan(fields: Fields, tags: TagTable, version: Version): Plan {
  const planned: PlannedField[] = []
  const taken = new Set<number>()
  for (const [key, field] of Object.entries(fields)) {
    const variant = variantOf(field, version)
    if (variant === undefined) continue
    const name = variant.tag ?? key
    const tag = tags.tagNumber(name)
    if (tag === undefined) throw new TypeError(`${name} is not a tag`)
    if (taken.has(tag)) throw new TypeError(`${name} stands for two fields of one structure`)
    taken.add(tag)
    planned.push({ key, tag, schema: variant.schema, list: variant.list, min: variant.min })
  }
  return { fields: planned, owed: planned.filter((field) => field.list || field.min > 0) }
}

function sizeOf({ fields }: Plan, value: Members, writer: Writer): number {
  if (typeof value !== 'object' || value === null) {
    writer.fail('value', `${typeof value} is not a structure`)
  }
  let size = 8
  writer.enter()
  for (const { key, schema, list, min } of fields) {
    const member = value[key]
    writer.member(key)
    if (list) {
      const members = listOf(member, writer)
      if (members.length < min) writer.fail('value', `${members.length} items, at least ${min}`)
      for (const one of members) {
        writer.siblings = value
        size += schema.size(one, writer)
      }
    } else if (member !== undefined) {
      writer.siblings = value
      size += schema.size(member, writer)
    } else if (min > 0) writer.fail('value', 'required but absent')
  }
  writer.leave()
  return size
}

function write({ fields }: Plan, value: Members, writer: Writer, tag: number): void {
  const start = writer.startStructure(tag)
  for (const { key, tag, schema, list } of fields) {
    const member = value[key]
    if (list) {
      for (const one of listOf(member, writer)) {
        writer.siblings = value
        schema.write(one, writer, tag)
      }
    } else if (member !== undefined) {
      writer.siblings = value
      schema.write(member, writer, tag)
    }
  }
  writer.endStructure(start)
}

const none: readonly unknown[] = []

function listOf(member: unknown, writer: Writer): readonly unknown[] {
  if (member === undefined) return none
  if (!Array.isArray(member)) return writer.fail('value', `${typeof member} is not a list`)
  return member as readonly unknown[]
}

function read({ fields, owed }: Plan, reader: Reader): Members {
  const members: Members = {}
  const outer = reader.enter()
  let next = 0
  while (reader.position < reader.end) {
    reader.header()
    const index = indexOf(fields, reader.tag, next)
    const field = fields[index]
    if (field === undefined) {
      reader.unknownItem()
      continue
    }
    if (index < next && reader.strictOrder) reader.fail('order', 'comes too late')
    const { key, list } = field
    next = list ? index : index + 1
    reader.siblings = members
    if (list) {
      const found = members[key] as unknown[] | undefined
      const value = field.schema.read(reader)
      if (found === undefined) members[key] = [value]
      else found.push(value)
    } else {
      if (members[key] !== undefined) reader.fail('duplicate', 'occurs twice')
      members[key] = field.schema.read(reader)
    }
  }
  reader.leave(outer)
  for (const { key, list, min } of owed) {
    const member = members[key]
    if (list && member === undefined) members[key] = []
    if (min === 0) continue
    const count = Array.isArray(member) ? member.length : 0
    if (list && count < min) reader.fail('missing', `${count} of ${key}, at least ${min}`)
    if (!list && member === undefined) reader.fail('missing', `${key} is missing`)
  }
  return members
}

/** The field of a tag, looked for from `next` on and then before it; -1 when there is none. */
function indexOf(fields: readonly PlannedField[], tag: number, next: number): number {
  for (let i = next; i < fields.length; i++) if (fields[i]?.tag === tag) return i
  for (let i = 0; i < next; i++) if (fields[i]?.tag === tag) return i
  return -1
}
