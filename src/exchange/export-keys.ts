/**
 * Keys out: what was selected, each wrapped under a transport key, in a bundle for one peer. Each key's
 * release is recorded in the act that unseals it, before a byte of the bundle is on disk.
 */
import { administrator, allOf, type Body } from '../access/documents.ts'
import { nextEntry } from '../access/exchange-entries.ts'
import { dateOf } from '../access/identity.ts'
import { groupOf } from '../access/groups.ts'
import { pinOf } from '../crypto/encryption-certificates.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { TransportKey } from '../crypto/transport-key.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { refuseOut } from '../out-file.ts'
import { demandApproval, giveBackApproval, useApproval } from './approvals.ts'
import { encodePart } from './bundle-items.ts'
import { unwritten } from './unwritten.ts'
import { BundleWriter, type OpenFile } from './bundle-writer.ts'
import { ensureExchange, openIdentity } from './identity.ts'
import type { ImportRequest } from './import-payload.ts'
import { encryptionFor, peerNamed, type Peer } from './peers.ts'
import {
  keepExport,
  keysOfExport,
  keysPerAct,
  refuseByPolicy,
  releaseKeys,
  type LeftOut,
  type Release,
} from './release-keys.ts'
import { select, type Selected, type Selection } from './selection.ts'

/** What to export, to whom, where to. */
export interface ExportWish {
  readonly peer: string
  readonly group: string
  readonly selection: Selection
  readonly out: string
  /** Days after which the bundle is not taken any more; undefined: never. */
  readonly validDays: number | undefined
  /** Name of the operator who asks. */
  readonly requester?: string | undefined
  readonly actor?: AuditActor
  readonly openFile?: OpenFile
  /** Told after each step how many keys are done, of how many. */
  readonly progress?: (done: number, total: number) => void
}

/** What became of it. */
export interface ExportReport {
  readonly id: string
  readonly peer: string
  /** Fingerprint of the certificate that the keys are encrypted to. */
  readonly recipient: string
  readonly mode: 'hybrid' | 'ec' | 'rsa'
  readonly group: string
  readonly scope: Selection['scope']
  readonly keys: number
  readonly bytes: number
  readonly digest: string
  readonly expires: bigint | undefined
  readonly warnings: readonly string[]
  readonly leftOut: readonly LeftOut[]
  /** Barcodes of which there is no key. */
  readonly missing: readonly string[]
}

/** Keys in one part of a bundle. */
export const keysPerPart = 1000
/** A bundle for recipients without ML-KEM is one message, which both sides hold in memory. */
const mostEnclosed = 50_000

const day = 86_400n

/** Makes the bundle. Throws UserError; then there is no file. */
export async function exportKeys(store: Store, wish: ExportWish): Promise<ExportReport> {
  const { group, selection, out, actor = administrator } = wish
  // Before an approval is used up and keys are unsealed.
  refuseOut(out)
  const own = await ensureExchange(store, actor)
  const { peer, now, earlier } = await store.read(async (work) => {
    await groupOf(work, group)
    const named = await peerNamed(work, wish.peer)
    await refuseByPolicy(work, group, named.name)
    return { peer: named, now: work.now, earlier: await exportsTo(work, named.name) }
  })
  const encryption = encryptionFor(peer)
  const mode = encryption.recipient.kind as ExportReport['mode']
  const { keys, missing } = await select(store, group, selection)
  if (keys.length === 0) throw nothingSelected(group, selection, missing)
  if (mode !== 'hybrid' && keys.length > mostEnclosed)
    throw new UserError(
      'too-many-keys',
      `${keys.length} keys are too many for a recipient without ML-KEM: it takes ${mostEnclosed} at once`,
      'export in several steps, with --barcodes-from FILE',
    )
  const wanted = {
    peer: peer.name,
    recipient: peer.current.fingerprint,
    group,
    scope: selection.scope,
    keys,
    requester: wish.requester,
  }
  const approval = await demandApproval(store, wanted, actor)
  const warnings = [
    ...expiryWarning(peer, now),
    ...unusedWarning(keys, selection),
    ...(await repeatWarning(store, keys, peer, earlier)),
  ]
  const id = approval ?? randomUuid()
  const expires = wish.validDays === undefined ? undefined : now + BigInt(wish.validDays) * day
  const begun: Body<'exchange-export'> = {
    peer: peer.name,
    recipient: peer.current.fingerprint,
    group,
    selection: selection.scope,
    started: Number(now),
    ...(expires !== undefined && { expires: Number(expires) }),
    keys: 0,
  }
  const record = await store.act(async (work) => {
    const entry = await nextEntry(work)
    const kept = { ...begun, entry, ...(await useApproval(work, approval, wanted)) }
    await keepExport(work, id, kept, actor, 'exchange export begin')
    return kept
  })
  const writer = new BundleWriter(out, id, [encryption.recipient], wish.openFile)
  const transport = TransportKey.random()
  try {
    const release = {
      ...{ store, group, peer: peer.name, id, transport, transportId: id, actor },
      outcome: 'OperationPending',
    } as const
    const { count, leftOut } = await writeParts(writer, keys, release, wish.progress)
    if (count === 0)
      throw new UserError(
        'nothing-exported',
        `none of the ${keys.length} keys may leave: ${leftOut[0]?.reason}`,
        `look at one:  keyreel key show ${leftOut[0]?.id}`,
      )
    const signer = await store.read((work) => openIdentity(work))
    const facts = {
      ExportIdentifier: id,
      CreationDate: now,
      ...(expires !== undefined && { ExpiryDate: expires }),
      SenderKeyDigest: Buffer.from(pinOf(own.identity), 'hex'),
      SenderCertificateDigest: Buffer.from(own.identity.fingerprint, 'hex'),
      RecipientCertificateDigest: Buffer.from(peer.current.fingerprint, 'hex'),
      SourceGroup: group,
      Selection: selection.scope,
      TransportKeyIdentifier: id,
      TransportKey: transport.secret.bytes,
    }
    const { digest, bytes } = await writer.finish(facts, signer, now)
    await store.act((work) => {
      const finished = { ...record, finished: Number(work.now), keys: count, digest }
      return keepExport(work, id, finished, actor, 'exchange export end')
    })
    const { fingerprint: recipient } = peer.current
    const scope = selection.scope
    const made = { id, peer: peer.name, recipient, mode, group, scope, keys: count, bytes, digest }
    return { ...made, expires, warnings, leftOut, missing }
  } catch (error) {
    await writer.abandon()
    const why = unwritten(out, error)
    // A bundle that is there may have been taken away: its record stays open, and its approval used.
    if (writer.hasAppeared) throw why
    const failed = (why as Error).message
    await store.act(async (work) => {
      await giveBackApproval(work, approval)
      await keepExport(work, id, { ...record, failed }, actor, 'exchange export failed')
    })
    throw why
  } finally {
    transport.secret.wipe()
  }
}

