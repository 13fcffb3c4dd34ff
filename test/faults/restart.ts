// How long a server with many keys takes to serve again after a kill -9 under load.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject } from '../../src/keystore/keystore.ts'
import { ManagedObject } from '../../src/keystore/managed-object.ts'
import { randomUuid } from '../../src/crypto/primitives/random.ts'
import { runKeyreel, startKeyreel } from '../fixtures/keyreel.ts'
import { folder, openDirectory, type Outcome, type Plan } from './ground.ts'

const perAct = 200

/**
 * Milliseconds to the line `ready`, the start of the process included. A busy machine may take longer, by so
 * much more than it takes for a server without keys.
 */
const longest = 2000
const slack = { short: 2, long: 1.5 }

/** Starts, kills and starts again, a server with many keys and one with none by turns. */
export async function restarts({ form, say }: Plan): Promise<Outcome> {
  const keys = form === 'short' ? 2000 : 100_000
  const rounds = form === 'short' ? 2 : 5
  using scratch = folder()
  const [full, empty] = [join(scratch.path, 'full'), join(scratch.path, 'empty')]
  for (const data of [full, empty]) {
    const { status, stderr } = await runKeyreel(['init', '--host', 'localhost', '--data', data])
    if (status !== 0) throw new Error(stderr)
  }
  await fill(full, keys)
  say(`${keys} keys are made`)
  const took = { full: [] as number[], empty: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    for (const [name, data] of [
      ['full', full],
      ['empty', empty],
    ] as const) {
      const began = performance.now()
      const server = await startKeyreel({ data })
      // The first start follows a clean end.
      if (round > 0) took[name].push(Math.round(performance.now() - began))
      await delay(500)
      await server.kill()
    }
  }
  const figures = { keys, rounds, median: median(took.full), medianWithoutKeys: median(took.empty) }
  const most = Math.max(longest, figures.medianWithoutKeys * slack[form])
  const failures = figures.median > most ? [`a start takes ${figures.median} ms, not ${most}`] : []
  return { figures, failures }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

async function fill(data: string, keys: number): Promise<void> {
  const store = await openDirectory(data)
  const material = new Uint8Array(80)
  for (let made = 0; made < keys; made += perAct) {
    await store.act(async (work) => {
      for (let at = 0; at < perAct; at++) {
        const vitals = {
          Owner: 'alpha',
          Fresh: true,
          Sensitive: false,
          Extractable: true,
          InitialDate: work.now,
          LastChangeDate: work.now,
          LeaseTime: 3600,
        }
        const attributes = new AttributeSet()
        const value = { NameValue: `K${made + at}`, NameType: 'UninterpretedTextString' as const }
        attributes.add({ tag: 'Name', value })
        const identity = { id: randomUuid(), group: 'default', objectType: 'SymmetricKey' as const }
        await insertObject(work, new ManagedObject(identity, vitals, attributes), material)
      }
      work.audit({ actor: { name: 'faults', kind: 'cli' }, operation: 'fill', outcome: 'Success' })
    })
  }
  while (await store.catchUpAuditIndex());
  await store.close()
}
