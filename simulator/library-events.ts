// What a library's controller writes down: every key it brought or could not bring, and every change
// of key server. The RAS tickets of real libraries tell the same.

import type { Failover, ServerAddress } from './library-servers.ts'

/** What belongs to every request for a key. */
export interface KeyEvent {
  readonly driveSerial: string
  readonly barcode: string | undefined
  /** What the key is found by. */
  readonly identifier: string
  /** From the drive's request to the answer. */
  readonly milliseconds: number
  /** How many times servers were asked. */
  readonly tries: number
}

interface KeyBrought extends KeyEvent {
  /** The key's Unique Identifier. */
  readonly id: string
  readonly server: ServerAddress
}

interface KeyFailed extends KeyEvent {
  readonly why: Error
}

interface EventKinds {
  'key-made': KeyBrought
  'key-found': KeyBrought
  'key-not-found': KeyEvent
  'key-refused': KeyFailed
  'no-server': KeyFailed
  failover: Failover
  'heartbeat-answered': { readonly server: ServerAddress }
  'heartbeat-missed': { readonly why: Error }
}

/** The events of one kind. */
export type EventOf<Kind extends keyof EventKinds> = { readonly kind: Kind } & EventKinds[Kind]

/** One thing that happened. */
export type LibraryEvent = { [Kind in keyof EventKinds]: EventOf<Kind> }[keyof EventKinds]

const mostKept = 10_000

/** The newest events, oldest first. */
export class Journal {
  readonly #events: LibraryEvent[] = []
  readonly #onEvent: ((event: LibraryEvent) => void) | undefined

  /** `onEvent` is called with each event as it is written. */
  constructor(onEvent?: (event: LibraryEvent) => void) {
    this.#onEvent = onEvent
  }

  write(event: LibraryEvent): void {
    this.#events.push(event)
    if (this.#events.length > mostKept) this.#events.shift()
    this.#onEvent?.(event)
  }

  /** All kept events, or those of one kind. */
  events(): readonly LibraryEvent[]
  events<Kind extends LibraryEvent['kind']>(kind: Kind): readonly EventOf<Kind>[]
  events(kind?: LibraryEvent['kind']): readonly LibraryEvent[] {
    return this.#events.filter((event) => kind === undefined || event.kind === kind)
  }
}
