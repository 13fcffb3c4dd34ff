// `keyreel exchange log`: every export, import and withdrawal ever made, with its report.
import { exchangeLog, exchangeNamed, keysOf } from '../../exchange/exchange-log.ts'
import type { LogEntry, LoggedKey } from '../../exchange/exchange-log.ts'
import { command, optional } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'

export const exchangeLogCommand = command({
  words: 'exchange log',
  summary: 'list every export, import and withdrawal, or show the report of one',
  arguments: { ID: optional('id of an entry, or its beginning') },
  exits: keystoreExits,
  examples: ['exchange log', 'exchange log 1f3c --json'],
  async run({ arguments: { ID }, context }) {
    const { style } = context
    if (ID === undefined) {
      const rows = await withStore(context, (store) => store.read(exchangeLog))
      const columns = {
        TIME: ({ started }: LogEntry) => moment(started),
        WHAT: whatText,
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
        ['by', wayText(entry)],
        ['result', resultOf(entry)],
        ['export id', entry.exportId],
        ['selection', entry.selection],
        ['recipient', entry.recipient],
        ['SHA-256', entry.digest],
        ['asked by', entry.requester],
        ['approved by', entry.approver],
        ['receipt', receiptText(entry)],
        ['reason', entry.withdrawal?.reason],
      ],
      style,
    )
    const columns = {
      KEY: ({ id }: LoggedKey) => id,
      CARTRIDGE: ({ barcode }: LoggedKey) => barcode,
      RESULT: ({ verdict }: LoggedKey) => wordOf(entry, verdict),
      REASON: ({ reason }: LoggedKey) => reason,
    }
    return {
      json: { ...entryJson(entry), reports: keys },
      text: `${facts}\n\n${table(columns, keys, style, 'no keys')}`,
    }
  },
})

/** Our withdrawal of copies elsewhere, or the withdrawal of copies here. */
function whatText({ kind }: LogEntry): string {
  return kind === 'withdrawn' ? 'withdrawn by' : kind
}

const ways = {
  file: undefined,
  push: 'KMIP: the keys were brought',
  pull: 'KMIP: the keys were taken',
  live: 'KMIP',
} as const

function wayText({ way }: LogEntry): string | undefined {
  return ways[way]
}

function wordOf({ kind }: LogEntry, verdict: LoggedKey['verdict']): string | undefined {
  if (kind === 'export') return verdict === 'new' ? 'exported' : 'left out'
  return verdict === 'here' ? 'already here' : verdict
}

function resultOf(entry: LogEntry): string {
  const { failed, finished, counts, keys, receipt, withdrawal } = entry
  if (failed !== undefined) return `failed: ${failed}`
  if (withdrawal !== undefined) return withdrawalText(entry)
  const progress = finished === undefined ? ', not finished' : ''
  const received = receipt === undefined ? '' : ', receipt'
  if (counts === undefined) return `${counted(keys, 'key')}${progress}${received}`
  const { conflict, refused, here } = counts
  return `${counts.new} new, ${here} here, ${conflict} conflict, ${refused} refused${progress}`
}

function withdrawalText({ kind, keys, withdrawal }: LogEntry): string {
  const { counts } = withdrawal ?? {}
  if (counts === undefined)
    return `${counted(keys, 'key')}, ${kind === 'withdrawal' ? 'no receipt yet' : 'not finished'}`
  const { withdrawn, absent, refused } = counts
  return `${withdrawn} out of use, ${absent} not there, ${refused} refused`
}

function receiptText({ receipt }: LogEntry): string | undefined {
  if (receipt === undefined) return undefined
  const { imported, counts } = receipt
  const { conflict, refused, here } = counts
  return `${moment(BigInt(imported))}: ${counts.new} new, ${here} there, ${conflict} conflict, ${refused} refused`
}

function entryJson(entry: LogEntry) {
  const { started, finished, receipt, withdrawal, ...others } = entry
  return {
    ...others,
    started: isoMoment(started),
    finished: isoMoment(finished),
    reason: withdrawal?.reason,
    withdrawal: withdrawal?.counts,
    receipt: receipt && {
      importId: receipt.import,
      imported: isoMoment(BigInt(receipt.imported)),
      received: isoMoment(BigInt(receipt.received)),
      counts: receipt.counts,
    },
  }
}
