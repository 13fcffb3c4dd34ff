// How a secret reaches a running server: a Unix socket in the data directory, which only its owner can reach.
// One line of JSON there, one back. What is given is used, never kept or logged.
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import { takeServeLock } from '../keystore/serve-lock.ts'

/** What is given: a passphrase, a PIN, the seed that shares made, or only the wish to try again. */
export type OfferKind = 'passphrase' | 'pin' | 'seed' | 'again'

/** Something given to the server, which takes the secret over. */
export interface Offer {
  readonly kind: OfferKind
  readonly secret: Secret
}

/** Name of the socket in the data directory. */
export const doorFile = 'serve.sock'

const longestOffer = 4096
const patience = 120_000
/** Most bytes of the path of a Unix socket that every system takes. */
const longestPath = 103

const offerShape = z.strictObject({
  kind: z.enum(['passphrase', 'pin', 'seed', 'again']),
  secret: z.string(),
})

const answerShape = z.union([
  z.strictObject({ message: z.string() }),
  z.strictObject({
    code: z.string(),
    error: z.string(),
    hint: z.string(),
    exitStatus: z.number(),
  }),
])

/** The open door. */
export interface Door {
  close(): Promise<void>
}

/**
 * Opens the door; `receive` answers what to tell, or throws UserError. Undefined where the path is too long
 * for a socket: then nothing can be given to the server while it runs.
 */
export async function openDoor(
  directory: string,
  receive: (offer: Offer) => Promise<string>,
): Promise<Door | undefined> {
  const path = socketPath(directory)
  if (path === undefined) return undefined
  if (await isAnswered(path)) throw servedAlready(directory)
  rmSync(path, { force: true })
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    void talk(socket, receive).finally(() => open.delete(socket))
  })
  await listening(server, path)
  chmodSync(path, 0o600)
  return {
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        for (const socket of open) socket.destroySoon()
      }),
  }
}

/** Gives something to the server that runs on the directory; answers what it says. Throws UserError. */
export async function offer(directory: string, { kind, secret }: Offer): Promise<string> {
  const path = socketPath(directory)
  if (path === undefined) throw noServer(directory)
  const line = JSON.stringify({ kind, secret: Buffer.from(secret.bytes).toString('base64') })
  let reply: string
  try {
    reply = await exchanged(path, line)
  } catch (cause) {
    throw noServer(directory, cause)
  }
  const answer = answerShape.parse(JSON.parse(reply))
  if ('message' in answer) return answer.message
  const { code, error, hint, exitStatus: status } = answer
  throw new UserError(code, error, hint, { exitStatus: status })
}

async function talk(socket: Socket, receive: (offer: Offer) => Promise<string>): Promise<void> {
  socket.on('error', () => undefined)
  socket.setTimeout(patience, () => socket.destroy())
  try {
    const parsed = offerShape.safeParse(JSON.parse(await lineOf(socket)))
    if (!parsed.success) return void socket.destroy()
    const secret = new Secret(Buffer.from(parsed.data.secret, 'base64'))
    try {
      socket.end(`${JSON.stringify({ message: await receive({ ...parsed.data, secret }) })}\n`)
    } finally {
      secret.wipe()
    }
  } catch (error) {
    if (!(error instanceof UserError)) return void socket.destroy()
    const { code, message, hint, exitStatus: status } = error
    socket.end(`${JSON.stringify({ code, error: message, hint, exitStatus: status })}\n`)
  }
}

function listening(server: Server, path: string): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen(path, () => done())
  return promise
}

async function exchanged(path: string, line: string): Promise<string> {
  const socket = connect(path)
  try {
    socket.setTimeout(patience, () => socket.destroy(new Error('no answer')))
    socket.write(`${line}\n`)
    return await lineOf(socket)
  } finally {
    socket.destroy()
  }
}

/** The first line that comes, without its end. */
async function lineOf(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    const end = text.indexOf('\n')
    if (end !== -1) return text.slice(0, end)
    if (text.length > longestOffer) break
  }
  throw new Error('no line')
}

/** The shorter of both ways to write the path; undefined when even that is too long. */
function socketPath(directory: string): string | undefined {
  const absolute = resolve(directory, doorFile)
  const fromHere = join('.', relative('.', absolute))
  const shorter = fromHere.length < absolute.length ? fromHere : absolute
  return Buffer.byteLength(shorter) <= longestPath ? shorter : undefined
}

/** Whether another process listens there: what a dead one left answers nobody. */
async function isAnswered(path: string): Promise<boolean> {
  const { promise, resolve: settle } = Promise.withResolvers<boolean>()
  const socket = connect(path)
  socket.once('connect', () => settle(true))
  socket.once('error', () => settle(false))
  try {
    return await promise
  } finally {
    socket.destroy()
  }
}

/** A server that serves holds the lock, and the error names it; one that waits sealed holds none. */
function servedAlready(directory: string): UserError {
  takeServeLock(directory).release()
  return new UserError(
    'already-served',
    `${directory} is served by another process, which waits sealed`,
    'open it with  keyreel master-key unseal, or stop it first',
  )
}

function noServer(directory: string, cause?: unknown): UserError {
  return new UserError(
    'no-server',
    `no server runs on ${directory}`,
    'start it:  keyreel serve  – or give the keystore another master key:  keyreel master-key rotate',
    { exitStatus: exitStatus.failed, cause },
  )
}
