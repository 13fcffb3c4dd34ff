// What a running server does again and again beside its service, one row each. What must be done once where
// several nodes share a database is done by the node that leads.
import { renewServerCertificatesWhenDue } from './access/authority.ts'
import { backupThresholds } from './admin/backup-state.ts'
import { backupWatch } from './admin/backup-watch.ts'
import type { CheckpointKeeper } from './admin/checkpoint-keeper.ts'
import type { NodeKeeper } from './admin/node-keeper.ts'
import { readyWatch, standbyAlarm } from './admin/ready-state.ts'
import type { Scrubber } from './admin/scrubbing.ts'
import type { BackupScheduler } from './backup-scheduler.ts'
import type { Config } from './config.ts'
import { clockWatch } from './keystore/clock-watch.ts'
import type { DiskReserve } from './keystore/disk-reserve.ts'
import type { watchMasterKey } from './keystore/master-key-watch.ts'
import { resealInBackground } from './keystore/resealing.ts'
import type { Store } from './keystore/store.ts'
import type { Task } from './keystore/upkeep.ts'
import { wipeDue } from './keystore/wiping.ts'
import { rotateDue } from './kmip/operations/rotation.ts'
import type { Log } from './kmip/server/ports.ts'
import type { Responder } from './kmip/server/respond.ts'
import type { Pusher } from './push/pusher.ts'

/** The parts of a server that have such work. */
export interface WorkGround {
  readonly store: Store
  readonly log: Log
  readonly config: Pick<Config, 'checkpoint-interval' | 'backup.alarm-age' | 'backup.alarm-keys'>
  readonly nodes: NodeKeeper
  readonly keeper: CheckpointKeeper
  readonly scrubber: Scrubber
  readonly masterKey: ReturnType<typeof watchMasterKey>
  readonly responder: Responder
  readonly pusher: Pusher
  readonly scheduler: BackupScheduler
  /** Absent where the database is not in the data directory. */
  readonly room: DiskReserve | undefined
  /** Takes over what another process has changed about clients and certificates. */
  followClients(): Promise<void>
  /** Asks open sessions for their right to go on. */
  recheck(): Promise<void>
  keepUnknown(): Promise<void>
}

const second = 1_000

/** Seconds after which an asynchronous request that is not finished is taken up by another process. */
export const abandonedAfter = 300

/** The works of a server. */
export function recurringWorks(ground: WorkGround): Task[] {
  const { store, log, config, nodes, keeper, scrubber, masterKey, responder, pusher, room } = ground
  const { scheduler } = ground
  const jumped = clockWatch()
  const renew = nodes.alone(async () => void (await renewServerCertificatesWhenDue(store)))
  return [
    {
      // Another process may have enrolled, revoked or renewed: withdrawals take effect within 5 s.
      name: 'follow changes of clients and certificates',
      every: second,
      run: () => ground.followClients(),
    },
    { name: 'follow the master key', every: second, run: () => masterKey.look() },
    {
      name: 'seal anew under the newest epoch',
      every: second,
      run: nodes.alone(resealInBackground(store, log)),
    },
    {
      // A certificate may expire while its connection is open.
      name: 'check the right of open sessions',
      every: 3600 * second,
      run: () => ground.recheck(),
    },
    {
      name: 'renew the server certificates when due',
      every: 3600 * second,
      run: renew,
    },
    {
      name: 'wipe destroyed keys whose time is up',
      every: 600 * second,
      run: nodes.alone(() => wipeDue(store)),
    },
    {
      // What was wiped by a command that ended, or by a node that is gone, before the log was cut off.
      name: 'cut off the log that holds what was wiped',
      every: 10 * second,
      run: nodes.alone(async () => void (await store.payLog())),
    },
    {
      name: 'give up operations in parts that nobody goes on with',
      every: 60 * second,
      run: () => Promise.resolve(responder.streams.giveUpIdle()),
    },
    {
      name: 'forget what is kept for a while',
      every: 60 * second,
      run: nodes.alone(async () => {
        while ((await store.act((work) => work.forgetTransients(1000))) === 1000);
      }),
    },
    {
      // Of a server that shares the database and has gone, or left by trouble with the database.
      name: 'take up asynchronous requests that nobody runs',
      every: 60 * second,
      run: () => responder.requests.resume(abandonedAfter),
    },
    {
      name: 'keep what was looked for in vain',
      every: 10 * second,
      run: () => ground.keepUnknown(),
    },
    {
      name: 'rotate keys whose interval is over',
      every: 60 * second,
      run: nodes.alone(() => rotateDue(store, responder)),
    },
    {
      name: 'send clients what waits for them',
      every: second,
      run: () => pusher.run(),
    },
    {
      name: 'watch the clock',
      every: 30 * second,
      async run() {
        const seconds = jumped()
        if (seconds === 0) return
        log.error({ alarm: true, seconds }, 'the clock of this machine jumped')
        // What was issued while it was ahead is not valid yet.
        if (seconds < 0) await renew()
      },
    },
    {
      name: 'keep room on the disk',
      every: 5 * second,
      run: async () => room?.restore(),
    },
    { name: 'watch the standby', every: second, run: standbyAlarm(store, log) },
    { name: 'keep the journals', every: second, run: () => store.tendJournals() },
    { name: 'watch the copies of new keys', every: 5 * second, run: readyWatch(store, log) },
    {
      name: 'keep a checkpoint of the audit record elsewhere',
      every: config['checkpoint-interval'],
      run: () => keeper.run(),
    },
    {
      name: 'make the backups that are due',
      every: 10 * second,
      run: nodes.alone(() => scheduler.turn()),
    },
    {
      name: 'delete backups that were kept for long enough',
      every: 600 * second,
      run: () => scheduler.prune(),
    },
    {
      name: 'watch what is in no verified backup',
      every: 600 * second,
      run: nodes.alone(backupWatch(store, backupThresholds(config), log)),
    },
    {
      name: 'look for damage in the keystore',
      every: second,
      run: nodes.alone(() => scrubber.turn()),
    },
    {
      name: 'index the audit record',
      every: second / 8,
      run: nodes.alone(async () => void (await store.catchUpAuditIndex())),
    },
    { name: 'say that this node is there', every: 10 * second, run: () => nodes.beat() },
  ]
}
