/**
 * Credentials that a client must send beside its certificate (KMIP 2.1 §9.4, §9.11).
 * They belong to one client each, and can only narrow what its certificate allows.
 */
import { privateDigest, verifyPassword } from '../crypto/password-hash.ts'
import { bodyOf, putBody, type ActingStore, type Body } from './documents.ts'
import { acceptHashed } from './hashed-passwords.ts'
import type { Identified, Principal } from './identity.ts'
import { redeemTicket, sharedRights, type Holder } from './tickets.ts'

/** A credential as a request header carries it; of other types only the type is looked at. */
export interface PresentedCredential {
  CredentialType: string | number
  CredentialValue: unknown
}

type User = Body<'credential'>['users'][number]

/** A Credential Value, not looked at yet. */
type Fields = Partial<Record<string, unknown>>

/** Most characters of a password. */
export const longestPassword = 1024

/** So that an unknown user name costs what a wrong password costs. It fits no password. */
const nobody = {
  username: '',
  hash: `$argon2id$v=19$m=65536,t=3,p=4$${'A'.repeat(22)}$${'A'.repeat(43)}`,
}

/** What one credential has shown. */
interface Proof {
  holder: Holder
  serverHashedPassword?: Uint8Array
}

/** Where a credential is looked at. */
interface Place {
  store: ActingStore
  client: string
  users: readonly User[]
  operations: number
}

/**
 * Checks credentials with the memory-hard hash off the hot path: what was once proven or refused is
 * remembered, bounded, under a digest with a key of this process, until the stored hash changes.
 * One check at a time per client, so that one client's guessing cannot hold up another.
 */
export class CredentialCheck {
  readonly #digest = privateDigest()
  readonly #proven: Remembered
  readonly #refused: Remembered
  readonly #turns = new Map<string, Promise<boolean>>()

  constructor({ remembered = 4096 }: { remembered?: number } = {}) {
    this.#proven = new Remembered(remembered)
    this.#refused = new Remembered(remembered)
  }

  /**
   * The principal as narrowed by what it sent, or a refusal that the client is told as
   * Authentication Not Successful. Every credential sent must be right, even when none is required.
   */
  async authenticate(
    store: ActingStore,
    principal: Principal,
    presented: readonly PresentedCredential[],
    operations = 1,
  ): Promise<Identified> {
    if (presented.length === 0)
      return principal.credentialRequired
        ? refusal(principal, 'credential-missing', 'it must send a user name and password')
        : { ok: true, principal }
    const { name: client } = principal
    const stored = await store.read((work) => bodyOf(work, 'credential', client))
    const place: Place = { store, client, users: stored?.users ?? [], operations }
    const proofs: Proof[] = []
    for (const credential of presented) {
      const { CredentialType: type } = credential
      if (type === 'Attestation')
        return refusal(principal, 'attestation', 'attestation is not verified here')
      const proof = await this.#proofOf(place, credential)
      if (proof === undefined)
        return refusal(principal, 'credential-wrong', `no such ${type} credential`)
      proofs.push(proof)
    }
    return narrowed(principal, proofs)
  }

