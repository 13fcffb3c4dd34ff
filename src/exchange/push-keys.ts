/**
 * Keys to a peer over KMIP: the same selection, policy and records as for a bundle, each key an Import
 * under the session's transport key. What the peer has already stays as it is there, so a push that was
 * cut off is simply run again.
 */
import { administrator, type Body } from '../access/documents.ts'
import { nextEntry } from '../access/exchange-entries.ts'
import { groupOf } from '../access/groups.ts'
import { dateOf } from '../access/identity.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { RevocationReason } from '../keystore/withdrawal.ts'
import type { AuditActor } from '../keystore/work.ts'
import type { Client, ResultError } from '../kmip/client/client.ts'
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { demandApproval, useApproval } from './approvals.ts'
import { digestTold } from './bundle-items.ts'
import type { ImportRequest } from './import-payload.ts'
import { isPlainLink } from './peer-links.ts'
import { readingOnly } from './reading-only.ts'
import { origin, originAttributes } from '../keystore/key-origin.ts'
import type { KeyReport, Verdict } from './key-report.ts'
import { explaining, openPeerSession, type PeerSession } from './peer-session.ts'
import { peerNamed, type Peer } from './peers.ts'
import { recordNotTaken } from './receipts.ts'
import { keepExport, keysPerAct, refuseByPolicy, releaseKeys } from './release-keys.ts'
import { select, type Selection } from './selection.ts'

/** What to send, to whom. */
export interface PushWish {
  readonly peer: string
  readonly group: string
  readonly selection: Selection
  readonly classical: boolean
  /** Name of the operator who asks. */
  readonly requester?: string | undefined
  readonly actor?: AuditActor
  readonly progress?: (done: number, total: number) => void
}

/** How many keys came to what. */
export type KeyCounts = Readonly<Record<Verdict, number>>

/** What became of an exchange over KMIP. */
export interface ExchangeReport {
  readonly peer: string
  readonly group: string
  readonly scope: Selection['scope']
  readonly keys: number
  readonly counts: KeyCounts
  readonly reports: readonly KeyReport[]
  /** Barcodes of which there is no key. */
  readonly missing: readonly string[]
}

/** What became of a push. */
export interface PushReport extends ExchangeReport {
  /** The export id: `exchange log` has it too. */
  readonly id: string
}

/** Sends the keys. Throws UserError; what the peer has taken until then is kept there. */
export async function pushKeys(store: Store, wish: PushWish): Promise<PushReport> {
  const { group, selection, actor = administrator } = wish
  const named = await store.read(async (work) => {
    await groupOf(work, group)
    const found = await peerNamed(work, wish.peer)
    await refuseByPolicy(work, group, found.name)
    return found
  })
  const { keys, missing } = await select(store, group, selection)
  if (keys.length === 0)
    throw new UserError(
      'nothing-selected',
      `group ${group} has no keys to send`,
      'look at what there is:  keyreel cartridge list',
    )
  const scope = selection.scope
  const wanted = (peer: Peer) => ({
    ...{ peer: peer.name, recipient: peer.current.fingerprint, group, scope, keys },
    requester: wish.requester,
  })
  const approval = await demandApproval(store, wanted(named), actor)
  const session = await openPeerSession(store, wish)
  const id = approval ?? randomUuid()
  const { peer, transport, transportId, client } = session
  const isPlain = await store.read(async (work) => await isPlainLink(work, peer.name))
  const begun: Body<'exchange-export'> = {
    peer: peer.name,
    recipient: peer.current.fingerprint,
    group,
    selection: scope,
    started: Math.floor(Date.now() / 1000),
    keys: 0,
    live: true,
  }
  const beginning = store.act(async (work) => {
    const entry = await nextEntry(work)
    const kept = { ...begun, entry, ...(await useApproval(work, approval, wanted(peer))) }
    await keepExport(work, id, kept, actor, 'peer push begin')
    return kept
  })
  const record = await beginning.catch(async (error: unknown) => {
    await closed(session)
    throw error
  })
  const about = { peer: peer.name, exportId: id, receipt: id, group, actor }
  const answers: KeyReport[] = []
  const leftHere: KeyReport[] = []
  try {
    for (let first = 0; first < keys.length; first += keysPerAct) {
      const chunk = keys.slice(first, first + keysPerAct)
      const release = {
        ...{ store, group, peer: peer.name, id, transport, transportId, actor },
        outcome: 'Success',
      } as const
      const { requests, leftOut } = await releaseKeys(chunk, release)
      const answered = await explaining(peer.name, () =>
        sendKeys(client, isPlain ? requests.map(forReading) : requests, id, isPlain),
      )
      await store.act((work) => {
        recordNotTaken(work, answered, about)
        return Promise.resolve()
      })
      answers.push(...answered)
      leftHere.push(
        ...leftOut.map((one): KeyReport => ({ ...withoutBlank(one), verdict: 'refused' })),
      )
      wish.progress?.(first + chunk.length, keys.length)
    }
    await store.act((work) => {
      const finished = Number(work.now)
      const receipt = { imported: finished, received: finished, counts: countsOf(answers) }
      const kept = { ...record, finished, keys: answers.length, receipt }
      return keepExport(work, id, kept, actor, 'peer push end')
    })
  } catch (error) {
    const failed = (error as Error).message
    const kept = { ...record, keys: answers.length, failed }
    await store.act((work) => keepExport(work, id, kept, actor, 'peer push failed'))
    throw error
  } finally {
    await closed(session)
  }
  const reports = [...answers, ...leftHere]
  return {
    id,
    peer: peer.name,
    group,
    scope,
    keys: keys.length,
    counts: countsOf(reports),
    reports,
    missing,
  }
}

