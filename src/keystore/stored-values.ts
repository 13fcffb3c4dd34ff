// Values as they are read from the database. SQLite keeps a value of any type in any column: one that keyreel has
// not written there must end as a MAC or a seal that does not fit, and not as a bug on the way to it.
import type { SqlValue } from './storage.ts'

/** A column of bytes; for anything else bytes that nothing fits, whatever its text is. */
export function bytesIn(value: SqlValue | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(`no bytes: ${String(value)}`)
}

/** A column of bytes that may be empty. */
export function bytesOrNull(value: SqlValue | undefined): Uint8Array | null {
  return value === null || value === undefined ? null : bytesIn(value)
}

/** A column of text that no walk goes by: where one goes on after a value, it must be the one that stands there. */
export function textIn(value: SqlValue | undefined): string {
  return typeof value === 'string' ? value : String(value)
}
