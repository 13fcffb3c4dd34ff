// Objects as this process has read and verified them, to be recognised when they are asked for again. The
// database compares: a row that still is, byte for byte, what was verified needs no second MAC, and is the
// newest by the same look at the revisions. Whatever differs in anything is read and verified from the start.
// Material is here sealed, never in the clear.
import type { HeldObject } from './held-object.ts'
import type { ObjectRow } from './storage.ts'

/** Most objects remembered, the latest read; and most bytes of a record or seal of one. */
const remembered = 4096
const longest = 4096

/** A verified row and what was made of it. */
export interface Recognised {
  readonly row: ObjectRow & { readonly sealed: Uint8Array }
  readonly object: HeldObject
}

/** Verified objects by identifier. */
export class RecognisedObjects {
  readonly #known = new Map<string, Recognised>()

  /** The object of that group, or of whichever. */
  find(group: string | undefined, id: string): Recognised | undefined {
    const known = this.#known.get(id)
    return group === undefined || known?.row.group === group ? known : undefined
  }

  /** Remembers a row that has been verified. */
  remember(row: ObjectRow, object: HeldObject): void {
    const { id, record, sealed } = row
    if (!sealed || sealed.length > longest || record.length > longest) return
    this.#known.delete(id)
    this.#known.set(id, { row: row as Recognised['row'], object })
    if (this.#known.size <= remembered) return
    const oldest = this.#known.keys().next()
    if (!oldest.done) this.#known.delete(oldest.value)
  }

  /** Keeps nothing of an object whose sealed bytes are to be forgotten. */
  forget(id: string): void {
    this.#known.delete(id)
  }
}
