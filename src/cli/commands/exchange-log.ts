// `keyreel exchange log`: every export and import ever made, with its report.
import { exchangeLog, exchangeNamed, keysOf } from '../../exchange/exchange-log.ts'
import type { LogEntry } from '../../exchange/exchange-log.ts'
import type { KeyReport } from '../../exchange/key-report.ts'
import { command, optional } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, pairs, table } from '../output.ts'

export const exchangeLogCommand = command({
  words: 'exchange log',
  summary: 'list every export and import, or show the report of one',
  arguments: { ID: optional('id of an export or import, or its beginning') },
  exits: keystoreExits,
  examples: ['exchange log', 'exchange log 1f3c --json'],
  async run({ arguments: { ID }, context }) {
    const { style } = context
    if (ID === undefined) {
      const rows = await withStore(context, (store) => store.read(exchangeLog))
      const columns = {
        TIME: ({ started }: LogEntry) => moment(started),
        WHAT: ({ kind }: LogEntry) => kind,
        PEER: ({ peer }: LogEntry) => peer,
        GROUP: ({ group }: LogEntry) => group,
        RESULT: resultOf,
        ID: ({ id }: LogEntry) => id,
      }
      const empty = 'nothing was exported or imported yet'
      return { json: rows.map(entryJson), text: table(columns, rows, style, empty) }
    }
    const { entry, keys } = await withStore(context, async (store) => {
      const entry = await store.read((work) => exchangeNamed(work, ID))
      return { entry, keys: await keysOf(store, entry) }
    })
    const facts = pairs(
      [
        [entry.kind, entry.id],
        ['peer', entry.peer],
        ['group', entry.group],
        ['started', moment(entry.started)],
        ['finished', moment(entry.finished)],
        ['result', resultOf(entry)],
        ['export id', entry.exportId],
        ['selection', entry.selection],
        ['recipient', entry.recipient],
        ['SHA-256', entry.digest],
        ['asked by', entry.requester],
        ['approved by', entry.approver],
        ['receipt', receiptText(entry)],
      ],
      style,
    )
    const columns = {
      KEY: ({ id }: KeyReport) => id,
      CARTRIDGE: ({ barcode }: KeyReport) => barcode,
      RESULT: ({ verdict }: KeyReport) => wordOf(entry, verdict),
      REASON: ({ reason }: KeyReport) => reason,
    }
    return {
      json: { ...entryJson(entry), reports: keys },
      text: `${facts}\n\n${table(columns, keys, style, 'no keys')}`,
    }
  },
})

function wordOf({ kind }: LogEntry, verdict: KeyReport['verdict']): string {
  if (kind === 'export') return verdict === 'new' ? 'exported' : 'left out'
  return verdict === 'here' ? 'already here' : verdict
}

function resultOf({ failed, finished, counts, keys, receipt }: LogEntry): string {
  if (failed !== undefined) return `failed: ${failed}`
  const progress = finished === undefined ? ', not finished' : ''
  const received = receipt === undefined ? '' : ', receipt'
  if (counts === undefined) return `${keys} keys${progress}${received}`
  const { conflict, refused, here } = counts
  return `${counts.new} new, ${here} here, ${conflict} conflict, ${refused} refused${progress}`
}

function receiptText({ receipt }: LogEntry): string | undefined {
  if (receipt === undefined) return undefined
  const { imported, counts } = receipt
  const { conflict, refused, here } = counts
  return `${moment(BigInt(imported))}: ${counts.new} new, ${here} there, ${conflict} conflict, ${refused} refused`
}

function entryJson(entry: LogEntry) {
  const { started, finished, receipt, ...others } = entry
  return {
    ...others,
    started: isoMoment(started),
    finished: isoMoment(finished),
    receipt: receipt && {
      importId: receipt.import,
      imported: isoMoment(BigInt(receipt.imported)),
      received: isoMoment(BigInt(receipt.received)),
      counts: receipt.counts,
    },
  }
}
