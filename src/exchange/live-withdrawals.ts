/**
 * A withdrawal over KMIP: each copy that the peer holds is revoked there with Privilege Withdrawn, or Key
 * Compromise. The confirmed answer closes the entry at once.
 */
import { administrator } from '../access/documents.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import type { Store } from '../keystore/store.ts'
import type { Client, ItemResult } from '../kmip/client/client.ts'
import { withdrawalMessage } from '../kmip/operations/peer-messages.ts'
import { connectPeer, explaining } from './peer-session.ts'
import type { WithdrawalReport } from './withdrawals.ts'
import { countsOf } from './withdrawals.ts'
import {
  closeWithdrawal,
  recordWithdrawal,
  withdrawable,
  type Notice,
  type WithdrawReason,
  type WithdrawWish,
} from './withdrawal-notices.ts'

/** What became of it at the peer. */
export interface LiveWithdrawal extends Notice {
  readonly reports: readonly WithdrawalReport[]
}

/** Copies revoked in one message. */
const keysPerBatch = 50

/** Withdraws the copies. Throws UserError; the entry then stays open, and it may be run again. */
export async function withdrawLive(
  store: Store,
  wish: WithdrawWish & {
    readonly classical: boolean
    readonly progress?: (done: number, total: number) => void
  },
): Promise<LiveWithdrawal> {
  const { actor = administrator, reason } = wish
  const found = await withdrawable(store, wish)
  const { client } = await connectPeer(store, wish)
  try {
    const notice = randomUuid()
    const told = { ...found, notice }
    await recordWithdrawal(store, told, { reason, actor, live: true })
    const reports: WithdrawalReport[] = []
    for (let first = 0; first < found.keys.length; first += keysPerBatch) {
      const some = found.keys.slice(first, first + keysPerBatch)
      reports.push(...(await explaining(found.peer, () => revoked(client, some, notice, reason))))
      wish.progress?.(first + some.length, found.keys.length)
    }
    const refused = reports
      .filter(({ verdict }) => verdict === 'refused')
      .map(({ id: key, reason: why = '' }) => ({ key, reason: why }))
    const applied = await store.read((work) => Promise.resolve(work.now))
    await closeWithdrawal(store, notice, { applied, counts: countsOf(reports), refused }, actor)
    return { ...told, reports }
  } finally {
    await client.close()
  }
}

async function revoked(
  client: Client,
  keys: Notice['keys'],
  notice: string,
  reason: WithdrawReason,
): Promise<WithdrawalReport[]> {
  const RevocationReason = {
    RevocationReasonCode: reason === 'compromised' ? 'KeyCompromise' : 'PrivilegeWithdrawn',
    RevocationMessage: withdrawalMessage(notice),
  } as const
  const results = await client.batch(
    keys.map(({ id: UniqueIdentifier }) => ({
      operation: 'Revoke' as const,
      payload: { UniqueIdentifier, RevocationReason },
    })),
    { onError: 'Continue', safe: true },
  )
  return keys.map(({ id, barcode }, at) => ({
    ...{ id, barcode, group: undefined },
    ...verdictOf(results[at]),
  }))
}

function verdictOf(
  result: ItemResult<'Revoke'> | undefined,
): Pick<WithdrawalReport, 'verdict' | 'reason'> {
  if (result?.status === 'Success') return { verdict: 'withdrawn', reason: undefined }
  if (result?.status !== 'Failed')
    return { verdict: 'refused', reason: 'the peer did not come to it' }
  const { reason, resultMessage, message } = result.error
  const isAbsent = reason === 'ObjectNotFound' || reason === 'ItemNotFound'
  return isAbsent
    ? { verdict: 'absent', reason: undefined }
    : { verdict: 'refused', reason: resultMessage ?? message }
}
