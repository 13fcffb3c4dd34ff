// KMIP over HTTPS: three encodings answered in kind, HTTP's own refusals, and the limits of the binary port.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { EncodeError, encodeItem, fromJson, fromXml, toJson, toXml, type Item } from 'ttlv-codec'
import { tagNumber } from '../../../src/kmip/model/tags.ts'
import { textVocabulary } from '../../../src/kmip/model/text-vocabulary.ts'
import type { ListenerOptions } from '../../../src/kmip/server/listener.ts'
import type { Answer } from '../../../src/kmip/server/ports.ts'
import { refuseStream } from '../../../src/kmip/server/respond.ts'
import {
  answerTo,
  connectIdentified,
  connectTls,
  fingerprint,
  startListener,
  stopListener,
  type TestClient,
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

const start = async (options: ListenerOptions = {}): Promise<TestListener> =>
  (server = await startListener(pki, { https: { path: '/kmip' }, ...options }))

/** A request message of KMIP 2.1 that says `word`. */
function messageOf(
  word: string,
  tag: 'RequestMessage' | 'ResponseMessage' = 'RequestMessage',
): Item {
  const number = (name: string, value: number): Item =>
    ({ tag: tagNumber(name), type: 'Integer', value }) as Item
  const inside = (name: string, value: Item[]): Item =>
    ({ tag: tagNumber(name), type: 'Structure', value }) as Item
  const header = inside(tag === 'RequestMessage' ? 'RequestHeader' : 'ResponseHeader', [
    inside('ProtocolVersion', [
      number('ProtocolVersionMajor', 2),
      number('ProtocolVersionMinor', 1),
    ]),
  ])
  const said = { tag: tagNumber('ResultMessage'), type: 'TextString', value: word } as Item
  return inside(tag, [header, said])
}

const ttlv = (word: string): Buffer => Buffer.from(encodeItem(messageOf(word)))

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly type?: string
  readonly headers?: readonly string[]
  readonly body?: string | Uint8Array
}

/** The bytes of one HTTP request. */
function post({ method = 'POST', path = '/kmip', type, headers = [], body = '' }: Sent): Buffer {
  const bytes = Buffer.from(body)
  const hasLength = !headers.some((line) => /^(content-length|transfer-encoding)/i.test(line))
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: keys.example.org',
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    ...(hasLength ? [`Content-Length: ${bytes.length}`] : []),
    ...headers,
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes])
}

interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** The next `count` responses of a connection. */
async function responses(client: TestClient, count: number): Promise<Got[]> {
  const got: Got[] = []
  let at = 0
  while (got.length < count) {
    const bytes = await client.received(at + 1)
    const end = bytes.indexOf('\r\n\r\n', at)
    const [first = '', ...lines] = bytes.subarray(at, Math.max(end, at)).toString().split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [line.split(': ')[0]!.toLowerCase(), line.slice(line.indexOf(': ') + 2)]),
    )
    const length = Number(headers['content-length'] ?? 0)
    const whole = await client.received(end + 4 + length)
    const body = whole.subarray(end + 4, end + 4 + length)
    got.push({ status: Number(first.split(' ')[1]), headers, body })
    at = end + 4 + length
  }
  return got
}

async function ask(at: TestListener, sent: Sent): Promise<Got> {
  const client = await connectIdentified(at, pki)
  client.socket.write(post(sent))
  const [got] = await responses(client, 1)
  client.socket.destroy()
  return got!
}

const octets = 'application/octet-stream'

