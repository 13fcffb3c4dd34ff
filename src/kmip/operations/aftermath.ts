/**
 * What follows a batch once it is durable: the log, alarms, and the audit of refusals. A client that
 * asks wrongly all day leaves one record a minute; what it asked for did not happen anyway.
 */
import type { Principal } from '../../access/identity.ts'
import { RefusalCounter } from '../../keystore/refusals.ts'
import type { Soon } from '../../keystore/soon.ts'
import type { Work } from '../../keystore/work.ts'
import { auditItem, type ItemNote } from './item-audit.ts'

/** Destroys by one client within the window before they alarm. */
const destroysAllowed = 10
const destroyWindow = 3600n
const clientsWatched = 10_000

/** Where it is told; never with key material. */
export interface AftermathLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

interface Acting {
  act<T>(fn: (work: Work) => Soon<T>): Promise<T>
}

/** Remembers refusals and Destroys of this process. */
export class Aftermath {
  readonly #refusals = new RefusalCounter()
  readonly #destroys = new Map<string, bigint[]>()
  readonly #log: AftermathLog

  constructor(log: AftermathLog) {
    this.#log = log
  }

  /**
   * Logs what items did, alarms, and audits refusals and alarms in an act of their own; undefined where
   * there is nothing to wait for.
   */
  conclude(
    store: Acting,
    principal: Principal,
    notes: readonly ItemNote[],
    correlation: string,
  ): Promise<void> | undefined {
    const records: ItemNote[] = []
    for (const note of notes) {
      const { operation, object, outcome, alarms } = note
      const fields = {
        client: principal.name,
        group: principal.group,
        operation,
        object,
        correlation,
      }
      for (const text of alarms) this.#log.warn({ ...fields, alarm: true }, text)
      const isRefusal = outcome !== 'Success' && outcome !== 'OperationUndone'
      if (isRefusal) this.#log.info({ ...fields, reason: outcome }, note.message ?? 'refused')
      if (isRefusal || (alarms.length > 0 && !note.isAct)) this.#record(principal, note, records)
      if (operation === 'Destroy' && outcome === 'Success')
        this.#watchDestroys(principal, fields, records)
    }
    return records.length === 0 ? undefined : this.#audit(store, principal, records)
  }

  async #audit(store: Acting, principal: Principal, records: readonly ItemNote[]): Promise<void> {
    try {
      await store.act((work) => {
        for (const note of records) auditItem(work, principal, note)
        return Promise.resolve()
      })
    } catch (error) {
      this.#log.error({ err: error, client: principal.name }, 'refusals could not be audited')
    }
  }

  /** Adds the record unless the same was recorded within the last minute. */
  #record(principal: Principal, note: ItemNote, records: ItemNote[]): void {
    const kind = [note.operation, note.outcome, ...note.alarms].join(' ')
    const { record, repeated } = this.#refusals.note(principal.owner, kind, now())
    if (!record) return
    records.push(repeated === 0 ? note : { ...note, details: { repeated } })
  }

  #watchDestroys(principal: Principal, fields: object, records: ItemNote[]): void {
    const at = now()
    const recent = (this.#destroys.get(principal.name) ?? []).filter(
      (one) => at - one < destroyWindow,
    )
    recent.push(at)
    this.#destroys.delete(principal.name)
    this.#destroys.set(principal.name, recent.slice(-destroysAllowed - 1))
    if (this.#destroys.size > clientsWatched)
      this.#destroys.delete(this.#destroys.keys().next().value!)
    if (recent.length <= destroysAllowed) return
    const text = `${principal.name} destroyed more than ${destroysAllowed} objects within an hour`
    this.#log.warn({ ...fields, alarm: true }, text)
    const alarm = { operation: 'Alarm', outcome: 'Success', isAct: false, alarms: [text] }
    this.#record(principal, alarm, records)
  }
}

function now(): bigint {
  return BigInt(Math.floor(Date.now() / 1000))
}
