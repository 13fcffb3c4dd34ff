/**
 * The load, in a process of its own: so many connections, each sending the next request when the
 * answer has come. Told by one JSON line on standard input, answers by one on standard output.
 */
import { text } from 'node:stream/consumers'
import { numbered } from './requests.ts'
import { connectionTo, exchange, isSuccess, opened, quantile, type Target } from './tls-exchange.ts'

/** What to send. */
export interface Load extends Target {
  /** Base64 of the message. */
  request: string
  patches: number[]
  texts?: readonly string[]
  /** First counter, and how many different ones before it starts again. */
  from: number
  distinct: number
  connections: number
  /** Requests in all. */
  count: number
  /** `kept`: one connection for all; `new`: one per request; `resumed`: one per request, session resumed. */
  mount: 'kept' | 'new' | 'resumed'
}

/** What came of it; times in milliseconds. */
export interface LoadResult {
  seconds: number
  p50: number
  p99: number
  answerBytes: number
  /** Answers that do not say Success throughout. */
  failed: number
  resumed: number
}

const load = JSON.parse(await text(process.stdin)) as Load
const { patches, texts } = load
const message = { bytes: Buffer.from(load.request, 'base64'), patches, ...(texts && { texts }) }
const options = connectionTo(load)
const times: number[] = []
let sent = 0
let failed = 0
let answerBytes = 0
let resumed = 0

function judge(answer: Buffer): void {
  answerBytes = answer.length
  if (!isSuccess(answer)) failed++
}

async function worker(): Promise<void> {
  let socket = load.mount === 'kept' ? await opened(options) : undefined
  let session: Buffer | undefined
  while (sent < load.count) {
    const request = numbered(message, load.from + (sent++ % load.distinct))
    const start = performance.now()
    const over = socket ?? (await opened(options, session))
    if (load.mount === 'resumed') over.on('session', (ticket) => (session = ticket))
    if (over.isSessionReused()) resumed++
    judge(await exchange(over, request))
    times.push(performance.now() - start)
    if (socket === undefined) over.destroy()
  }
  socket?.destroy()
  socket = undefined
}

const begin = performance.now()
await Promise.all(Array.from({ length: load.connections }, worker))
const seconds = (performance.now() - begin) / 1000
times.sort((a, b) => a - b)
const result: LoadResult = {
  seconds,
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
  answerBytes,
  failed,
  resumed,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
