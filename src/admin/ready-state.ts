// Whether groups that want every new key on several copies get them: for `status`, `doctor`, `group set` and the
// server's alarm. Commands ask the database about standbys, and a server that runs about its journal.
import { stat } from 'node:fs/promises'
import { groups } from '../access/groups.ts'
import { urlsOf, type DatabasePlace } from '../keystore/database.ts'
import { wordsOf } from '../keystore/journal-trouble.ts'
import type { Copies } from '../keystore/ready.ts'
import type { Store } from '../keystore/store.ts'
import type { Work } from '../keystore/work.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { isRunning, readServerState, type ServerJournal, type ServerState } from './server-state.ts'

/** A group that wants more copies than there are. */
export interface Unready {
  readonly group: string
  readonly wanted: number
}

/** Groups whose new keys are refused at the moment. */
export async function unreadyGroups(work: Work, { count }: Copies): Promise<readonly Unready[]> {
  const all = await groups(work)
  return all
    .filter(({ policy }) => policy.ready > count)
    .map(({ name, policy }) => ({ group: name, wanted: policy.ready }))
}

/** What there is to say about such a group, one line. */
export function unreadyText({ group, wanted }: Unready, { count, missing }: Copies): string {
  const there = count === 1 ? 'is 1' : `are ${count}`
  return `group ${group} wants new keys on ${wanted} copies and there ${there}: ${missing}; its libraries get none`
}

/** Copies that the server of this place makes of what it commits. */
export async function copiesKept(work: Work, place: DatabasePlace): Promise<Copies> {
  const own = await work.copies()
  const { directory } = place
  if (urlsOf(place) !== undefined) return own
  const journals = journalsOf(await readServerState(directory))
  if (journals.length === 0) return { count: 1, missing: 'no server runs that keeps a journal' }
  const others = journals.filter(({ state }) => state !== 'current')
  const count = own.count + journals.length - others.length
  if (others.length > 0) return { count, missing: others.map(journalText).join('; ') }
  const missing = journals.length === 1 ? 'there is one journal' : `there are ${count - 1} journals`
  return { count, missing }
}

/** The journals of a server that runs. */
export function journalsOf(state: ServerState | undefined): readonly ServerJournal[] {
  return state !== undefined && isRunning(state) ? state.journals : []
}

/** What there is to say about a journal, one line. */
export function journalText({ path, state, reason, bytes }: ServerJournal): string {
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB`
  if (state === 'current') return `${path} holds everything, ${size}`
  if (state === 'behind') return `${path} is being brought up to date, ${size}`
  return `${path} is away: ${reason ?? 'unknown why'}`
}

/** The finding of `doctor`. */
export async function readiness(store: Store, place: DatabasePlace): Promise<Finding> {
  const { directory } = place
  const isShared = urlsOf(place) !== undefined
  const { copies, unready } = await store.read(async (work) => {
    const copies = await copiesKept(work, place)
    return { copies, unready: await unreadyGroups(work, copies) }
  })
  const [first] = unready
  if (first !== undefined) {
    const remedy = isShared
      ? 'bring the synchronous standby back (synchronous_standby_names in postgresql.conf)'
      : 'bring the journal back, or start the server with  keyreel serve --journal DIR'
    return failed(unreadyText(first, copies), remedy)
  }
  const journals = journalsOf(await readServerState(directory))
  if (journals.length === 0)
    return ok(
      copies.count === 1
        ? 'no group wants a second copy'
        : `new keys are on ${copies.count} machines`,
    )
  const away = journals.find(({ state }) => state === 'away')
  if (away !== undefined) return warning(journalText(away), mountIt)
  return (await exposed(journals)) ?? (await together(journals, directory)) ?? ok(all(journals))
}

const mountIt = 'mount its disk: the server looks for it every second'

function all(journals: readonly ServerJournal[]): string {
  return journals.map(journalText).join('; ')
}

async function exposed(journals: readonly ServerJournal[]): Promise<Finding | undefined> {
  for (const journal of journals) {
    let mode: number
    try {
      mode = (await stat(journal.path)).mode
    } catch (error) {
      // The server has not seen yet that it is away.
      return warning(`${journal.path} is away: ${wordsOf(error)}`, mountIt)
    }
    if ((mode & 0o077) === 0) continue
    return warning(`${journalText(journal)}, but it is open to others`, `chmod 700 ${journal.path}`)
  }
  return undefined
}

/** One that would be lost with the keystore, or with another. */
async function together(
  journals: readonly ServerJournal[],
  directory: string,
): Promise<Finding | undefined> {
  const remedy = 'keyreel serve --journal DIR, DIR on another disk or share'
  for (const [at, journal] of journals.entries()) {
    const text = journalText(journal)
    if (await isSameDevice(journal.path, directory))
      return warning(`${text}, but it is on the disk of the keystore`, remedy)
    for (const other of journals.slice(0, at)) {
      if (await isSameDevice(journal.path, other.path))
        return warning(`${text}, but it is on the disk of ${other.path}`, remedy)
    }
  }
  return undefined
}

async function isSameDevice(one: string, other: string): Promise<boolean> {
  const found = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)))
  const [a, b] = found
  return a !== undefined && b !== undefined && a.dev === b.dev
}

/** Told of it. */
interface AlarmLog {
  info(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** Watches the standby; alarms when nothing can be recorded without it, and says when that is over. */
export function standbyAlarm(store: Store, log: AlarmLog): () => Promise<void> {
  let isAway = false
  return async () => {
    const closed = await store.watchStandby()
    if ((closed !== undefined) === isAway) return
    isAway = closed !== undefined
    if (closed === undefined) log.info({}, 'the synchronous standby answers again')
    else log.error({ alarm: true, hint: closed.hint }, closed.message)
  }
}

/** Alarms while groups of this server want more copies than there are: once, and once when it is over. */
export function readyWatch(store: Store, log: AlarmLog): () => Promise<void> {
  let before = ''
  return async () => {
    const { copies, unready } = await store.read(async (work) => {
      const copies = await work.copies()
      return { copies, unready: await unreadyGroups(work, copies) }
    })
    const names = unready.map(({ group }) => group).join(', ')
    if (names === before) return
    before = names
    if (names === '') log.info({}, 'there are as many copies again as every group wants')
    else {
      const fields = { alarm: true, groups: names, missing: copies.missing }
      log.error(
        fields,
        `groups that want ${Math.min(...unready.map(({ wanted }) => wanted))} copies get no new keys`,
      )
    }
  }
}
