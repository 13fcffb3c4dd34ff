// How commands show who still needs a key, and what became of a destroyed one.
import { dateOf } from '../access/identity.ts'
import type { Dependents, Destruction } from '../admin/destruction.ts'
import { isoMoment, moment, pairs } from './output.ts'
import type { Style } from './output.ts'

/** Who still needs the key. */
export function dependentsJson({ label, users, hold, complete }: Dependents) {
  return {
    cartridge: label?.barcode,
    users: [...users].map(([client, time]) => ({ client, lastUse: isoMoment(time) })),
    hold: hold && { reason: hold.reason, since: isoMoment(hold.since), cartridge: hold.cartridge },
    historyComplete: complete,
  }
}

/** The same for people. */
export function dependentsText(
  { label, copies, users, hold, complete }: Dependents,
  style: Style,
): string {
  const sites = copies.map(({ peer, time }) => `${peer} ${dateOf(time)}`)
  const fetched = [...users].map(([client, time]) => `${client} ${moment(time) ?? ''}`)
  const more = complete ? '' : ' (and perhaps earlier ones: keyreel audit list --object)'
  return pairs(
    [
      ['needed by tape', label?.barcode ?? 'it names none'],
      ['exported to', (sites.length === 0 ? 'nobody' : [...new Set(sites)].join(', ')) + more],
      ['fetched by', (fetched.length === 0 ? 'nobody' : fetched.join(', ')) + more],
      ['held', hold === undefined ? 'no' : `since ${moment(hold.since) ?? ''}: ${hold.reason}`],
    ],
    style,
  )
}

/** What became of a destroyed key. */
export function destructionJson(destruction: Destruction) {
  const { destroyed, wipeAfter, wiped, by, places } = destruction
  return {
    destroyed: isoMoment(destroyed),
    by,
    wipeAfter: isoMoment(wipeAfter),
    wiped: isoMoment(wiped),
    liveDatabase: inDatabase(destruction),
    mayBeIn: places.map(({ where }) => where),
  }
}

function inDatabase({ isKept, isInLog }: Destruction): 'kept' | 'log' | 'wiped' {
  if (isKept) return 'kept'
  return isInLog ? 'log' : 'wiped'
}

/** The same for people. */
export function destructionText(destruction: Destruction, style: Style): string {
  const { destroyed, by, places } = destruction
  return pairs(
    [
      ['destroyed', `${moment(destroyed) ?? ''}${by === undefined ? '' : ` by ${by}`}`],
      ['live database', liveDatabase(destruction)],
      ...places.map(({ where }, at) => [at === 0 ? 'may still be in' : '', where] as const),
    ],
    style,
  )
}

function liveDatabase({ wiped, wipeAfter, how, isInLog }: Destruction): string {
  if (isInLog) return 'wiped in the database; not yet in its log, which is about to be cut off'
  return wiped === undefined
    ? `kept until ${moment(wipeAfter) ?? 'it is wiped'}, then wiped`
    : `wiped ${moment(wiped) ?? ''}: ${how}`
}
