/** What may be shown of a bundle without importing anything from it. */
import type { Opener } from '../crypto/cms-recipients.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import { BundleFile, forAnother, type Envelope } from './bundle-reader.ts'
import { ensureExchange, openExchangeKeys } from './identity.ts'
import type { Manifest } from './manifest.ts'
import { peerOfIdentity } from './peers.ts'
import { readNoteOf, type NoteKind } from './signed-notes.ts'

/** A bundle as it looks from here. */
export interface Inspected {
  readonly envelope: Envelope
  /** Name of the peer with the identity that signed it, if it is trusted. */
  readonly peer: string | undefined
  /** Whether a private key of this server opens it; undefined when it is too damaged to tell. */
  readonly isForUs: boolean | undefined
  /** Undefined when this server cannot open it, or it is damaged. */
  readonly manifest: Manifest | undefined
  /** Why it does not open, or would not be imported. */
  readonly reason: string | undefined
}

/** What reads other files of an exchange. */
const readers: Readonly<Record<NoteKind, string>> = {
  receipt: 'exchange receipt',
  request: 'exchange request show',
  withdrawal: 'exchange withdraw apply',
  'withdrawal receipt': 'exchange receipt',
}

/** Throws UserError 'not-a-bundle' for a signed message, which is in the same form. */
async function refuseNote(path: string): Promise<void> {
  const note = await readNoteOf(['receipt', 'request', 'withdrawal', 'withdrawal receipt'], path)
    .then(({ kind }) => kind)
    .catch((error: unknown) => {
      if (error instanceof UserError && error.code === 'note-unreadable') return undefined
      throw error
    })
  if (note === undefined) return
  throw new UserError(
    'not-a-bundle',
    `${path} is a ${note}, not a bundle`,
    `read it with  keyreel ${readers[note]} ${path}`,
  )
}

function opensBy(bundle: BundleFile, openers: readonly Opener[]): boolean | undefined {
  try {
    bundle.manifestContent(openers, forAnother).fill(0)
    return true
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return error.code === 'bundle-for-another' ? false : undefined
  }
}

/** Looks at a bundle. Throws UserError 'bundle-unreadable' when its signature does not hold, or 'not-a-bundle'. */
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
      return { envelope, peer: named, isForUs: true, manifest, reason: undefined }
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      await refuseNote(path)
      const openers = keys.map(({ opener }) => opener)
      const isForUs = opensBy(bundle, openers)
      return { envelope, peer: named, isForUs, manifest: undefined, reason: error.message }
    }
  } finally {
    await bundle.close()
  }
}