describe('a message', () => {
  test('in TTLV is answered in TTLV, and is not to be kept by caches', async () => {
    const { status, headers, body } = await ask(await start(), {
      type: octets,
      body: ttlv('hello'),
    })
    expect(status).toBe(200)
    expect(headers).toMatchObject({ 'content-type': octets, 'cache-control': 'no-cache' })
    expect(body).toEqual(answerTo(ttlv('hello')))
  })

  test.each([
    ['text/xml', toXml, fromXml],
    ['application/json', toJson, fromJson],
  ] as const)(
    'in %s reaches the engine as TTLV and is answered in kind',
    async (type, to, from) => {
      const at = await start()
      const seen: Buffer[] = []
      at.ports.respond = async (message) => {
        seen.push(Buffer.from(message))
        return { bytes: encodeItem(messageOf('done', 'ResponseMessage')) }
      }
      const text = to(messageOf('hello'), textVocabulary)
      const { headers, body } = await ask(at, { type: `${type}; charset=UTF-8`, body: text })
      expect(seen).toEqual([ttlv('hello')])
      expect(headers['content-type']).toBe(type)
      const answer = from(body.toString(), textVocabulary)
      expect(answer).toEqual(messageOf('done', 'ResponseMessage'))
    },
  )

  test('is taken at the path of the configuration, whatever the query behind it', async () => {
    const at = await start({ https: { path: '/keys' } })
    const body = ttlv('hello')
    expect((await ask(at, { path: '/keys?x=1', type: octets, body })).status).toBe(200)
    expect((await ask(at, { path: '/kmip', type: octets, body })).status).toBe(404)
  })

  test('may arrive before its sender is identified, and one byte at a time', async () => {
    const at = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    const { identify } = at.ports
    at.ports.identify = async (peer, date) => {
      await promise
      return identify(peer, date)
    }
    const early = await connectTls(at, pki)
    const bytes = post({ type: octets, body: ttlv('early') })
    for (const byte of bytes.subarray(0, 60))
      await new Promise((sent) => early.socket.write(Buffer.of(byte), sent))
    resolve()
    for (const byte of bytes.subarray(60))
      await new Promise((sent) => early.socket.write(Buffer.of(byte), sent))
    expect((await responses(early, 1))[0]?.body).toEqual(answerTo(ttlv('early')))
    early.socket.destroy()
  })

  test('announced with Expect: 100-continue is waited for, or refused before it is sent', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    const bytes = post({ type: octets, headers: ['Expect: 100-continue'], body: ttlv('hello') })
    const head = bytes.indexOf('\r\n\r\n') + 4
    client.socket.write(bytes.subarray(0, head))
    const continued = 'HTTP/1.1 100 Continue\r\n\r\n'
    expect((await client.received(continued.length)).toString()).toBe(continued)
    client.socket.write(bytes.subarray(head))
    expect((await responses(client, 2))[1]?.body).toEqual(answerTo(ttlv('hello')))
    const headers = ['Expect: 100-continue', 'Content-Length: 9999999']
    expect((await ask(at, { type: octets, headers })).status).toBe(413)
    client.socket.destroy()
  })
})

