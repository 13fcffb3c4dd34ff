// Who brings keys to a drive: the host's software, or the library. The library's side is this one
// callback; everything else it needs to know it can read with SECURITY PROTOCOL IN.

import type { KadLimits, MediumFormat } from './generations.ts'
import type { Kad } from './kad.ts'
import { descriptorsOf } from './security-protocol-page.ts'
import { encryptionOff, setDataEncryption } from './security-protocol-pages.ts'
import { CheckCondition, type SenseProfile } from './sense.ts'

/** A drive's request for a key, raised while the host's command waits. */
export type KeyRequest = {
  /** What the medium records, and how it splits an identifier into U-KAD and A-KAD. */
  readonly format: MediumFormat
  readonly kadLimits: KadLimits
  /** From the cartridge memory. The barcode is the robot's to know. */
  readonly mediumSerial: string
} & (
  | {
      /** No block precedes: a new key, whatever key this cartridge had before. */
      readonly reason: 'write-bot'
    }
  | {
      /** The key of the last block (append) or of the block to read, as it names itself. */
      readonly reason: 'append' | 'read'
      readonly kad: Kad
    }
)

/**
 * A Set Data Encryption page, as it would cross the automation port, or why there is none.
 *
 * The drive copies the key and wipes the page's bytes. For 'write-bot' and 'append' the page must
 * say encrypt and carry the KAD, for 'append' the one asked for; a 'write-bot' page that says off
 * has the cartridge written in clear. For 'read' it must say decrypt or mixed.
 */
export type KeyAnswer =
  | { readonly page: Uint8Array }
  | { readonly refused: 'key-not-found' | 'control-timeout' | 'control-error' }

/** The page with which a library hands a drive one key: encrypt, decrypt, clear it on demount. */
export const keyPage = (key: Uint8Array, kad: Kad): Uint8Array =>
  setDataEncryption.encode({
    ...encryptionOff,
    ckod: true,
    encryptionMode: 'encrypt',
    decryptionMode: 'mixed',
    kadFormat: 'binary',
    key,
    kads: descriptorsOf(kad),
  })

/** Starts a timer and returns how to stop it; a parameter so that tests need not wait. */
export type StartTimer = (milliseconds: number, fire: () => void) => () => void

/** Keys come from the library; the host may not set any. */
export interface LibraryControl {
  readonly kind: 'library'
  /**
   * Brings a key. May read pages of the drive but must not send it commands: it is busy with one.
   * `signal` fires when the drive has stopped waiting; the answer is then ignored.
   */
  onKeyNeeded(request: KeyRequest, signal: AbortSignal): Promise<KeyAnswer>
  /** How long the drive waits for an answer, in milliseconds; 120 000 unless given. */
  readonly timeout?: number
  readonly startTimer?: StartTimer
}

/** Keys come from the host over its own port; the library may not set any. */
export interface ApplicationControl {
  readonly kind: 'application'
}

export type DriveControl = LibraryControl | ApplicationControl

const defaultTimeout = 120_000

/** Timers of the runtime. */
export const realTimer: StartTimer = (milliseconds, fire) => {
  const timer = setTimeout(fire, milliseconds)
  return () => clearTimeout(timer)
}

/**
 * Asks for a key and waits. Gives the page's bytes or throws the sense the profile has for a key not
 * found, a timeout or an error; what the library itself threw becomes the cause.
 */
export async function askLibrary(
  control: LibraryControl,
  request: KeyRequest,
  profile: SenseProfile,
): Promise<Uint8Array> {
  const milliseconds = control.timeout ?? defaultTimeout
  const giveUp = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<KeyAnswer>()
  const stopTimer = (control.startTimer ?? realTimer)(milliseconds, () => {
    resolve({ refused: 'control-timeout' })
    giveUp.abort()
  })
  let answer: KeyAnswer
  try {
    const brought = control.onKeyNeeded(request, giveUp.signal)
    answer = await Promise.race([brought, late])
    if (giveUp.signal.aborted) void brought.then(wipePage, () => undefined)
  } catch (error) {
    throw new CheckCondition(profile.controlError, 'the library failed', { cause: error })
  } finally {
    stopTimer()
  }
  if ('page' in answer) return answer.page
  throw refusal(answer.refused, request, profile)
}

/** A key that came too late is wiped like one that came in time. */
function wipePage(answer: KeyAnswer): void {
  if ('page' in answer) answer.page.fill(0)
}

function refusal(
  reason: Extract<KeyAnswer, { refused: string }>['refused'],
  request: KeyRequest,
  profile: SenseProfile,
): CheckCondition {
  const rows = {
    'key-not-found': profile.keyNotFound,
    'control-timeout': profile.controlTimeout,
    'control-error': profile.controlError,
  }
  return new CheckCondition(rows[reason], `no key for ${request.reason}: ${reason}`)
}
