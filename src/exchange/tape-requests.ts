/**
 * Requests for the keys of foreign tapes: a site signs which tapes it cannot read, and the site it asks sees
 * which of its keys would be released, and releases exactly those.
 */
import { administrator } from '../access/documents.ts'
import { groupOf } from '../access/groups.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { UserError } from '../errors.ts'
import { cartridgesNamed } from '../keystore/cartridges.ts'
import { indexEntryOf } from '../keystore/derived-rows.ts'
import { objectOf } from '../keystore/keystore.ts'
import type { ManagedObject } from '../keystore/managed-object.ts'
import { comparableNamespace } from '../keystore/namespaces.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { ObjectType } from '../kmip/model/enumerations.ts'
import { ensureExchange, openIdentity } from './identity.ts'
import { senderOf } from './note-senders.ts'
import { peerNamed } from './peers.ts'
import { mostTapes, readNote, writeNote, type NoteBody } from './signed-notes.ts'

/** A tape that is asked about: by barcode, or by the identifier that is written on it. */
export type ForeignTape = NoteBody<'request'>['tapes'][number]

/** A tape for people: its barcode, or the Application Data with the namespace. */
export function tapeText(tape: ForeignTape): string {
  return 'barcode' in tape ? tape.barcode : `${tape.namespace} ${tape.data}`
}

/** Signs a request to a peer, on record. Answers its id. Throws UserError. */
export async function writeRequest(
  store: Store,
  { peer, tapes, out }: { peer: string; tapes: readonly ForeignTape[]; out: string },
  actor: AuditActor = administrator,
): Promise<string> {
  await ensureExchange(store, actor)
  if (tapes.length > mostTapes)
    throw new UserError(
      'too-many-tapes',
      `${tapes.length} tapes are too many for one request: it takes ${mostTapes}`,
      'ask in several steps',
    )
  const id = randomUuid()
  const { named, signer, now } = await store.read(async (work) => ({
    named: await peerNamed(work, peer),
    signer: await openIdentity(work),
    now: work.now,
  }))
  const to = named.current.fingerprint
  const details = { peer, recipient: to, tapes: tapes.length }
  await store.act((work) => {
    const operation = 'exchange request'
    work.audit({ actor, operation, object: id, outcome: 'Success', details })
    return Promise.resolve()
  })
  const body = { keyreel: 'request 1' as const, request: id, to, tapes: [...tapes] }
  await writeNote<'request'>(out, body, signer, now)
  return id
}

/** What a request comes to here. */
export interface Asked {
  readonly id: string
  /** Name of the peer who asks. */
  readonly peer: string
  readonly signed: bigint
  readonly group: string
  /** The living keys of each tape; none where there are none. */
  readonly tapes: readonly { readonly tape: ForeignTape; readonly keys: readonly string[] }[]
}

/**
 * Reads the request of a peer and finds its keys in a group. Throws UserError when the peer is not trusted,
 * or the request is for another server.
 */
export async function readRequest(store: Store, file: string, group: string): Promise<Asked> {
  const note = await readNote('request', file)
  await store.read((work) => groupOf(work, group))
  const peer = await senderOf(store, note, 'request')
  const tapes: { tape: ForeignTape; keys: string[] }[] = []
  for (const tape of note.body.tapes)
    tapes.push({ tape, keys: await store.read((work) => keysOfTape(work, group, tape)) })
  return { id: note.body.request, peer: peer.name, signed: note.signed, group, tapes }
}

/** The living keys of a tape in a group. */
export async function keysOfTape(work: Work, group: string, tape: ForeignTape): Promise<string[]> {
  if ('barcode' in tape) {
    const cartridges = await cartridgesNamed(work, group, tape.barcode)
    return cartridges
      .flatMap(({ keys }) => keys)
      .filter(({ state }) => !state.startsWith('Destroyed'))
      .map(({ id }) => id)
  }
  const value = { ApplicationNamespace: tape.namespace, ApplicationData: tape.data }
  const entry = indexEntryOf({ tag: 'ApplicationSpecificInformation', value })
  if (entry === undefined) throw new Error('application information is always indexed')
  const { objects } = await work.scan({
    group,
    type: ObjectType.numberOf('SymmetricKey'),
    equals: [entry],
    ranges: [],
    destroyed: 'exclude',
    archived: 'include',
    offset: 0,
    limit: 100,
  })
  return objects
    .map((stored) => objectOf(stored))
    .filter((object) => isFor(object, tape))
    .map(({ id }) => id)
}

/** The index is a help; the verified record decides. */
function isFor(
  { attributes }: ManagedObject,
  { namespace, data }: Exclude<ForeignTape, { barcode: string }>,
): boolean {
  return attributes
    .values('ApplicationSpecificInformation')
    .some(
      ({ ApplicationNamespace, ApplicationData }) =>
        comparableNamespace(ApplicationNamespace) === comparableNamespace(namespace) &&
        ApplicationData === data,
    )
}
