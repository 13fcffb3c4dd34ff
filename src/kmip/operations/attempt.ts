/**
 * What a batch has come to so far: answers, identifiers, key material handed out, notes for the audit.
 * Acts may be rolled back and run again, so all of it can be taken back to a mark.
 */
import { encode, type Version } from 'ttlv-codec'
import type { Secret } from '../../crypto/secret.ts'
import { loadObject } from '../../keystore/keystore.ts'
import { after, either, type Soon } from '../../keystore/soon.ts'
import { IntegrityError, type Work } from '../../keystore/work.ts'
import { ResponseBatchItem } from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { Asides } from './asides.ts'
import type { Batch, Engine } from './batch.ts'
import { auditItem, type ItemNote } from './item-audit.ts'
import { operations } from './index.ts'
import { echoOf, operationOf, type Item } from './items.ts'
import type { BatchState, Context, Operation } from './operation.ts'
import { refusalOf } from './refusals.ts'
import { recordState } from './subject.ts'

/** The answer of an item that changes something has no room: what it did must be rolled back. */
export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

/** An item was refused after it had written: the act is run again, and the item refused without being run. */
export class TakenBack extends Error {
  override readonly name = 'TakenBack'
}

/** How an item went that has been taken back. */
interface Refused {
  readonly refusal: KmipError
  readonly note: ItemNote
  /** Whether it had unsealed key material. */
  readonly hadSecrets: boolean
}

/** A point to go back to. */
export interface Mark {
  answers: number
  secrets: number
  notes: number
  identifiers: number
  placeholder: string | undefined
  failed: boolean
  room: number
}

type Perform = (item: Item, context: Context) => Soon<unknown>

/** What an item's context has of the engine. */
type Surroundings = Pick<Engine, 'facts' | 'streams' | 'jobs' | 'unknownTapes' | 'peerQuestions'>

/** One batch's answers in the making; taken back in part when an act is rolled back. */
export class Attempt {
  /** Whether an item has failed. */
  failed = false
  readonly answers: ResponseBatchItem[] = []
  readonly secrets: Secret[] = []
  readonly notes: ItemNote[] = []
  /** What was done outside the acts; stays when an act is taken back. */
  readonly asides = new Asides()
  readonly #batch: Batch
  readonly #state: BatchState = { placeholder: undefined, identifiers: [] }
  #room: number
  #thrown: unknown
  #takenBack: Map<Item, Refused> | undefined

  constructor(batch: Batch) {
    this.#batch = batch
    this.#room = batch.room ?? Infinity
  }

  /** The point reached. */
  mark(): Mark {
    const { placeholder, identifiers } = this.#state
    return {
      answers: this.answers.length,
      secrets: this.secrets.length,
      notes: this.notes.length,
      identifiers: identifiers.length,
      placeholder,
      failed: this.failed,
      room: this.#room,
    }
  }

  /** Takes everything since the mark back; key material is wiped. */
  reset(mark: Mark): void {
    for (const secret of this.secrets.splice(mark.secrets)) secret.wipe()
    this.answers.length = mark.answers
    this.notes.length = mark.notes
    this.#state.identifiers.length = mark.identifiers
    this.#state.placeholder = mark.placeholder
    this.failed = mark.failed
    this.#room = mark.room
  }

  /** Whether an item threw this error, and not the store around it. */
  isOfItem(error: unknown): boolean {
    return error !== undefined && error === this.#thrown
  }

  /**
   * Runs one item and answers it. Throws what is no refusal, `AnswerTooLarge`, and `TakenBack`: an item
   * that fails leaves nothing behind.
   */
  run(
    item: Item,
    work: Work,
    writable: boolean,
    around: Surroundings,
    perform: Perform,
  ): Soon<void> {
    const known = this.#takenBack?.get(item)
    if (known !== undefined) return this.#refuseAgain(item, work, known)
    const { version, principal, turnable } = this.#batch
    const note = noteOf(item)
    const { secrets } = this
    const released = secrets.length
    const written = work.written
    let other: ResponseBatchItem | undefined
    const context: Context = {
      version,
      principal,
      work,
      writable,
      now: work.now,
      batch: this.#state,
      facts: around.facts,
      streams: around.streams,
      jobs: around.jobs,
      unknownTapes: around.unknownTapes,
      peerQuestions: around.peerQuestions,
      turnable: turnable === true,
      secrets,
      noted: note,
      become: (answer) => void (other = under(item, version, answer)),
      alarm: (text) => note.alarms.push(text),
      aside: this.asides.of(item),
    }
    const performed = () =>
      after(perform(item, context), (payload) => {
        const { isAct } = note
        this.#answer(item, other ?? success(item, version, payload), isAct)
        if (isAct) auditItem(work, principal, note)
        this.notes.push(note)
      })
    return either(
      performed,
      (nothing) => nothing,
      (error) => {
        const refusal = refusalOf(error)
        if (refusal === undefined) {
          this.#thrown = error
          throw error
        }
        if (error instanceof IntegrityError) note.alarms.push(error.message)
        const refused = { refusal, note, hadSecrets: secrets.length > released }
        if (work.written - written > writesOfClock(note)) {
          this.#takenBack ??= new Map<Item, Refused>()
          this.#takenBack.set(item, refused)
          throw new TakenBack()
        }
        this.#refuse(item, work, refused)
      },
    )
  }

