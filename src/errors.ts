// Errors for the people who run keyreel: what is wrong, and the command that puts it right.

/** Exit statuses of the command line (docs/reference: "exit statuses"). */
export const exitStatus = {
  failed: 1,
  usage: 2,
  partly: 3,
  notInitialised: 10,
  sealed: 11,
  wrongPassphrase: 12,
  policy: 13,
} as const

/**
 * Something an administrator can put right. Printed as `error: message`, then `hint: …`.
 * `code` is stable and is what tests and callers look at; the message never holds a secret.
 */
export class UserError extends Error {
  readonly code: string
  readonly hint: string
  readonly exitStatus: number

  constructor(
    code: string,
    message: string,
    hint: string,
    options: { exitStatus?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UserError'
    this.code = code
    this.hint = hint
    this.exitStatus = options.exitStatus ?? exitStatus.failed
  }
}
