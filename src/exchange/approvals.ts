/**
 * A second person's word before keys leave: in a group with `approval=required` an export is asked for,
 * approved by an operator who is not the one who asked, and then goes through once, as it was asked for. It is
 * used up before a key is unsealed, so that a crash never makes two releases of one approval; where the export
 * fails without a bundle it is given back.
 */
import { putBody, type Body } from '../access/documents.ts'
import { dateOf } from '../access/identity.ts'
import { operatorFault, operatorNamed, operators, type Operator } from '../access/operators.ts'
import { groupPolicy } from '../access/policy.ts'
import { openSigner } from '../crypto/detached-signatures.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import type { Secret } from '../crypto/secret.ts'
import { UserError } from '../errors.ts'
import { labelOf } from '../keystore/cartridge-labels.ts'
import { loadObject } from '../keystore/keystore.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import {
  approvalRequest,
  approvalRequests,
  approvalText,
  requestedKeys,
  requesterOf,
  selectionDigest,
  type ApprovalRequest,
  type Wanted,
} from './approval-requests.ts'
import { againstPolicy } from './refusals.ts'

/** Seconds after which nobody waits any longer, and an approval counts no more. */
export const approvalLasts = 7n * 86_400n

/**
 * The id under which the export was approved; undefined where its group wants no approval. Otherwise keeps a
 * request, once, and throws UserError 'approval-wanted' with exit status 13.
 */
export async function demandApproval(
  store: Store,
  wanted: Wanted,
  actor: AuditActor,
): Promise<string | undefined> {
  const digest = selectionDigest(wanted.keys)
  const { isFree, requests } = await store.read(async (work) => {
    if (wanted.requester !== undefined)
      refuseFaulty(await operatorNamed(work, wanted.requester), work.now)
    const { approval } = await groupPolicy(work, wanted.group)
    return { isFree: approval === 'none', requests: await approvalRequests(work) }
  })
  if (isFree) return undefined
  const alike = requests.filter(({ body }) => isAlike(body, wanted))
  const exact = alike.filter(({ body }) => body.digest === digest)
  const approved = exact.find(({ state }) => state === 'approved')
  if (approved !== undefined) return approved.id
  const waiting = exact.find(({ state }) => state === 'waiting' || state === 'void')
  const id = waiting?.id ?? (await keepRequest(store, wanted, digest, actor))
  const other = alike.find(
    ({ body, state }) => state === 'approved' && body.selection === wanted.scope,
  )
  const why =
    other === undefined
      ? ''
      : `; the keys selected now are not those approved as ${other.id.slice(0, 8)}`
  throw approvalWanted(id, wanted, why)
}

/**
 * Uses the approval up in the act that begins the export, where everything is judged again. Answers what the
 * record of the export says about it. Throws UserError, exit status 13.
 */
export async function useApproval(
  work: Work,
  id: string | undefined,
  wanted: Wanted,
): Promise<{ requester?: string; approver?: string }> {
  const requester = requesterOf(wanted)
  if (id === undefined) {
    const { approval } = await groupPolicy(work, wanted.group)
    if (approval === 'none') return wanted.requester === undefined ? {} : { requester }
    throw againstPolicy(
      `group ${wanted.group} wants a second person's approval from now on`,
      'run the command again to ask for it',
    )
  }
  const { body, state } = await approvalRequest(work, id)
  const covers = isAlike(body, wanted) && body.digest === selectionDigest(wanted.keys)
  if (state !== 'approved' || body.approval === undefined || !covers)
    throw againstPolicy(
      `approval ${id} does not cover this export`,
      'run the command again to ask for another one',
    )
  await putBody(work, 'exchange-approval', id, { ...body, used: Number(work.now) })
  return { requester, approver: body.approval.operator }
}

/** Gives an approval back of whose export there is no bundle, in the act that records so. */
export async function giveBackApproval(work: Work, id: string | undefined): Promise<void> {
  if (id === undefined) return
  const { used, ...body } = (await approvalRequest(work, id)).body
  if (used !== undefined) await putBody(work, 'exchange-approval', id, body)
}

/**
 * Approves what waits under the id, or a beginning of it, with the private key of an operator; the secret
 * stays the caller's to wipe. Throws UserError.
 */
export async function approveExport(store: Store, wish: ApprovalWish): Promise<ApprovalRequest> {
  const { file } = wish
  const { signer, request: judged } = await judgedRequest(store, wish)
  const { id, body } = judged
  const signature = Buffer.from(signer.sign(approvalText(id, body))).toString('base64')
  return store.act(async (work) => {
    const request = await approvalRequest(work, id)
    const operator = operatorOf(await operators(work), signer.pin, file)
    judge(request, operator, work.now)
    const { name, certificate } = operator
    const { fingerprint } = certificate
    const approval = { operator: name, fingerprint, signature, approved: Number(work.now) }
    await putBody(work, 'exchange-approval', id, { ...body, approval })
    const { peer, recipient, group, digest, keys, requester } = body
    work.audit({
      actor: { name, kind: 'operator' },
      operation: 'exchange approve',
      object: id,
      group,
      outcome: 'Success',
      details: { peer, recipient, keys, digest, requester, operator: name, fingerprint },
    })
    return { id, body: { ...body, approval }, state: 'approved' as const }
  })
}

