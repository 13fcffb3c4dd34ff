/**
 * "Do you hold the key for this tape?" between peers: a Locate by namespace and Application Data (KMIP 2.1
 * §6.1.28, §4.3). A peer that may take keys of the group searches as it likes; any other learns of keys that it
 * has not brought only whether one with the very identifier that it names is here. Questions are counted.
 */
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import { KmipError } from '../model/result.ts'
import { mayTake } from './from-peer.ts'
import type { Context } from './operation.ts'

const hour = 3600n

/** How many questions each peer has asked in this hour. In memory: a restart forgets. */
export class PeerQuestions {
  readonly #perHour: number
  readonly #asked = new Map<string, { since: bigint; count: number }>()

  constructor(perHour: number) {
    this.#perHour = perHour
  }

  /** Counts one. `over`: it is one too many; `first`: and none was before in this hour. */
  count(peer: string, now: bigint): 'within' | 'first' | 'over' {
    const before = this.#asked.get(peer)
    const current =
      before !== undefined && now - before.since < hour ? before : { since: now, count: 0 }
    current.count += 1
    this.#asked.set(peer, current)
    if (current.count <= this.#perHour) return 'within'
    return current.count === this.#perHour + 1 ? 'first' : 'over'
  }
}

/** Whose objects a client may find by these attributes: undefined for all of its group. Throws KmipError. */
export async function ownerSought(
  attributes: readonly AttributeInstance[],
  context: Context,
): Promise<string | undefined> {
  const { principal } = context
  if (principal.profile !== 'peer') return principal.ownOnly ? principal.owner : undefined
  if (attributes.some(isTape)) countQuestion(context)
  if (isQuestion(attributes) || isForExchangeKey(attributes)) return undefined
  return (await mayTake(context)) === true ? undefined : principal.owner
}

/** Refuses a peer the attributes of keys that it has not brought, unless it may take those of the group. */
export async function refuseLook({ vitals }: ManagedObject, context: Context): Promise<void> {
  const { principal } = context
  if (principal.profile !== 'peer' || vitals.Owner === principal.owner) return
  const answer = await mayTake(context)
  if (answer !== true) throw new KmipError('PermissionDenied', answer)
}

function countQuestion(context: Context): void {
  const { principal, now, peerQuestions } = context
  const outcome = peerQuestions?.count(principal.name, now) ?? 'within'
  if (outcome === 'within') return
  if (outcome === 'first')
    context.alarm(`peer ${principal.name} asks for more tapes than a site has`)
  throw new KmipError(
    'ServerLimitExceeded',
    'too many tapes were asked for: ask again in an hour',
    {
      before20: 'PermissionDenied',
    },
  )
}

function isTape({ tag }: AttributeInstance): boolean {
  return tag === 'ApplicationSpecificInformation'
}

/** One whole identifier of a tape, and at most the type of object besides. */
function isQuestion(attributes: readonly AttributeInstance[]): boolean {
  const tapes = attributes.filter(isTape)
  const [tape] = tapes
  const { ApplicationNamespace, ApplicationData } = (tape?.value ?? {}) as Record<string, unknown>
  return (
    tapes.length === 1 &&
    attributes.every((one) => isTape(one) || one.tag === 'ObjectType') &&
    typeof ApplicationNamespace === 'string' &&
    typeof ApplicationData === 'string'
  )
}

/** The name of an exchange key is its certificate's, which the peer has. */
function isForExchangeKey(attributes: readonly AttributeInstance[]): boolean {
  return attributes.some(({ tag, value }) => {
    const { NameValue } = value as { NameValue?: string }
    return tag === 'Name' && NameValue?.startsWith(exchangeKeyPrefix) === true
  })
}

/** How the names of exchange keys begin. */
export const exchangeKeyPrefix = 'keyreel exchange key '
