// Small messages in the XML form, and the differences found between a published and a found one.
import { parseXml, version, type Item, type XmlElement } from 'ttlv-codec'
import { compare } from './compare.ts'
import { expectedMessage, filled } from './expected.ts'
import { newCase, newRun, type CaseMemory } from './memory.ts'
import { noteAnswer, noteRequest } from './observe.ts'

/** The start of every case here, in seconds; `nowText` is the same moment. */
export const now = 1_700_000_000n
export const nowText = '2023-11-14T22:13:20+00:00'

/** A message around batch items, in one version. */
export function message(
  kind: 'Request' | 'Response',
  items: string,
  spoken = '1.4',
  header = '',
): string {
  const [major, minor] = spoken.split('.')
  const count = items.split('<BatchItem>').length - 1
  const stamp =
    kind === 'Response' ? '<TimeStamp type="DateTime" value="2020-01-01T00:00:00Z"/>' : ''
  return `<${kind}Message><${kind}Header><ProtocolVersion>
    <ProtocolVersionMajor type="Integer" value="${major}"/>
    <ProtocolVersionMinor type="Integer" value="${minor}"/></ProtocolVersion>${stamp}${header}
    <BatchCount type="Integer" value="${count}"/></${kind}Header>${items}</${kind}Message>`
}

/** A request's batch item. */
export function ask(operation: string, payload = ''): string {
  return `<BatchItem><Operation type="Enumeration" value="${operation}"/>
    <RequestPayload>${payload}</RequestPayload></BatchItem>`
}

/** An answer's batch item that succeeded. */
export function tell(operation: string, payload = ''): string {
  return `<BatchItem><Operation type="Enumeration" value="${operation}"/>
    <ResultStatus type="Enumeration" value="Success"/>
    <ResponsePayload>${payload}</ResponsePayload></BatchItem>`
}

/** An answer's batch item that failed. */
export function refuse(operation: string, reason: string, text?: string): string {
  const said = text === undefined ? '' : `<ResultMessage type="TextString" value="${text}"/>`
  return `<BatchItem><Operation type="Enumeration" value="${operation}"/>
    <ResultStatus type="Enumeration" value="OperationFailed"/>
    <ResultReason type="Enumeration" value="${reason}"/>${said}</BatchItem>`
}

/** A Unique Identifier, and the placeholder of the first one. */
export const uid = (value: string): string =>
  `<UniqueIdentifier type="TextString" value="${value}"/>`
export const id0 = uid('$UNIQUE_IDENTIFIER_0')

/** An attribute of 1.x. */
export function attribute(name: string, type: string, value: string, index?: number): string {
  const at = index === undefined ? '' : `<AttributeIndex type="Integer" value="${index}"/>`
  return `<Attribute><AttributeName type="TextString" value="${name}"/>${at}
    <AttributeValue type="${type}" value="${value}"/></Attribute>`
}

/** A raw AES key. */
export function key(material: string): string {
  return `<SymmetricKey><KeyBlock><KeyFormatType type="Enumeration" value="Raw"/>
    <KeyValue><KeyMaterial type="ByteString" value="${material}"/></KeyValue>
    <CryptographicAlgorithm type="Enumeration" value="AES"/>
    <CryptographicLength type="Integer" value="${material.length * 4}"/></KeyBlock></SymmetricKey>`
}

/** One exchange: what was asked, what is published, what came. */
export interface Talk {
  readonly request?: string
  readonly published: string
  readonly found: string
  readonly spoken?: string
  readonly header?: string
}

/** The differences found in one exchange of a case. */
export function differences(
  { request = '', published, found, spoken = '1.4', header = '' }: Talk,
  memory: CaseMemory = newCase(newRun(), now),
): string[] {
  const asked = expectedMessage(element(message('Request', request, spoken)))
  const sent = filled(asked, memory)
  const answer: Item = expectedMessage(element(message('Response', found, spoken, header))).item
  noteRequest(asked, memory)
  noteAnswer(answer, memory, sent)
  const wanted = expectedMessage(element(message('Response', published, spoken)))
  const exchanged = {
    version: version(spoken as `${number}.${number}`),
    request: sent,
    answer,
  }
  return compare(wanted, exchanged, memory)
}

/** The one element of a text. */
export function element(xml: string): XmlElement {
  return parseXml(xml)[0]!
}
