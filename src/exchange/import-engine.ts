/** The batch engine as imports run it, outside a server: the same operations, checks and records. */
import { RandomSource } from '../crypto/random-source.ts'
import type { Store } from '../keystore/store.ts'
import { Aftermath, type AftermathLog } from '../kmip/operations/aftermath.ts'
import type { Engine } from '../kmip/operations/batch.ts'
import { LongWork } from '../kmip/operations/long-work.ts'
import { RunningJobs } from '../kmip/operations/running-jobs.ts'
import { Streams } from '../kmip/operations/streams.ts'

/** Most attributes of an imported key, and instances of one: those of a server that was not told otherwise. */
const most = { instances: 100, attributes: 500 } as const

/** An engine over an opened store. An import looks for nothing and has nothing under way. */
export function importEngine(store: Store, log: AftermathLog): Engine {
  return {
    store,
    log,
    aftermath: new Aftermath(log),
    streams: new Streams({ streams: 0, perClient: 0, idleTime: 0, bytes: 0 }),
    jobs: new RunningJobs(),
    facts: {
      vendor: 'keyreel',
      locate: { maximumItems: 0, maximumScanned: 0, maximumTime: 0 },
      maximumInstances: most.instances,
      maximumAttributes: most.attributes,
      random: new RandomSource(),
      longWork: new LongWork({ atOnce: 1, perClient: 1 }),
      pollTime: 0,
      tickets: 0,
      ticketTime: 0,
      https: false,
      testingSince: undefined,
    },
  }
}
