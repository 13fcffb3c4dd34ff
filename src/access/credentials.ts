/**
 * User names and passwords that a client must send beside its certificate (KMIP 2.1 §9.4, §9.11).
 * They belong to one client each, and can only narrow what its certificate allows.
 */
import { hashPassword, privateDigest, verifyPassword } from '../crypto/password-hash.ts'
import { UserError } from '../errors.ts'
import type { AuditActor } from '../keystore/work.ts'
import {
  administrator,
  bodyOf,
  clientOf,
  putBody,
  type ActingStore,
  type Body,
} from './documents.ts'
import type { Identified, Principal } from './identity.ts'
import { redeemTicket, sharedRights, type Holder } from './tickets.ts'

/** A credential as a request header carries it; of other types only the type is looked at. */
export interface PresentedCredential {
  CredentialType: string | number
  CredentialValue: unknown
}

type User = Body<'credential'>['users'][number]

const longestUsername = 128
const shortestPassword = 8
const longestPassword = 1024

/** So that an unknown user name costs what a wrong password costs. It fits no password. */
const nobody: User = {
  username: '',
  hash: `$argon2id$v=19$m=65536,t=3,p=4$${'A'.repeat(22)}$${'A'.repeat(43)}`,
  ownOnly: true,
  added: 0,
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
    const stored = await store.read((work) => bodyOf(work, 'credential', principal.name))
    const proven: Holder[] = []
    for (const { CredentialType, CredentialValue } of presented) {
      if (CredentialType === 'Attestation')
        return refusal(principal, 'attestation', 'attestation is not verified here')
      if (CredentialType === 'Ticket') {
        const value = ticketValue(CredentialValue)
        const holder = await store.act((work) =>
          redeemTicket(work, principal.name, value, operations),
        )
        if (holder === undefined) return refusal(principal, 'credential-wrong', 'no such ticket')
        proven.push(holder)
        continue
      }
      const { username, password } = usernameAndPassword(CredentialType, CredentialValue)
      const known = stored?.users.find((user) => user.username === username)
      const isRight = await this.#verify(principal.name, password, known ?? nobody)
      if (known === undefined || !isRight)
        return refusal(principal, 'credential-wrong', `no such ${CredentialType} credential`)
      proven.push({ owner: `${principal.name}/${known.username}`, ownOnly: known.ownOnly })
    }
    return narrowed(principal, proven)
  }

  async #verify(client: string, password: string, user: User): Promise<boolean> {
    const key = this.#digest(client, user.username, user.hash, password)
    const known = this.#remembered(key)
    if (known !== undefined) return known
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

/** Adds a credential that the library must send from now on, or gives a user a new password. */
export async function addCredential(
  store: ActingStore,
  library: string,
  { username, password, ownOnly }: { username: string; password: string; ownOnly: boolean },
  actor: AuditActor = administrator,
): Promise<void> {
  if (username === '' || username.length > longestUsername || /[\x00-\x1f\x7f]/.test(username))
    throw new UserError(
      'username',
      `a user name has 1 to ${longestUsername} characters and no control characters`,
      'choose another with --username',
    )
  if (password.length < shortestPassword || password.length > longestPassword)
    throw new UserError(
      'password',
      `the password has ${password.length} characters, not ${shortestPassword} to ${longestPassword}`,
      'write another into the file of --password-file',
    )
  const hash = await hashPassword(password)
  await store.act(async (work) => {
    await clientOf(work, library)
    const others = (await bodyOf(work, 'credential', library))?.users ?? []
    const added = { username, hash, ownOnly, added: Number(work.now) }
    const users = [...others.filter((user) => user.username !== username), added]
    await putBody(work, 'credential', library, { users })
    work.audit({
      actor,
      operation: 'library credential add',
      outcome: 'Success',
      details: { library, username, ownOnly },
    })
  })
}

/** The principal as all that it has proven make it: the first says whose its objects are, all narrow it. */
function narrowed(principal: Principal, proven: readonly Holder[]): Identified {
  const [{ owner } = principal] = proven
  const ownOnly = principal.ownOnly || proven.some((holder) => holder.ownOnly)
  const rights = proven.reduce(
    (shared, holder) => sharedRights(shared, holder.rights),
    principal.rights,
  )
  return { ok: true, principal: { ...principal, owner, ownOnly, ...(rights && { rights }) } }
}

function ticketValue(value: unknown): Uint8Array {
  const { Ticket } = (value ?? {}) as { Ticket?: { TicketValue?: unknown } }
  return Ticket?.TicketValue instanceof Uint8Array ? Ticket.TicketValue : new Uint8Array()
}

function usernameAndPassword(type: string | number, value: unknown) {
  const isOurs = type === 'UsernameAndPassword' && typeof value === 'object' && value !== null
  const { Username, Password } = (isOurs ? value : {}) as { Username?: unknown; Password?: unknown }
  const password = typeof Password === 'string' ? Password : ''
  return {
    username: typeof Username === 'string' ? Username : '',
    password: password.slice(0, longestPassword + 1),
  }
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
