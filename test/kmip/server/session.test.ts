// One connection: requests in any segmentation, answers in order, and an end for whoever stalls.
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { ListenerOptions } from '../../../src/kmip/server/listener.ts'
import type { Answer } from '../../../src/kmip/server/ports.ts'
import {
  answer,
  answerTo,
  connectIdentified,
  connectTls,
  fingerprint,
  request,
  startListener,
  stopListener,
  type TestListener,
} from '../../fixtures/listener.ts'
import { makePki, type TestPki } from '../../fixtures/openssl-certificates.ts'

let pki: TestPki
let server: TestListener | undefined
beforeAll(() => {
  pki = makePki()
})
afterEach(async () => {
  if (server !== undefined) await stopListener(server)
  server = undefined
})

const start = async (options: ListenerOptions = {}) => (server = await startListener(pki, options))
const bodies = (count: number) => Array.from({ length: count }, (_, index) => `request ${index}`)

/** Answers that a test gives when it wants to, by the order of their requests. */
function answersOnDemand(at: TestListener) {
  const asked: ((answer?: Partial<Answer>) => void)[] = []
  at.ports.respond = (message) =>
    new Promise((resolve) => asked.push((given) => resolve({ bytes: answerTo(message), ...given })))
  return asked
}

describe('requests', () => {
  test('are answered when they come one byte at a time', async () => {
    const client = await connectIdentified(await start(), pki)
    for (const byte of Buffer.concat([request('first'), request('second')]))
      await new Promise((resolve) => client.socket.write(Buffer.of(byte), resolve))
    expect(await client.received(32)).toEqual(Buffer.concat([answer('first'), answer('second')]))
    client.socket.destroy()
  })

  test('in one segment are answered in order, in one piece', async () => {
    const client = await connectIdentified(await start(), pki)
    let pieces = 0
    client.socket.on('data', () => pieces++)
    client.socket.write(Buffer.concat(bodies(100).map(request)))
    expect(await client.received(2400)).toEqual(Buffer.concat(bodies(100).map(answer)))
    expect(pieces).toBe(1)
    client.socket.destroy()
  })

  test('of one connection are run one at a time, and keep no other connection waiting', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const slow = await connectIdentified(at, pki)
    slow.socket.write(Buffer.concat(bodies(3).map(request)))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const other = await connectIdentified(at, pki, pki.beta)
    other.socket.write(request('other'))
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    asked[1]?.()
    expect(await other.received(16)).toEqual(answer('other'))
    asked[0]?.()
    await vi.waitFor(() => expect(asked).toHaveLength(3))
    expect(await slow.received(24)).toEqual(answer('request 0'))
    slow.socket.destroy()
    other.socket.destroy()
  })

  test('are answered also when the client closes its side right after them', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const client = await connectIdentified(at, pki, pki.alpha, { allowHalfOpen: true } as object)
    client.socket.end(Buffer.concat(bodies(2).map(request)))
    for (const count of [1, 2]) {
      await vi.waitFor(() => expect(asked).toHaveLength(count))
      asked[count - 1]?.()
    }
    expect(await client.received(48)).toEqual(Buffer.concat(bodies(2).map(answer)))
    expect(await client.ended).toBe('end')
  })

  test('that arrive while one runs wait outside, so that a flood stays with its sender', async () => {
    const at = await start()
    answersOnDemand(at)
    const client = await connectIdentified(at, pki)
    const flood = Buffer.concat(Array.from({ length: 64 }, () => request(Buffer.alloc(256 * 1024))))
    let taken = false
    client.socket.write(flood, () => (taken = true))
    await vi.waitFor(() => expect(client.socket.bytesWritten).toBeGreaterThan(0))
    const other = await connectIdentified(at, pki, pki.beta)
    expect(taken).toBe(false)
    client.socket.destroy()
    other.socket.destroy()
  })
})