  async #proofOf(
    place: Place,
    { CredentialType, CredentialValue }: PresentedCredential,
  ): Promise<Proof | undefined> {
    const value: Fields =
      typeof CredentialValue === 'object' && CredentialValue !== null ? CredentialValue : {}
    switch (CredentialType) {
      case 'UsernameAndPassword':
        return this.#user(place, value)
      case 'Device':
        return this.#device(place, value)
      case 'OneTimePassword':
        return this.#oneTime(place, value)
      case 'HashedPassword':
        return hashedProof(place, value)
      case 'Ticket':
        return ticketProof(place, value)
      default:
        return undefined
    }
  }

  async #user(place: Place, value: Fields): Promise<Proof | undefined> {
    const username = textOf(value.Username)
    const known = place.users.find((user) => user.kind === undefined && user.username === username)
    const isRight = await this.#verify(place.client, textOf(value.Password), known)
    return known && isRight ? { holder: holderOf(place.client, known) } : undefined
  }

  /** Every name that is kept of the device must be sent; others are passed over. */
  async #device(place: Place, value: Fields): Promise<Proof | undefined> {
    const sent: Record<string, string> = {
      device: textOf(value.DeviceIdentifier),
      network: textOf(value.NetworkIdentifier),
      machine: textOf(value.MachineIdentifier),
      media: textOf(value.MediaIdentifier),
    }
    const serial = textOf(value.DeviceSerialNumber)
    const known = place.users.find(
      ({ kind, username, identifiers }) =>
        kind === 'device' &&
        username === serial &&
        Object.entries(identifiers ?? {}).every(([name, kept]) => sent[name] === kept),
    )
    const hasNoPassword = known?.hash === undefined && value.Password === undefined
    const isRight =
      hasNoPassword || (await this.#verify(place.client, textOf(value.Password), known))
    return known && isRight ? { holder: holderOf(place.client, known) } : undefined
  }

  /** Used up durably before anything is done with it, whatever comes of the message. */
  async #oneTime({ store, client, users }: Place, value: Fields): Promise<Proof | undefined> {
    const username = textOf(value.Username)
    const isUsable = (user: User) =>
      user.kind === 'one-time' && user.username === username && user.used === undefined
    const known = users.find(isUsable)
    const isRight = await this.#verify(client, textOf(value.OneTimePassword), known)
    // No password is kept beside it, so none that is sent can be right.
    if (known === undefined || !isRight || value.Password !== undefined) return undefined
    const holder = holderOf(client, known)
    return store.act(async (work) => {
      const now = (await bodyOf(work, 'credential', client))?.users ?? []
      const user = now.find((each) => isUsable(each) && each.hash === known.hash)
      if (user === undefined) return undefined
      const used = { ...user, used: Number(work.now) }
      const left = now.map((each) => (each === user ? used : each))
      await putBody(work, 'credential', client, { users: left })
      work.audit({
        actor: { name: holder.owner, kind: 'library' },
        operation: 'one-time password',
        outcome: 'Success',
        details: { library: client, username },
      })
      return { holder }
    })
  }

  /** Whether the password is the user's; for nobody it takes as long, and is not. */
  async #verify(client: string, given: string, known: User | undefined): Promise<boolean> {
    const password = given.slice(0, longestPassword + 1)
    const user = {
      ...nobody,
      ...(known?.hash !== undefined && { username: known.username, hash: known.hash }),
    }
    const key = this.#digest(client, user.username, user.hash, password)
    const before = this.#remembered(key)
    if (before !== undefined) return before
    const turn = (this.#turns.get(client) ?? Promise.resolve(false))
      .catch(() => false)
      .then(async () => {
        const meanwhile = this.#remembered(key)
        if (meanwhile !== undefined) return meanwhile
        const isRight = await verifyPassword(password, user.hash)
        const memory = isRight ? this.#proven : this.#refused
        memory.add(key)
        return isRight
      })
      .finally(() => {
        if (this.#turns.get(client) === turn) this.#turns.delete(client)
      })
    this.#turns.set(client, turn)
    return turn
  }

  #remembered(key: string): boolean | undefined {
    if (this.#proven.has(key)) return true
    return this.#refused.has(key) ? false : undefined
  }
}

/** The principal as all that it has proven make it: the first says whose its objects are, all narrow it. */
function narrowed(principal: Principal, proofs: readonly Proof[]): Identified {
  const proven = proofs.map(({ holder }) => holder)
  const [{ owner } = principal] = proven
  const ownOnly = principal.ownOnly || proven.some((holder) => holder.ownOnly)
  const rights = proven.reduce(
    (shared, holder) => sharedRights(shared, holder.rights),
    principal.rights,
  )
  const serverHashedPassword = proofs.find(
    (proof) => proof.serverHashedPassword,
  )?.serverHashedPassword
  return {
    ok: true,
    principal: { ...principal, owner, ownOnly, ...(rights && { rights }) },
    ...(serverHashedPassword && { serverHashedPassword }),
  }
}

async function ticketProof(
  { store, client, operations }: Place,
  { Ticket }: Fields,
): Promise<Proof | undefined> {
  const { TicketValue } = (Ticket ?? {}) as { TicketValue?: unknown }
  if (!(TicketValue instanceof Uint8Array)) return undefined
  const holder = await store.act((work) => redeemTicket(work, client, TicketValue, operations))
  return holder && { holder }
}

async function hashedProof(
  { store, client, users }: Place,
  { Username, TimeStamp, HashingAlgorithm, HashedPassword: hashed }: Fields,
): Promise<Proof | undefined> {
  const username = textOf(Username)
  const known = users.find((user) => user.kind === undefined && user.username === username)
  const isFormed = typeof TimeStamp === 'bigint' && hashed instanceof Uint8Array
  if (known === undefined || !isFormed) return undefined
  const algorithm = (HashingAlgorithm ?? 'SHA_256') as string | number
  const presented = { username, timestamp: TimeStamp, algorithm, hashed }
  const serverHashedPassword = await store.act((work) => acceptHashed(work, client, presented))
  return serverHashedPassword && { holder: holderOf(client, known), serverHashedPassword }
}

function holderOf(client: string, { username, ownOnly }: User): Holder {
  return { owner: `${client}/${username}`, ownOnly }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function refusal(
  { name, fingerprint }: Principal,
  reason: 'credential-missing' | 'credential-wrong' | 'attestation',
  why: string,
): Identified {
  return { ok: false, reason, detail: { why, client: name, fingerprint } }
}

/** A set that forgets its oldest member when it is full. */
class Remembered {
  readonly #members = new Set<string>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  has(member: string): boolean {
    return this.#members.has(member)
  }

  add(member: string): void {
    const [oldest] = this.#members
    if (this.#members.size >= this.#most && oldest !== undefined) this.#members.delete(oldest)
    this.#members.add(member)
  }
}
