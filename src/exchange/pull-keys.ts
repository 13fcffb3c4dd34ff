/**
 * Keys from a peer over KMIP: found there by Locate, taken by Export wrapped under the session's transport
 * key, and imported here exactly as a bundle would be.
 */
import { groupOf } from '../access/groups.ts'
import { version } from 'ttlv-codec'
import { randomUuid } from '../crypto/primitives/random.ts'
import { TransportKey } from '../crypto/transport-key.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { Client, Payload } from '../kmip/client/client.ts'
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import type { Engine } from '../kmip/operations/batch.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { decodePart, encodePart, isSent } from './bundle-items.ts'
import type { ImportRequest } from './import-payload.ts'
import { likeness } from './incoming-keys.ts'
import { ImportRun, type ImportReport, type ImportTerms } from './import-run.ts'
import type { KeyReport } from './key-report.ts'
import { ensureExchange } from './identity.ts'
import { peerAccess, sharedKey, type Plain } from './peer-links.ts'
import { connectPeer, explaining, openPeerSession, type PeerSession } from './peer-session.ts'
import { peerNamed } from './peers.ts'
import { ownRsaWrapping, sharedWrapping, takenPlainly } from './plain-peers.ts'
import { countsOf, closed, type ExchangeReport } from './push-keys.ts'
import type { Selection } from './selection.ts'

/** What to take, from whom. */
export interface PullWish extends Omit<ImportTerms, 'dryRun'> {
  readonly peer: string
  readonly selection: Selection
  readonly classical: boolean
}

/** What became of it. */
export interface PullReport extends ExchangeReport {
  /** The import id: `exchange log` has it too. */
  readonly importId: string
}

/** Keys asked for in one message. */
const keysPerBatch = 50
/** Identifiers asked for in one message, and at most. */
const page = 1000
const mostKeys = 1_000_000

/** Takes the keys. Throws UserError; what was imported until then is kept. */
export async function pullKeys(store: Store, engine: Engine, wish: PullWish): Promise<PullReport> {
  await ensureExchange(store)
  const { now, peer, plain } = await store.read(async (work) => {
    await groupOf(work, wish.group)
    const access = await peerAccess(work, wish.peer)
    access.key.fill(0)
    return { now: work.now, peer: await peerNamed(work, wish.peer), plain: access.plain }
  })
  const source =
    plain === undefined ? await peerSource(store, wish) : await plainSource(store, wish, plain)
  let outcome: ImportReport['counts'] | undefined
  try {
    const { ids, missing } = await explaining(peer.name, () => source.locate(wish.selection))
    if (ids.length === 0)
      throw new UserError(
        'nothing-selected',
        `peer ${peer.name} has no such keys for us`,
        'there:  keyreel cartridge list --group GROUP  tells what it has',
      )
    const withheld: KeyReport[] = []
    const { transport, transportId } = source
    const consignment = {
      // The entry of the peer has the same id.
      exportId: transportId,
      peer: peer.name,
      sender: peer.identity?.pin ?? peer.current.fingerprint,
      keys: ids.length,
      live: true as const,
      transport,
      transportId,
      async *parts() {
        for (let first = 0; first < ids.length; first += keysPerBatch) {
          const chunk = ids.slice(first, first + keysPerBatch)
          const { requests, refused } = await explaining(peer.name, () => source.take(chunk))
          withheld.push(...refused)
          if (requests.length > 0) yield decodePart(encodePart(requests), requests.length)
        }
      },
    }
    const run = new ImportRun(store, engine, { ...wish, dryRun: false }, consignment, now)
    const { id, group, reports, counts } = await run.all()
    outcome = counts
    if (id === undefined) throw new Error('an import that is no dry run has an id')
    const all = [...reports, ...withheld]
    return {
      ...{ importId: id, peer: peer.name, group, scope: wish.selection.scope, keys: ids.length },
      ...{ counts: countsOf(all), reports: all, missing },
    }
  } finally {
    await source.close(outcome)
  }
}

/** Where keys come from. */
interface Source {
  readonly transport: TransportKey
  readonly transportId: string
  locate(selection: Selection): Promise<{ ids: readonly string[]; missing: readonly string[] }>
  take(ids: readonly string[]): Promise<{ requests: ImportRequest[]; refused: KeyReport[] }>
  close(outcome: ImportReport['counts'] | undefined): Promise<void>
}

/** Another keyreel: by Export under a transport key that both hold. */
async function peerSource(store: Store, wish: PullWish): Promise<Source> {
  const session = await openPeerSession(store, wish)
  const { client, transport, transportId } = session
  return {
    transport,
    transportId,
    async locate(selection) {
      const { ids, missing } = await located(client, selection)
      // The session's own key lies there as well.
      return { ids: ids.filter((id) => id !== transportId), missing }
    },
    take: (ids) => taken(session, ids),
    close: (outcome) => closed(session, outcome),
  }
}

