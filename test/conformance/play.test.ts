import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeItem, encodeItem, parseXml, version, type Item } from 'ttlv-codec'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CaseFile } from './case-files.ts'
import { expectedMessage } from './expected.ts'
import { field, textOf } from './items.ts'
import { newRun } from './memory.ts'
import { play } from './play.ts'
import type { Connection } from './target.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyreel-play-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const protocol = `<ProtocolVersion><ProtocolVersionMajor type="Integer" value="1"/>
  <ProtocolVersionMinor type="Integer" value="2"/></ProtocolVersion>`
const stamp = '<TimeStamp type="DateTime" value="$NOW"/>'
const count = '<BatchCount type="Integer" value="1"/>'

function request(operation: string, id: string): string {
  return `<RequestMessage><RequestHeader>${protocol}${count}</RequestHeader><BatchItem>
    <Operation type="Enumeration" value="${operation}"/><RequestPayload>
    <UniqueIdentifier type="TextString" value="${id}"/></RequestPayload></BatchItem>
    </RequestMessage>`
}

function answer(operation: string, id: string, extra = ''): string {
  return `<ResponseMessage><ResponseHeader>${protocol}${stamp}${extra}${count}</ResponseHeader>
    <BatchItem><Operation type="Enumeration" value="${operation}"/>
    <ResultStatus type="Enumeration" value="Success"/><ResponsePayload>
    <UniqueIdentifier type="TextString" value="${id}"/></ResponsePayload></BatchItem>
    </ResponseMessage>`
}

/** A case of Activate, whose answer shows an identifier, and Destroy, which sends it. */
const story =
  request('Activate', 'first') +
  answer('Activate', '$UNIQUE_IDENTIFIER_0') +
  request('Destroy', '$UNIQUE_IDENTIFIER_0') +
  answer('Destroy', '$UNIQUE_IDENTIFIER_0')

async function given(text: string): Promise<CaseFile> {
  const path = join(folder, 'A-1-12.xml')
  await writeFile(path, text)
  return { name: 'A-1-12', family: 'A', version: version('1.2'), path }
}

/** A server that knows its answers beforehand; keeps what it was sent. */
function server(...answers: readonly string[]): Connection & { readonly sent: Item[] } {
  const sent: Item[] = []
  return {
    sent,
    exchange(bytes) {
      const next = answers[sent.push(decodeItem(bytes)) - 1]
      if (next === undefined) return Promise.reject(new Error('closed'))
      return Promise.resolve(encodeItem(expectedMessage(parseXml(next)[0]!).item))
    },
    [Symbol.dispose]() {},
  }
}

const now = 1_700_000_000n

test('a case passes when each answer conforms, and later requests use what answers have shown', async () => {
  const keeper = server(answer('Activate', 'a1'), answer('Destroy', 'a1'))
  const outcome = await play(await given(story), keeper, newRun(), now)
  expect(outcome).toEqual({ name: 'A-1-12', differences: [] })
  const payload = field(field(keeper.sent[1], 'BatchItem'), 'RequestPayload')
  expect(textOf(field(payload, 'UniqueIdentifier'))).toBe('a1')
})

test('a case is played on past a wrong answer', async () => {
  const keeper = server(answer('Revoke', 'a1'), answer('Destroy', 'a1'))
  const { differences } = await play(await given(story), keeper, newRun(), now)
  expect(keeper.sent).toHaveLength(2)
  expect(differences).toEqual([
    'request 1: ResponseMessage/BatchItem[0]/Operation: expected Activate, found Revoke',
  ])
})

test('a field newer than the version of the request is reported', async () => {
  const newer = '<ServerCorrelationValue type="TextString" value="s-1"/>'
  const keeper = server(answer('Activate', 'a1', newer), answer('Destroy', 'a1'))
  const { differences } = await play(await given(story), keeper, newRun(), now)
  expect(differences).toHaveLength(1)
  expect(differences[0]).toMatch(/^request 1: strict decoding: .*ServerCorrelationValue/)
})

test('a case ends when the connection does, and when a placeholder was never shown', async () => {
  const gone = await play(await given(story), server(), newRun(), now)
  expect(gone.differences).toEqual(['request 1: closed'])
  const unbound = request('Destroy', '$UNIQUE_IDENTIFIER_7') + answer('Destroy', 'a1')
  const { differences } = await play(await given(unbound), server(), newRun(), now)
  expect(differences).toEqual(['request 1: not sent, $UNIQUE_IDENTIFIER_7 was never shown'])
})

test('a Poll whose published answer is final is sent again while the operation is under way', async () => {
  const pending = answer('Poll', 'a1').replace('value="Success"', 'value="OperationPending"')
  const polled = request('Poll', 'a1') + answer('Activate', 'a1')
  const keeper = server(pending, pending, answer('Activate', 'a1'))
  const outcome = await play(await given(polled), keeper, newRun(), now)
  expect(outcome.differences).toEqual([])
  expect(keeper.sent).toHaveLength(3)
})

test('a request with a credential is sent by the user, any other by the client itself', async () => {
  const senders: unknown[] = []
  const keeper = server(answer('Activate', 'a1'), answer('Destroy', 'a1'))
  const noting: Connection = {
    ...keeper,
    exchange(bytes, sender) {
      senders.push(sender)
      return keeper.exchange(bytes)
    },
  }
  const credential = '<Authentication><Credential/></Authentication>'
  const text = story.replace(count, credential + count)
  expect((await play(await given(text), noting, newRun(), now)).differences).toEqual([])
  expect(senders).toEqual(['user', 'client'])
})
