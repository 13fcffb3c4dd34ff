// One TLS connection to the server under test, carrying whole binary messages.
import { once } from 'node:events'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { Frames } from 'ttlv-codec'
import { connectHttps, type Form } from './https-connection.ts'
import { credentialsOf, maxAnswer, patience } from './target.ts'
import type { Connection, Sender, Target } from './target.ts'

/**
 * Connects in the form wanted; rejects when the handshake fails or the server has no such port. A
 * credential case opens a second connection for its users with their first request.
 */
export async function connect(target: Target, form: Form = 'tls'): Promise<Connection> {
  const client = await connectAs(target, form, 'client')
  let user: Promise<Connection> | undefined
  return {
    async exchange(request, sender = 'client') {
      if (sender === 'client' || target.users === undefined) return client.exchange(request)
      user ??= connectAs(target, form, 'user')
      return (await user).exchange(request)
    },
    [Symbol.dispose]() {
      client[Symbol.dispose]()
      void user?.then((connection) => connection[Symbol.dispose]()).catch(() => undefined)
    },
  }
}

async function connectAs(target: Target, form: Form, sender: Sender): Promise<Connection> {
  const credentials = await credentialsOf(target, sender)
  const { host, port, https } = target
  if (form !== 'tls') {
    if (https === undefined) throw new Error(`no HTTPS port of ${host} is known`)
    return connectHttps({ host, ...https }, credentials, form)
  }
  const socket = connectTls({ host, port, ...credentials })
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