/** A key server that knows nothing of keyreel: by Get, and wrapped again here for the import. */
async function plainSource(store: Store, wish: PullWish, { wrappingKey }: Plain): Promise<Source> {
  const { client } = await connectPeer(store, wish)
  const transport = TransportKey.random()
  const local = { peer: wish.peer, transport, transportId: randomUuid() }
  const shared =
    wrappingKey === undefined ? undefined : await store.read((work) => sharedKey(work, wish.peer))
  const close = async () => {
    shared?.wipe()
    transport.secret.wipe()
    await client.close()
  }
  try {
    const wrapping =
      wrappingKey === undefined || shared === undefined
        ? await explaining(wish.peer, () => ownRsaWrapping(store, client))
        : sharedWrapping(wrappingKey, shared)
    return {
      ...local,
      async locate(selection) {
        const { ids, missing } = await located(client, selection)
        return { ids: ids.filter((id) => id !== wrappingKey), missing }
      },
      take: (ids) => takenPlainly(client, wrapping, ids, local),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

type Filter = NonNullable<Payload<'Locate'>['Attributes']>

const symmetricKey = { tag: 'ObjectType', value: 'SymmetricKey' } as const

/** Identifiers at the peer, each once, and barcodes of which it has no key. */
async function located(
  client: Client,
  selection: Selection,
): Promise<{ ids: string[]; missing: string[] }> {
  switch (selection.scope) {
    case 'all':
      return { ids: await allLocated(client, [symmetricKey]), missing: [] }
    case 'used':
      return {
        ids: await allLocated(client, [symmetricKey, { tag: 'Fresh', value: false }]),
        missing: [],
      }
    case 'key':
      return { ids: [...new Set(selection.keys)], missing: [] }
    case 'barcode': {
      const ids = new Set<string>()
      const missing: string[] = []
      for (const barcode of new Set(selection.barcodes)) {
        const found = await ofBarcode(client, barcode)
        if (found.length === 0) missing.push(barcode)
        for (const id of found) ids.add(id)
      }
      return { ids: [...ids], missing }
    }
    case 'current':
      return { ids: await currentLocated(client), missing: [] }
  }
}

/** Keys whose attributes are asked for in one message. */
const looksPerBatch = 50

/** The newest living key of each cartridge: by barcode and, where the key tells it, medium. */
async function currentLocated(client: Client): Promise<string[]> {
  const newest = new Map<string, { id: string; made: bigint }>()
  const ids = await allLocated(client, [symmetricKey])
  for (let first = 0; first < ids.length; first += looksPerBatch) {
    const some = ids.slice(first, first + looksPerBatch)
    const results = await client.batch(
      some.map((UniqueIdentifier) => ({
        operation: 'GetAttributes' as const,
        payload: { UniqueIdentifier },
      })),
      { onError: 'Continue', safe: true },
    )
    for (const [at, id] of some.entries()) {
      const result = results[at]
      if (result?.status === 'Failed') throw result.error
      if (result?.status !== 'Success') continue
      const attributes = (result.payload.Attributes ?? []) as readonly AttributeInstance[]
      const label = labelOf(likeness(id, attributes, { group: '', now: 0n }))
      const made = attributes.find(({ tag }) => tag === 'InitialDate')?.value
      if (label === undefined || typeof made !== 'bigint') continue
      const cartridge = `${label.barcode}\u0000${label.mediumSerial ?? ''}`
      const before = newest.get(cartridge)
      if (before === undefined || before.made < made) newest.set(cartridge, { id, made })
    }
  }
  return [...newest.values()].map(({ id }) => id)
}

/** A barcode is in the Alternative Name, or in the attribute that libraries without one use. */
async function ofBarcode(client: Client, barcode: string): Promise<string[]> {
  const byName = await allLocated(client, [
    symmetricKey,
    { tag: 'AlternativeName', value: { AlternativeNameValue: barcode } },
  ])
  const AttributeValue = { type: 'TextString', value: barcode } as const
  const byAttribute = await allLocated(client, [
    symmetricKey,
    {
      tag: 'Attribute',
      value: { VendorIdentification: 'x', AttributeName: 'Barcode', AttributeValue },
    },
  ])
  return [...new Set([...byName, ...byAttribute])]
}

/** Offset Items (KMIP 1.3 §4.9); before, all come at once. */
const offsetItemsSince = version('1.3')

async function allLocated(client: Client, Attributes: Filter): Promise<string[]> {
  const ids: string[] = []
  const pages = client.version >= offsetItemsSince
  while (ids.length < mostKeys) {
    const { UniqueIdentifier: found } = await client.call(
      'Locate',
      pages ? { MaximumItems: page, OffsetItems: ids.length, Attributes } : { Attributes },
      { safe: true },
    )
    ids.push(...found)
    if (!pages || found.length < page) return ids
  }
  throw new UserError(
    'too-many-keys',
    `the peer has more than ${mostKeys} keys`,
    'take them in several steps, with --barcodes-from FILE',
  )
}

async function taken(
  { client, transportId }: PeerSession,
  ids: readonly string[],
): Promise<{ requests: ImportRequest[]; refused: KeyReport[] }> {
  const KeyWrappingSpecification = {
    WrappingMethod: 'Encrypt',
    EncryptionKeyInformation: {
      UniqueIdentifier: transportId,
      CryptographicParameters: { BlockCipherMode: 'AESKeyWrapPadding' },
    },
    EncodingOption: 'NoEncoding',
  } as const
  const results = await client.batch(
    ids.map((UniqueIdentifier) => ({
      operation: 'Export' as const,
      payload: { UniqueIdentifier, KeyFormatType: 'Raw' as const, KeyWrappingSpecification },
    })),
    { onError: 'Continue' },
  )
  const requests: ImportRequest[] = []
  const refused: KeyReport[] = []
  for (const [at, id] of ids.entries()) {
    const result = results[at]
    const key = result?.status === 'Success' ? result.payload.SymmetricKey : undefined
    if (result?.status === 'Success' && key !== undefined) {
      const attributes = (result.payload.Attributes ?? []) as readonly AttributeInstance[]
      requests.push({
        UniqueIdentifier: id,
        ObjectType: 'SymmetricKey',
        KeyWrapType: 'NotWrapped',
        Attributes: attributes.filter(isSent).map(({ tag, value }) => ({ tag, value })),
        SymmetricKey: key,
      })
      continue
    }
    const reason =
      result?.status === 'Failed'
        ? (result.error.resultMessage ?? result.error.message)
        : 'the peer did not hand it out'
    refused.push({ id, verdict: 'refused', reason })
  }
  return { requests, refused }
}
