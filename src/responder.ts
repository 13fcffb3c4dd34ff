// The engine of a server as its settings make it.
import { CredentialCheck } from './access/credentials.ts'
import type { Config } from './config.ts'
import { RandomSource } from './crypto/random-source.ts'
import type { Store } from './keystore/store.ts'
import { Aftermath } from './kmip/operations/aftermath.ts'
import { AsynchronousRequests } from './kmip/operations/asynchronous-requests.ts'
import type { Engine } from './kmip/operations/batch.ts'
import { LongWork } from './kmip/operations/long-work.ts'
import { PeerQuestions } from './kmip/operations/peer-questions.ts'
import { RunningJobs } from './kmip/operations/running-jobs.ts'
import { Streams } from './kmip/operations/streams.ts'
import { UnknownTapes } from './kmip/operations/unknown-tapes.ts'
import type { Log } from './kmip/server/ports.ts'
import type { Responder } from './kmip/server/respond.ts'

/** What the engine depends on besides the store. */
export interface ResponderOptions {
  readonly limits: Config['limits']
  readonly log: Log
  /** Whether what is served is for tests only. */
  readonly testMode: boolean
  /** Whether KMIP is served over HTTPS too. */
  readonly isHttps: boolean
}

const second = 1_000

/** What is answered with: the engine with its limits, one for all listeners. */
export function responderOf(
  store: Store,
  { log, testMode, isHttps, limits }: ResponderOptions,
): Responder {
  const decoding = {
    maxBytes: limits.messageBytes,
    maxDepth: limits.messageDepth,
    maxItems: limits.messageItems,
  }
  const engine: Engine = {
    store,
    log,
    aftermath: new Aftermath(log),
    streams: new Streams({
      streams: limits.streams,
      perClient: limits.streamsPerClient,
      idleTime: limits.streamTime,
      bytes: limits.streamBytes,
    }),
    jobs: new RunningJobs(),
    unknownTapes: new UnknownTapes(),
    peerQuestions: new PeerQuestions(limits.peerQuestions),
    facts: {
      vendor: 'keyreel',
      locate: {
        maximumItems: limits.locatedItems,
        maximumScanned: limits.scannedObjects,
        maximumTime: limits.scanTime,
      },
      maximumInstances: limits.attributeInstances,
      maximumAttributes: limits.attributes,
      random: new RandomSource(),
      longWork: new LongWork({ atOnce: limits.longWork, perClient: limits.longWorkPerClient }),
      pollTime: limits.pollTime,
      tickets: limits.tickets,
      ticketTime: Math.ceil(limits.ticketTime / second),
      https: isHttps,
      testingSince: testMode ? BigInt(Math.floor(Date.now() / 1000)) : undefined,
    },
  }
  return {
    ...engine,
    credentials: new CredentialCheck(),
    requests: new AsynchronousRequests(engine, decoding, {
      requests: limits.asynchronousRequests,
      bytes: limits.asynchronousBytes,
      keptFor: Math.ceil(limits.asynchronousTime / second),
    }),
    limits: { ...decoding, maxBatchItems: limits.batchItems, maxUndoItems: limits.undoItems },
  }
}
