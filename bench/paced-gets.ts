/**
 * Requests at a fixed pace, in a process of its own, until standard input ends: how long each takes from
 * when it was due, so that a server that stops for a moment is seen by all that came meanwhile. Told by
 * one JSON line on standard input; says `ready` once connected, then one JSON line on standard output.
 */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { numbered } from './requests.ts'
import { connectionTo, exchange, isSuccess, opened, quantile, type Target } from './tls-exchange.ts'

/** What to send, and how often. */
export interface PacedLoad extends Target {
  /** Base64 of the message. */
  request: string
  patches: number[]
  texts: readonly string[]
  connections: number
  /** Requests a second, by all connections together. */
  pace: number
}

/** What came of it; times in milliseconds. */
export interface PacedResult {
  count: number
  p50: number
  p99: number
  longest: number
  failed: number
}

const lines = createInterface({ input: process.stdin })
const [line] = (await once(lines, 'line')) as [string]
const load = JSON.parse(line) as PacedLoad
let over = false
lines.once('close', () => (over = true))

const { connections, pace } = load
const message = { ...load, bytes: Buffer.from(load.request, 'base64') }
const options = connectionTo(load)
const sockets = await Promise.all(Array.from({ length: connections }, () => opened(options)))
process.stdout.write('ready\n')

const times: number[] = []
let failed = 0
const begin = performance.now()

async function worker(socket: (typeof sockets)[number], first: number): Promise<void> {
  for (let n = first; !over; n += connections) {
    // Late by its own timer it begins now; late because the answer before was, it began when it was due.
    let due = begin + (n * 1000) / pace
    if (performance.now() < due) {
      await delay(Math.max(1, due - performance.now()))
      due = performance.now()
    }
    if (!isSuccess(await exchange(socket, numbered(message, n)))) failed += 1
    times.push(performance.now() - due)
  }
  socket.destroy()
}

await Promise.all(sockets.map(worker))
times.sort((a, b) => a - b)
const result: PacedResult = {
  count: times.length,
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
  longest: times.at(-1) ?? 0,
  failed,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
