/**
 * Keys in: a bundle is opened, its sender judged, and each new key goes through the same batch engine
 * as a library's request. Keys, report and audit of a step become durable together; a step has at most
 * 100 keys, and an import that was interrupted is simply run again: what is here stays as it is.
 */
import { administrator } from '../access/documents.ts'
import { groupOf } from '../access/groups.ts'
import { dateOf } from '../access/identity.ts'
import { Secret } from '../crypto/secret.ts'
import { TransportKey } from '../crypto/transport-key.ts'
import type { Store } from '../keystore/store.ts'
import type { Engine } from '../kmip/operations/batch.ts'
import { decodePart } from './bundle-items.ts'
import { BundleFile, type Envelope, type OpenBundle } from './bundle-reader.ts'
import { ensureExchange, openExchangeKeys } from './identity.ts'
import { ImportRun, type Consignment, type ImportReport, type ImportTerms } from './import-run.ts'
import { peerOfIdentity } from './peers.ts'
import { untrusted } from './refusals.ts'

/** What to import, and how. */
export interface ImportWish extends ImportTerms {
  readonly file: string
  /** Asks a person, or a fingerprint given, about a sender that is not trusted yet; throws to refuse. */
  readonly vouch: (envelope: Envelope) => Promise<void>
}

/** Imports, or says what an import would do. Throws UserError; then nothing has been imported but whole steps. */
export async function importBundle(
  store: Store,
  engine: Engine,
  wish: ImportWish,
): Promise<ImportReport> {
  const { group, actor = administrator } = wish
  await ensureExchange(store, actor)
  const bundle = await BundleFile.open(wish.file)
  try {
    const now = await store.read(async (work) => {
      await groupOf(work, group)
      return work.now
    })
    const peer = await judgeSender(store, bundle.envelope, now, wish.vouch)
    const keys = await store.read((work) => openExchangeKeys(work))
    const opened = await bundle.decrypt(keys, now)
    const consignment = consignmentOf(opened, peer, bundle.envelope)
    return await new ImportRun(store, engine, wish, consignment, now).all()
  } finally {
    await bundle.close()
  }
}

/** Clocks differ: a bundle may bear a time that lies ahead of ours by this many seconds. */
const clockDifference = 86_400n

/** The name of the sender, once it is known or vouched for. */
async function judgeSender(
  store: Store,
  envelope: Envelope,
  now: bigint,
  vouch: ImportWish['vouch'],
): Promise<string> {
  const { sender, pin, signed } = envelope
  if (!sender.key.strong)
    throw untrusted(
      'sender-weak',
      `the sender signs with a weak key (${sender.key.name})`,
      'ask it to sign with P-384, or RSA from 2048 bits',
    )
  if (now > sender.notAfter || signed > sender.notAfter)
    throw untrusted(
      'sender-expired',
      `the identity that signed the bundle expired ${dateOf(sender.notAfter)}`,
      'ask the sender for a bundle signed by its present identity',
    )
  if (signed > now + clockDifference)
    throw untrusted(
      'signed-in-future',
      `the bundle was signed ${dateOf(signed)}, which is still to come`,
      'compare the clocks of both machines (timedatectl shows them)',
    )
  const peer = await store.read((work) => peerOfIdentity(work, pin))
  if (peer?.revoked !== undefined)
    throw untrusted(
      'sender-revoked',
      `the bundle comes from peer ${peer.name}, which was revoked ${dateOf(peer.revoked)}`,
      `import the site's certificate under a new name if it is trusted again`,
    )
  if (peer !== undefined) return peer.name
  await vouch(envelope)
  return `identity-${pin.slice(0, 16)}`
}

function consignmentOf(bundle: OpenBundle, peer: string, { pin }: Envelope): Consignment {
  const {
    ExportIdentifier,
    KeyCount,
    TransportKeyIdentifier,
    TransportKey: bytes,
  } = bundle.manifest
  return {
    exportId: ExportIdentifier,
    peer,
    sender: pin,
    keys: KeyCount,
    transport: new TransportKey(new Secret(bytes)),
    transportId: TransportKeyIdentifier,
    async *parts() {
      for await (const { content, keys } of bundle.parts()) yield decodePart(content, keys)
    },
  }
}
