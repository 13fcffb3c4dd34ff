// `keyreel exchange import`: keys in, from the bundle of another site.
import { demandGroupReady } from '../../access/groups.ts'
import { exitStatus, UserError } from '../../errors.ts'
import type { Envelope } from '../../exchange/bundle-reader.ts'
import { importBundle } from '../../exchange/import-keys.ts'
import type { ImportReport } from '../../exchange/import-run.ts'
import { writeReceipt } from '../../exchange/receipts.ts'
import { importEngine } from '../../exchange/import-engine.ts'
import type { KeyReport } from '../../exchange/key-report.ts'
import { spoken, grouped } from '../../exchange/words.ts'
import { argument, command, text, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withJournals } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, pairs, table } from '../output.ts'
import { progress } from '../progress.ts'
import { fingerprintOption } from './exchange-certificate.ts'

export const exchangeImport = command({
  words: 'exchange import',
  summary: 'import a bundle of keys from another site',
  details:
    'Opens the bundle with the private keys of this server, checks sender and integrity, and reports ' +
    'on every key: new, here already, in conflict, or refused. Nothing that is here is ever changed, so ' +
    'it may be run again at any time. Imported keys are for reading: without --allow-writing their usage ' +
    'mask lacks Encrypt (a library that disregards it could still append to a tape). In a group with ready=2 they are ' +
    'in the journal of the keystore too before they count, which is found by itself.',
  arguments: { FILE: argument('bundle') },
  options: {
    group: textOr('GROUP', 'default', 'group that the keys shall belong to'),
    dryRun: toggle('say what would happen, change nothing'),
    allowWriting: toggle('keep the usage mask as it is: libraries may write with these keys'),
    receipt: text('FILE', 'signed receipt to write for the sender; must not exist'),
    senderFingerprint: text('HEX', 'SHA-256 of the identity of a sender that is not trusted yet'),
  },
  settings: ['journal'],
  exits: [exitStatus.partly, ...keystoreExits, exitStatus.policy],
  examples: ['exchange import from-a.keyreel --dry-run', 'exchange import from-a.keyreel'],
  async run({ arguments: { FILE }, options, context }) {
    const { group, dryRun, allowWriting, receipt } = options
    if (receipt !== undefined) refuseReceipt(receipt, dryRun)
    const told = fingerprintOption(options.senderFingerprint)
    const shown = progress(context, dryRun ? 'looking' : 'importing', undefined)
    try {
      const report = await withJournals(context, async (store) => {
        await demandGroupReady(store, group)
        const imported = await importBundle(store, importEngine(store, context.log), {
          ...{ file: FILE, group, dryRun, allowWriting },
          vouch: (envelope) => vouch(envelope, told, context),
          progress: (done) => shown.step(done),
        })
        if (receipt !== undefined)
          await writeReceipt(store, { bundle: FILE, out: receipt, report: imported })
        return imported
      })
      return importedReport(report, receipt, context)
    } finally {
      shown.end()
    }
  },
})

function refuseReceipt(receipt: string, dryRun: boolean): void {
  refuseOut(receipt, '--receipt FILE')
  if (!dryRun) return
  throw new UserError(
    'usage',
    'a dry run imports nothing, and has no receipt',
    'leave out --dry-run or --receipt',
    { exitStatus: exitStatus.usage },
  )
}

/** A sender that is not trusted yet: by a fingerprint given, or by a person who compares. */
async function vouch(
  { sender, pin }: Envelope,
  told: string | undefined,
  context: Context,
): Promise<void> {
  if (told === sender.fingerprint || told === pin) return
  const trust =
    'import its Encryption Certificate first (keyreel exchange certificate import), or give --sender-fingerprint HEX'
  if (told !== undefined)
    throw new UserError(
      'sender-differs',
      `the bundle is signed by ${grouped(sender.fingerprint)}, not by the identity given`,
      'do not import it before both sites read the same fingerprint',
    )
  context.say('SHA-256 of the identity that signed this bundle:')
  context.say(`  ${grouped(sender.fingerprint)}`)
  for (const line of spoken(sender.fingerprint)) context.say(`  ${line}`)
  if (!context.io.interactive && !context.yes)
    throw new UserError('sender-unknown', 'the sender of the bundle is not trusted here', trust)
  await confirmTyped(context, {
    what: 'take keys from this sender, if the other site reads the same',
    expected: 'same',
  })
}

function importedReport(
  report: ImportReport,
  receipt: string | undefined,
  { style }: Context,
): Report {
  const { counts, peer, group, reports, id, keys } = report
  const isDry = id === undefined
  const columns = {
    KEY: (row: KeyReport) => row.id,
    CARTRIDGE: ({ barcode }: KeyReport) => barcode,
    RESULT: ({ verdict }: KeyReport) => results[verdict],
    REASON: ({ reason }: KeyReport) => reason,
  }
  const facts = pairs(
    [
      ['new', counts.new],
      ['already here', counts.here],
      ['conflict', counts.conflict],
      ['refused', counts.refused],
      ['from', peer],
      ['export id', report.exportId],
      ['import id', id],
      ['receipt', receipt],
    ],
    style,
  )
  // Every key, however many; what there is to see to stands last, before the summary.
  const order = Object.keys(results)
  const rows = reports.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict))
  const summary = [
    `${counted(keys, 'key')} ${isDry ? 'would be looked at' : 'looked at'} for group ${group}`,
    facts,
    ...(receipt === undefined ? [] : ['next, at the other site:  keyreel exchange receipt FILE']),
  ].join('\n')
  const isPart = counts.conflict + counts.refused > 0
  return {
    json: {
      importId: id,
      exportId: report.exportId,
      peer,
      sender: report.sender,
      group,
      keys,
      dryRun: isDry,
      counts,
      reports,
      receipt,
    },
    text: rows.length === 0 ? summary : `${table(columns, rows, style, '')}\n\n${summary}`,
    ...(isPart && { exitStatus: exitStatus.partly }),
  }
}

const results = {
  new: 'new',
  here: 'already here',
  conflict: 'conflict',
  refused: 'refused',
} as const
