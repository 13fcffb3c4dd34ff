/**
 * Sends clients what waits for them: one connection and one message at a time for each client, apart from all
 * requests. A client that cannot be reached is tried again, less and less often; what nobody takes for a day
 * is given up, with a record. A message whose answer was lost is sent again: at least once, in no order
 * between objects.
 */
import type { Version, VersionText } from 'ttlv-codec'
import { serverCertificates } from '../access/authority.ts'
import type { ActingStore } from '../access/documents.ts'
import { identifyAgain } from '../access/identity.ts'
import { listeners, pushedTo, type Listener } from '../access/listeners.ts'
import type { Connection } from '../kmip/client/connection.ts'
import { ConnectionError } from '../kmip/client/errors.ts'
import type { Engine } from '../kmip/operations/batch.ts'
import { splitAddress } from '../setting-kinds.ts'
import { isRefusal, openChannel, PushChannel, pushTimes, type PushTimes } from './push-channel.ts'
import { notifyMessage, putMessage, type Destination, type Outgoing } from './push-messages.ts'
import { countWaiting, doneWith, waitingFor, type PushQueue, type Waiting } from './push-queue.ts'

/** Where it is told what became of messages. */
export type PushLog = Readonly<
  Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text: string) => void>
>

/** What a pusher works on. */
export interface PusherGround {
  readonly store: ActingStore
  readonly engine: Engine
  readonly queue: PushQueue
  readonly log: PushLog
  /** Milliseconds after which a message is given up. */
  readonly keptFor: number
  /** Most messages that may wait for one client. */
  readonly most: number
  /** Milliseconds to wait for a listener; the usual ones when absent. */
  readonly times?: PushTimes
  /** Milliseconds that never go back; of the machine when absent. */
  readonly clock?: () => number
}

/** Messages looked at in one step. */
const perStep = 20

/** Milliseconds before the second try, doubled for each further one. */
const firstDelay = 1_000
const longestDelay = 300_000

/** Tries of one message on connections that came about; then it is given up, for the sake of those behind it. */
const triesOfMessage = 8

/** One client's deliveries. */
class Delivery {
  channel: PushChannel | undefined
  failures = 0
  /** Not before then. */
  next = 0
  running: Promise<void> | undefined
  tries: { name: string; count: number } = { name: '', count: 0 }
  wasFull = false
}

/** Made once; `run` is called again and again. */
export class Pusher {
  readonly #ground: PusherGround
  readonly #now: () => number
  readonly #deliveries = new Map<string, Delivery>()
  #stopped = false

  constructor(ground: PusherGround) {
    this.#ground = ground
    this.#now = ground.clock ?? (() => performance.now())
  }