describe('a stream that holds no KMIP message', () => {
  test('is answered as the port says, then ended with close_notify', async () => {
    const at = await start()
    const seen: unknown[] = []
    at.ports.refuse = (error, firstBytes) => {
      seen.push(error.code, Buffer.from(firstBytes).toString('hex'))
      return answer('refused')
    }
    const client = await connectIdentified(at, pki)
    const fourGiB = Buffer.from('42007801fffffff84200770100000038', 'hex')
    client.socket.write(fourGiB)
    expect(await client.received(16)).toEqual(answer('refused'))
    expect(await client.ended).toBe('end')
    expect(seen).toEqual(['size', fourGiB.toString('hex')])
    expect(at.log).toMatchObject([{ level: 'warn', fields: { client: 'alpha', code: 'size' } }])
  })

  test('without a fitting answer is just ended with close_notify', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.write('GET / HTTP/1.1\r\nHost: keyreel\r\n\r\n')
    expect(await client.ended).toBe('end')
    expect(await client.received(0)).toHaveLength(0)
  })

  test('does not keep the good requests before it from being answered', async () => {
    const at = await start()
    at.ports.refuse = () => answer('refused')
    const client = await connectIdentified(at, pki)
    client.socket.write(Buffer.concat([request('good'), Buffer.from('garbage, garbage')]))
    expect(await client.received(32)).toEqual(Buffer.concat([answer('good'), answer('refused')]))
    expect(await client.ended).toBe('end')
  })

  test('going on for ever is not read for ever', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki, pki.alpha, { allowHalfOpen: true } as object)
    client.socket.write(Buffer.alloc(1024))
    expect(await client.ended).toBe('end')
    at.clock.advance(2_000)
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
    client.socket.destroy()
  })

  test('whose refusal fails ends the connection and nothing else', async () => {
    const at = await start()
    at.ports.refuse = () => {
      throw new Error('a bug')
    }
    const client = await connectIdentified(at, pki)
    client.socket.write('garbage, garbage')
    expect(await client.ended).toBe('end')
    expect(at.log.map((line) => line.level)).toEqual(['warn', 'error'])
  })
})

describe('an answer', () => {
  test('is wiped once it has left, alone or together with others', async () => {
    const at = await start()
    const answers: Uint8Array[] = []
    at.ports.respond = async (message) => {
      const bytes = answerTo(message)
      answers.push(bytes)
      return { bytes, wipe: () => bytes.fill(0) }
    }
    const client = await connectIdentified(at, pki)
    client.socket.write(request('alone'))
    expect(await client.received(16)).toEqual(answer('alone'))
    client.socket.write(Buffer.concat([request('this'), request('that')]))
    await client.received(48)
    await vi.waitFor(() => expect(answers).toEqual(Array(3).fill(Buffer.alloc(16))))
    client.socket.destroy()
  })

  test('can end the connection', async () => {
    const at = await start()
    at.ports.respond = async (message) => ({ bytes: answerTo(message), close: true })
    const client = await connectIdentified(at, pki)
    client.socket.write(Buffer.concat([request('last'), request('later')]))
    expect(await client.ended).toBe('end')
    expect(await client.received(0)).toEqual(answer('last'))
  })

  test('that fails ends its connection, is logged, and hurts nobody else', async () => {
    const at = await start()
    const other = await connectIdentified(at, pki, pki.beta)
    at.ports.respond = async (message, session) => {
      if (session.principal.name === 'alpha') throw new Error('a bug')
      return { bytes: answerTo(message) }
    }
    const client = await connectIdentified(at, pki)
    client.socket.write(request('hello'))
    expect(await client.ended).toBe('end')
    expect(at.log).toMatchObject([{ level: 'error', fields: { client: 'alpha' } }])
    other.socket.write(request('hello'))
    expect(await other.received(16)).toEqual(answer('hello'))
    other.socket.destroy()
  })

  test('to a client that is gone is wiped', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const client = await connectIdentified(at, pki)
    client.socket.write(request('hello'))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    client.socket.destroy()
    const wipe = vi.fn()
    asked[0]?.({ wipe })
    await vi.waitFor(() => expect(wipe).toHaveBeenCalledOnce())
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
  })
})