describe('requests on one connection', () => {
  test('are answered one at a time, in order, and keep it open', async () => {
    const at = await start()
    const asked: ((answer: Answer) => void)[] = []
    at.ports.respond = () => new Promise((resolve) => asked.push(resolve))
    const client = await connectIdentified(at, pki)
    const words = ['one', 'two', 'three']
    client.socket.write(
      Buffer.concat(words.map((word) => post({ type: octets, body: ttlv(word) }))),
    )
    for (const [index, word] of words.entries()) {
      await vi.waitFor(() => expect(asked).toHaveLength(index + 1))
      asked[index]!({ bytes: Buffer.from(word) })
    }
    const got = await responses(client, 3)
    expect(got.map(({ body }) => body.toString())).toEqual(words)
    expect(got[2]?.headers['connection']).toBe('keep-alive')
    expect(at.listener.statistics().clients).toMatchObject([{ client: 'alpha', requests: 3 }])
    client.socket.destroy()
  })

  const wordsOf = (count: number) => Array.from({ length: count }, (_, index) => `word ${index}`)
  const sentAhead = (words: readonly string[], headers?: string[]) =>
    Buffer.concat(
      words.map((word) => post({ type: octets, body: ttlv(word), ...(headers && { headers }) })),
    )
  const bodiesOf = (got: readonly Got[]) => got.map(({ body }) => body)
  const answersTo = (words: readonly string[]) => words.map((word) => answerTo(ttlv(word)))

  test.each([17, 40, 1000])('may be sent ahead, %i in one piece', async (count) => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    const words = wordsOf(count)
    client.socket.write(sentAhead(words))
    expect(bodiesOf(await responses(client, count))).toEqual(answersTo(words))
    expect(at.log).toEqual([])
    client.socket.destroy()
  })

  test('sent ahead without measure wait in the socket, as many as were not read yet', async () => {
    const at = await start()
    const asked: ((answer: Answer) => void)[] = []
    at.ports.respond = () => new Promise((resolve) => asked.push(resolve))
    let arrived = 0
    let mostWaiting = 0
    let answered = 0
    const arrive = (): void => void (mostWaiting = Math.max(mostWaiting, ++arrived - answered))
    subscribe('http.server.request.start', arrive)
    try {
      const client = await connectIdentified(at, pki)
      const words = wordsOf(1500)
      const bytes = sentAhead(words)
      client.socket.write(bytes)
      for (; answered < words.length; answered++) {
        await vi.waitFor(() => expect(asked.length).toBe(answered + 1), { interval: 1 })
        asked[answered]!({ bytes: answerTo(ttlv(words[answered]!)) })
      }
      expect(bodiesOf(await responses(client, words.length))).toEqual(answersTo(words))
      // What one read of the socket gives, with a record of TLS that was incomplete before.
      const length = bytes.length / words.length
      expect(mostWaiting).toBeLessThan((65_536 + 16_384) / length + 2)
      expect(mostWaiting).toBeGreaterThan(16)
      client.socket.destroy()
    } finally {
      unsubscribe('http.server.request.start', arrive)
    }
  }, 30_000)

  test('behind one that is refused are not done, and hardly read', async () => {
    const at = await start()
    let arrived = 0
    const arrive = (): void => void arrived++
    subscribe('http.server.request.start', arrive)
    try {
      const client = await connectIdentified(at, pki)
      const bytes = sentAhead(wordsOf(20_000))
      client.socket.write(Buffer.concat([post({ method: 'GET' }), bytes]))
      expect((await responses(client, 1))[0]?.status).toBe(405)
      expect(await client.ended).toBe('end')
      await vi.waitFor(() => {
        at.clock.advance(2_000)
        expect(at.listener.statistics().open.sessions).toBe(0)
      })
      expect(at.listener.statistics().clients).toMatchObject([{ requests: 0 }])
      expect(arrived).toBeLessThan((65_536 + 16_384) / (bytes.length / 20_000) + 2)
    } finally {
      unsubscribe('http.server.request.start', arrive)
    }
  })

  test('with long answers are all answered to a client that reads slowly', async () => {
    const at = await start()
    at.ports.respond = async (message) => ({
      bytes: Buffer.concat([answerTo(message), Buffer.alloc(200_000, 1)]),
    })
    const client = await connectIdentified(at, pki)
    client.socket.pause()
    const words = wordsOf(40)
    client.socket.write(sentAhead(words))
    await vi.waitFor(() => {
      expect(at.listener.statistics().clients[0]?.requests).toBeGreaterThan(1)
    })
    client.socket.resume()
    const got = await responses(client, words.length)
    const starts = got.map(({ body }, index) =>
      body.subarray(0, answerTo(ttlv(words[index]!)).length),
    )
    expect(starts).toEqual(answersTo(words))
    expect(got.every(({ body }) => body.at(-1) === 1)).toBe(true)
    client.socket.destroy()
  }, 30_000)

  test('are answered when their client closes its side right behind them', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.allowHalfOpen = true
    const words = wordsOf(40)
    client.socket.end(sentAhead(words))
    expect(bodiesOf(await responses(client, words.length))).toEqual(answersTo(words))
    expect(await client.ended).toBe('end')
    client.socket.destroy()
  })

  test('are answered when one is cut short behind them', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.allowHalfOpen = true
    const words = wordsOf(40)
    client.socket.end(Buffer.concat([sentAhead(words), sentAhead(['cut']).subarray(0, -4)]))
    expect(bodiesOf(await responses(client, words.length))).toEqual(answersTo(words))
    expect(await client.ended).toBe('end')
    expect(at.log).toEqual([])
    client.socket.destroy()
  })

  test.each([
    ['garbage', Buffer.from('garbage, garbage\r\n\r\n')],
    ['a CONNECT', Buffer.from('CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n')],
    [
      'a body that is none',
      post({ type: octets, headers: ['Transfer-Encoding: chunked'], body: 'no length\r\n' }),
    ],
  ])('are answered before %s behind them is refused', async (_, garbage) => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    const words = wordsOf(40)
    client.socket.write(Buffer.concat([sentAhead(words), garbage, garbage]))
    const got = await responses(client, words.length + 1)
    expect(bodiesOf(got.slice(0, -1))).toEqual(answersTo(words))
    expect(got.at(-1)).toMatchObject({ status: 400, headers: { connection: 'close' } })
    expect(await client.ended).toBe('end')
    expect(at.log.map(({ message }) => message)).toEqual(['no HTTP request'])
  })

  test('end with the one that says so, and what is sent behind it is not done', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    const last = sentAhead(['last'], ['Connection: close'])
    client.socket.write(Buffer.concat([sentAhead(['one', 'two']), last, sentAhead(wordsOf(40))]))
    const got = await responses(client, 3)
    expect(bodiesOf(got)).toEqual(answersTo(['one', 'two', 'last']))
    expect(got[2]?.headers['connection']).toBe('close')
    expect(await client.ended).toBe('end')
    expect(at.listener.statistics().clients).toMatchObject([{ requests: 3 }])
  })

  test('that have arrived are answered when the listener closes, then the connection ends', async () => {
    const at = await start()
    const asked: ((answer: Answer) => void)[] = []
    at.ports.respond = () => new Promise((resolve) => asked.push(resolve))
    const client = await connectIdentified(at, pki)
    client.socket.write(sentAhead(['one', 'two', 'three']))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const closed = at.listener.close()
    for (const [index, word] of ['one', 'two', 'three'].entries()) {
      await vi.waitFor(() => expect(asked).toHaveLength(index + 1))
      asked[index]!({ bytes: Buffer.from(word) })
    }
    const got = await responses(client, 3)
    expect(got.map(({ body, headers }) => `${body} ${headers['connection']}`)).toEqual([
      'one keep-alive',
      'two keep-alive',
      'three close',
    ])
    expect(await client.ended).toBe('end')
    await closed
  })
})

