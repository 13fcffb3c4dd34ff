// A connection that carries messages in HTTPS requests, in TTLV, XML or JSON. It speaks binary messages
// to the player all the same: what is compared is always the message, whatever form it travelled in.
import { Agent, request } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { decodeItem, encodeItem, fromJson, fromXml, toJson, toXml, type Item } from 'ttlv-codec'
import { textVocabulary } from '../../src/kmip/model/text-vocabulary.ts'
import { maxAnswer, patience, type Connection, type Credentials, type HttpsPort } from './target.ts'

/** The forms a message may travel in: over TLS as it is, or in HTTPS requests. */
export const forms = ['tls', 'https', 'xml', 'json'] as const
export type Form = (typeof forms)[number]

interface Body {
  readonly type: string
  write(message: Uint8Array): Uint8Array
  read(answer: Uint8Array): Uint8Array
}

const limits = { maxBytes: maxAnswer, maxDepth: 64, maxItems: 200_000 }

function text(type: string, write: (item: Item) => string, read: (body: string) => Item): Body {
  return {
    type,
    write: (message) => Buffer.from(write(decodeItem(message, limits))),
    read: (answer) => encodeItem(read(new TextDecoder('utf-8', { fatal: true }).decode(answer))),
  }
}

const bodies: Readonly<Record<Exclude<Form, 'tls'>, Body>> = {
  https: {
    type: 'application/octet-stream',
    write: (message) => message,
    read: (answer) => answer,
  },
  xml: text(
    'text/xml',
    (item) => toXml(item, textVocabulary),
    (body) => fromXml(body, textVocabulary, limits),
  ),
  json: text(
    'application/json',
    (item) => toJson(item, textVocabulary),
    (body) => fromJson(body, textVocabulary, limits),
  ),
}

/** Opens a connection that is kept alive from request to request; the first one connects. */
export function connectHttps(
  { host, port, path }: HttpsPort,
  credentials: Credentials,
  form: Exclude<Form, 'tls'>,
): Connection {
  const { type, write, read } = bodies[form]
  const agent = new Agent({ ...credentials, keepAlive: true, maxSockets: 1 })
  return {
    async exchange(message) {
      const body = write(message)
      const headers = {
        'Content-Type': type,
        'Content-Length': body.length,
        'Cache-Control': 'no-cache',
      }
      const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
      const signal = AbortSignal.timeout(patience)
      const asked = request({ agent, host, port, path, method: 'POST', headers, signal })
      asked.once('error', (cause) => reject(new Error('the connection broke', { cause })))
      asked.once('response', (response) => {
        const problem = headProblem(response, type)
        buffer(response).then(
          (bytes) => (problem ? reject(new Error(problem)) : resolve(bytes)),
          reject,
        )
      })
      asked.end(body)
      return read(await promise)
    },
    [Symbol.dispose]: () => agent.destroy(),
  }
}

/** What is wrong with the head of an answer: KMIP Profiles, HTTPS profile. */
function headProblem(
  response: {
    statusCode?: number | undefined
    headers: Record<string, string | string[] | undefined>
  },
  type: string,
): string | undefined {
  const { statusCode, headers } = response
  if (statusCode !== 200) return `HTTP status ${statusCode}`
  const [given] = String(headers['content-type']).split(';')
  if (given !== type) return `the answer is ${given}, expected ${type}`
  if (headers['content-length'] === undefined) return 'the answer has no Content-Length'
  return undefined
}
