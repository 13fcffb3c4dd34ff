// `keyreel peer withdraw`: keys that a peer shall use no longer, said over KMIP.
import { exitStatus } from '../../errors.ts'
import { withdrawLive, type LiveWithdrawal } from '../../exchange/live-withdrawals.ts'
import { withdrawable } from '../../exchange/withdrawal-notices.ts'
import { countsOf } from '../../exchange/withdrawals.ts'
import { argument, command, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, pairs } from '../output.ts'
import {
  keysTable,
  reasonOf,
  reportsTable,
  withdrawOptions,
  withdrawScopeOf,
} from './exchange-withdraw.ts'
import { classicalOption } from './peer.ts'

export const peerWithdraw = command({
  words: 'peer withdraw',
  summary: 'tell a peer over KMIP to use keys no longer that were sent there',
  details:
    'The same as `keyreel exchange withdraw`, at once: the peer takes the copies out of use (Revoke with ' +
    'Privilege Withdrawn), unless its group says withdraw=refuse, and its answer closes the entry. Wants the ' +
    'number of keys typed back.',
  arguments: { NAME: argument('peer') },
  options: {
    ...withdrawOptions,
    ...classicalOption,
    dryRun: toggle('say which keys are meant, change nothing'),
  },
  exits: [exitStatus.partly, ...keystoreExits],
  examples: ['peer withdraw B --barcode KR0001L8 --dry-run', 'peer withdraw B --export 1f3c --yes'],
  async run({ arguments: { NAME }, options, context }) {
    const reason = reasonOf(options.reason)
    const scope = await withdrawScopeOf(options)
    const wish = { peer: NAME, scope, reason, classical: options.classical }
    return withStore(context, async (store) => {
      const found = await withdrawable(store, wish)
      const count = counted(found.keys.length, 'key')
      if (options.dryRun) {
        const text = `${count} would be withdrawn from peer ${NAME}\n${keysTable(found.keys, context)}`
        const { keys, missing } = found
        return { json: { peer: NAME, reason, dryRun: true, keys, missing }, text }
      }
      const expected = String(found.keys.length)
      await confirmTyped(context, { what: `withdraw ${count} from peer ${NAME}`, expected })
      return withdrawnReport(await withdrawLive(store, wish), reason, context)
    })
  },
})

function withdrawnReport(live: LiveWithdrawal, reason: string, context: Context): Report {
  const { notice, peer, reports, missing, keys } = live
  const counts = countsOf(reports)
  const facts = pairs(
    [
      ['out of use', counts.withdrawn],
      ['not there', counts.absent],
      ['refused', counts.refused],
      ['never sent', missing.length === 0 ? undefined : missing.join(' ')],
      ['withdrawal id', notice],
    ],
    context.style,
  )
  const told = reports.filter(({ verdict }) => verdict !== 'withdrawn')
  const results = { withdrawn: 'out of use', already: 'out of use', absent: 'not there' }
  const rows = reportsTable(told, { ...results, refused: 'refused' }, context)
  const isPart = counts.refused > 0 || missing.length > 0
  return {
    json: {
      ...{ id: notice, peer, reason, dryRun: false, withdrawal: counts, keys, missing },
      reports: reports.map(({ id, verdict, reason: why }) => ({ id, verdict, reason: why })),
    },
    text: [
      `${counted(keys.length, 'key')} withdrawn from peer ${peer}`,
      facts,
      ...(told.length === 0 ? [] : [rows]),
    ].join('\n'),
    ...(isPart && { exitStatus: exitStatus.partly }),
  }
}
