/** How bundles are refused: one error for each kind of trouble, saying what and where. */
import { exitStatus, UserError } from '../errors.ts'

/** Bytes that are no bundle, or were changed on the way. */
export function unreadable(found: string, cause?: unknown): UserError {
  return new UserError(
    'bundle-unreadable',
    `this is not a whole, unchanged bundle: ${found}`,
    'have it sent again; nothing of it was imported',
    { cause },
  )
}

/** A sender that is not taken from. */
export function untrusted(code: string, message: string, hint: string): UserError {
  return new UserError(code, message, hint)
}

/** A policy of the administrator's forbids it: exit status 13. */
export function againstPolicy(
  message: string,
  hint: string,
  code = 'refused-by-policy',
): UserError {
  return new UserError(code, message, hint, { exitStatus: exitStatus.policy })
}
