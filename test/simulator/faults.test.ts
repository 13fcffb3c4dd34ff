// The relay in front of a server that answers every line with a line.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

import { expect, onTestFinished, test } from 'vitest'

import { Relay, type OneFault } from '../../simulator/faults.ts'

interface Echo {
  readonly relay: Relay
  /** What reached the server. */
  readonly heard: string[]
}

async function relayedEcho(): Promise<Echo> {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes) => {
      heard.push(bytes.toString())
      socket.write(`echo ${bytes.toString()}`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as { port: number }
  const relay = await Relay.open({ host: '127.0.0.1', port: address.port })
  onTestFinished(async () => {
    await relay.close()
    server.close()
  })
  return { relay, heard }
}

async function connected(relay: Relay): Promise<Socket> {
  const socket = connect(relay.address.port, relay.address.host)
  socket.on('error', () => socket.destroy())
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Says a line; the answer, or undefined when the connection ends without one. */
async function say(socket: Socket, line: string): Promise<string | undefined> {
  const answer = Promise.withResolvers<string | undefined>()
  socket.once('data', (bytes: Buffer) => answer.resolve(bytes.toString()))
  socket.once('close', () => answer.resolve(undefined))
  socket.write(line)
  return answer.promise
}

test('a healthy relay passes everything on', async () => {
  const { relay } = await relayedEcho()
  const socket = await connected(relay)
  expect(await say(socket, 'one')).toBe('echo one')
  expect(await say(socket, 'two')).toBe('echo two')
})

test.each([
  ['cut-request', undefined, []],
  ['cut-answer', undefined, ['lost']],
  ['truncate', 'echo', ['lost']],
  ['garbage', 'no TLS no', ['lost']],
] as const)('%s strikes once and ends the connection', async (fault: OneFault, seen, heard) => {
  const echo = await relayedEcho()
  const socket = await connected(echo.relay)
  const struck = echo.relay.next(fault)
  const closed = once(socket, 'close')
  expect(await say(socket, 'lost')).toBe(seen)
  await struck
  await closed
  expect(echo.heard).toEqual(heard)
  expect(await say(await connected(echo.relay), 'again')).toBe('echo again')
})

test('a held answer comes when it is released', async () => {
  const { relay } = await relayedEcho()
  const socket = await connected(relay)
  const struck = relay.next('hold')
  const answer = say(socket, 'later')
  await struck
  expect(socket.bytesRead).toBe(0)
  relay.release()
  expect(await answer).toBe('echo later')
})

test('a refusing relay breaks connections that stand, and new ones', async () => {
  const { relay, heard } = await relayedEcho()
  const socket = await connected(relay)
  expect(await say(socket, 'one')).toBe('echo one')
  const closed = once(socket, 'close')
  relay.set('refuse')
  await closed
  expect(await say(await connected(relay), 'two')).toBeUndefined()
  expect(heard).toEqual(['one'])
  relay.set('up')
  expect(await say(await connected(relay), 'three')).toBe('echo three')
})

test('a silent relay takes what it is sent and hears nothing', async () => {
  const { relay, heard } = await relayedEcho()
  relay.set('silent')
  const socket = await connected(relay)
  const answer = say(socket, 'anybody there?')
  await relay.close()
  expect(await answer).toBeUndefined()
  expect(heard).toEqual([])
})

test('the server keeps its name behind a relay, so that its certificate still fits', async () => {
  const relay = await Relay.open({ host: 'keys.example.org', port: 5696 })
  onTestFinished(() => relay.close())
  expect(relay.address).toMatchObject({ host: '127.0.0.1', servername: 'keys.example.org' })
})
