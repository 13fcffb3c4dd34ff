/**
 * The load, in a process of its own: so many connections, each sending the next request when the
 * answer has come. Told by one JSON line on standard input, answers by one on standard output.
 */
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { numbered } from './requests.ts'

/** What to send. */
export interface Load {
  port: number
  ca: string
  certificate: string
  key: string
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
const options: ConnectionOptions = {
  host: '127.0.0.1',
  port: load.port,
  ca: readFileSync(load.ca),
  cert: readFileSync(load.certificate),
  key: readFileSync(load.key),
  servername: 'localhost',
}
const times: number[] = []
let sent = 0
let failed = 0
let answerBytes = 0
let resumed = 0

function opened(session?: Buffer): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect({ ...options, ...(session && { session }) }, () => resolve(socket))
  socket.once('error', reject)
  socket.setNoDelay(true)
  return promise
}

/** One answer: 8 bytes of header say how long it is. */
function exchange(socket: TLSSocket, request: Buffer): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  let seen: Buffer = Buffer.alloc(0)
  const onClose = () => reject(new Error('closed without an answer'))
  const onData = (chunk: Buffer) => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk])
    if (seen.length < 8 || seen.length < seen.readUInt32BE(4) + 8) return
    socket.off('data', onData).off('close', onClose)
    resolve(seen)
  }
  socket.on('data', onData)
  socket.once('close', onClose)
  socket.write(request)
  return promise
}

const resultStatus = Buffer.from('42007f0500000004', 'hex')

function judge(answer: Buffer): void {
  answerBytes = answer.length
  for (
    let at = answer.indexOf(resultStatus);
    at !== -1;
    at = answer.indexOf(resultStatus, at + 8)
  ) {
    if (answer.readUInt32BE(at + 8) !== 0) {
      failed++
      return
    }
  }
}

async function worker(): Promise<void> {
  let socket = load.mount === 'kept' ? await opened() : undefined
  let session: Buffer | undefined
  while (sent < load.count) {
    const request = numbered(message, load.from + (sent++ % load.distinct))
    const start = performance.now()
    const over = socket ?? (await opened(session))
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
const at = (share: number) =>
  times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
const result: LoadResult = { seconds, p50: at(0.5), p99: at(0.99), answerBytes, failed, resumed }
process.stdout.write(`${JSON.stringify(result)}\n`)
