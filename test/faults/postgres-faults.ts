// PostgreSQL under load: keyreel processes killed as on SQLite; then the database itself crashed, killed and
// stopped under a keyreel that goes on. Nothing that was acknowledged is lost, and nobody has to be restarted.
import { setTimeout as delay } from 'node:timers/promises'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  type Ask,
} from '../fixtures/responder.ts'
import { makeCluster, startPostgres, type Cluster } from '../fixtures/postgres.ts'
import {
  chance,
  openDirectory,
  type Chance,
  type Outcome,
  type Place,
  type Plan,
} from './ground.ts'
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
const crashes: readonly ((cluster: Cluster, random: Chance) => Promise<void>)[] = [
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
      await underLoad(place, ledger, { seed: seed + round, clients: 1 + random(12) }, async () => {
        await delay(random(150))
        await crashes[round % crashes.length]!(cluster, random)
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

/** Opens the store, keeps it busy while `meanwhile` lasts and until it has answered again. */
async function underLoad(
  place: Place,
  ledger: Ledger,
  { seed, clients }: { seed: number; clients: number },
  meanwhile: () => Promise<void>,
): Promise<void> {
  const began = performance.now()
  const store = await openDirectory(place.directory, { database: place.database, writer: 'serve' })
  ledger.take(`open ${Math.round(performance.now() - began)}`)
  const quiet = (): void => undefined
  const error = (fields: object) => void ledger.failures.push(`bug ${JSON.stringify(fields)}`)
  const responder = responderOver(store, { debug: quiet, info: quiet, warn: quiet, error }, () =>
    performance.now(),
  )
  const ask = async (asks: readonly Ask[]) => {
    const { bytes } = await respond(responder, requestBytes('2.1', asks), principal())
    return answerOf(bytes, '2.1').BatchItem
  }
  let wanted = Infinity
  const load = runLoad({
    seed,
    clients,
    ask,
    tell: (line) => ledger.take(line),
    mayFail: true,
    until: () => ledger.acknowledged >= wanted,
  })
  await meanwhile()
  wanted = ledger.acknowledged + clients
  await load
  await responder.requests.close()
  await store.close()
}
