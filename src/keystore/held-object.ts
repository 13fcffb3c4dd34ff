// A managed object as an act holds it, with what the store needs to know and its users do not.
import type { Entries, ObjectRow } from './storage.ts'
import { IntegrityError, type ObjectColumns, type StoredObject } from './work.ts'

/** The row's fields an act holds on to. */
type HeldFields = Pick<
  ObjectRow,
  'id' | 'group' | 'type' | 'revision' | 'epoch' | 'record' | 'sealed'
> & { readonly n: number | undefined }

/** Columns and entries are read only when something asks for them: most objects are loaded to be served. */
type Derived = Pick<ObjectRow, 'columns' | 'entries'>

/**
 * From a verified row, or as the act has left it. Never changed: acts share it. A new one gets its `n` when it
 * is written.
 */
export class HeldObject implements StoredObject {
  #n: number | undefined
  readonly id: string
  readonly group: string
  readonly type: number
  readonly revision: number
  readonly epoch: number
  readonly record: Uint8Array
  /** Undefined when too long to be loaded along. */
  readonly sealed: Uint8Array | null | undefined
  readonly #derived: Derived
  #entries: Entries | undefined
  #decoded: unknown

  constructor(fields: HeldFields, derived: Derived) {
    this.#n = fields.n
    this.id = fields.id
    this.group = fields.group
    this.type = fields.type
    this.revision = fields.revision
    this.epoch = fields.epoch
    this.record = fields.record
    this.sealed = fields.sealed
    this.#derived = derived
  }

  get isWritten(): boolean {
    return this.#n !== undefined
  }

  /** Where the row is; of a written object only. */
  get n(): number {
    if (this.#n === undefined) throw new Error(`${this.id} is not written`)
    return this.#n
  }

  /** The row has been written. */
  writtenAt(n: number): void {
    this.#n = n
  }

  get hasMaterial(): boolean {
    return this.sealed !== null
  }

  decoded<T>(decode: (record: Uint8Array) => T): T {
    this.#decoded ??= decode(this.record)
    return this.#decoded as T
  }

  get columns(): ObjectColumns {
    return this.#derived.columns
  }

  /** Throws IntegrityError when the row's entries cannot be read. */
  get entries(): Entries {
    this.#entries ??= this.#derived.entries
    if (this.#entries) return this.#entries
    throw new IntegrityError('changed', this.id, 'its index entries were changed outside keyreel')
  }

  get index(): Entries['index'] {
    return this.entries.index
  }

  get unique(): Entries['unique'] {
    return this.entries.unique
  }

  /** The object without its material. */
  wiped(): HeldObject {
    const { n, id, group, type, revision, epoch, record } = this
    return new HeldObject(
      { n, id, group, type, revision, epoch, record, sealed: null },
      this.#derived,
    )
  }
}
