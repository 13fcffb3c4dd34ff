/** What an operation is, and what it is given: one file per operation, all of this shape. */
import type { Version } from 'ttlv-codec'
import type { RandomSource } from '../../crypto/random-source.ts'
import type { Secret } from '../../crypto/secret.ts'
import type { Principal } from '../../access/identity.ts'
import type { LocateLimits } from '../../keystore/locate.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { Soon } from '../../keystore/soon.ts'
import type { JsonValue, Work } from '../../keystore/work.ts'
import type { ResponseBatchItem } from '../model/messages.ts'
import type { OperationName, RequestPayload, ResponsePayload } from '../model/payloads/index.ts'

import type { LongWork } from './long-work.ts'
import type { RunningJobs } from './running-jobs.ts'
import type { Streams } from './streams.ts'
import type { PeerQuestions } from './peer-questions.ts'
import type { UnknownTapes } from './unknown-tapes.ts'

/**
 * What an operation does to the store.
 * `none`: nothing; `read`: looks, unaudited; `act`: changes state, releases or uses key material, and
 * so runs in the group commit with its audit record.
 */
export type Effect = 'none' | 'read' | 'act'

/** Everything about the server that operations answer from. Made once. */
export interface ServerFacts {
  vendor: string
  locate: LocateLimits
  /** Most instances of one attribute, and of attributes in all, on one object. */
  maximumInstances: number
  maximumAttributes: number
  /** Most tickets of one client at a time, and the seconds that one lives at most. */
  tickets: number
  ticketTime: number
  /** Whether there is an HTTPS port, and with it KMIP in XML and JSON. */
  https: boolean
  /** In test mode: since when, in seconds since 1970. Operations for tests exist there only. */
  testingSince: bigint | undefined
  /** What RNG Retrieve gives of and RNG Seed goes into. */
  random: RandomSource
  /** Where work that takes long waits for its turn. */
  longWork: LongWork
  /** Milliseconds that a Poll waits for a result before it answers that there is none yet. */
  pollTime: number
}

/** Identifiers that live as long as the batch (KMIP 2.1 §6.1, §4.58). */
export interface BatchState {
  /** The ID Placeholder; undefined while empty. */
  placeholder: string | undefined
  /** Unique Identifiers in the answers so far, in order, each with its item and operation. */
  identifiers: { item: number; operation: string; id: string }[]
}

/** An object whose state, brought about by time, was recorded; it stays so whatever becomes of the item. */
export interface StateReached {
  object: ManagedObject
  /** Steps that wrote it. */
  writes: number
}

/** What one item's run may use. `work` is the act's or the read's view of the store. */
export interface Context {
  version: Version
  principal: Principal
  work: Work
  /** False where nothing may be written: an item that must write after all throws `NeedsAct`. */
  writable: boolean
  now: bigint
  batch: BatchState
  facts: ServerFacts
  /** Operations in parts that are under way. */
  streams: Streams
  /** Asynchronous requests under way in this process. */
  jobs: RunningJobs
  /** Where tapes are noted that are looked for in vain; undefined where nobody keeps them. */
  unknownTapes: UnknownTapes | undefined
  /** Where the questions of peers are counted; undefined where no peer comes. */
  peerQuestions: PeerQuestions | undefined
  /** Whether the connection may be turned round (Set Endpoint Role). */
  turnable: boolean
  /** Key material handed out; wiped once the answer is encoded. */
  secrets: Secret[]
  /** What the audit record of this item shall name, and whose states it has recorded. */
  noted: { object?: string; details?: JsonValue; reached?: StateReached[] }
  /** Answers the item with another one's answer (Poll); only its Unique Batch Item ID stays. */
  become(answer: ResponseBatchItem): void
  /** Something an administrator must hear of; kept with the audit record and logged. */
  alarm(text: string): void
  /**
   * The result of work that takes long or has effects of its own, done outside the act: the first call
   * gives the act up, does the work, and runs the act again, where the same call answers what came of
   * it, an error included. `key` names the work and all it depends on: `ReKey 1f3c… 2`. Call it before
   * anything is written. What `secretsOf` finds in the result is wiped once the answer is encoded.
   */
  aside<T>(
    key: string,
    work: (whenSettled: WhenSettled) => Promise<T>,
    secretsOf?: (result: T) => readonly Secret[],
  ): T
}

/** Names what is to be told, once, whether what the item did is kept. */
export type WhenSettled = (tell: (isKept: boolean) => void) => void

/** What the making of objects needs: no more, so that the server makes some without being asked. */
export type MakingContext = Pick<
  Context,
  'version' | 'principal' | 'work' | 'now' | 'batch' | 'facts' | 'noted' | 'alarm'
>

/** The same for what takes long to make, or is made from what is kept. */
export type LongMakingContext = MakingContext & Pick<Context, 'aside' | 'secrets'>

/** Thrown inside a read that turns out to need a write: the batch is run again as an act. */
export class NeedsAct extends Error {
  override readonly name = 'NeedsAct'
}

/** Thrown by `aside`: this work is to be done outside the act, and the act run again. */
export class NeedsAside extends Error {
  override readonly name = 'NeedsAside'
  /** Does the work and remembers what came of it; never rejects. */
  readonly settle: () => Promise<void>

  constructor(settle: () => Promise<void>) {
    super('work to be done outside the act')
    this.settle = settle
  }
}

/** One operation of the protocol. */
export interface Operation<Name extends OperationName = OperationName> {
  name: Name
  effect: Effect
  /**
   * It sets the ID Placeholder when it succeeds. When it fails the engine empties it, so that the
   * items behind it never use the object of an earlier one.
   */
  identifies?: true
  run(request: RequestPayload<Name>, context: Context): Soon<ResponsePayload<Name>>
  /** What the answer still says once the batch has been undone; all of it when absent. */
  undone?(response: ResponsePayload<Name>): ResponsePayload<Name>
}

/** Declares an operation; its payloads stand in the model's table. */
export function operation<Name extends OperationName>(
  name: Name,
  definition: Omit<Operation<Name>, 'name'>,
): Operation<Name> {
  return { name, ...definition }
}
