// What a health check found.

/** What a check found. */
export interface Finding {
  readonly status: 'ok' | 'warning' | 'failed'
  /** One line. */
  readonly found: string
  /** What to run or change; there unless all is well. */
  readonly remedy?: string
}

/** All is well. */
export const ok = (found: string): Finding => ({ status: 'ok', found })
/** Something to be done before it is needed. */
export const warning = (found: string, remedy: string): Finding => ({
  status: 'warning',
  found,
  remedy,
})
/** Something that is wrong now. */
export const failed = (found: string, remedy: string): Finding => ({
  status: 'failed',
  found,
  remedy,
})