describe('an error of our own', () => {
  test('is answered with where to look it up, and the connection goes on', async () => {
    const at = await start()
    at.ports.respond = vi
      .fn(at.ports.respond)
      .mockRejectedValueOnce(new EncodeError('value', 'a bug'))
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('one') }))
    client.socket.write(post({ type: octets, body: ttlv('two') }))
    const [failed, fine] = await responses(client, 2)
    const correlation = at.log[0]?.fields['correlation']
    expect(at.log).toMatchObject([
      {
        level: 'error',
        message: 'a request failed for a reason of our own',
        fields: { err: { message: 'a bug' }, client: 'alpha', correlation: expect.any(String) },
      },
    ])
    expect(failed?.status).toBe(500)
    expect(failed?.body.toString()).toBe(
      `internal error, see the server's log under ${String(correlation)}\n`,
    )
    expect(fine).toMatchObject({ status: 200, body: answerTo(ttlv('two')) })
    client.socket.destroy()
  })

  test('is logged also when the connection is gone', async () => {
    const at = await start()
    const { promise, reject } = Promise.withResolvers<Answer>()
    const respond = vi.fn(() => promise)
    at.ports.respond = respond
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('hello') }))
    await vi.waitFor(() => expect(respond).toHaveBeenCalledOnce())
    at.enrolled.set(fingerprint(pki.alpha), 'revoked')
    expect(await at.listener.recheck()).toBe(1)
    await client.ended
    reject(new Error('a bug'))
    await vi.waitFor(() => expect(at.log.some(({ level }) => level === 'error')).toBe(true))
  })
})

