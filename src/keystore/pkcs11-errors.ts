// What can be wrong with a PKCS#11 token, in the administrator's words, and which of its return values mean what.
import { exitStatus, UserError } from '../errors.ts'

/** Which token. */
export interface TokenPlace {
  /** Path of the vendor's module. */
  readonly module: string
  /** Label or serial number; may be absent where there is only one token. */
  readonly token: string | undefined
}

/** Return values of PKCS#11 2.40 that mean something here. */
export const returned = {
  pinIncorrect: 0xa0,
  pinInvalid: 0xa1,
  pinLength: 0xa2,
  pinLocked: 0xa4,
  alreadyLoggedIn: 0x100,
} as const

/** Return values that say that the token, its session or its module was lost. */
const awayReturns: ReadonlySet<number> = new Set([
  0x03, 0x30, 0x31, 0x32, 0x60, 0x82, 0xb0, 0xb3, 0xe0, 0xe1, 0x101, 0x190,
])
/** CKR_GENERAL_ERROR and CKR_FUNCTION_FAILED: that, or something else. */
export const unclearReturns: ReadonlySet<number> = new Set([0x05, 0x06])

/** Whether the error says that the token or its session is not there. */
export function isAway(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && awayReturns.has(code)
}

/** The return value of PKCS#11 that an error stands for. */
export function codeOf(error: unknown): number | undefined {
  const code =
    error instanceof Error && 'method' in error && 'code' in error ? error.code : undefined
  return typeof code === 'number' ? code : undefined
}

/** Whether the PIN was refused. */
export function isPinError(error: unknown): boolean {
  const { pinIncorrect, pinInvalid, pinLength, pinLocked } = returned
  const codes: readonly number[] = [pinIncorrect, pinInvalid, pinLength, pinLocked]
  return codes.includes(codeOf(error) ?? 0)
}

/** Its message, such as CKR_DEVICE_ERROR. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no reason given'
}

const sealed = { exitStatus: exitStatus.sealed }

/** No such token, or more than one. `there`: those that are reached. */
export function missing(
  { module, token }: TokenPlace,
  there: readonly { readonly label: string; readonly serial: string }[],
  cause?: unknown,
): UserError {
  const names = there.map(({ label: name, serial }) => `${name} (${serial})`).join(', ')
  const which = token === undefined ? 'no single token' : `no token ${token}`
  return new UserError(
    'token-missing',
    `${which} is reached through ${module}; there ${names === '' ? 'is none' : `are ${names}`}`,
    'connect it, or name its label with --pkcs11-token; when it is lost:  keyreel master-key unseal --share FILE …',
    { ...sealed, cause },
  )
}

/** A token that had a wrong PIN takes the next one from a person only, also where no server is there yet. */
const byHand =
  'give the right one once by hand: at a terminal without --pkcs11-pin-file, or to a server that waits:  keyreel master-key unseal'

/** A PIN that was refused. */
export function wrongPin(name: string, remark: string, cause?: unknown): UserError {
  return new UserError(
    'wrong-pin',
    `the PIN is not that of the token ${name}${remark === '' ? '' : `: ${remark}`}`,
    `correct the file that holds it, then ${byHand}`,
    { exitStatus: exitStatus.wrongPassphrase, cause },
  )
}

/** A PIN out of a file, after a wrong one. */
export function notTried(name: string, remark: string): UserError {
  return new UserError(
    'pin-not-tried',
    `the PIN of the token ${name} was not tried from a file: ${remark}`,
    `see that it is right, then ${byHand}`,
    sealed,
  )
}

/** A token whose PIN is locked. */
export function locked(name: string, cause?: unknown): UserError {
  return new UserError(
    'pin-locked',
    `the PIN of the token ${name} is locked after too many wrong ones`,
    'its security officer sets a new one; until then:  keyreel master-key unseal --share FILE …',
    { ...sealed, cause },
  )
}

/** A token that cannot keep a master key. */
export function unfit(name: string, what: string, cause?: unknown): UserError {
  return new UserError(
    'token-unfit',
    `the token ${name} does not serve: ${what}`,
    'name another with --pkcs11-token; it needs CKM_AES_KEY_GEN and CKM_AES_GCM',
    { ...sealed, cause },
  )
}

/** What else a token may say to a login. */
export function explained(error: unknown, name: string): unknown {
  if (codeOf(error) === undefined) return error
  return new UserError(
    'token-refuses',
    `the token ${name} refuses to be logged in to (${messageOf(error)})`,
    'look at it with the tool of its vendor',
    { ...sealed, cause: error },
  )
}
