// PostgreSQL under load: keyreel processes killed as on SQLite; then the database itself crashed, killed and
// stopped under a keyreel that goes on. Nothing that was acknowledged is lost, and nobody has to be restarted.
import { setTimeout as delay } from 'node:timers/promises'
import type { OpenOptions } from '../../src/keystore/store.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import { makeCluster, startPostgres, type Cluster } from '../fixtures/postgres.ts'
import { chance, openDirectory, type Outcome, type Place, type Plan } from './ground.ts'
import { compared, deathsAtFailpointsOn, figuresOf, killsOn, onNewPlace } from './kills.ts'
import { Ledger } from './ledger.ts'
import { runLoad } from './load.ts'

/** Kill -9 of the keyreel process at random moments. */
export function killsOnPostgres(plan: Plan): Promise<Outcome> {
  return onPostgres((place) => killsOn(place, plan))
}

/** Deaths of the keyreel process around commit, audit and answer. */
export function deathsOnPostgres(plan: Plan): Promise<Outcome> {
  return onPostgres((place) => deathsAtFailpointsOn(place, plan))
}

async function onPostgres(run: (place: Place) => Promise<Outcome>): Promise<Outcome> {
  const server = await startPostgres()
  try {
    return await onNewPlace([await server.fresh()], run)
  } finally {
    await server.stop()
  }
}

/** How a database dies and comes back: as machines, the OOM killer and hasty administrators have it. */
const crashes: readonly ((cluster: Cluster) => Promise<void>)[] = [
  async (cluster) => {
    await cluster.crash()
    await cluster.start()
  },
  (cluster) => cluster.killBackend(),
  async (cluster) => {
    await cluster.kill()
    await cluster.start()
  },
]

/** Kill -9 and crashes of the database at random moments, under one keyreel that never ends. */
export function databaseCrashes({ form, seed, say }: Plan): Promise<Outcome> {
  const rounds = form === 'short' ? 12 : 300
  return onCluster(async (cluster, place) => {
    const random = chance(seed)
    const ledger = new Ledger()
    for (let round = 1; round <= rounds; round++) {
      await onServer(place, ledger, {}, async (server) => {
        const busy = server.load({ seed: seed + round, clients: 1 + random(12) })
        await delay(random(150))
        await crashes[round % crashes.length]!(cluster)
        await busy.end()
      })
      if (round % 6 === 0) await compared(place, ledger, `crash ${round}`)
      if (round % 30 === 0) say(`${round} crashes, ${ledger.keys} keys, ${ledger.refused} refused`)
    }
    const { refused } = ledger
    return {
      figures: { crashes: rounds, refused, ...figuresOf(ledger) },
      failures: ledger.failures,
    }
  })
}

/** The database gone for a while, longer than anybody waits for it, and back, under one keyreel that never ends. */
export function databaseGone({ form, seed, say }: Plan): Promise<Outcome> {
  const operations = form === 'short' ? 500 : 10_000
  const perRound = form === 'short' ? 100 : 250
  return onCluster(async (cluster, place) => {
    const random = chance(seed)
    const ledger = new Ledger()
    const count = { operations: 0, absences: 0 }
    await onServer(place, ledger, { patience: 100 }, async (server) => {
      while (count.operations < operations) {
        const round = ++count.absences
        const busy = server.load({ seed: seed + round, clients: 1 + random(32) })
        await delay(random(100))
        await cluster.crash()
        const before = ledger.refused
        while (ledger.refused < before + perRound) await delay(10)
        await cluster.start()
        count.operations += await busy.end()
        const items = await server.ask([
          ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(`back ${round}`) }],
        ])
        count.operations++
        if (items[0]?.ResultStatus !== 'Success')
          ledger.failures.push(`the database is back, and yet: ${items[0]?.ResultMessage}`)
        ledger.take(`make back-${round}`)
        if (round % 5 === 0) say(`${count.operations} operations, ${ledger.refused} refused`)
      }
    })
    await compared(place, ledger, 'at the end')
    const { refused } = ledger
    return { figures: { ...count, refused, ...figuresOf(ledger) }, failures: ledger.failures }
  })
}

async function onCluster(
  run: (cluster: Cluster, place: Place) => Promise<Outcome>,
): Promise<Outcome> {
  const cluster = await makeCluster()
  try {
    await cluster.start()
    return await onNewPlace([cluster.url], (place) => run(cluster, place))
  } finally {
    await cluster.remove()
  }
}

/** A server's request path over a store in that place. */
interface BusyServer {
  ask(asks: readonly Ask[]): Promise<readonly ResponseBatchItem[]>
  /** Clients that may be refused, until `end`: then each is answered once more; how many requests that were. */
  load(options: { seed: number; clients: number }): { end(): Promise<number> }
}

async function onServer(
  place: Place,
  ledger: Ledger,
  options: Partial<OpenOptions>,
  run: (server: BusyServer) => Promise<void>,
): Promise<void> {
  const began = performance.now()
  const { directory, database } = place
  const store = await openDirectory(directory, { database, writer: 'serve', ...options })
  ledger.take(`open ${Math.round(performance.now() - began)}`)
  const quiet = (): void => undefined
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  const responder = responderOver(store, log, () => performance.now())
  const ask = async (asks: readonly Ask[]) => {
    const { bytes } = await respond(responder, requestBytes('2.1', asks), principal())
    return answerOf(bytes, '2.1').BatchItem
  }
  const load = ({ seed, clients }: { seed: number; clients: number }) => {
    let wanted = Infinity
    let sent = 0
    const running = runLoad({
      seed,
      clients,
      ask(asks) {
        sent++
        return ask(asks)
      },
      tell: (line) => ledger.take(line),
      mayFail: true,
      until: () => ledger.acknowledged >= wanted,
    })
    return {
      async end() {
        wanted = ledger.acknowledged + clients
        await running
        return sent
      },
    }
  }
  await run({ ask, load })
  await responder.requests.close()
  await store.close()
}
