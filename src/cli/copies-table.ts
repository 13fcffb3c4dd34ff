// Copies of keys at other sites, as `cartridge show` and `key show` print them.
import type { KeyCopy } from '../exchange/key-copies.ts'
import { isoMoment, moment, table, type Style } from './output.ts'

/** One line per copy, newest first. */
export function copiesTable(copies: readonly KeyCopy[], style: Style): string {
  const columns = {
    'COPY AT': ({ peer }: KeyCopy) => peer,
    SENT: ({ time }: KeyCopy) => moment(time),
    BY: ({ by, approver }: KeyCopy) => (approver === undefined ? by : `${by}, ${approver}`),
    WAY: ({ way }: KeyCopy) => way,
    STATE: stateText,
    KEY: ({ key }: KeyCopy) => key.slice(0, 8),
    EXPORT: ({ exportId }: KeyCopy) => exportId.slice(0, 8),
  }
  return table(columns, copies, style, 'no copy went to another site')
}

const states = {
  sent: 'no receipt yet',
  received: 'received',
  'not taken': 'not taken',
  withdrawing: 'withdrawn, no receipt yet',
  withdrawn: 'out of use there',
} as const

function stateText({ state, since, reason }: KeyCopy): string {
  const what =
    since === undefined ? states[state] : `${states[state]} ${moment(since)?.slice(0, 10)}`
  return reason === undefined || reason === '' ? what : `${what}: ${reason}`
}

/** For programs. */
export function copyJson({ time, since, ...copy }: KeyCopy) {
  return { ...copy, time: isoMoment(time), since: isoMoment(since) }
}
