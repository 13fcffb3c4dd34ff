/** Whether a message of another site is believed: it is of a trusted peer, in force, and for this server. */
import { dateOf } from '../access/identity.ts'
import type { Store } from '../keystore/store.ts'
import { ensureExchange } from './identity.ts'
import { peerOfIdentity, type Peer } from './peers.ts'
import { untrusted } from './refusals.ts'
import type { Note, NoteKind } from './signed-notes.ts'

/** Clocks differ by so many seconds at most. */
const clockDifference = 86_400n

/** The peer that has signed a message which is addressed to us. Throws UserError. */
export async function senderOf(
  store: Store,
  note: Note<NoteKind> & { readonly body: { readonly to: string } },
  what: 'request' | 'withdrawal',
): Promise<Peer> {
  const own = await ensureExchange(store)
  const { peer, now } = await store.read(async (work) => ({
    peer: await peerOfIdentity(work, note.pin),
    now: work.now,
  }))
  if (peer === undefined)
    throw untrusted(
      'sender-unknown',
      `whoever signed the ${what} is not trusted here`,
      'import its Encryption Certificate first:  keyreel exchange certificate import FILE --peer NAME',
    )
  if (peer.revoked !== undefined)
    throw untrusted(
      'sender-revoked',
      `the ${what} comes from peer ${peer.name}, which was revoked ${dateOf(peer.revoked)}`,
      `import the site's certificate under a new name if it is trusted again`,
    )
  judgeDates(note, what, now)
  const ours = [own.current, ...own.earlier].map(({ fingerprint }) => fingerprint)
  if (!ours.includes(note.body.to))
    throw untrusted(
      `${what}-for-another`,
      `the ${what} was made for another server`,
      'the peer must make it for the certificate of this server:  keyreel exchange certificate export',
    )
  return peer
}

/** Refuses what an expired identity has signed, or what was signed in the future. Throws UserError. */
export function judgeDates({ sender, signed }: Note<NoteKind>, what: string, now: bigint): void {
  if (now > sender.notAfter)
    throw untrusted(
      'sender-expired',
      `the identity that signed the ${what} expired ${dateOf(sender.notAfter)}`,
      `ask the peer for a ${what} signed by its present identity`,
    )
  if (signed > now + clockDifference)
    throw untrusted(
      'signed-in-future',
      `the ${what} was signed ${dateOf(signed)}, which is still to come`,
      'compare the clocks of both machines (timedatectl shows them)',
    )
}
