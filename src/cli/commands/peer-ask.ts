// `keyreel peer ask`: whether a peer holds the keys of tapes, asked over KMIP.
import { exitStatus, UserError } from '../../errors.ts'
import { askPeer, type TapeAnswer } from '../../exchange/ask-peer.ts'
import { tapeText } from '../../exchange/tape-requests.ts'
import { unknownTapes } from '../../exchange/unknown-tapes.ts'
import { argument, command, list, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, table } from '../output.ts'
import { classicalOption } from './peer.ts'

export const peerAsk = command({
  words: 'peer ask',
  summary: 'ask a peer whether it holds the keys of tapes',
  details:
    'By the identifier on the tape (Application Data with its namespace), or with --unknown all those that ' +
    'libraries of the group have asked for in vain. The peer answers yes or no for exactly these, and learns that ' +
    'the tapes are here; it answers a bounded number of questions in an hour. The status is 3 when it does not ' +
    'answer for some. To get the keys: `keyreel exchange request` or `keyreel peer pull --key ID`.',
  arguments: { NAME: argument('peer') },
  options: {
    kad: list('KAD', 'identifier on the tape, as its Application Data; may repeat'),
    namespace: textOr('NAME', 'LIBRARY-LTO', 'Application Namespace of --kad'),
    unknown: toggle('whatever libraries have asked for in vain'),
    group: textOr('GROUP', 'default', 'whose libraries, with --unknown'),
    ...classicalOption,
  },
  exits: [exitStatus.partly, ...keystoreExits],
  examples: ['peer ask B --unknown', 'peer ask B --kad 0011223344 --json'],
  async run({ arguments: { NAME }, options, context }) {
    const { kad, namespace, unknown, group, classical } = options
    const named = kad.map((data) => ({ namespace, data }))
    if (named.length === 0 && !unknown)
      throw new UserError(
        'usage',
        'nothing says which tapes',
        'give --unknown, or --kad KAD as the library shows it',
        { exitStatus: exitStatus.usage },
      )
    return withStore(context, async (store) => {
      const vain = unknown ? await unknownTapes(store, group) : []
      const tapes = [...named, ...vain.map((one) => ({ namespace: one.namespace, data: one.data }))]
      if (tapes.length === 0)
        throw new UserError(
          'nothing-selected',
          `no library of group ${group} has asked for a tape in vain`,
          'name tapes with --kad',
        )
      return answerReport(NAME, await askPeer(store, { peer: NAME, classical, tapes }), context)
    })
  },
})

function answerReport(peer: string, answers: readonly TapeAnswer[], { style }: Context): Report {
  const columns = {
    TAPE: ({ tape }: TapeAnswer) => tapeText(tape),
    ANSWER: ({ answer }: TapeAnswer) => answer,
    'KEY THERE': ({ keys }: TapeAnswer) => keys.join(' ') || undefined,
    REASON: ({ reason }: TapeAnswer) => reason,
  }
  const held = answers.filter(({ answer }) => answer === 'held')
  const refused = answers.filter(({ answer }) => answer === 'refused')
  const next = `next:  keyreel peer pull ${peer} --key ${held[0]?.keys[0]} , or ask with keyreel exchange request`
  return {
    json: {
      peer,
      tapes: answers.map(({ tape, answer, keys, reason }) => ({ ...tape, answer, keys, reason })),
    },
    text: [
      `peer ${peer} holds the keys of ${held.length} of ${counted(answers.length, 'tape')}`,
      table(columns, answers, style, ''),
      ...(held.length > 0 ? [next] : []),
    ].join('\n'),
    ...(refused.length > 0 && { exitStatus: exitStatus.partly }),
  }
}
