/** What becomes of a key of a bundle, as reports tell it. */

/** New, here already, in conflict with another key, or not taken. */
export type Verdict = 'new' | 'here' | 'conflict' | 'refused'

/** One line of a report. */
export interface KeyReport {
  readonly id: string
  readonly barcode?: string
  readonly verdict: Verdict
  /** Why it was not taken, or what to know about it although it was. */
  readonly reason?: string
}
