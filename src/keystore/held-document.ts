// A document as the acts of one transaction hold it: all of them see the same state, so it is read,
// verified and parsed once, until one of them writes it.
import type { DocumentRow } from './storage.ts'
import type { Document, JsonValue } from './work.ts'

/** By `kind/name`; of one transaction or snapshot. */
export type HeldDocuments = Map<string, HeldDocument>

/** From a verified row; `row` is undefined where there is none. Never changed. */
export class HeldDocument {
  readonly row: DocumentRow | undefined
  #document: Document | undefined

  constructor(row: DocumentRow | undefined) {
    this.row = row
  }

  /** Undefined when there is none, or none any more. */
  get document(): Document | undefined {
    const { row } = this
    if (row === undefined || row.body === null) return undefined
    const { kind, name, revision, body, sealed } = row
    this.#document ??= {
      ...{ kind, name, revision, body: JSON.parse(body) as JsonValue },
      hasSecret: sealed !== null,
    }
    return this.#document
  }
}
