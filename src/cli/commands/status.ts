// `keyreel status`: one screen about the keystore, the server and who uses it.
import { enrolledClients } from '../../access/clients.ts'
import { expiries } from '../../access/expiries.ts'
import type { Expiry } from '../../access/expiries.ts'
import { groups } from '../../access/groups.ts'
import {
  backupState,
  backupThresholds,
  isOverdue,
  unsavedText,
  type BackupState,
} from '../../admin/backup-state.ts'
import { expiryText, isUrgent } from '../../admin/health.ts'
import { diskState } from '../../admin/disk.ts'
import type { DiskState } from '../../admin/disk.ts'
import {
  copiesKept,
  journalText,
  journalsOf,
  unreadyGroups,
  unreadyText,
} from '../../admin/ready-state.ts'
import { scrubProgress, scrubText } from '../../admin/scrubbing.ts'
import type { ScrubProgress } from '../../admin/scrubbing.ts'
import { isRunning, readServerState } from '../../admin/server-state.ts'
import type { ServerState } from '../../admin/server-state.ts'
import { exitStatus, UserError } from '../../errors.ts'
import type { DatabasePlace } from '../../keystore/database.ts'
import { leadingNode, nodesOf } from '../../keystore/nodes.ts'
import type { Store } from '../../keystore/store.ts'
import type { Work } from '../../keystore/work.ts'
import { command } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { withHealth } from '../health-session.ts'
import { keystoreExits } from '../keystore-session.ts'
import { isoMoment, moment, pairs, table } from '../output.ts'
import { lastSeen, type LastSeen } from './library-views.ts'
import { contactColumns, missedNodes, nodesJson, nodesTable } from './node-views.ts'

/** Rows of each table; `library list` and --json have them all. */
const rowsShown = 8

export const status = command({
  words: 'status',
  summary: 'one screen: sealed or not, keys, libraries last seen, certificates by expiry',
  exits: keystoreExits,
  examples: ['status', 'status --json'],
  run: ({ context }) =>
    withHealth(context, false, async ({ keystore }) => {
      const server = await readServerState(context.config.data)
      if (keystore instanceof UserError) return sealedReport(keystore, server, context)
      const { data: directory, database } = context.config
      const facts = await factsOf(keystore, { directory, database })
      return openReport(facts, server, await lastSeen(context, keystore), context)
    }),
})

type Facts = Awaited<ReturnType<typeof factsOf>>

async function factsOf(store: Store, place: DatabasePlace) {
  const backup = await backupState(store)
  return store.read(async (work) => {
    const copies = await copiesKept(work, place)
    return {
      store: store.id,
      backup,
      copies,
      unready: await unreadyGroups(work, copies),
      groups: await Promise.all(
        (await groups(work)).map(async ({ name }) => ({ name, ...(await countKeys(work, name)) })),
      ),
      clients: (await enrolledClients(work)).filter(({ revoked }) => revoked === undefined),
      scrub: await scrubProgress(work),
      nodes: store.node === undefined ? undefined : await nodesOf(work),
      leader: store.node === undefined ? undefined : await leadingNode(work),
      expiries: (await expiries(work, work.now)).filter(({ superseded }) => !superseded),
    }
  })
}

/** How many objects of a group are not destroyed; a count that stops is given as a floor. */
async function countKeys(work: Work, group: string) {
  const { total, totalIsFloor } = await work.find({
    group,
    equals: [],
    ranges: [],
    destroyed: 'exclude',
    archived: 'include',
    offset: 0,
    limit: 1,
  })
  return { objects: total, atLeast: totalIsFloor }
}

function sealedReport(
  { message, hint }: UserError,
  server: ServerState | undefined,
  { style, config }: Context,
): Report {
  const facts = pairs(
    [
      ['data directory', config.data],
      ['keystore', `sealed: ${message}`],
      ['remedy', hint],
      ['server', serverText(server)],
    ],
    style,
  )
  const json = { sealed: true, reason: message, remedy: hint, server: serverJson(server) }
  return { json, text: facts, exitStatus: exitStatus.sealed }
}

