// What a schema is: it measures, writes and reads the items of one kind. Made only by the words of
// this package (`integer`, `struct`, `enumeration` …); users pass schemas around and ask for types.

import type { ItemType } from './items.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** Describes items whose value in memory is a `T`; the members are the codec's own business. */
export interface Schema<T, K extends AnyItemType = AnyItemType> {
  /** The item type on the wire; 'Any' when it varies. */
  readonly itemType: K
  /** Names for the tags inside, when the schema has a vocabulary. */
  readonly tagName?: ((tag: number) => string) | undefined
  /** Bytes of the whole item; fails on a value that cannot be written. */
  size(value: T, writer: Writer): number
  /** Writes the whole item; `size` was asked before with the same value. */
  write(value: T, writer: Writer, tag: number): void
  /** Reads the value of the current item and moves past it. */
  read(reader: Reader): T
}

/** The type on the wire, or 'Any' when it varies. */
export type AnyItemType = ItemType | 'Any'

/** A schema that accepts more on writing than it gives on reading; exists for inference only. */
export interface Writes<W> {
  readonly written?: W
}

/** The type of a schema's values in memory, as decoding gives them. */
export type Infer<S> = S extends Schema<infer T> ? T : never

/**
 * The type encoding accepts: as `Infer`, but lists may be absent or read-only, and optional
 * members may be undefined.
 */
export type InferInput<S> = 'written' extends keyof S
  ? S extends Writes<infer W>
    ? W
    : never
  : Infer<S>
