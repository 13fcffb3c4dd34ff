/**
 * What waits for a second person, and what was approved: one document per request, named by the id that
 * the export will have. An approval is a signature over that id, the recipient and the keys.
 */
import { administrator, allOf, type Body, type Documents } from '../access/documents.ts'
import { operatorFault, operatorNamed } from '../access/operators.ts'
import { hasSigned } from '../crypto/detached-signatures.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import type { Work } from '../keystore/work.ts'
import { againstPolicy } from './refusals.ts'
import type { Selection } from './selection.ts'

/** An export as somebody asks for it. */
export interface Wanted {
  readonly peer: string
  /** Fingerprint of the certificate that the keys would be encrypted to. */
  readonly recipient: string
  readonly group: string
  readonly scope: Selection['scope']
  readonly keys: readonly { readonly id: string }[]
  /** Name of the operator who asks; the administrator when nobody is named. */
  readonly requester?: string | undefined
}

/** Where a request stands. `void`: approved by somebody who may do so no longer. */
export type ApprovalState = 'waiting' | 'approved' | 'used' | 'expired' | 'void'

/** A request with what became of it. */
export interface ApprovalRequest {
  readonly id: string
  readonly body: Body<'exchange-approval'>
  readonly state: ApprovalState
}

/** Who asks. */
export function requesterOf({ requester }: Pick<Wanted, 'requester'>): string {
  return requester ?? administrator.name
}

/** SHA-256 over the identifiers of the keys in ascending order, each followed by a line feed. */
export function selectionDigest(keys: Wanted['keys']): string {
  const ids = keys.map(({ id }) => id).toSorted()
  return toHex(sha256(ids.map((id) => `${id}\n`).join('')))
}

/** What is signed: no part of it can be taken for another. */
export function approvalText(
  id: string,
  body: Pick<Body<'exchange-approval'>, 'group' | 'recipient' | 'digest' | 'requester'>,
): string {
  const { group, recipient, digest, requester } = body
  return [
    'keyreel approval 1',
    `export ${id}`,
    `recipient ${recipient}`,
    `selection ${digest}`,
    `group ${group}`,
    `requester ${requester}`,
    '',
  ].join('\n')
}

/** Every request, newest first. */
export async function approvalRequests(
  work: Documents & Pick<Work, 'now'>,
): Promise<ApprovalRequest[]> {
  const found: ApprovalRequest[] = []
  for (const { name: id, body } of await allOf(work, 'exchange-approval'))
    found.push({ id, body, state: await stateOf(work, id, body) })
  return found.toSorted((a, b) => b.body.requested - a.body.requested)
}

/** One of them by the beginning of its id. Throws UserError 'no-such-request'. */
export async function approvalRequest(
  work: Documents & Pick<Work, 'now'>,
  prefix: string,
): Promise<ApprovalRequest> {
  const found = (await approvalRequests(work)).filter(({ id }) =>
    id.startsWith(prefix.toLowerCase()),
  )
  const [only, ...others] = found
  if (only !== undefined && others.length === 0) return only
  throw new UserError(
    'no-such-request',
    only === undefined
      ? `no export that waits for an approval has an id that begins with ${JSON.stringify(prefix)}`
      : `several exports have ids that begin with ${prefix}`,
    'list them:  keyreel exchange approve',
  )
}

/** A key that would be released. */
export interface RequestedKey {
  readonly id: string
  readonly barcode?: string
}

const recordsOfRequest = 100_000

/**
 * What would be released, key by key, from the record of the request. Throws UserError 'list-differs' unless
 * these are exactly the keys whose digest is signed.
 */
export async function requestedKeys(
  store: Pick<Store, 'objectHistory'>,
  { id, body }: Pick<ApprovalRequest, 'id' | 'body'>,
): Promise<RequestedKey[]> {
  const { entries } = await store.objectHistory(id, recordsOfRequest)
  const keys = entries
    .filter(({ operation }) => operation === 'exchange approval part')
    .toSorted((a, b) => a.number - b.number)
    .flatMap(({ details }) => (details as unknown as { keys: RequestedKey[] }).keys)
  if (keys.length === body.keys && selectionDigest(keys) === body.digest) return keys
  throw againstPolicy(
    `the record of request ${id} does not list the keys that it is about`,
    'run the command again that asked for it, and approve its new request',
    'list-differs',
  )
}

/** Where the request stands now: the signature is verified each time. */
export async function stateOf(
  work: Documents & Pick<Work, 'now'>,
  id: string,
  body: Body<'exchange-approval'>,
): Promise<ApprovalState> {
  if (body.used !== undefined) return 'used'
  if (work.now > BigInt(body.expires)) return 'expired'
  if (body.approval === undefined) return 'waiting'
  const { operator: name, signature } = body.approval
  const operator = await operatorNamed(work, name)
  const isGood =
    name !== body.requester &&
    operatorFault(operator, work.now) === undefined &&
    hasSigned(operator.certificate, approvalText(id, body), Buffer.from(signature, 'base64'))
  return isGood ? 'approved' : 'void'
}
