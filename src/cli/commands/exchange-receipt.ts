// `keyreel exchange receipt`: the other site's signed word on what became of a bundle, or of a withdrawal.
import { takeReceipt, type Received } from '../../exchange/receipts.ts'
import { readNoteOf } from '../../exchange/signed-notes.ts'
import { takeWithdrawalReceipt } from '../../exchange/withdrawal-notices.ts'
import { argument, command } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { exitStatus } from '../../errors.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, moment, pairs } from '../output.ts'

export const exchangeReceipt = command({
  words: 'exchange receipt',
  summary: 'close the entry of an export or withdrawal with the receipt of the other site',
  details:
    'The other site writes the receipt with `keyreel exchange import FILE --receipt FILE`, or with `keyreel ' +
    'exchange withdraw apply FILE --receipt FILE`. It must be signed by the identity of the peer that the ' +
    'export or withdrawal was for, and be about the very file.',
  arguments: { FILE: argument('receipt') },
  exits: [exitStatus.partly, ...keystoreExits],
  examples: ['exchange receipt from-b.receipt', 'exchange receipt from-b.receipt --json'],
  async run({ arguments: { FILE }, context }) {
    const note = await readNoteOf(['receipt', 'withdrawal receipt'], FILE)
    return withStore(context, async (store) =>
      note.kind === 'receipt'
        ? exportReport(await takeReceipt(store, note), context)
        : withdrawalReport(await takeWithdrawalReceipt(store, note), context),
    )
  },
})

function exportReport({ id, body }: Received, { style }: Context): Report {
  const { peer, group, keys, receipt } = body
  const { counts, imported, received } = receipt
  const facts = pairs(
    [
      ['export id', id],
      ['import id', receipt.import],
      ['imported', moment(BigInt(imported))],
      ['new there', counts.new],
      ['already there', counts.here],
      ['conflict', counts.conflict],
      ['refused', counts.refused],
    ],
    style,
  )
  return {
    json: {
      ...{ exportId: id, importId: receipt.import, peer, group, keys, counts },
      imported: isoMoment(BigInt(imported)),
      received: isoMoment(BigInt(received)),
    },
    text: `peer ${peer} has imported the bundle of ${counted(keys, 'key')}\n${facts}`,
  }
}

function withdrawalReport(
  { notice, body }: Awaited<ReturnType<typeof takeWithdrawalReceipt>>,
  { style }: Context,
): Report {
  const { peer, keys, applied = 0, counts = { withdrawn: 0, absent: 0, refused: 0 } } = body
  const facts = pairs(
    [
      ['withdrawal id', notice],
      ['applied', moment(BigInt(applied))],
      ['out of use', counts.withdrawn],
      ['not there', counts.absent],
      ['refused', counts.refused],
    ],
    style,
  )
  return {
    json: {
      ...{ withdrawalId: notice, peer, keys },
      withdrawal: counts,
      applied: isoMoment(BigInt(applied)),
    },
    text: `peer ${peer} has applied the withdrawal of ${counted(keys, 'key')}\n${facts}`,
    ...(counts.refused > 0 && { exitStatus: exitStatus.partly }),
  }
}
