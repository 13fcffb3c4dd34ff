// `keyreel exchange request …`: asks a peer for the keys of foreign tapes, and shows what a peer asks for.
import { exitStatus, UserError } from '../../errors.ts'
import { shellWord } from '../../shell-word.ts'
import { readRequest, tapeText, writeRequest, type Asked } from '../../exchange/tape-requests.ts'
import type { ForeignTape } from '../../exchange/tape-requests.ts'
import { unknownTapes } from '../../exchange/unknown-tapes.ts'
import { argument, command, list, text, textOr, toggle } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'

export const exchangeRequest = command({
  words: 'exchange request',
  summary: 'sign a request to a peer for the keys of tapes that nobody here can read',
  details:
    'By barcode, by the identifier on the tape (Application Data), or with --unknown all identifiers that ' +
    'libraries of the group have asked for in vain; a running server notes them within 10 s, the newest ' +
    '10,000 of a group, for a year. The peer looks with `keyreel exchange request show` and answers with ' +
    '`keyreel exchange export --request`.',
  options: {
    peer: text('NAME', 'the other site; must be given'),
    barcode: list('B', 'cartridge; may repeat'),
    kad: list('KAD', 'identifier on the tape, as its Application Data; may repeat'),
    namespace: textOr('NAME', 'LIBRARY-LTO', 'Application Namespace of --kad'),
    unknown: toggle('whatever libraries have asked for in vain'),
    group: textOr('GROUP', 'default', 'whose libraries, with --unknown'),
    out: text('FILE', 'request to write; must be given, and not exist'),
  },
  exits: keystoreExits,
  examples: [
    'exchange request --peer A --unknown --out for-a.request',
    'exchange request --peer A --barcode KR0001L8 --out for-a.request',
  ],
  async run({ options, context }) {
    const { peer, out, barcode, kad, namespace, unknown, group } = options
    if (peer === undefined || out === undefined)
      throw wrong('a request needs --peer NAME and --out FILE', 'keyreel exchange request --help')
    refuseOut(out)
    const named: ForeignTape[] = [
      ...barcode.map((one) => ({ barcode: one })),
      ...kad.map((data) => ({ namespace, data })),
    ]
    if (named.length === 0 && !unknown)
      throw wrong('nothing says which tapes', 'give --unknown, --barcode or --kad')
    return withStore(context, async (store) => {
      const vain = unknown ? await unknownTapes(store, group) : []
      const tapes = [...named, ...vain.map(({ namespace, data }) => ({ namespace, data }))]
      if (tapes.length === 0)
        throw new UserError(
          'nothing-selected',
          `no library of group ${group} has asked for a tape in vain`,
          'name tapes with --barcode or --kad',
        )
      const id = await writeRequest(store, { peer, tapes, out })
      const facts = pairs(
        [
          ['written', out],
          ['request id', id],
        ],
        context.style,
      )
      const next = 'next, at the other site:  keyreel exchange request show FILE'
      return {
        json: { id, peer, tapes: tapes.length, file: out },
        text: `${counted(tapes.length, 'tape')} asked for, of peer ${peer}\n${facts}\n${next}`,
      }
    })
  },
})

export const exchangeRequestShow = command({
  words: 'exchange request show',
  summary: 'show who asks for the keys of which tapes, and which keys would be released',
  arguments: { FILE: argument('request of a peer') },
  options: { group: textOr('GROUP', 'default', 'group of keys to look in') },
  exits: keystoreExits,
  examples: ['exchange request show from-b.request', 'exchange request show from-b.request --json'],
  async run({ arguments: { FILE }, options: { group }, context }) {
    const asked = await withStore(context, (store) => readRequest(store, FILE, group))
    const { id, peer, signed, tapes } = asked
    const keys = tapes.reduce((count, one) => count + one.keys.length, 0)
    const columns = {
      TAPE: ({ tape }: Asked['tapes'][number]) => tapeText(tape),
      KEYS: ({ keys: found }: Asked['tapes'][number]) => found.join(' ') || 'none here',
    }
    const facts = pairs(
      [
        ['asked by', peer],
        ['signed', moment(signed)],
        ['request id', id],
        ['would release', `${counted(keys, 'key')} of group ${group}`],
      ],
      context.style,
    )
    const next = `to release them:  keyreel exchange export --request ${shellWord(FILE)} --out FILE`
    return {
      json: {
        ...{ id, peer, group },
        signed: isoMoment(signed),
        tapes: tapes.map(({ tape, keys: found }) => ({ ...tape, keys: found })),
      },
      text: `${facts}\n\n${table(columns, tapes, context.style, '')}\n\n${next}`,
    }
  },
})

function wrong(message: string, hint: string): UserError {
  return new UserError('usage', message, hint, { exitStatus: exitStatus.usage })
}
