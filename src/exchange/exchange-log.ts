/** Every export, import and withdrawal ever made, with its report: documents say that and how far, the audit record says what. */
import { allOf, type Body, type Documents } from '../access/documents.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditEntry } from '../keystore/work.ts'
import type { KeyReport } from './key-report.ts'
import { partsOfExport } from './release-keys.ts'
import type { WithdrawalVerdict } from './withdrawals.ts'

/** One export or import, or one withdrawal of keys: by us at a peer, or by a peer here. */
export interface LogEntry {
  readonly id: string
  readonly kind: 'export' | 'import' | 'withdrawal' | 'withdrawn'
  readonly peer: string
  /** Undefined for withdrawals: they are about keys of whatever group. */
  readonly group: string | undefined
  /** In a file; over KMIP, by the site that has the keys, or by the one that wants them. */
  readonly way: 'file' | 'push' | 'pull' | 'live'
  /** Seconds since 1970. */
  readonly started: bigint
  /** Orders what began in the same second; absent in entries of early releases. */
  readonly entry: number | undefined
  readonly finished: bigint | undefined
  readonly failed: string | undefined
  readonly keys: number
  /** Imports: how many keys came to what. */
  readonly counts: Body<'exchange-import'>['counts'] | undefined
  /** Id of the export: of this one, or of the one that was imported. */
  readonly exportId: string | undefined
  /** Exports: what was selected, fingerprint of the recipient, SHA-256 of the file. */
  readonly selection: string | undefined
  readonly recipient: string | undefined
  readonly digest: string | undefined
  /** Exports: the operator who asked, where one was named, and who approved. */
  readonly requester: string | undefined
  readonly approver: string | undefined
  /** Exports: what the peer has signed about its import, or said over KMIP. */
  readonly receipt: Body<'exchange-export'>['receipt']
  /** Withdrawals: why, and what became of the copies, once that is known. */
  readonly withdrawal: Pick<Body<'exchange-withdrawal'>, 'reason' | 'counts'> | undefined
}

/** What only some kinds have. */
const blank = {
  ...{ failed: undefined, counts: undefined, selection: undefined, recipient: undefined },
  ...{ digest: undefined, requester: undefined, approver: undefined, receipt: undefined },
  withdrawal: undefined,
} as const

/** All of them, newest first. */
export async function exchangeLog(work: Documents): Promise<LogEntry[]> {
  const exports = (await allOf(work, 'exchange-export')).map(({ name, body }): LogEntry => {
    const { peer, group, keys, failed, selection, recipient, digest } = body
    const { requester, approver, receipt } = body
    return {
      ...blank,
      entry: body.entry,
      ...{ id: name, kind: 'export', peer, group, keys, failed, selection, recipient, digest },
      ...moments(body),
      ...{ requester, approver, receipt, exportId: name },
      way: wayOf(body),
    }
  })
  const imports = (await allOf(work, 'exchange-import')).map(({ name, body }): LogEntry => {
    const { peer, group, keys, counts } = body
    return {
      ...blank,
      entry: body.entry,
      ...{ id: name, kind: 'import', peer, group, keys, counts },
      ...moments(body),
      ...{ exportId: body.export, way: body.live === true ? 'pull' : 'file' },
    }
  })
  const withdrawals = (await allOf(work, 'exchange-withdrawal')).map(({ name, body }): LogEntry => {
    const { direction, peer, keys, signed, applied, live, reason, counts } = body
    return {
      ...blank,
      entry: body.entry,
      ...{ id: name, kind: direction === 'sent' ? 'withdrawal' : 'withdrawn', peer, keys },
      ...moments({ started: signed, finished: applied }),
      ...{ group: undefined, exportId: undefined, way: live === true ? 'live' : 'file' },
      withdrawal: { reason, counts },
    }
  })
  return [...exports, ...imports, ...withdrawals].toSorted(
    (a, b) => Number(b.started - a.started) || (b.entry ?? 0) - (a.entry ?? 0),
  )
}

function wayOf({ taken, live }: Body<'exchange-export'>): LogEntry['way'] {
  if (taken === true) return 'pull'
  return live === true ? 'push' : 'file'
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
      ? `nothing in the log has an id that begins with ${JSON.stringify(prefix)}`
      : `several entries of the log begin with ${prefix}`,
    'list them:  keyreel exchange log',
  )
}

const recordsRead = 200_000

/** A key as the log tells of it: of withdrawals the verdict is that of the report here, or absent. */
export type LoggedKey = Omit<KeyReport, 'verdict'> & {
  readonly verdict?: KeyReport['verdict'] | WithdrawalVerdict
}

/** What happened to each key, in the order of the bundle. */
export async function keysOf(
  store: Pick<Store, 'objectHistory'>,
  { id, kind, failed, way }: Pick<LogEntry, 'id' | 'kind' | 'failed' | 'way'>,
): Promise<LoggedKey[]> {
  const { entries } = await store.objectHistory(id, recordsRead)
  if (kind === 'export') {
    const keys = partsOfExport(entries).flatMap(exported)
    return failed !== undefined && way === 'file' ? keys.map(withoutBundle) : keys
  }
  const parts = entries
    .filter(({ operation }) => operation === partsOf[kind])
    .toSorted((a, b) => a.number - b.number)
  return parts.flatMap(listed)
}

/** A key of an export that failed has not left, although it was wrapped for that. */
function withoutBundle(key: KeyReport): KeyReport {
  return key.verdict === 'new' ? { ...key, verdict: 'refused', reason: 'no bundle was made' } : key
}

/** The records that list the keys. */
const partsOf = {
  import: 'exchange import part',
  withdrawal: 'exchange withdraw part',
  withdrawn: 'exchange withdrawal part',
} as const satisfies Record<Exclude<LogEntry['kind'], 'export'>, string>

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

function listed({ details }: AuditEntry): LoggedKey[] {
  return (details as unknown as { keys: LoggedKey[] }).keys
}
