/** What the drivers of the benchmarks share: a connection, one request and its answer, and quantiles. */
import { readFileSync } from 'node:fs'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'

/** Where a driver connects to, and as whom: paths of PEM files. */
export interface Target {
  port: number
  ca: string
  certificate: string
  key: string
}

/** The options of a connection to it. */
export function connectionTo({ port, ca, certificate, key }: Target): ConnectionOptions {
  return {
    host: '127.0.0.1',
    port,
    ca: readFileSync(ca),
    cert: readFileSync(certificate),
    key: readFileSync(key),
    servername: 'localhost',
  }
}

/** A connection, once its handshake is done. */
export function opened(options: ConnectionOptions, session?: Buffer): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const socket = connect({ ...options, ...(session && { session }) }, () => resolve(socket))
  socket.once('error', reject)
  socket.setNoDelay(true)
  return promise
}

/** One answer: 8 bytes of header say how long it is. */
export function exchange(socket: TLSSocket, request: Buffer): Promise<Buffer> {
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

/** Whether every Result Status in the answer is Success. */
export function isSuccess(answer: Buffer): boolean {
  for (
    let at = answer.indexOf(resultStatus);
    at !== -1;
    at = answer.indexOf(resultStatus, at + 8)
  ) {
    if (answer.readUInt32BE(at + 8) !== 0) return false
  }
  return true
}

/** The value below which that share of the sorted ones lies. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