describe('what HTTP alone can say no to', () => {
  const body = ttlv('hello')
  test.each<[string, Sent, number, Record<string, string>]>([
    ['another method', { method: 'PUT', type: octets, body }, 405, { allow: 'POST' }],
    ['a plain look', { method: 'GET' }, 405, { allow: 'POST' }],
    ['another path', { path: '/', type: octets, body }, 404, {}],
    ['a path below', { path: '/kmip/x', type: octets, body }, 404, {}],
    ['no content type', { body }, 415, { 'accept-post': `${octets}, text/xml, application/json` }],
    ['a form', { type: 'application/x-www-form-urlencoded', body }, 415, {}],
    ['another character set', { type: 'text/xml; charset=latin1', body }, 415, {}],
    [
      'a compressed body',
      { type: octets, headers: ['Content-Encoding: gzip'], body },
      415,
      { 'accept-encoding': 'identity' },
    ],
    ['a body too long', { type: octets, body: Buffer.alloc(2048) }, 413, {}],
  ])('%s gets its status, and no answer of the engine', async (_, sent, status, headers) => {
    const at = await start({ limits: { messageBytes: 1024 } })
    const respond = vi.fn(at.ports.respond)
    at.ports.respond = respond
    const client = await connectIdentified(at, pki)
    client.socket.write(post(sent))
    const [got] = await responses(client, 1)
    expect(got).toMatchObject({ status, headers: { 'cache-control': 'no-cache', ...headers } })
    await client.ended
    expect(respond).not.toHaveBeenCalled()
  })

  test('a body that goes on past the limit is refused while it is still being sent', async () => {
    const at = await start({ limits: { messageBytes: 1024 } })
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, headers: ['Transfer-Encoding: chunked'] }))
    const chunk = Buffer.concat([Buffer.from('400\r\n'), Buffer.alloc(1024), Buffer.from('\r\n')])
    client.socket.write(Buffer.concat([chunk, chunk]))
    expect((await responses(client, 1))[0]?.status).toBe(413)
    client.socket.write(chunk)
    at.clock.advance(2_000)
    await client.ended
  })

  test.each([
    ['no HTTP at all', 'garbage, garbage\r\n\r\n', 400],
    ['a KMIP message as it is', encodeItem(messageOf('hello')), 400],
    [
      'two lengths',
      'POST /kmip HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a head without measure', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
  ])('%s ends the connection with a status', async (_, bytes, status) => {
    const client = await connectIdentified(await start(), pki)
    client.socket.write(bytes)
    expect((await responses(client, 1))[0]?.status).toBe(status)
    await client.ended
  })
})

