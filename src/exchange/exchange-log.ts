/** Every export and import ever made, with its report: documents say that and how far, the audit record says what. */
import { allOf, type Body, type Documents } from '../access/documents.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditEntry } from '../keystore/work.ts'
import type { KeyReport } from './key-report.ts'

/** One export or import. */
export interface LogEntry {
  readonly id: string
  readonly kind: 'export' | 'import'
  readonly peer: string
  readonly group: string
  /** Seconds since 1970. */
  readonly started: bigint
  readonly finished: bigint | undefined
  readonly failed: string | undefined
  readonly keys: number
  /** Imports: how many keys came to what. */
  readonly counts: Body<'exchange-import'>['counts'] | undefined
  /** Id of the export: of this one, or of the one that was imported. */
  readonly exportId: string
  /** Exports: what was selected, fingerprint of the recipient, SHA-256 of the file. */
  readonly selection: string | undefined
  readonly recipient: string | undefined
  readonly digest: string | undefined
  /** Exports: the operator who asked, where one was named, and who approved. */
  readonly requester: string | undefined
  readonly approver: string | undefined
  /** Exports: what the peer has signed about its import. */
  readonly receipt: Body<'exchange-export'>['receipt']
}

/** All of them, newest first. */
export async function exchangeLog(work: Documents): Promise<LogEntry[]> {
  const exports = (await allOf(work, 'exchange-export')).map(({ name, body }): LogEntry => {
    const { peer, group, keys, failed, selection, recipient, digest } = body
    const { requester, approver, receipt } = body
    return {
      ...{ id: name, kind: 'export', peer, group, keys, failed, selection, recipient, digest },
      ...moments(body),
      ...{ requester, approver, receipt },
      counts: undefined,
      exportId: name,
    }
  })
  const imports = (await allOf(work, 'exchange-import')).map(({ name, body }): LogEntry => {
    const { peer, group, keys, counts } = body
    return {
      ...{ id: name, kind: 'import', peer, group, keys, counts },
      ...moments(body),
      failed: undefined,
      exportId: body.export,
      selection: undefined,
      recipient: undefined,
      digest: undefined,
      requester: undefined,
      approver: undefined,
      receipt: undefined,
    }
  })
  return [...exports, ...imports].toSorted((a, b) => Number(b.started - a.started))
}

function moments({ started, finished }: { started: number; finished?: number | undefined }) {
  return {
    started: BigInt(started),
    finished: finished === undefined ? undefined : BigInt(finished),
  }
}

/** One of them by a piece of its id. Throws UserError 'no-such-exchange'. */
export async function exchangeNamed(work: Documents, prefix: string): Promise<LogEntry> {
  const found = (await exchangeLog(work)).filter(({ id }) => id.startsWith(prefix.toLowerCase()))
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  throw new UserError(
    'no-such-exchange',
    only === undefined
      ? `no export or import has an id that begins with ${JSON.stringify(prefix)}`
      : `several exports and imports begin with ${prefix}`,
    'list them:  keyreel exchange log',
  )
}

const recordsRead = 200_000

/** What happened to each key, in the order of the bundle. */
export async function keysOf(
  store: Pick<Store, 'objectHistory'>,
  { id, kind }: LogEntry,
): Promise<KeyReport[]> {
  const { entries } = await store.objectHistory(id, recordsRead)
  const parts = entries
    .filter(({ operation }) => operation === `exchange ${kind} part`)
    .toSorted((a, b) => a.number - b.number)
  return parts.flatMap((entry) => (kind === 'export' ? exported(entry) : imported(entry)))
}

function exported({ details }: AuditEntry): KeyReport[] {
  const { keys, leftOut } = details as unknown as {
    keys: string[]
    leftOut: { id: string; barcode?: string; reason: string }[]
  }
  return [
    ...keys.map((id): KeyReport => ({ id, verdict: 'new' })),
    ...leftOut.map((one): KeyReport => ({ ...one, verdict: 'refused' })),
  ]
}

function imported({ details }: AuditEntry): KeyReport[] {
  return (details as unknown as { keys: KeyReport[] }).keys
}
