/** The HTTP side of a listener: one parser of node:http that every connection's bytes go through. */
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { HttpSession } from './http-session.ts'
import type { MakeSession } from './open-session.ts'
import type { ClientName } from './ports.ts'

/** The head of a request with all its fields, in bytes. */
const maxHeaderSize = 16 * 1024

/** Makes HTTPS connections that answer KMIP at `path`. */
export function httpSessions<Principal extends ClientName>(path: string): MakeSession<Principal> {
  const sessions = new WeakMap<Duplex, HttpSession<Principal>>()
  // It never listens: it is given connections whose client is identified. Its own times are off, the sweep has ours.
  const http = createServer({
    maxHeaderSize,
    requestTimeout: 0,
    headersTimeout: 0,
    keepAliveTimeout: 0,
  })
  // A client that has closed its side is answered all the same; node:http has no option for it, but this member.
  Object.assign(http, { httpAllowHalfOpen: true })
  http.on('request', (request, response) => {
    sessions.get(request.socket)?.take({ request, response })
  })
  http.on('checkContinue', (request, response) => {
    sessions.get(request.socket)?.take({ request, response })
  })
  // Without this node:http would cut the connection, and with it the answers that are due.
  http.on('connect', (_, socket) => {
    const error = Object.assign(new Error('CONNECT'), { code: 'HPE_INVALID_METHOD' })
    sessions.get(socket)?.refuse(error)
  })
  http.on('clientError', (error, socket) => {
    sessions.get(socket)?.refuse(error)
  })
  return (options) => {
    const session = new HttpSession(options, path)
    sessions.set(options.socket, session)
    http.emit('connection', options.socket)
    // Behind the listener by which node:http starts to read again.
    options.socket.on('resume', () => session.holdBack())
    return session
  }
}