  async #refuseAgain(item: Item, work: Work, known: Refused): Promise<void> {
    this.#refuse(item, work, await recordedAgain(known, work))
  }

  #refuse(item: Item, work: Work, { refusal, note, hadSecrets }: Refused): void {
    this.fail(item, refusal, note)
    // What was unsealed is on record even when it was not handed out after all.
    if (hadSecrets) auditItem(work, this.#batch.principal, note)
  }

  /** Answers an item with a refusal. */
  fail(item: Item, refusal: KmipError, note: ItemNote = noteOf(item)): void {
    const { version } = this.#batch
    note.outcome = refusal.reasonFor(version)
    note.message = refusal.message
    this.notes.push(note)
    this.failed = true
    // Of an item that was not run nobody knows what it would have set.
    const mayIdentify =
      item.fault !== undefined || operations[operationOf(item)].identifies === true
    if (mayIdentify) this.#state.placeholder = undefined
    const answer: ResponseBatchItem = {
      ...echoOf(item, version),
      ResultStatus: 'OperationFailed',
      ResultReason: note.outcome as ReturnType<KmipError['reasonFor']>,
      ResultMessage: refusal.message,
      MessageExtension: [],
    }
    this.#room -= this.#sizeOf(answer)
    this.answers.push(answer)
  }

  /** Answers an item with a refusal instead of what it, and all behind it, were answered. */
  replace(at: number, item: Item, refusal: KmipError): void {
    this.answers.length = at
    this.notes.length = Math.min(this.notes.length, at)
    this.fail(item, refusal)
  }

  /** Makes of everything answered so far an undone batch; the notes are of what had been done. */
  undo(): ItemNote[] {
    for (const secret of this.secrets.splice(0)) secret.wipe()
    for (const [at, answer] of this.answers.entries()) {
      if (answer.ResultStatus !== 'Success') continue
      answer.ResultStatus = 'OperationUndone'
      const item = this.#batch.items[at]!
      const operation = operations[operationOf(item)] as unknown as Operation
      // What was polled for stays done: only its answer is not given here.
      if (answer.Operation !== item.operation) delete answer.ResponsePayload
      else
        answer.ResponsePayload =
          operation.undone?.(answer.ResponsePayload as never) ?? answer.ResponsePayload
    }
    const undone = this.notes.filter(({ outcome }) => outcome === 'Success')
    for (const note of undone) note.outcome = 'OperationUndone'
    return undone.filter(({ isAct }) => isAct)
  }

  #answer(item: Item, answer: ResponseBatchItem, isAct: boolean): void {
    const size = this.#sizeOf(answer)
    if (size > this.#room) {
      if (isAct) throw new AnswerTooLarge()
      throw new KmipError('ResponseTooLarge', 'the answer exceeds the Maximum Response Size')
    }
    this.#room -= size
    this.answers.push(answer)
    if (answer.ResultStatus === 'OperationFailed') this.failed = true
    this.#noteIdentifiers(item, answer.ResponsePayload ?? {})
  }

  /** Notes the identifiers in an answer, with what a key pair adds to the operation's name (KMIP 2.1 §4.58). */
  #noteIdentifiers({ operation }: Item, payload: object): void {
    const { identifiers } = this.#state
    const at = this.answers.length
    const { UniqueIdentifier, PrivateKeyUniqueIdentifier, PublicKeyUniqueIdentifier } =
      payload as Record<string, string | string[] | undefined>
    const note = (ids: string | string[] | undefined, suffix = '') => {
      if (ids === undefined) return
      for (const id of typeof ids === 'string' ? [ids] : ids)
        identifiers.push({ item: at, operation: `${operation}${suffix}`, id })
    }
    note(UniqueIdentifier)
    note(PrivateKeyUniqueIdentifier, 'PrivateKey')
    note(PublicKeyUniqueIdentifier, 'PublicKey')
  }

  /** Bytes of an answer; asked only where room is limited. */
  #sizeOf(answer: ResponseBatchItem): number {
    if (this.#room === Infinity) return 0
    const { version } = this.#batch
    return encode(ResponseBatchItem, tagNumber('BatchItem'), answer, { version }).length
  }
}

function writesOfClock({ reached = [] }: ItemNote): number {
  return reached.reduce((sum, { writes }) => sum + writes, 0)
}

/** The states that were shown by the refusal are recorded without what the item did beside. */
async function recordedAgain(refused: Refused, work: Work): Promise<Refused> {
  const { note } = refused
  const { reached = [] } = note
  delete note.reached
  for (const { object } of reached) {
    const found = await loadObject(work, object.group, object.id)
    if (found !== undefined)
      await recordState(found, { work, now: work.now, writable: true, noted: note })
  }
  return refused
}

/** The answer of an item that succeeded. */
function success(item: Item, version: Version, ResponsePayload: unknown): ResponseBatchItem {
  return {
    ...echoOf(item, version),
    ResultStatus: 'Success',
    MessageExtension: [],
    ResponsePayload,
  }
}

/** Another item's answer, under the identifier of this one. */
function under(item: Item, version: Version, other: ResponseBatchItem): ResponseBatchItem {
  const answer = { ...success(item, version, undefined), ...other }
  if (item.id === undefined) delete answer.UniqueBatchItemID
  else answer.UniqueBatchItemID = item.id
  return answer
}

function noteOf(item: Item): ItemNote {
  const { operation, fault } = item
  return {
    operation: String(operation ?? 'unreadable item'),
    outcome: 'Success',
    isAct: fault === undefined && operations[operationOf(item)].effect === 'act',
    alarms: [],
  }
}