describe('cut after its time is', () => {
  test('a client that does not read its answers, and they are wiped', async () => {
    const at = await start()
    const wipe = vi.fn()
    const respond = vi.fn(async () => ({ bytes: new Uint8Array(16 * 1024 * 1024), wipe }))
    at.ports.respond = respond
    const client = await connectIdentified(at, pki)
    client.socket.pause()
    client.socket.write(Buffer.concat(bodies(10).map(request)))
    await vi.waitFor(() => expect(respond).toHaveBeenCalledOnce())
    await vi.waitFor(() => {
      at.clock.advance(10_000)
      expect(at.listener.statistics().open.sessions).toBe(0)
    })
    expect(respond).toHaveBeenCalledOnce()
    expect(wipe).toHaveBeenCalledOnce()
    expect(at.log.at(-1)?.message).toBe('client does not read its answer: connection cut')
    client.socket.destroy()
  })

  test('a message that is never finished, however slowly it drips', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.write(Buffer.concat([request('whole'), request('partial').subarray(0, 9)]))
    await client.received(16)
    at.clock.advance(29_000)
    await new Promise((resolve) => client.socket.write('x', resolve))
    at.clock.advance(1_000)
    expect(await client.ended).toBe('end')
    expect(at.log.at(-1)?.message).toBe('client did not finish its message: connection ended')
  })

  test('an idle connection, after hours, with close_notify', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    at.clock.advance(4 * 3_600_000 - 1_000)
    client.socket.write(request('still here'))
    await client.received(24)
    at.clock.advance(3 * 3_600_000)
    client.socket.write(request('and here'))
    expect(await client.received(40)).toHaveLength(40)
    at.clock.advance(4 * 3_600_000)
    expect(await client.ended).toBe('end')
  })

  test('never a request that takes long', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const client = await connectIdentified(at, pki)
    client.socket.write(request('hello'))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    at.clock.advance(24 * 3_600_000)
    asked[0]?.()
    expect(await client.received(16)).toEqual(answer('hello'))
    client.socket.destroy()
  })
})

describe('a connection that is turned round', () => {
  /** Turns the connection of alpha round with the answer to its first request. */
  async function turned(at: TestListener, ...behind: Buffer[]) {
    const handed: { socket: TLSSocket; version: number }[] = []
    at.ports.turn = (socket, _, version) => void handed.push({ socket, version })
    at.ports.respond = async (message) => ({ bytes: answerTo(message), turned: 0x0201 })
    const client = await connectIdentified(at, pki)
    client.socket.write(Buffer.concat([request('turn'), ...behind]))
    expect(await client.received(16)).toEqual(answer('turn'))
    return { client, handed }
  }

  test('is handed over when the answer is written, and idle for as long as it likes', async () => {
    const at = await start()
    const { client, handed } = await turned(at)
    await vi.waitFor(() => expect(handed).toHaveLength(1))
    expect(handed[0]!.version).toBe(0x0201)
    at.ports.respond = () => Promise.reject(new Error('nobody is answered any more'))
    const heard = new Promise((resolve) => handed[0]!.socket.once('data', resolve))
    client.socket.write('an answer')
    expect(String(await heard)).toBe('an answer')
    at.clock.advance(24 * 3_600_000)
    handed[0]!.socket.write('a question')
    expect(String(await client.received(26))).toMatch(/a question$/u)
    client.socket.destroy()
  })

  test('ends with the right of its client to be here, and when the listener closes', async () => {
    const at = await start()
    const revoked = await turned(at)
    at.enrolled.delete(fingerprint(pki.alpha))
    await at.listener.recheck()
    await revoked.client.ended
    at.enrolled.set(fingerprint(pki.alpha), { name: 'alpha' })
    const { client } = await turned(at)
    const closed = at.listener.close()
    await client.ended
    await closed
  })

  test('is none when more was sent behind the request', async () => {
    const { client, handed } = await turned(await start(), request('behind'))
    expect(await client.ended).toBe('end')
    expect(handed).toEqual([])
  })
})

describe('closing', () => {
  test('answers what has arrived, ends the idle with close_notify, and takes nobody new', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const busy = await connectIdentified(at, pki)
    const idle = await connectIdentified(at, pki, pki.beta)
    busy.socket.write(Buffer.concat(bodies(2).map(request)))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const closed = at.listener.close()
    expect(await idle.ended).toBe('end')
    await expect(connectTls(at, pki)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    asked[0]?.()
    await vi.waitFor(() => expect(asked).toHaveLength(2))
    asked[1]?.()
    expect(await busy.received(48)).toEqual(Buffer.concat(bodies(2).map(answer)))
    expect(await busy.ended).toBe('end')
    await closed
    expect(at.clock.running).toBe(0)
  })

  test('cuts a request that is not answered in time', async () => {
    const at = await start()
    const asked = answersOnDemand(at)
    const client = await connectIdentified(at, pki)
    client.socket.write(request('hello'))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const closed = at.listener.close()
    at.clock.advance(8_000)
    await closed
    expect(await client.received(16)).toHaveLength(0)
  })
})
