// The part of a library's firmware that answers its drives: picks an identifier for a new key, has
// the key brought from a key server, hands drive key and KAD as one page, and forgets the key.

import type { Dialect } from './dialects.ts'
import { drawRandom, type RandomBytes } from './drive-cipher.ts'
import {
  keyPage,
  type DriveControl,
  type KeyAnswer,
  type KeyRequest,
  type StartTimer,
} from './drive-control.ts'
import { identifierOf, newKad } from './identifiers.ts'
import type { Kad } from './kad.ts'
import type { KeyFacts } from './key-attributes.ts'
import type { Journal, KeyEvent } from './library-events.ts'
import { KeyErrands, type Outcome } from './library-keys.ts'
import type { ServerList } from './library-servers.ts'
import { encryptionOff, setDataEncryption } from './security-protocol-pages.ts'

/** Who brings keys to the drives of a partition; `none`: tapes are written in clear. */
export type EncryptionMethod = 'library' | 'application' | 'none'

/** What the controller is told of its library. */
export interface ControllerOptions {
  readonly librarySerial: string
  readonly dialect: Dialect
  /** How long the drives wait for a key, in milliseconds (drive-control.ts). */
  readonly driveTimeout?: number
  readonly startTimer?: StartTimer
  /** Where identifiers of new keys come from. */
  readonly identifiers?: RandomBytes
  /** Looks for a new key's identifier before making it; for identifiers that are not random. */
  readonly looksFirst?: boolean
  /** Seconds since 1970. */
  readonly now?: () => bigint
}

/** What the controller works with. */
export interface ControllerPorts {
  readonly servers: ServerList
  readonly journal: Journal
  /** The label of the cartridge in a drive, as the library reports it. */
  barcodeIn(driveSerial: string): string | undefined
}

const readClock = (): bigint => BigInt(Math.floor(Date.now() / 1000))

/** One per library. */
export class KeyController {
  readonly #options: ControllerOptions
  readonly #ports: ControllerPorts
  readonly #errands: KeyErrands

  constructor(options: ControllerOptions, ports: ControllerPorts) {
    this.#options = options
    this.#ports = ports
    this.#errands = new KeyErrands(ports.servers, options.dialect)
  }

  /** What a drive of a partition with this method is given to ask. */
  controlOf(driveSerial: string, method: EncryptionMethod): DriveControl {
    if (method === 'application') return { kind: 'application' }
    const { driveTimeout, startTimer } = this.#options
    return {
      kind: 'library',
      onKeyNeeded: async (request, signal) =>
        method === 'library' ? this.#bringKey(driveSerial, request, signal) : withoutKey(request),
      ...(driveTimeout !== undefined && { timeout: driveTimeout }),
      ...(startTimer !== undefined && { startTimer }),
    }
  }

  async #bringKey(driveSerial: string, request: KeyRequest, stop: AbortSignal): Promise<KeyAnswer> {
    const began = performance.now()
    const { dialect, identifiers = drawRandom, looksFirst = false } = this.#options
    const isNew = request.reason === 'write-bot'
    const kad = isNew ? newKad(dialect, request.kadLimits, identifiers) : request.kad
    const identifier = identifierOf(dialect, kad)
    const barcode = this.#ports.barcodeIn(driveSerial)
    const { outcome, tries } = await this.#errands.run(
      isNew
        ? {
            kind: 'make',
            facts: this.#facts(identifier, barcode, request),
            mayExist: looksFirst,
          }
        : { kind: 'find', identifier },
      stop,
    )
    const milliseconds = performance.now() - began
    this.#note(outcome, { driveSerial, barcode, identifier, milliseconds, tries })
    return answerOf(outcome, kad)
  }

  #facts(identifier: string, barcode: string | undefined, request: KeyRequest): KeyFacts {
    const { librarySerial, dialect, now = readClock } = this.#options
    return {
      identifier,
      barcode,
      mediumSerial: request.mediumSerial,
      librarySerial,
      time: now() + BigInt(dialect.clockAhead),
    }
  }

  #note(outcome: Outcome, about: KeyEvent): void {
    const { journal } = this.#ports
    if (outcome.status === 'key') {
      const { id, server, made } = outcome
      journal.write({ kind: made ? 'key-made' : 'key-found', ...about, id, server })
      return
    }
    if (outcome.status === 'not-found') {
      journal.write({ kind: 'key-not-found', ...about })
      return
    }
    const kind = outcome.status === 'refused' ? 'key-refused' : 'no-server'
    journal.write({ kind, ...about, why: outcome.why })
  }
}

/** The page with the key, whose own bytes are then wiped, or why there is none. */
function answerOf(outcome: Outcome, kad: Kad): KeyAnswer {
  if (outcome.status === 'key') {
    const page = keyPage(outcome.key, kad)
    outcome.key.fill(0)
    return { page }
  }
  if (outcome.status === 'not-found') return { refused: 'key-not-found' }
  if (outcome.status === 'no-server' && outcome.why.timedOut) return { refused: 'control-timeout' }
  return { refused: 'control-error' }
}

/** A partition without encryption writes in clear and reads no encrypted tape. */
const withoutKey = (request: KeyRequest): KeyAnswer =>
  request.reason === 'write-bot'
    ? { page: setDataEncryption.encode(encryptionOff) }
    : { refused: 'key-not-found' }