async function writeParts(
  writer: BundleWriter,
  keys: readonly Selected[],
  release: Release,
  progress: ExportWish['progress'],
): Promise<{ count: number; leftOut: LeftOut[] }> {
  const leftOut: LeftOut[] = []
  let pending: ImportRequest[] = []
  let count = 0
  const flush = async () => {
    if (pending.length === 0) return
    await writer.add(encodePart(pending), pending.length)
    count += pending.length
    pending = []
  }
  for (let first = 0; first < keys.length; first += keysPerAct) {
    const chunk = keys.slice(first, first + keysPerAct)
    const released = await releaseKeys(chunk, release)
    pending.push(...released.requests)
    leftOut.push(...released.leftOut)
    progress?.(first + chunk.length, keys.length)
    if (pending.length >= keysPerPart) await flush()
  }
  await flush()
  return { count, leftOut }
}

interface EarlierExport {
  readonly id: string
  readonly at: bigint
}

async function exportsTo(work: Work, peer: string): Promise<EarlierExport[]> {
  return (await allOf(work, 'exchange-export'))
    .filter(({ body }) => body.peer === peer && body.finished !== undefined)
    .map(({ name, body }) => ({ id: name, at: BigInt(body.started) }))
}

function expiryWarning({ name, current: { notAfter } }: Peer, now: bigint): string[] {
  if (now <= notAfter) return []
  return [
    `the Encryption Certificate of peer ${name} expired ${dateOf(notAfter)}: ask for a new one`,
  ]
}

function unusedWarning(keys: readonly Selected[], { scope }: Selection): string[] {
  // The tape of a key that was imported is elsewhere, and was fetched for there.
  const unused = keys.filter(({ used, foreign }) => !used && !foreign).length
  if (unused === 0 || scope === 'used') return []
  return [
    `${unused} of ${keys.length} keys were never fetched by a library: no tape needs them yet`,
  ]
}

/** Which of these keys this peer was sent before, by the records of those exports. */
async function repeatWarning(
  store: Store,
  keys: readonly Selected[],
  { name }: Peer,
  earlier: readonly EarlierExport[],
): Promise<string[]> {
  const before = new Set<string>()
  for (const { id } of earlier) for (const key of await keysOfExport(store, id)) before.add(key)
  const repeated = keys.filter(({ id }) => before.has(id)).length
  const last = earlier.reduce((latest, { at }) => (at > latest ? at : latest), 0n)
  if (repeated === 0) return []
  return [
    `${repeated} of ${keys.length} keys were exported to ${name} before, last ${dateOf(last)}`,
  ]
}

function nothingSelected(
  group: string,
  { scope }: Selection,
  missing: readonly string[],
): UserError {
  const what =
    missing.length > 0
      ? `no key in group ${group} is for ${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ' …' : ''}`
      : `group ${group} has no ${scope === 'all' ? '' : `${scope} `}keys to export`
  return new UserError('nothing-selected', what, 'look at what there is:  keyreel cartridge list')
}
