/**
 * What the server sends a client of itself, Notify and Put (KMIP 2.1 §6.2), and where to: for `library
 * listener …`. Nothing is sent to a client that has no such document, which is how clients begin.
 */
import { servesClients } from '../crypto/certificates.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { serverIdentity } from './authority.ts'
import {
  administrator,
  allOf,
  bodyOf,
  clientOf,
  putBody,
  type ActingStore,
  type Body,
  type Documents,
} from './documents.ts'
import type { Principal } from './identity.ts'

/** What is sent to a client. */
export interface Listener extends Omit<Body<'listener'>, 'added'> {
  client: string
  /** Seconds since 1970. */
  added: bigint
}

/** What `library listener set` takes. */
export type ListenerWish = Omit<Body<'listener'>, 'added'>

/** Every client that something is sent to, by name. */
export async function listeners(work: Documents): Promise<Listener[]> {
  return (await allOf(work, 'listener')).map(({ name, body }) => listenerFrom(name, body))
}

/** What is sent to that client; undefined for nothing. */
export async function listenerOf(
  work: Pick<Documents, 'document'>,
  client: string,
): Promise<Listener | undefined> {
  const body = await bodyOf(work, 'listener', client)
  return body && listenerFrom(client, body)
}

function listenerFrom(client: string, { added, ...body }: Body<'listener'>): Listener {
  return { ...body, client, added: BigInt(added) }
}

/** Says what is sent to a client from now on. Throws UserError. */
export async function setListener(
  store: ActingStore,
  client: string,
  wish: ListenerWish,
  actor: AuditActor = administrator,
): Promise<Listener> {
  return store.act(async (work) => {
    const { group, profile } = await clientOf(work, client)
    if (profile === 'peer')
      throw unfit(`${client} is a peer, and is sent its keys wrapped`, 'keyreel peer push')
    if ((await pushedTo(work, client)) === undefined)
      throw unfit(
        `library ${client} is revoked, or has to send a credential, which a listener cannot`,
        'enrol another client in the group for its listener:  keyreel library add NAME',
      )
    if (wish.address !== undefined) await demandClientPurpose(work)
    await putBody(work, 'listener', client, { ...wish, added: Number(work.now) })
    const details = { library: client, ...wish }
    work.audit({ actor, operation: 'library listener set', group, outcome: 'Success', details })
    return { ...wish, client, added: work.now }
  })
}

/** Sends that client nothing more. Throws UserError 'no-listener'. */
export async function removeListener(
  store: ActingStore,
  client: string,
  actor: AuditActor = administrator,
): Promise<void> {
  await store.act(async (work) => {
    const { group } = await clientOf(work, client)
    if (!(await work.deleteDocument('listener', client)))
      throw new UserError(
        'no-listener',
        `nothing is sent to library ${client}`,
        'list the libraries that something is sent to:  keyreel library listener list',
      )
    const details = { library: client }
    work.audit({ actor, operation: 'library listener remove', group, outcome: 'Success', details })
  })
}

/** For whom it is sent: the client, unless it is revoked, or would have to prove more than a certificate. */
export async function pushedTo(
  work: Pick<Documents, 'document'>,
  client: string,
): Promise<Principal | undefined> {
  const body = await bodyOf(work, 'client', client)
  const credential = await bodyOf(work, 'credential', client)
  if (body === undefined || body.revoked !== undefined) return undefined
  if ((credential?.users.length ?? 0) > 0) return undefined
  const { kind, group, profile } = body
  return {
    name: client,
    kind,
    group,
    profile,
    fingerprint: '',
    owner: client,
    ownOnly: false,
    credentialRequired: false,
  }
}

/** Server certificates from before this existed are for servers only. */
async function demandClientPurpose(work: Work): Promise<void> {
  const { certificates } = await serverIdentity(work)
  if (certificates.every(servesClients)) return
  throw unfit(
    'the server certificate is from an older release: it says that it is for servers only',
    'make a new one first:  keyreel server certificate renew',
  )
}

function unfit(message: string, hint: string): UserError {
  return new UserError('listener', message, hint, { exitStatus: exitStatus.failed })
}
