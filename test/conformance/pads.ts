// One-time pads that published cases presuppose: `one-time-pad-1` is never registered in them. The runner
// registers it before such a case, with the material that the published answers imply, and destroys it after.
import { randomBytes } from 'node:crypto'
import { decodeItem, encodeItem, itemFromXml, parseXml, type Item } from 'ttlv-codec'
import { textVocabulary } from '../../src/kmip/model/text-vocabulary.ts'
import { readExchanges, type CaseFile } from './case-files.ts'
import { connect } from './connection.ts'
import { expectedMessage, type Expected } from './expected.ts'
import { childrenOf, enumerationName, field, nameOf, textOf } from './items.ts'
import type { Target } from './target.ts'

/** A pad by its Name. The bytes after those implied are random. */
export interface Pad {
  readonly name: string
  /** What the published answers say of its first bytes. */
  readonly implied: Uint8Array
}

/** Bytes behind the implied ones, enough for what a case encrypts. */
const further = 64

/** The pad that a case looks for, if any. */
export async function padOf(file: CaseFile): Promise<Pad | undefined> {
  const exchanges = (await readExchanges(file)).map(({ request, answer }) => ({
    request: expectedMessage(request),
    answer: expectedMessage(answer),
  }))
  const names = exchanges.flatMap(({ request }) => namesIn(request.item))
  const name = names.find((one) => /^one-time-pad-\d+$/.test(one))
  if (name === undefined) return undefined
  const uses = (operation: string): Uint8Array => {
    const known: Uint8Array[] = []
    for (const { request, answer } of exchanges) {
      if (operationOf(request) !== operation) continue
      const [one, other] = [dataIn(request), dataIn(answer)]
      if (one === undefined || other === undefined) break
      known.push(one.map((byte, at) => byte ^ (other[at] ?? 0)))
    }
    return Uint8Array.from(Buffer.concat(known))
  }
  const encrypted = uses('Encrypt')
  return { name, implied: encrypted.length > 0 ? encrypted : uses('Decrypt') }
}

/**
 * Registers the pad of a case, if it needs one; answers what takes it away again. A server that refuses the
 * pad shows it in the case, which does not find it.
 */
export async function registerPad(
  file: CaseFile,
  target: Target,
): Promise<(() => Promise<void>) | undefined> {
  const pad = await padOf(file)
  if (pad === undefined) return undefined
  const answer = await asked(target, registering(pad))
  const id = textOf(field(field(answer, 'ResponsePayload'), 'UniqueIdentifier'))
  if (id === undefined) return undefined
  return async () => {
    for (const request of [revoking(id), destroying(id)]) {
      const done = await asked(target, request)
      if (enumerationName(field(done, 'ResultStatus')) !== 'Success')
        throw new Error(`${pad.name} stays: ${textOf(field(done, 'ResultMessage')) ?? 'refused'}`)
    }
  }
}

function namesIn(item: Item): string[] {
  const own = nameOf(item) === 'NameValue' ? [textOf(item) ?? ''] : []
  return [...own, ...childrenOf(item).flatMap(namesIn)]
}

function operationOf({ item }: Expected): string | undefined {
  return enumerationName(field(field(item, 'BatchItem'), 'Operation'))
}

/** The Data of a message with one item; undefined when there is none, or a placeholder stands for it. */
function dataIn(message: Expected): Uint8Array | undefined {
  const inside = (one: Expected | undefined, name: string): Expected | undefined =>
    one?.children.find((child) => child.name === name)
  const batchItem = inside(message, 'BatchItem')
  const payload = inside(batchItem, 'RequestPayload') ?? inside(batchItem, 'ResponsePayload')
  const data = inside(payload, 'Data')
  return data?.item.type === 'ByteString' && data.placeholder === undefined
    ? data.item.value
    : undefined
}

/** Sends one item in KMIP 1.4 and gives the item of its answer. */
async function asked(target: Target, batchItem: string): Promise<Item | undefined> {
  const text = `<RequestMessage><RequestHeader><ProtocolVersion>
    <ProtocolVersionMajor type="Integer" value="1"/><ProtocolVersionMinor type="Integer" value="4"/>
    </ProtocolVersion><BatchCount type="Integer" value="1"/></RequestHeader>
    <BatchItem>${batchItem}</BatchItem></RequestMessage>`
  using connection = await connect(target)
  const request = encodeItem(itemFromXml(parseXml(text)[0]!, textVocabulary))
  return field(decodeItem(await connection.exchange(request)), 'BatchItem')
}

function registering({ name, implied }: Pad): string {
  const material = Buffer.concat([implied, randomBytes(further)])
  const attribute = (called: string, value: string): string =>
    `<Attribute><AttributeName type="TextString" value="${called}"/>${value}</Attribute>`
  const nameValue = `<AttributeValue><NameValue type="TextString" value="${name}"/>
    <NameType type="Enumeration" value="UninterpretedTextString"/></AttributeValue>`
  const mask = '<AttributeValue type="Integer" value="Encrypt Decrypt"/>'
  const longActive = '<AttributeValue type="DateTime" value="2001-01-01T00:00:00+00:00"/>'
  return `<Operation type="Enumeration" value="Register"/><RequestPayload>
    <ObjectType type="Enumeration" value="SymmetricKey"/><TemplateAttribute>
    ${attribute('Name', nameValue)}${attribute('Cryptographic Usage Mask', mask)}
    ${attribute('Activation Date', longActive)}</TemplateAttribute>
    <SymmetricKey><KeyBlock><KeyFormatType type="Enumeration" value="Raw"/>
    <KeyValue><KeyMaterial type="ByteString" value="${material.toString('hex')}"/></KeyValue>
    <CryptographicAlgorithm type="Enumeration" value="OneTimePad"/>
    <CryptographicLength type="Integer" value="${material.length * 8}"/></KeyBlock></SymmetricKey>
    </RequestPayload>`
}

function revoking(id: string): string {
  return `<Operation type="Enumeration" value="Revoke"/><RequestPayload>
    <UniqueIdentifier type="TextString" value="${id}"/><RevocationReason>
    <RevocationReasonCode type="Enumeration" value="CessationOfOperation"/></RevocationReason>
    </RequestPayload>`
}

function destroying(id: string): string {
  return `<Operation type="Enumeration" value="Destroy"/><RequestPayload>
    <UniqueIdentifier type="TextString" value="${id}"/></RequestPayload>`
}
