/**
 * What the body of an HTTP request is answered: the KMIP answer, in the form the request came in
 * (KMIP Profiles 2.1 "HTTPS"), also where one of the two cannot be said in TTLV or in that form.
 */
import { DecodeError, EncodeError, type Limits } from 'ttlv-codec'
import type { BodyEncoding } from './body-encodings.ts'
import type { Answer, ClientName, ListenerPorts, Session } from './ports.ts'

/** Who asks, whom it is passed on to, and what a message may cost. */
export interface Asked<Principal extends ClientName> {
  readonly session: Session<Principal>
  readonly ports: Pick<ListenerPorts<Principal>, 'respond' | 'refuse' | 'log'>
  readonly limits: Limits
  /** For the log. */
  readonly who: object
}

/** The answer in the encoding of its request. Rejects for a reason of our own alone. */
export async function answerInKind<Principal extends ClientName>(
  body: Uint8Array,
  encoding: BodyEncoding,
  asked: Asked<Principal>,
): Promise<Answer> {
  let message: Uint8Array
  try {
    message = encoding.toTtlv(body, asked.limits)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return noMessage(error, encoding.headOf(body, asked.limits), encoding, asked)
  }
  const answer = await asked.ports.respond(message, asked.session)
  let bytes: Uint8Array
  try {
    bytes = encoding.fromTtlv(answer.bytes)
  } catch (error) {
    answer.wipe?.()
    if (!(error instanceof EncodeError)) throw error
    const reason = `done, but ${encoding.contentType} cannot carry the answer: ${error.message}`
    return noMessage(new DecodeError('value', reason), message, encoding, asked)
  }
  if (bytes === answer.bytes) return answer
  answer.wipe?.()
  return { bytes, wipe: () => bytes.fill(0), ...(answer.close === true && { close: true }) }
}

function noMessage<Principal extends ClientName>(
  error: DecodeError,
  firstBytes: Uint8Array,
  encoding: BodyEncoding,
  { ports, who }: Asked<Principal>,
): Answer {
  ports.log.warn({ code: error.code, problem: error.message, ...who }, 'no KMIP message')
  const refusal = ports.refuse(error, firstBytes)
  if (refusal === undefined) throw error
  return { bytes: encoding.fromTtlv(refusal) }
}