/** Which request, and the private key of the operator with the name of its file. */
export interface ApprovalWish {
  readonly id: string
  readonly key: Secret
  readonly file: string
}

/** Whether the holder of the key may approve the request, and as which operator. Throws UserError. */
export async function foreseeApproval(store: Store, wish: ApprovalWish): Promise<string> {
  return (await judgedRequest(store, wish)).operator
}

async function judgedRequest(store: Store, { id, key, file }: ApprovalWish) {
  const signer = openSigner(key, file)
  await requestedKeys(store, await store.read((work) => approvalRequest(work, id)))
  return store.read(async (work) => {
    const request = await approvalRequest(work, id)
    const operator = operatorOf(await operators(work), signer.pin, file)
    judge(request, operator, work.now)
    return { signer, request, operator: operator.name }
  })
}

function isAlike(body: Body<'exchange-approval'>, wanted: Wanted): boolean {
  return (
    body.peer === wanted.peer &&
    body.recipient === wanted.recipient &&
    body.group === wanted.group &&
    body.requester === requesterOf(wanted)
  )
}

/** Keys of a request in one record. */
const keysPerRecord = 100

/** A key as the second person sees it. */
async function named(
  work: Work,
  group: string,
  id: string,
): Promise<{ id: string; barcode?: string }> {
  const object = await loadObject(work, group, id)
  const barcode = object && labelOf(object)?.barcode
  return barcode === undefined ? { id } : { id, barcode }
}

async function keepRequest(
  store: Store,
  wanted: Wanted,
  digest: string,
  actor: AuditActor,
): Promise<string> {
  const id = randomUuid()
  const { peer, recipient, group, scope: selection } = wanted
  for (let first = 0; first < wanted.keys.length; first += keysPerRecord)
    await store.act(async (work) => {
      const some = wanted.keys.slice(first, first + keysPerRecord)
      const keys = await Promise.all(some.map((key) => named(work, group, key.id)))
      const outcome = 'Success'
      const operation = 'exchange approval part'
      work.audit({ actor, operation, object: id, group, outcome, details: { peer, keys } })
    })
  const requester = requesterOf(wanted)
  await store.act(async (work) => {
    const requested = Number(work.now)
    const expires = Number(work.now + approvalLasts)
    const keys = wanted.keys.length
    const facts = { peer, recipient, selection, keys, digest, requester, requested, expires }
    await putBody(work, 'exchange-approval', id, { ...facts, group })
    work.audit({
      actor,
      operation: 'exchange approval request',
      object: id,
      group,
      outcome: 'Success',
      details: facts,
    })
  })
  return id
}

function approvalWanted(id: string, wanted: Wanted, why: string): UserError {
  const count = wanted.keys.length
  const keys = `${count} ${count === 1 ? 'key' : 'keys'}`
  const message = `${keys} of group ${wanted.group} for peer ${wanted.peer}: somebody else than ${requesterOf(wanted)} has to approve this first${why}`
  const hint = `have it approved:  keyreel exchange approve ${id} --key FILE ; then run the same command again`
  return againstPolicy(message, hint, 'approval-wanted')
}

function operatorOf(all: readonly Operator[], pin: string, file: string): Operator {
  const operator = all.find((one) => one.pin === pin)
  if (operator !== undefined) return operator
  throw againstPolicy(
    `the private key in ${file} is not that of an operator`,
    'list those who may approve:  keyreel operator list',
  )
}

function refuseFaulty(operator: Operator, now: bigint): void {
  const fault = operatorFault(operator, now)
  if (fault === undefined) return
  throw againstPolicy(
    `operator ${operator.name} ${fault}`,
    'list those who may approve:  keyreel operator list',
  )
}

/** Refuses what cannot be approved, or not by this person. */
function judge({ id, body, state }: ApprovalRequest, operator: Operator, now: bigint): void {
  refuseFaulty(operator, now)
  if (operator.name === body.requester)
    throw againstPolicy(
      `operator ${operator.name} has asked for this, and cannot approve it`,
      'a second person has to: list them with  keyreel operator list',
    )
  if (state === 'waiting' || state === 'void') return
  const how = {
    used: 'was approved and made already',
    expired: `was asked for until ${dateOf(BigInt(body.expires))}`,
    approved: `was approved already, by ${body.approval?.operator}`,
  }[state]
  throw againstPolicy(`export ${id} ${how}`, 'list what waits:  keyreel exchange approve')
}
