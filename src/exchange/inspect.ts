/** What may be shown of a bundle without importing anything from it. */
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import { BundleFile, type Envelope } from './bundle-reader.ts'
import { ensureExchange, openExchangeKeys } from './identity.ts'
import type { Manifest } from './manifest.ts'
import { peerOfIdentity } from './peers.ts'

/** A bundle as it looks from here. */
export interface Inspected {
  readonly envelope: Envelope
  /** Name of the peer with the identity that signed it, if it is trusted. */
  readonly peer: string | undefined
  /** Undefined when this server cannot open it. */
  readonly manifest: Manifest | undefined
  /** Why it does not open, or would not be imported. */
  readonly reason: string | undefined
}

/** Looks at a bundle. Throws UserError 'bundle-unreadable' when its signature does not hold. */
export async function inspectBundle(store: Store, path: string): Promise<Inspected> {
  await ensureExchange(store)
  const bundle = await BundleFile.open(path)
  try {
    const { envelope } = bundle
    const { peer, keys, now } = await store.read(async (work) => ({
      peer: await peerOfIdentity(work, envelope.pin),
      keys: await openExchangeKeys(work),
      now: work.now,
    }))
    const named = peer?.revoked === undefined ? peer?.name : undefined
    try {
      const { manifest } = await bundle.decrypt(keys, now)
      return { envelope, peer: named, manifest, reason: undefined }
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      return { envelope, peer: named, manifest: undefined, reason: error.message }
    }
  } finally {
    await bundle.close()
  }
}
