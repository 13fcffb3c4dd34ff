// One TLS connection to the server under test, carrying whole binary messages.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Frames } from 'ttlv-codec'

/** Where the server is and who the client says it is: paths of PEM files. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
}

/** A connection; it carries one exchange at a time. */
export interface Connection {
  /** Sends a request and gives the answer to it, as bytes. */
  exchange(request: Uint8Array): Promise<Uint8Array>
  [Symbol.dispose](): void
}

/** Longest wait for a handshake or an answer, in milliseconds. */
const patience = 20_000
const maxAnswer = 16 << 20

/** Connects; rejects when the handshake fails. */
export async function connect(target: Target): Promise<Connection> {
  const read = async (file?: string) => (file === undefined ? undefined : readFile(file, 'utf8'))
  const [ca, cert, key] = await Promise.all([
    read(target.ca),
    read(target.certificate),
    read(target.key),
  ])
  const { host, port } = target
  const socket = connectTls({ host, port, ca, cert, key })
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(patience) })
  } catch (error) {
    socket.destroy()
    throw new Error(`no TLS connection to ${host}:${port}`, { cause: error })
  }
  return {
    exchange: (request) => exchange(socket, request),
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

async function exchange(socket: TLSSocket, request: Uint8Array): Promise<Uint8Array> {
  const frames = new Frames({ maxBytes: maxAnswer })
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
  const fail = (what: string, cause?: unknown): void => reject(new Error(what, { cause }))
  const take = (chunk: Uint8Array): void => {
    try {
      frames.push(chunk)
      const answer = frames.next()
      if (answer !== undefined) resolve(answer)
    } catch (error) {
      fail('the answer is not a KMIP message', error)
    }
  }
  const ended = (): void => fail('the server closed the connection instead of answering')
  const failed = (error: Error): void => fail('the connection broke', error)
  const timer = setTimeout(() => fail(`no answer within ${patience} ms`), patience)
  socket.on('data', take).once('close', ended).once('error', failed)
  try {
    socket.write(request)
    return await promise
  } finally {
    clearTimeout(timer)
    socket.off('data', take).off('close', ended).off('error', failed)
  }
}
