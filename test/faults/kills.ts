// Processes killed at random moments under load, and at failpoints around commit, audit and answer: no key
// or state that was acknowledged is lost, altered or half there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { failpoints } from './failpoints.ts'
import {
  chance,
  dataDirectory,
  folder,
  openDirectory,
  type Outcome,
  type Place,
  type Plan,
} from './ground.ts'
import { Ledger } from './ledger.ts'

const program = join(import.meta.dirname, 'load-process.ts')

/** Requests that a process has had answered before it may be killed, so that each death has something to lose. */
const leastSeen = 3

/** How one process comes to its end. */
export interface Death {
  readonly seed: number
  readonly clients: number
  /** Milliseconds after its store is open, on a slow machine more: a few things are done first; absent with a failpoint. */
  readonly after?: number
  readonly failpoint?: string
  readonly passes?: number
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a load process to its death and enters what it says. */
export async function runToDeath(place: Place, death: Death, ledger: Ledger): Promise<void> {
  const { seed, clients, after, failpoint = 'none', passes = 0, env } = death
  const { directory, database = [] } = place
  const args = [directory, String(seed), String(clients), failpoint, String(passes), ...database]
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Half of the time of a process that is soon killed would go into compiling.
    env: { ...process.env, NODE_COMPILE_CACHE: `${directory}.compiled`, ...env },
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const lines = createInterface({ input: child.stdout })
  const closed = Promise.all([once(child, 'close'), once(lines, 'close')])
  let seen = 0
  const enough = Promise.withResolvers<void>()
  lines.on('line', (line) => {
    ledger.take(line)
    if (line.startsWith('open') && after !== undefined)
      void Promise.all([delay(after), enough.promise]).then(kill)
    else if (line.startsWith('ok') && ++seen === leastSeen) enough.resolve()
  })
  const [[, signal]] = (await closed) as [[number | null, string | null], unknown]
  process.off('exit', kill)
  if (signal !== 'SIGKILL') ledger.failures.push(`the process of seed ${seed} ended by itself`)
}

/** Makes a keystore in a new folder and runs a test on it. */
export async function onNewPlace(
  database: readonly string[] | undefined,
  run: (place: Place) => Promise<Outcome>,
): Promise<Outcome> {
  using scratch = folder()
  const directory = join(scratch.path, 'data')
  await dataDirectory(directory, database)
  return await run({ directory, ...(database !== undefined && { database }) })
}

/** Kill -9 at random moments. */
export function kills(plan: Plan): Promise<Outcome> {
  return onNewPlace(undefined, (place) => killsOn(place, plan))
}

/** The same, on a keystore that is there. */
export async function killsOn(place: Place, { form, seed, say }: Plan): Promise<Outcome> {
  const rounds = form === 'short' ? 30 : 300
  const random = chance(seed)
  const ledger = new Ledger()
  for (let round = 1; round <= rounds; round++) {
    const death = { seed: seed + round, clients: 1 + random(16), after: random(150) }
    await runToDeath(place, death, ledger)
    if (round % 10 === 0) {
      await compared(place, ledger, `kill ${round}`)
      say(`${round} kills, ${ledger.keys} keys, ${ledger.failures.length} failures`)
    }
  }
  return { figures: { kills: rounds, ...figuresOf(ledger) }, failures: ledger.failures }
}

/** A death at each failpoint, at random times that it is passed. */
export function deathsAtFailpoints(plan: Plan): Promise<Outcome> {
  return onNewPlace(undefined, (place) => deathsAtFailpointsOn(place, plan))
}

/** The same, on a keystore that is there. */
export async function deathsAtFailpointsOn(
  place: Place,
  { form, seed, say }: Plan,
): Promise<Outcome> {
  const rounds = form === 'short' ? 2 : 50
  const random = chance(seed)
  const ledger = new Ledger()
  for (let round = 1; round <= rounds; round++) {
    for (const failpoint of failpoints) {
      const death = {
        seed: seed + round * 100 + failpoints.indexOf(failpoint),
        clients: 1 + random(8),
        failpoint,
        passes: random(25),
      }
      await runToDeath(place, death, ledger)
      await compared(place, ledger, `${failpoint} ${round}`)
    }
    if (round % 10 === 0) say(`${round} deaths at each failpoint, ${ledger.keys} keys`)
  }
  const figures = { deaths: rounds * failpoints.length, ...figuresOf(ledger) }
  return { figures, failures: ledger.failures }
}

/** Opens the store as the next process would and compares. */
export async function compared(place: Place, ledger: Ledger, when: string): Promise<void> {
  const store = await openDirectory(place.directory, { database: place.database })
  try {
    await ledger.compare(store, when)
  } finally {
    await store.close()
  }
}

/** What every test with a ledger prints. */
export function figuresOf({ keys, acknowledged, given, openings }: Ledger): Record<string, number> {
  const slowest = openings.length > 0 && { slowestStart: Math.max(...openings) }
  return { keys, acknowledged, given, ...slowest }
}