describe('a body that is no message', () => {
  const version =
    '<ProtocolVersion><ProtocolVersionMajor type="Integer" value="2"/>' +
    '<ProtocolVersionMinor type="Integer" value="0"/></ProtocolVersion>'
  const header = `<RequestHeader>${version}</RequestHeader>`
  const versionJson = fromXml(version, textVocabulary)
  const headerJson = `{"tag":"RequestHeader","value":[${toJson(versionJson, textVocabulary)}]}`
  const deep = (open: string, inner: string, close: string) =>
    `${open.repeat(100)}${inner}${close.repeat(100)}`

  test.each([
    ['cut short', 'text/xml', `<RequestMessage>${header}`, '1.0'],
    [
      'an unknown name',
      'text/xml',
      `<RequestMessage>${header}<NoSuchTag/></RequestMessage>`,
      '2.0',
    ],
    [
      'an unknown name',
      'application/json',
      `{"tag":"RequestMessage","value":[${headerJson},{"tag":"NoSuchTag","value":[]}]}`,
      '2.0',
    ],
    ['cut short', 'application/json', `{"tag":"RequestMessage","value":[${headerJson}`, '1.0'],
    [
      'half a surrogate pair',
      'application/json',
      `{"tag":"RequestMessage","value":[${headerJson},${'{"tag":"ResultMessage","type":"TextString","value":"\\ud800"}'}]}`,
      '2.0',
    ],
    [
      'a character that XML does not have',
      'text/xml',
      `<RequestMessage>${header}<ResultMessage type="TextString" value="&#0;"/></RequestMessage>`,
      '1.0',
    ],
    [
      'a version of arrays without end',
      'application/json',
      `{"tag":"RequestMessage","value":[{"tag":"RequestHeader","value":[{"tag":"ProtocolVersion","value":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}]}`,
      '1.0',
    ],
    ['no bytes', 'text/xml', '', '1.0'],
    ['no bytes', 'application/json', '', '1.0'],
    ['an array', 'application/json', '[null]', '1.0'],
    ['no UTF-8', 'text/xml', Buffer.from([0x3c, 0xff, 0xfe]), '1.0'],
    [
      'entities',
      'text/xml',
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><RequestMessage>&b;</RequestMessage>',
      '1.0',
    ],
    [
      'an external entity',
      'text/xml',
      '<!DOCTYPE x SYSTEM "file:///etc/passwd"><RequestMessage/>',
      '1.0',
    ],
    ['too deep', 'text/xml', deep('<KeyBlock>', '', '</KeyBlock>'), '1.0'],
    ['too deep', 'application/json', deep('{"tag":"KeyBlock","value":[', '', ']}'), '1.0'],
    [
      'too many items',
      'text/xml',
      `<RequestMessage>${'<KeyBlock/>'.repeat(300)}</RequestMessage>`,
      '1.0',
    ],
  ])('%s in %s is answered Invalid Message in kind', async (_, type, body, spoken) => {
    const at = await start({ limits: { messageDepth: 32, messageItems: 200 } })
    const respond = vi.fn(at.ports.respond)
    at.ports.respond = respond
    at.ports.refuse = refuseStream
    const got = await ask(at, { type, body })
    expect(got.status).toBe(200)
    expect(got.headers['content-type']).toBe(type)
    const read = type === 'text/xml' ? fromXml : fromJson
    const text = toXml(read(got.body.toString(), textVocabulary), textVocabulary)
    expect(text).toContain('<ResultReason type="Enumeration" value="InvalidMessage"/>')
    const [major, minor] = spoken.split('.')
    expect(text).toContain(`Major type="Integer" value="${major}"`)
    expect(text).toContain(`Minor type="Integer" value="${minor}"`)
    expect(respond).not.toHaveBeenCalled()
  })

  test('an answer with text that XML has no characters for is a failure, not a dead connection', async () => {
    const at = await start()
    const wipe = vi.fn()
    at.ports.respond = async () => ({
      bytes: encodeItem(messageOf('nul \0', 'ResponseMessage')),
      wipe,
    })
    at.ports.refuse = refuseStream
    const body = toXml(messageOf('hello'), textVocabulary)
    const got = await ask(at, { type: 'text/xml', body })
    expect(got.body.toString()).toMatch(/InvalidMessage[\s\S]*text\/xml cannot carry the answer/)
    expect(wipe).toHaveBeenCalledOnce()
  })
})

