// Plays one case over one connection: sends each request, compares each answer.
import { setTimeout as delay } from 'node:timers/promises'
import { decodeItem, encodeItem, version, type Item, type Version } from 'ttlv-codec'
import { readExchanges, type CaseFile } from './case-files.ts'
import { compare } from './compare.ts'
import { expectedMessage, filled, UnboundPlaceholder } from './expected.ts'
import { enumerationName, field, fields } from './items.ts'
import { newCase, type RunMemory } from './memory.ts'
import { noteAnswer, noteRequest } from './observe.ts'
import { strictProblem } from './strict.ts'
import { patience, type Connection, type Sender } from './target.ts'

/** What came of a case: nothing to say when it passed. */
export interface Outcome {
  readonly name: string
  /** `request 2: ResponseMessage/…: expected …, found …` */
  readonly differences: readonly string[]
}

/**
 * Plays a case to its end, also past a wrong answer, so that the objects it made are destroyed;
 * it ends early when the connection does, or when a request needs what no answer has shown.
 * `now` is the start of the case in seconds.
 */
export async function play(
  file: CaseFile,
  connection: Connection,
  run: RunMemory,
  now: bigint,
): Promise<Outcome> {
  const memory = newCase(run, now)
  const differences: string[] = []
  const exchanges = await readExchanges(file)
  for (const [at, { request: asked, answer: published }] of exchanges.entries()) {
    const say = (what: string): void => void differences.push(`request ${at + 1}: ${what}`)
    const request = expectedMessage(asked)
    let sent: Item
    try {
      sent = filled(request, memory)
    } catch (error) {
      if (!(error instanceof UnboundPlaceholder)) throw error
      say(`not sent, ${error.message}`)
      break
    }
    noteRequest(request, memory)
    const wanted = expectedMessage(published)
    let bytes: Uint8Array
    try {
      bytes = await settled(connection, sent, wanted.item)
    } catch (error) {
      say(reasons(error))
      break
    }
    const spoken = versionOf(sent) ?? file.version
    const strict = strictProblem(bytes, spoken)
    if (strict !== undefined) say(strict)
    const answer = decodeItem(bytes)
    noteAnswer(answer, memory, sent)
    const exchanged = { version: spoken, request: sent, answer }
    compare(wanted, exchanged, memory).forEach(say)
  }
  return { name: file.name, differences }
}

/**
 * The answer to a request. A Poll whose published answer is final is sent again while the operation it
 * asks about is still under way: how long that takes is the server's affair.
 */
async function settled(connection: Connection, sent: Item, published: Item): Promise<Uint8Array> {
  const header = field(sent, 'RequestHeader')
  const sender: Sender = field(header, 'Authentication') === undefined ? 'client' : 'user'
  const request = encodeItem(sent)
  const asksAgain = isPoll(sent) && !isPending(published)
  const until = performance.now() + patience
  for (;;) {
    const answer = await connection.exchange(request, sender)
    if (!asksAgain || performance.now() >= until || !isPending(decodeItem(answer))) return answer
    await delay(pollPause)
  }
}

/** Milliseconds between two questions whether an operation is done. */
const pollPause = 100

function isPoll(request: Item): boolean {
  return fields(request, 'BatchItem').some(
    (item) => enumerationName(field(item, 'Operation')) === 'Poll',
  )
}

function isPending(answer: Item): boolean {
  return fields(answer, 'BatchItem').some(
    (item) => enumerationName(field(item, 'ResultStatus')) === 'OperationPending',
  )
}

/** The version in a message's header. */
function versionOf(message: Item): Version | undefined {
  const header = field(message, 'RequestHeader') ?? field(message, 'ResponseHeader')
  const spoken = field(header, 'ProtocolVersion')
  const major = field(spoken, 'ProtocolVersionMajor')
  const minor = field(spoken, 'ProtocolVersionMinor')
  if (major?.type !== 'Integer' || minor?.type !== 'Integer') return undefined
  return version(`${major.value}.${minor.value}`)
}

/** The messages of an error and of what caused it. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`
}