/** Closing tidies up at the peer; a line that is down must not hide what was done before. */
export async function closed(session: PeerSession, taken?: KeyCounts): Promise<void> {
  await session.close(taken).catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'ConnectionError') throw error
  })
}

/** How many reports came to what. */
export function countsOf(reports: readonly KeyReport[]): Record<Verdict, number> {
  const counts = { new: 0, here: 0, conflict: 0, refused: 0 }
  for (const { verdict } of reports) counts[verdict] += 1
  return counts
}

async function sendKeys(
  client: Client,
  requests: readonly ImportRequest[],
  id: string,
  isPlain: boolean,
): Promise<KeyReport[]> {
  if (requests.length === 0) return []
  const origins = originAttributes({ peer: 'sender', exportId: id, date: 0n })
  const named = isPlain ? [] : origins.filter(isIdentifier)
  const items = requests.map((request) => ({
    operation: 'Import' as const,
    payload: { ...request, Attributes: [...(request.Attributes ?? []), ...named] },
  }))
  const results = await client.batch(items, { onError: 'Continue' })
  const reports: KeyReport[] = []
  for (const [at, request] of requests.entries()) {
    const key = String(request.UniqueIdentifier)
    const result = results[at]
    if (result?.status === 'Success') reports.push({ id: key, verdict: 'new' })
    else if (result?.status === 'Failed') reports.push(await refusal(client, request, result.error))
    else reports.push({ id: key, verdict: 'refused', reason: 'the peer did not come to it' })
  }
  return reports
}

/** A server that knows nothing of keyreel does not see to it that the keys of other sites are for reading. */
function forReading(request: ImportRequest): ImportRequest {
  const Attributes = (request.Attributes ?? []) as readonly AttributeInstance[]
  return { ...request, Attributes: Attributes.map(readingOnly) }
}

function isIdentifier({ value }: AttributeInstance): boolean {
  return (value as { AttributeName: string }).AttributeName === origin.identifier
}

/** Reasons by which a server says that another key is in the way. */
const conflicts: readonly unknown[] = ['NonUniqueNameAttribute', 'InvalidAttributeValue']

async function refusal(
  client: Client,
  request: ImportRequest,
  { reason, resultMessage, message }: ResultError,
): Promise<KeyReport> {
  const id = String(request.UniqueIdentifier)
  const said = resultMessage ?? message
  if (reason !== 'ObjectAlreadyExists')
    return { id, verdict: conflicts.includes(reason) ? 'conflict' : 'refused', reason: said }
  const [held] = await client.batch(
    [{ operation: 'GetAttributes', payload: { UniqueIdentifier: id } }],
    { safe: true },
  )
  if (held.status !== 'Success') return { id, verdict: 'conflict', reason: said }
  const attributes = (held.payload.Attributes ?? []) as readonly AttributeInstance[]
  const destroyed = attributes.find(({ tag }) => tag === 'DestroyDate')?.value
  if (typeof destroyed === 'bigint')
    return { id, verdict: 'refused', reason: `it was destroyed there ${dateOf(destroyed)}` }
  if (isWithdrawn(attributes))
    return { id, verdict: 'refused', reason: 'it was withdrawn and is not in use there' }
  const own = digestTold((request.Attributes ?? []) as readonly AttributeInstance[])
  const theirs = digestTold(attributes)
  const isSame = own !== undefined && theirs !== undefined && Buffer.compare(own, theirs) === 0
  if (isSame) return { id, verdict: 'here' }
  return { id, verdict: 'conflict', reason: 'another key with this identifier is there' }
}

/** Revoked with Privilege Withdrawn: a withdrawal that was lifted has another reason. */
function isWithdrawn(attributes: readonly AttributeInstance[]): boolean {
  const reason = attributes.find(({ tag }) => tag === 'RevocationReason')?.value
  return (reason as RevocationReason | undefined)?.RevocationReasonCode === 'PrivilegeWithdrawn'
}

function withoutBlank({
  id,
  barcode,
  reason,
}: {
  id: string
  barcode: string | undefined
  reason: string
}) {
  return barcode === undefined ? { id, reason } : { id, barcode, reason }
}
