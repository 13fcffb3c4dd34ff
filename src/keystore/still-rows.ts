// Rows of objects that are known to stand as they did, without asking the database: nobody has written any since
// they were read. Other connections are told by the database's own count of their commits, this one by what it sends.
import type { ObjectRow, SqlSession } from './storage.ts'

const isQuestion = /^\s*SELECT\b/
const isOfObjects = /\b(objects|revisions)\b/

/** What one writing connection knows of the rows that it has read. */
export class StillRows {
  /** Changes whenever a row of any object may have changed. */
  #state = 0
  #others: unknown
  readonly #seen = new WeakMap<ObjectRow, number>()
  readonly #writes = new Map<string, boolean>()

  /** A transaction has begun. */
  begin(sql: SqlSession): void {
    const others = sql.othersVersion()
    if (others === undefined || others !== this.#others) this.#state++
    this.#others = others
  }

  /** What was read or written in the transaction, or in a part of it, is undone. */
  undone(): void {
    this.#state++
  }

  /** The row stands so now. */
  saw(row: ObjectRow): void {
    this.#seen.set(row, this.#state)
  }

  /** Whether the row is known to stand as it was read. */
  isStill(row: ObjectRow): boolean {
    return this.#seen.get(row) === this.#state
  }

  /** The same session, whose writes are noticed. */
  watching(sql: SqlSession): SqlSession {
    return {
      copies: (relied) => sql.copies(relied),
      othersVersion: () => sql.othersVersion(),
      query: (text, parameters) => {
        if (this.#writesObjects(text)) this.#state++
        return sql.query(text, parameters)
      },
      savepoint: (fn) =>
        sql.savepoint(fn).catch((error: unknown) => {
          this.undone()
          throw error
        }),
    }
  }

  /** Statements are few and written out once. */
  #writesObjects(text: string): boolean {
    let known = this.#writes.get(text)
    if (known === undefined) {
      known = !isQuestion.test(text) && isOfObjects.test(text)
      this.#writes.set(text, known)
    }
    return known
  }
}
