// Heads of the audit chains, to be kept outside the store, and their comparison with the chains as they
// are: quick, without a walk. What lies between is for verification.
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { Checkpoint, Problem } from './audit-chain-walk.ts'
import { beforeFirst } from './audit.ts'
import type { Sealing } from './sealing.ts'
import type { StorageReader } from './storage.ts'
import { IntegrityError } from './work.ts'

/** Where each chain ends. Throws IntegrityError when an end is not one that keyreel wrote. */
export async function auditHeads(rows: StorageReader, sealing: Sealing): Promise<Checkpoint[]> {
  const heads: Checkpoint[] = []
  for (const chain of await rows.chains()) {
    const [row, previous] = await rows.auditBefore(chain, 2 ** 53 - 1, 2)
    if (!row) continue
    const { first, last, mac } = row
    const follows = first === (previous?.last ?? 0) + 1
    if (!follows || !equalBytes(sealing.auditMac(row, previous?.mac ?? beforeFirst), mac))
      throw new IntegrityError('changed', `${chain}/${first}`, 'the end of this chain was changed')
    heads.push({ chain, number: last, mac: base64url(mac) })
  }
  return heads
}

/** What shows that the chains are not those that went on from these heads. */
export async function compareHeads(
  rows: StorageReader,
  heads: readonly Checkpoint[],
): Promise<Problem[]> {
  const problems: Problem[] = []
  for (const { chain, number, mac } of heads) {
    const subject = `${chain}/${number}`
    const [row] = await rows.auditBefore(chain, number + 1, 1)
    if (row === undefined || row.last < number) {
      const ends = row === undefined ? 'is gone' : `ends at ${row.last}`
      const message = `the chain ${ends}, a checkpoint knows record ${number}`
      problems.push({ kind: 'audit-truncated', subject, message })
    } else if (row.last !== number || base64url(row.mac) !== mac) {
      const message = 'the chain went another way after the checkpoint was taken before it'
      problems.push({ kind: 'audit-changed', subject, message })
    }
  }
  return problems
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
