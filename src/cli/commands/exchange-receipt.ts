// `keyreel exchange receipt`: the other site's signed word on what became of a bundle.
import { takeReceipt } from '../../exchange/receipts.ts'
import { argument, command } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, pairs } from '../output.ts'

export const exchangeReceipt = command({
  words: 'exchange receipt',
  summary: 'close the entry of an export with the receipt of the site that imported it',
  details:
    'The other site writes the receipt with `keyreel exchange import FILE --receipt FILE`. It must be ' +
    'signed by the identity of the peer that the export was for, and be about the very file.',
  arguments: { FILE: argument('receipt') },
  exits: keystoreExits,
  examples: ['exchange receipt from-b.receipt', 'exchange receipt from-b.receipt --json'],
  async run({ arguments: { FILE }, context }) {
    const { id, body } = await withStore(context, (store) => takeReceipt(store, FILE))
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
      context.style,
    )
    return {
      json: {
        ...{ exportId: id, importId: receipt.import, peer, group, keys, counts },
        imported: isoMoment(BigInt(imported)),
        received: isoMoment(BigInt(received)),
      },
      text: `peer ${peer} has imported the bundle of ${keys} keys\n${facts}`,
    }
  },
})
