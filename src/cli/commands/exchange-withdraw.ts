// `keyreel exchange withdraw …`: copies that another site shall use no longer, and notices of other sites about copies here.
import { exitStatus, UserError } from '../../errors.ts'
import {
  writeWithdrawal,
  type WithdrawnKey,
  type WithdrawReason,
  type WithdrawScope,
} from '../../exchange/withdrawal-notices.ts'
import {
  applyWithdrawal,
  countsOf,
  readWithdrawal,
  writeWithdrawalReceipt,
  type ReceivedNotice,
  type WithdrawalReport,
} from '../../exchange/withdrawals.ts'
import { argument, command, list, text, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'
import { barcodesOf } from './exchange-export.ts'

/** Which copies: the same for a notice and over KMIP. */
export const withdrawOptions = {
  all: toggle('every key that was ever sent to the peer'),
  export: text('ID', 'the keys of this export, as `exchange log` names it'),
  barcode: list('B', 'keys of this cartridge; may repeat'),
  barcodesFrom: text('FILE', 'keys of the cartridges in this file, one barcode a line'),
  key: list('ID', 'this key; may repeat'),
  group: textOr('GROUP', 'default', 'group of the cartridges'),
  reason: textOr(
    'WORD',
    'withdrawn',
    'withdrawn, or compromised: the key has come into wrong hands',
  ),
} as const

export const exchangeWithdraw = command({
  words: 'exchange withdraw',
  summary: 'sign a notice to a peer that keys which were sent there must be used no longer',
  details:
    'Names the copies that went to the peer in bundles or over KMIP, keys that were destroyed here since ' +
    'included. The peer applies the notice with `keyreel exchange withdraw apply`, and its receipt closes the ' +
    'entry (`keyreel exchange receipt`). Keys that are sent anew later are not meant. What is here does not change.',
  options: {
    peer: text('NAME', 'the other site; must be given'),
    ...withdrawOptions,
    out: text('FILE', 'notice to write; must be given, and not exist'),
  },
  exits: [exitStatus.partly, ...keystoreExits],
  examples: [
    'exchange withdraw --peer B --barcode KR0001L8 --out for-b.withdrawal',
    'exchange withdraw --peer B --export 1f3c --reason compromised --out for-b.withdrawal',
  ],
  async run({ options, context }) {
    const { peer, out } = options
    if (peer === undefined || out === undefined)
      throw wrong('a notice needs --peer NAME and --out FILE', 'keyreel exchange withdraw --help')
    refuseOut(out)
    const reason = reasonOf(options.reason)
    const scope = await withdrawScopeOf(options)
    const { notice, keys, missing } = await withStore(context, (store) =>
      writeWithdrawal(store, { peer, scope, reason, out }),
    )
    const facts = pairs(
      [
        ['written', out],
        ['withdrawal id', notice],
        ['reason', reason],
      ],
      context.style,
    )
    return {
      json: { id: notice, peer, reason, file: out, keys, missing },
      text: [
        `${counted(keys.length, 'key')} to be withdrawn from peer ${peer}`,
        facts,
        ...missing.map((one) => context.style('yellow', `never sent there: ${one}`)),
        keysTable(keys, context),
        'next, at the other site:  keyreel exchange withdraw apply FILE',
      ].join('\n'),
      ...(missing.length > 0 && { exitStatus: exitStatus.partly }),
    }
  },
})

export const exchangeWithdrawApply = command({
  words: 'exchange withdraw apply',
  summary: 'show what the withdrawal of a peer would take out of use here, and apply it',
  details:
    'The notice must be signed by the identity of a trusted peer, and touches only keys that have come from ' +
    'it by the exports it names. They are refused to libraries from then on, and no earlier bundle brings them ' +
    'back; they are not wiped, and `keyreel key recover` lifts a withdrawal. Wants the number of keys typed back. ' +
    'Applied once, a notice changes nothing any more. The status is 3 when some keys stay in use.',
  arguments: { FILE: argument('notice of a peer') },
  options: {
    dryRun: toggle('say what would happen, change nothing'),
    receipt: text('FILE', 'signed receipt to write for the sender; must not exist'),
  },
  exits: [exitStatus.partly, ...keystoreExits],
  examples: [
    'exchange withdraw apply from-a.withdrawal --dry-run',
    'exchange withdraw apply from-a.withdrawal --receipt for-a.receipt --yes',
  ],
  async run({ arguments: { FILE }, options: { dryRun, receipt }, context }) {
    if (receipt !== undefined) refuseOut(receipt, '--receipt FILE')
    if (dryRun && receipt !== undefined)
      throw wrong(
        'a dry run changes nothing, and has no receipt',
        'leave out --dry-run or --receipt',
      )
    return withStore(context, async (store) => {
      const before = await readWithdrawal(store, FILE)
      if (dryRun) return noticeReport(before, { dryRun, receipt }, context)
      const meant = before.reports.filter(({ verdict }) => verdict === 'withdrawn').length
      if (before.applied === undefined && meant > 0) {
        if (!context.yes) context.say(noticeText(before, true, context))
        const what = `take ${counted(meant, 'key')} of peer ${before.peer} out of use`
        await confirmTyped(context, { what, expected: String(meant) })
      }
      const after = await applyWithdrawal(store, FILE)
      if (receipt !== undefined) await writeWithdrawalReceipt(store, after, receipt)
      return noticeReport(after, { dryRun, receipt }, context)
    })
  },
})

/** Which copies the flags mean: exactly one kind. */
export async function withdrawScopeOf(options: {
  all: boolean
  export: string | undefined
  barcode: readonly string[]
  barcodesFrom: string | undefined
  key: readonly string[]
  group: string
}): Promise<WithdrawScope> {
  const { all, export: id, key: keys, group } = options
  const barcodes = await barcodesOf(options)
  const asked: WithdrawScope[] = [
    ...(all ? [{ scope: 'all' } as const] : []),
    ...(id === undefined ? [] : [{ scope: 'export', id } as const]),
    ...(barcodes === undefined ? [] : [{ scope: 'barcode', barcodes, group } as const]),
    ...(keys.length > 0 ? [{ scope: 'key', keys } as const] : []),
  ]
  const [only, ...others] = asked
  if (only !== undefined && others.length === 0) return only
  throw wrong(
    only === undefined ? 'nothing says which keys' : 'several things say which keys',
    'give one of --all, --export, --barcode, --barcodes-from and --key',
  )
}

/** Why, as typed; usage error for other words. */
export function reasonOf(word: string): WithdrawReason {
  if (word === 'withdrawn' || word === 'compromised') return word
  throw wrong(
    `no reason to withdraw keys: ${JSON.stringify(word)}`,
    'it is withdrawn or compromised',
  )
}

function wrong(message: string, hint: string): UserError {
  return new UserError('usage', message, hint, { exitStatus: exitStatus.usage })
}

/** Rows shown to people; programs get all of them. */
const rowsShown = 20

/** The keys that are meant. */
export function keysTable(keys: readonly WithdrawnKey[], { style }: Context): string {
  const columns = {
    KEY: ({ id }: WithdrawnKey) => id,
    CARTRIDGE: ({ barcode }: WithdrawnKey) => barcode,
  }
  return withMore(table(columns, keys.slice(0, rowsShown), style, ''), keys.length)
}

/** What became of each key, or would become of it. */
export function reportsTable(
  reports: readonly WithdrawalReport[],
  words: Readonly<Record<WithdrawalReport['verdict'], string>>,
  { style }: Context,
): string {
  const columns = {
    KEY: ({ id }: WithdrawalReport) => id,
    CARTRIDGE: ({ barcode }: WithdrawalReport) => barcode,
    RESULT: ({ verdict }: WithdrawalReport) => words[verdict],
    REASON: ({ reason }: WithdrawalReport) => reason,
  }
  return withMore(table(columns, reports.slice(0, rowsShown), style, ''), reports.length)
}

function withMore(shown: string, rows: number): string {
  return rows > rowsShown ? `${shown}\n… and ${rows - rowsShown} more (--json has them)` : shown
}

const done = {
  withdrawn: 'out of use',
  already: 'out of use before',
  absent: 'not here',
  refused: 'refused',
} as const
const would = { ...done, withdrawn: 'would be out of use' } as const

function noticeText(notice: ReceivedNotice, isDry: boolean, context: Context): string {
  const { peer, signed, reason, applied, reports } = notice
  const facts = pairs(
    [
      ['from', peer],
      ['signed', moment(signed)],
      ['reason', reason],
      ['withdrawal id', notice.notice],
      ['applied', moment(applied)],
    ],
    context.style,
  )
  return `${facts}\n\n${reportsTable(reports, isDry ? would : done, context)}`
}

function noticeReport(
  notice: ReceivedNotice,
  { dryRun, receipt }: { dryRun: boolean; receipt: string | undefined },
  context: Context,
): Report {
  const { peer, reason, signed, applied, reports } = notice
  const counts = countsOf(reports)
  const isDone = !dryRun
  const head = `${counted(counts.withdrawn, 'key')} of peer ${peer} ${isDone ? 'out of use' : 'would be out of use'}`
  const next = isDone && receipt !== undefined
  return {
    json: {
      ...{ id: notice.notice, peer, reason, signed: isoMoment(signed) },
      ...{ applied: isoMoment(applied), dryRun, withdrawal: counts, receipt },
      reports: reports.map(({ id, barcode, group, verdict, reason: why }) => ({
        ...{ id, barcode, group, verdict, reason: why },
      })),
    },
    text: [
      head,
      noticeText(notice, dryRun, context),
      ...(next ? ['next, at the other site:  keyreel exchange receipt FILE'] : []),
    ].join('\n'),
    ...(counts.refused > 0 && { exitStatus: exitStatus.partly }),
  }
}
