/**
 * The composition root: opens the store and ties keystore, access, operations and the KMIP listener
 * together. The only file that knows all of them.
 */
import { renewServerCertificatesWhenDue, serverCertificates } from './access/authority.ts'
import { ledgerKinds } from './access/documents.ts'
import { identify, type Principal } from './access/identity.ts'
import { CheckpointKeeper } from './admin/checkpoint-keeper.ts'
import { NodeKeeper } from './admin/node-keeper.ts'
import { Scrubber } from './admin/scrubbing.ts'
import { BackupScheduler } from './backup-scheduler.ts'
import type { Config } from './config.ts'
import { backupInThread } from './exchange/backup-thread.ts'
import { checkpointSigner, ensureExchange } from './exchange/identity.ts'
import { keepUnknownTapes } from './exchange/unknown-tapes.ts'
import { UserError } from './errors.ts'
import { watchMasterKey } from './keystore/master-key-watch.ts'
import { urlsOf } from './keystore/database.ts'
import type { MasterKey } from './keystore/master-key.ts'
import { Connection } from './kmip/client/connection.ts'
import { DiskReserve } from './keystore/disk-reserve.ts'
import { journalsFor } from './keystore/journal-wish.ts'
import type { JournalStatus } from './keystore/journal.ts'
import { openStore, type Store } from './keystore/store.ts'
import { Upkeep } from './keystore/upkeep.ts'
import { verifyOnce } from './keystore/verify-once.ts'
import type { Contact } from './kmip/server/contacts.ts'
import { Listeners } from './kmip/server/listeners.ts'
import type { Log } from './kmip/server/ports.ts'
import { refuseStream, respond } from './kmip/server/respond.ts'
import { longestAnswer, pushTimes } from './push/push-channel.ts'
import { PushQueue } from './push/push-queue.ts'
import { Pusher } from './push/pusher.ts'
import { abandonedAfter, recurringWorks } from './recurring-works.ts'
import { responderOf } from './responder.ts'

interface Address {
  host: string
  port: number
}

type KeeperSettings = 'disk-reserve' | 'journal' | 'checkpoint' | 'checkpoint-interval' | 'syslog'

/** How a server is started. */
export interface ServerOptions {
  /** The data directory; must be initialised. */
  data: string
  listen: Address
  /** Where KMIP is served over HTTPS too, and the path it is posted to. */
  https?: Address & { path: string }
  config: Pick<
    Config,
    | 'limits'
    | 'tls.ciphers'
    | KeeperSettings
    | 'scrub.interval'
    | 'scrub.pace'
    | 'backup.alarm-age'
    | 'backup.alarm-keys'
    | 'database'
    | 'database-silence'
    | 'node'
  >
  /** Taken over: closed with the server. */
  masterKey: MasterKey
  /** Opens the master key that is configured now, without asking anybody: after a rotation. */
  reopenMasterKey: () => Promise<MasterKey>
  /** Of this release. */
  version: string
  /** Whether what is served is for tests only. */
  testMode: boolean
  log: Log
}

/** A server that accepts connections. */
export interface RunningServer {
  /** Address of the KMIP port as bound, `HOST:PORT`. */
  kmip: string
  /** Address of the HTTPS port as bound, when there is one. */
  https?: string
  /** Takes certificates and issuers anew and asks every open session for its right to go on. */
  reload(): Promise<void>
  /** Who has been here since the start, and how often. */
  clients(): readonly Contact[]
  /** The journals that are kept. */
  journals(): readonly JournalStatus[]
  /** Resolves when the master key was taken away: the server is to be closed then. */
  sealed: Promise<UserError>
  /** Whether another master key has taken the place of the one in use. */
  isRetired(): Promise<boolean>
  /** Goes on with that master key, which is taken over. Throws UserError when it does not open the keystore. */
  adoptMasterKey(masterKey: MasterKey): Promise<void>
  /** Verifies everything once, beside the service: to be called when those who wait for the server are told. */
  verify(): void
  /** Stops accepting, answers what is in flight, closes everything. */
  close(): Promise<void>
}

const second = 1_000