describe('a connection', () => {
  test('whose client dribbles the head or the body of a request is ended with 408', async () => {
    const at = await start({ limits: { partialMessageTime: 10_000, idleTime: 60_000 } })
    const bytes = post({ type: octets, body: ttlv('hello') })
    for (const cut of [20, bytes.length - 1]) {
      const client = await connectIdentified(at, pki)
      client.socket.write(bytes.subarray(0, cut))
      await vi.waitFor(() => {
        at.clock.advance(6_000)
        expect(at.listener.statistics().open.sessions).toBe(0)
      })
      expect((await responses(client, 1))[0]?.status).toBe(408)
    }
  })

  test('without a request is ended after the idle time', async () => {
    const at = await start({ limits: { idleTime: 60_000 } })
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('hello') }))
    await responses(client, 1)
    at.clock.advance(59_000)
    client.socket.write(post({ type: octets, body: ttlv('again') }))
    await responses(client, 2)
    at.clock.advance(59_000)
    expect(at.listener.statistics().open.sessions).toBe(1)
    at.clock.advance(2_000)
    expect(await client.ended).toBe('end')
  })

  test('whose client does not read its answer is cut, and the answer is cleared', async () => {
    const at = await start({ limits: { unreadAnswerTime: 5_000 } })
    const wipe = vi.fn()
    at.ports.respond = async () => ({ bytes: Buffer.alloc(32 << 20), wipe })
    const client = await connectIdentified(at, pki)
    client.socket.pause()
    client.socket.write(post({ type: octets, body: ttlv('hello') }))
    await vi.waitFor(() => {
      at.clock.advance(6_000)
      expect(at.listener.statistics().open.sessions).toBe(0)
    })
    expect(wipe).toHaveBeenCalledOnce()
    client.socket.destroy()
  })

  test('of a withdrawn client is cut, and its answer does not leave', async () => {
    const at = await start()
    const { promise, resolve } = Promise.withResolvers<void>()
    const wipe = vi.fn()
    const respond = vi.fn(async () => {
      await promise
      return { bytes: ttlv('secret'), wipe }
    })
    at.ports.respond = respond
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('hello') }))
    await vi.waitFor(() => expect(respond).toHaveBeenCalledOnce())
    at.enrolled.set(fingerprint(pki.alpha), 'revoked')
    expect(await at.listener.recheck()).toBe(1)
    resolve()
    await client.ended
    expect(await client.received(0)).toHaveLength(0)
    await vi.waitFor(() => expect(wipe).toHaveBeenCalledOnce())
  })

  test('is drained: the request under way is answered, an idle one just ends', async () => {
    const at = await start()
    const asked: ((answer: Answer) => void)[] = []
    at.ports.respond = () => new Promise((resolve) => asked.push(resolve))
    const idle = await connectIdentified(at, pki, pki.beta)
    const busy = await connectIdentified(at, pki)
    busy.socket.write(post({ type: octets, body: ttlv('hello') }))
    await vi.waitFor(() => expect(asked).toHaveLength(1))
    const closed = at.listener.close()
    expect(await idle.ended).toBe('end')
    asked[0]!({ bytes: Buffer.from('answer') })
    const [got] = await responses(busy, 1)
    expect(got?.body.toString()).toBe('answer')
    expect(got?.headers['connection']).toBe('close')
    await closed
  })

  test('ends when its client closes its side between two requests', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('hello') }))
    await responses(client, 1)
    client.socket.end()
    expect(await client.ended).toBe('end')
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
    expect(at.log).toEqual([])
  })

  test('of a client without an enrolled certificate never gets as far as HTTP', async () => {
    const at = await start()
    const stranger = await connectTls(at, pki, pki.expired)
    stranger.socket.write(post({ type: octets, body: ttlv('hello') }))
    await stranger.ended
    expect(await stranger.received(0)).toHaveLength(0)
    expect(at.log[0]?.fields).toMatchObject({ reason: 'expired' })
  })

  test('may end in the middle of a request without an error in the log', async () => {
    const at = await start()
    const client = await connectIdentified(at, pki)
    client.socket.write(post({ type: octets, body: ttlv('hello') }).subarray(0, -4))
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(1))
    client.socket.destroy()
    await vi.waitFor(() => expect(at.listener.statistics().open.sessions).toBe(0))
    expect(at.log.filter(({ level }) => level !== 'debug')).toEqual([])
  })
})