async function openReport(
  {
    store,
    groups: counts,
    clients,
    nodes,
    leader,
    expiries: certificates,
    scrub,
    backup,
    copies,
    unready,
  }: Facts,
  server: ServerState | undefined,
  seen: LastSeen,
  context: Context,
): Promise<Report> {
  const { style, config } = context
  const disk = await diskState(config.data, config['disk-reserve'])
  const urgent = certificates.filter(isUrgent)
  const journals = journalsOf(server)
  const facts = pairs(
    [
      ['data directory', config.data],
      ['keystore', 'open'],
      ['server', serverText(server)],
      ...counts.map(
        ({ name, objects, atLeast }) =>
          [`group ${name}`, `${objects}${atLeast ? ' or more' : ''} objects`] as const,
      ),
      ['last backup', backupText(backup)],
      ['disk', diskText(disk)],
      ...journals.map((journal) => ['journal', journalText(journal)] as const),
      ['scrub', scrubText(scrub, context.io.now())],
    ],
    style,
  )
  const libraries = clients
    .map(({ name, group }) => ({ name, group, lastSeen: seen.get(name) }))
    .toSorted((a, b) => Number((b.lastSeen ?? 0n) - (a.lastSeen ?? 0n)))
  const libraryColumns = {
    LIBRARY: ({ name }: (typeof libraries)[number]) => name,
    GROUP: ({ group }: (typeof libraries)[number]) => group,
    ...(nodes === undefined || nodes.length < 2
      ? { 'LAST SEEN': (row: (typeof libraries)[number]) => moment(row.lastSeen) ?? 'never' }
      : contactColumns(nodes)),
  }
  const expiryColumns = {
    CERTIFICATE: certificateName,
    ENDS: ({ certificate }: Expiry) => moment(certificate.notAfter),
    DAYS: ({ daysLeft }: Expiry) => daysLeft,
  }
  const empty = 'no libraries yet; enrol one:  keyreel library add NAME --out DIR'
  const now = context.io.now()
  const away = nodes === undefined ? [] : missedNodes(nodes, clients, Number(now) * 1000)
  const isAlarm = isOverdue(backup, backupThresholds(config), now)
  const unsaved = isAlarm ? [`${unsavedText(backup)}: keyreel doctor backup`] : []
  const refused = unready.map((one) => unreadyText(one, copies))
  const warnings = [...refused, ...unsaved, ...urgent.map(expiryText), ...away].map((text) =>
    style('yellow', `warning: ${text}`),
  )
  return {
    json: {
      sealed: false,
      store,
      server: serverJson(server),
      ...(nodes !== undefined && { nodes: nodesJson(nodes, leader, Number(now) * 1000) }),
      groups: counts,
      libraries: libraries.map((row) => ({ ...row, lastSeen: isoMoment(row.lastSeen) })),
      certificates: certificates.map(({ of, name, certificate, daysLeft, warning }) => ({
        of,
        name,
        key: certificate.key.name,
        notAfter: isoMoment(certificate.notAfter),
        daysLeft,
        warning,
      })),
      lastBackup: backup.last === undefined ? null : isoMoment(BigInt(backup.last.created)),
      backup: backupJson(backup, isAlarm),
      disk: { free: disk.free, reserveReleased: disk.isReleased },
      journal: journals[0] ?? null,
      journals,
      scrub: scrubJson(scrub),
      unready,
    },
    text: [
      facts,
      ...(nodes === undefined ? [] : [nodesTable(nodes, leader, Number(now) * 1000, style)]),
      shortTable(
        table(libraryColumns, libraries.slice(0, rowsShown), style, empty),
        libraries.length,
      ),
      shortTable(
        table(expiryColumns, certificates.slice(0, rowsShown), style, ''),
        certificates.length,
      ),
      ...(warnings.length === 0 ? [] : [warnings.join('\n')]),
    ].join('\n\n'),
  }
}

function diskText({ free, isReleased }: DiskState): string {
  const room = `${(free / 2 ** 30).toFixed(1)} GiB free`
  return isReleased ? `full (${room}): new keys are refused` : room
}

function backupText(backup: BackupState): string {
  const { last, verified } = backup
  const unsaved = unsavedText(backup)
  const rest = unsaved === undefined ? '' : `; ${unsaved}`
  if (last === undefined) return `none${rest}`
  const made = moment(BigInt(last.created)) ?? ''
  return `${made}${verified === undefined ? ', not verified' : ''}${rest}`
}

function backupJson({ last, verified, missing, changed, since }: BackupState, isAlarm: boolean) {
  const momentOf = (seconds: number | bigint | undefined) =>
    seconds === undefined ? null : isoMoment(BigInt(seconds))
  return {
    last: momentOf(last?.created),
    verified: momentOf(verified?.created),
    missing: missing.count,
    changed: changed.count,
    atLeast: missing.isFloor || changed.isFloor,
    since: momentOf(since),
    alarm: isAlarm,
  }
}

/** The last complete walk; null before there was one. */
function scrubJson(scrub: ScrubProgress | undefined) {
  if (scrub?.last === undefined) return null
  const { started, finished, ...counts } = scrub.last
  const moments = { started: isoMoment(BigInt(started)), finished: isoMoment(BigInt(finished)) }
  return { ...moments, ...counts }
}

function certificateName({ of, name, certificate }: Expiry): string {
  if (of === 'authority') return 'CA'
  if (of === 'exchange') return 'Encryption Certificate'
  if (of === 'peer') return `peer ${name}`
  return of === 'server' ? `server ${name} (${certificate.key.name})` : `library ${name}`
}

function shortTable(text: string, rows: number): string {
  return rows <= rowsShown ? text : `${text}\n… and ${rows - rowsShown} more (--json has them)`
}

function serverText(server: ServerState | undefined): string {
  if (server === undefined || !isRunning(server)) return 'not running'
  if (server.sealed !== undefined) return `process ${server.pid} waits, sealed: ${server.sealed}`
  const open = server.contacts.reduce((sum, { connections }) => sum + connections, 0)
  const since = moment(BigInt(Math.floor(server.started / 1000)))
  const where = server.https === undefined ? server.kmip : `${server.kmip}, HTTPS ${server.https}`
  return `running on ${where} since ${since}, process ${server.pid}, ${open} connections`
}

function serverJson(server: ServerState | undefined) {
  if (server === undefined || !isRunning(server)) return { running: false }
  const { kmip, https, pid, sealed } = server
  if (sealed !== undefined) return { running: true, sealed, pid }
  const started = isoMoment(BigInt(Math.floor(server.started / 1000)))
  return { running: true, kmip, ...(https !== undefined && { https }), pid, started }
}