/** Starts a server. @throws UserError when the store, the master key or the address does not serve */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { data, masterKey, log } = options
  const report = (error: unknown) => log.error({ err: error }, 'trouble in the keystore')
  const { database, node, limits } = options.config
  const place = { directory: data, database, node }
  const queue = new PushQueue(limits.waitingPushes)
  const changed = queue.observe
  // A database elsewhere is not made less full by a file that lies here.
  const room =
    urlsOf(place) === undefined
      ? new DiskReserve(data, options.config['disk-reserve'], log)
      : undefined
  const open = () =>
    openStore({
      ...place,
      silence: options.config['database-silence'],
      journals: journalsFor(place, options.config.journal, log),
      ...{ masterKey, writer: 'serve', report, changed, room },
    })
  // A server that starts on a full disk goes on as one does on which it fills up.
  const store = await open().catch((error: unknown) => {
    const isFull = error instanceof UserError && error.code === 'disk-full'
    if (!isFull || room?.noteFull() !== true) throw error
    room.giveBack()
    return open()
  })
  try {
    return await serve(store, queue, room, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

async function serve(
  store: Store,
  queue: PushQueue,
  room: DiskReserve | undefined,
  options: ServerOptions,
): Promise<RunningServer> {
  const { log, config } = options
  const nodes = new NodeKeeper(store, { directory: options.data, version: options.version })
  await nodes.start()
  await renewServerCertificatesWhenDue(store)
  await ensureExchange(store, { name: 'server', kind: 'server' })
  const keeper = new CheckpointKeeper(store, {
    file: config.checkpoint,
    syslog: config.syslog,
    signer: () => store.read(checkpointSigner),
    log,
  })
  await keeper.start()
  let certificates = await serverCertificates(store)
  const changes = () => store.read((work) => work.documentsChange(ledgerKinds))
  let seen = await changes()
  const responder = responderOf(store, {
    ...{ log, limits: config.limits, testMode: options.testMode },
    isHttps: options.https !== undefined,
  })
  const pusher = new Pusher({
    ...{ store, queue, log, engine: responder },
    keptFor: config.limits.pushTime,
    most: config.limits.waitingPushes,
  })
  const common = { limits: config.limits, ciphers: config['tls.ciphers'] }
  const { listen, https } = options
  const listeners = await Listeners.listen<Principal, 'kmip' | 'https'>(
    {
      log,
      secureContext: () => certificates,
      identify: (peer, at) =>
        store.read((work) => identify(work, peer.raw, BigInt(Math.floor(at / 1000)))),
      respond: (message, { principal, turnable }) =>
        respond(responder, message, principal, turnable),
      turn(socket, { principal, remoteAddress }, version) {
        const times = { answerTime: pushTimes.answer, closeTime: pushTimes.close }
        const settings = { ...times, server: remoteAddress, maxAnswerBytes: longestAnswer }
        pusher.turned(principal.name, new Connection(socket, settings), version)
      },
      refuse: refuseStream,
    },
    {
      kmip: { ...common, ...listen },
      ...(https && { https: { ...common, ...https, https: { path: https.path } } }),
    },
  )
  const reload = async () => {
    certificates = await serverCertificates(store)
    listeners.reload()
    await listeners.recheck()
  }
  const sealed = Promise.withResolvers<UserError>()
  const masterKey = watchMasterKey({
    store,
    log,
    reopen: options.reopenMasterKey,
    lost: sealed.resolve,
  })
  store.onRetired(() => masterKey.look())
  // On a shared database, what is not finished is likely to run on another node.
  await responder.requests.resume(urlsOf(options.config) === undefined ? 0 : abandonedAfter)
  const keepUnknown = () => keepUnknownTapes(store, responder.unknownTapes?.take() ?? [])
  const unkept = (error: unknown) =>
    log.error({ err: error }, 'what was looked for in vain last could not be kept')
  const scrubber = new Scrubber(store, {
    pace: config['scrub.pace'],
    interval: BigInt(Math.ceil(config['scrub.interval'] / second)),
    log,
  })
  const { data: directory } = options
  const { database, node } = config
  const scheduler = new BackupScheduler({
    ...{ store, directory, log },
    backUp: (out, written) =>
      backupInThread({ directory, database, node }, store.lendMasterKey(), out, written),
  })
  const unchecked = (error: unknown) =>
    log.error({ err: error, alarm: true }, 'no checkpoint of the audit record was made')
  const unsaid = (error: unknown) =>
    log.error({ err: error }, 'the other nodes could not be told that this one stops')
  const unscrubbed = (error: unknown) =>
    log.error({ err: error }, 'how far the keystore was looked through could not be kept')
  const upkeep = new Upkeep(
    log,
    recurringWorks({
      ...{ store, log, config, nodes, keeper, scrubber, masterKey, responder, pusher, room },
      scheduler,
      async followClients() {
        const now = await changes()
        if (now === seen) return
        queue.forget()
        await reload()
        seen = now
      },
      recheck: () => listeners.recheck(),
      keepUnknown,
    }),
  )
  let stopping = false
  const secure = listeners.address('https')
  const kmip = listeners.address('kmip') ?? ''
  await nodes.serves({ kmip, https: secure, clients: () => listeners.clients() })
  return {
    kmip,
    ...(secure !== undefined && { https: secure }),
    sealed: sealed.promise,
    isRetired: async () => (await store.followEpochs()) === 'retired',
    adoptMasterKey: (successor) => store.adoptMasterKey(successor),
    reload() {
      masterKey.tryAgain()
      return reload()
    },
    clients: () => listeners.clients(),
    verify: () => void verifyOnce(store, log, () => stopping),
    journals: () => store.journals(),
    async close() {
      await pusher.close()
      await listeners.close()
      stopping = true
      await scheduler.stop()
      await responder.requests.close()
      await upkeep.stop()
      await keepUnknown().catch(unkept)
      await scrubber.stop().catch(unscrubbed)
      await keeper.run().catch(unchecked)
      responder.streams.close()
      await nodes.stop().catch(unsaid)
      await store.close()
    },
  }
}
