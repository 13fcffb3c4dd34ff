// `keyreel exchange inspect`: what may be shown of a bundle.
import { inspectBundle } from '../../exchange/inspect.ts'
import { grouped } from '../../exchange/words.ts'
import { argument, command } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, moment, pairs } from '../output.ts'

export const exchangeInspect = command({
  words: 'exchange inspect',
  summary: 'show who made a bundle, for whom, when, and how many keys it holds',
  details:
    'Imports nothing and trusts nobody. What is encrypted is shown only when this server can open it.',
  arguments: { FILE: argument('bundle') },
  exits: keystoreExits,
  examples: ['exchange inspect from-a.keyreel', 'exchange inspect from-a.keyreel --json'],
  async run({ arguments: { FILE }, context }) {
    const seen = await withStore(context, (store) => inspectBundle(store, FILE))
    const { envelope, peer, isForUs, manifest, reason } = seen
    const facts = pairs(
      [
        ['file', `${FILE}, ${counted(envelope.bytes, 'byte')}`],
        ['signed by', grouped(envelope.sender.fingerprint)],
        ['known as', peer ?? 'nobody: this sender is not trusted here'],
        ['signed', moment(envelope.signed)],
        ['for', recipientText(isForUs)],
        ['export id', manifest?.ExportIdentifier],
        ['made', moment(manifest?.CreationDate)],
        ['valid until', manifest && (moment(manifest.ExpiryDate) ?? 'for ever')],
        ['group there', manifest?.SourceGroup],
        ['selection', manifest?.Selection],
        ['keys', manifest?.KeyCount],
        ['parts', manifest?.BundlePart.length],
        ['content', reason],
      ],
      context.style,
    )
    return {
      json: {
        file: FILE,
        bytes: envelope.bytes,
        sender: { fingerprint: envelope.sender.fingerprint, key: envelope.pin, peer },
        signed: isoMoment(envelope.signed),
        opens: manifest !== undefined,
        forUs: isForUs,
        ...(reason !== undefined && { reason }),
        ...(manifest && {
          exportId: manifest.ExportIdentifier,
          made: isoMoment(manifest.CreationDate),
          expires: isoMoment(manifest.ExpiryDate),
          group: manifest.SourceGroup,
          selection: manifest.Selection,
          keys: manifest.KeyCount,
          parts: manifest.BundlePart.length,
        }),
      },
      text: facts,
    }
  },
})

/** Nothing where it is too damaged to tell. */
function recipientText(isForUs: boolean | undefined): string | undefined {
  if (isForUs === undefined) return undefined
  return isForUs ? 'this server' : 'another server'
}