  /** Looks for what waits, and begins to send it; resolves before it is sent. */
  async run(): Promise<void> {
    const all = await this.#ground.store.read((work) => listeners(work))
    for (const [client, delivery] of this.#deliveries) {
      if (all.some((listener) => listener.client === client)) continue
      delivery.channel?.cut()
      this.#deliveries.delete(client)
    }
    for (const listener of all) {
      const delivery = this.#of(listener.client)
      if (this.#stopped || delivery.running !== undefined || this.#now() < delivery.next) continue
      delivery.running = this.#deliver(listener, delivery).finally(() => {
        delivery.running = undefined
      })
    }
  }

  /** Resolves when nothing is being sent; for tests, and for the end. */
  async settled(): Promise<void> {
    for (const { running } of this.#deliveries.values()) await running
  }

  /** A client has turned round a connection of its own: it is used from now on. */
  turned(client: string, connection: Connection, spoken: Version): void {
    const delivery = this.#of(client)
    delivery.channel?.cut()
    delivery.channel = new PushChannel(connection, spoken)
    delivery.failures = delivery.next = 0
    if (this.#stopped) delivery.channel.cut()
  }

  /** Sends nothing more; what is under way is cut off and stays in the queue. */
  async close(): Promise<void> {
    this.#stopped = true
    for (const { channel } of this.#deliveries.values()) channel?.cut()
    await this.settled()
    for (const { channel } of this.#deliveries.values()) channel?.cut()
  }

  #of(client: string): Delivery {
    const delivery = this.#deliveries.get(client) ?? new Delivery()
    this.#deliveries.set(client, delivery)
    return delivery
  }

  /** Sends until nothing is left or something goes wrong. Does not reject. */
  async #deliver(listener: Listener, delivery: Delivery): Promise<void> {
    const { client } = listener
    const { log, store } = this.#ground
    try {
      for (;;) {
        const { rows, now } = await store.read(async (work) => ({
          rows: await waitingFor(work, client, perStep),
          now: work.now,
        }))
        await this.#watchRoom(client, delivery, rows.length)
        const living = await this.#withoutOld(client, rows, now)
        if (living.length === 0 && rows.length === 0) break
        for (const row of living) {
          if (this.#stopped) return
          await this.#send(listener, delivery, row)
        }
        delivery.failures = 0
      }
      if (listener.address !== undefined) this.#hangUp(delivery)
    } catch (error) {
      delivery.channel?.cut()
      delivery.channel = undefined
      delivery.next = this.#now() + Math.min(firstDelay * 2 ** delivery.failures, longestDelay)
      delivery.failures++
      if (this.#stopped) return
      const fields = { err: error, client, failures: delivery.failures }
      log.warn(fields, 'what is sent to a client could not be delivered: it is tried again')
    }
  }

  #hangUp(delivery: Delivery): void {
    delivery.channel?.cut()
    delivery.channel = undefined
  }

  async #send(listener: Listener, delivery: Delivery, row: Waiting): Promise<void> {
    const { store, log } = this.#ground
    const { client } = listener
    const principal = await store.read((work) => pushedTo(work, client))
    if (principal === undefined) {
      await this.#giveUp(client, [row], 'the client is revoked, or has to send a credential')
      return
    }
    const channel = await this.#channelOf(listener, delivery)
    this.#countTry(delivery, row)
    try {
      const message = await this.#messageOf(listener, row, { principal, version: channel.version })
      if (message !== undefined) await sent(message, channel)
      const fields = { client, operation: message?.item.operation, object: row.object }
      log.debug(fields, message === undefined ? 'nothing to tell a client' : 'sent to a client')
      await store.act((work) => doneWith(work, row))
    } catch (error) {
      if (isRefusal(error)) {
        await this.#giveUp(client, [row], error.message)
        return
      }
      if (delivery.tries.count >= triesOfMessage)
        await this.#giveUp(client, [row], `it was tried ${triesOfMessage} times in vain`)
      throw error
    }
  }

  #countTry(delivery: Delivery, { kept }: Waiting): void {
    const { name, count } = delivery.tries
    delivery.tries = { name: kept.name, count: name === kept.name ? count + 1 : 1 }
  }

  /** The Put of a new object where that is wanted and possible; else the Notify of what has changed. */
  async #messageOf(
    { notify, put }: Listener,
    row: Waiting,
    destination: Destination,
  ): Promise<Outgoing | undefined> {
    const { store, engine } = this.#ground
    const pushed = put && row.put !== 'no' ? await putMessage(engine, row, destination) : undefined
    if (pushed !== undefined || !notify || row.changed.length === 0) return pushed
    return store.read((work) => notifyMessage(work, row, destination))
  }

  async #channelOf(listener: Listener, delivery: Delivery): Promise<PushChannel> {
    const { client, address, fingerprint, kmip } = listener
    if (delivery.channel?.isOpen === true) return delivery.channel
    if (address === undefined)
      throw new ConnectionError(
        'unreachable',
        `${client} has turned round no connection of its own`,
      )
    const { key, cert } = await serverCertificates(this.#ground.store)
    delivery.channel = await openChannel({
      ...splitAddress(address),
      times: this.#ground.times ?? pushTimes,
      ...{ key, cert, kmip: kmip as VersionText | undefined },
      check: (shown, ends) => this.#check(client, fingerprint, shown, ends),
    })
    return delivery.channel
  }

  /** Throws unless the certificate is the one that was named, or one of the client's own that is good. */
  async #check(
    client: string,
    wanted: string | undefined,
    shown: string,
    ends: Date | undefined,
  ): Promise<void> {
    const fingerprint = shown.replaceAll(':', '').toLowerCase()
    const wrong = (why: string) =>
      new ConnectionError(
        'server-certificate',
        `the listener of ${client} shows a certificate (SHA-256 ${shown}) ${why}`,
      )
    if (wanted !== undefined) {
      if (fingerprint !== wanted) throw wrong('that is not the one named with --fingerprint')
      const now = await this.#ground.store.read((work) => Promise.resolve(work.now))
      if (ends === undefined || ends.getTime() < Number(now) * 1000) throw wrong('that has expired')
      return
    }
    const identified = await this.#ground.store.read((work) =>
      identifyAgain(work, fingerprint, work.now),
    )
    if (!identified.ok) throw wrong(`that does not count: ${identified.detail.why}`)
    if (identified.principal.name !== client) throw wrong(`of ${identified.principal.name}`)
  }

  /** What has waited too long is given up; answers the rest. */
  async #withoutOld(
    client: string,
    rows: readonly Waiting[],
    now: bigint,
  ): Promise<readonly Waiting[]> {
    const oldest = Number(now) - this.#ground.keptFor / 1000
    const old = rows.filter(({ since }) => since < oldest)
    if (old.length > 0) await this.#giveUp(client, old, 'nobody took it in time')
    return rows.filter((row) => !old.includes(row))
  }

  async #giveUp(client: string, rows: readonly Waiting[], why: string): Promise<void> {
    const { store, log } = this.#ground
    const objects = rows.map(({ object }) => object)
    await store.act(async (work) => {
      for (const row of rows) await doneWith(work, row)
      const principal = await pushedTo(work, client)
      work.audit({
        actor: { name: 'keyreel', kind: 'server' },
        operation: 'library push given up',
        group: principal?.group,
        object: objects.length === 1 ? objects[0] : undefined,
        outcome: 'Success',
        details: { library: client, objects, why },
      })
    })
    log.warn({ client, objects, why }, 'what was to be sent to a client was given up')
  }

  /** Tells once that a queue is full: what comes now is lost. */
  async #watchRoom(client: string, delivery: Delivery, found: number): Promise<void> {
    const { store, queue, log, most } = this.#ground
    const count = found < perStep ? found : await store.read((work) => countWaiting(work, client))
    queue.counted(client, count)
    const isFull = count >= most
    if (isFull && !delivery.wasFull)
      log.error(
        { alarm: true, client, waiting: count },
        'more waits to be sent to a client than is kept: what comes now is lost',
      )
    delivery.wasFull = isFull
  }
}

/** Sends a message, and clears it whatever comes of it. */
async function sent(message: Outgoing, channel: PushChannel): Promise<void> {
  try {
    await channel.send(message)
  } finally {
    message.wipe()
  }
}
