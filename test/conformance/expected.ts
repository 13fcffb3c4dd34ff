// A message as a case publishes it: items with their names, and placeholders where values vary.
import { itemFromXml, type Item, type ItemType, type TypedValue, type XmlElement } from 'ttlv-codec'
import { textVocabulary } from '../../src/kmip/model/text-vocabulary.ts'
import { momentOf, type CaseMemory } from './memory.ts'

/** An item of a published message. */
export interface Expected {
  /** The name of its tag. */
  readonly name: string
  /** The item; a placeholder's value is a stand-in that means nothing. */
  readonly item: Item
  /** The value as written in the file; empty for a structure. */
  readonly text: string
  /** The placeholder standing for the value, `$NOW±n` included. */
  readonly placeholder?: string
  readonly children: readonly Expected[]
}

/** What a placeholder is replaced with so that the file can be read before its value is known. */
const standIns: Record<ItemType, string> = {
  Structure: '',
  Integer: '0',
  LongInteger: '0',
  BigInteger: '0000000000000000',
  Enumeration: '0x00000000',
  Boolean: 'false',
  TextString: '',
  ByteString: '',
  DateTime: '1970-01-01T00:00:00+00:00',
  Interval: '0',
  DateTimeExtended: '1970-01-01T00:00:00+00:00',
}

/** Reads one message of a case. Throws DecodeError when the file is at fault. */
export function expectedMessage(element: XmlElement): Expected {
  return join(element, itemFromXml(withStandIns(element), textVocabulary))
}

/** A placeholder whose value no earlier answer has shown. */
export class UnboundPlaceholder extends Error {
  override readonly name = 'UnboundPlaceholder'
}

/** The message to send: placeholders replaced by what earlier answers have bound. */
export function filled(expected: Expected, memory: CaseMemory): Item {
  if (expected.item.type === 'Structure') {
    const value = expected.children.map((child) => filled(child, memory))
    return { ...expected.item, value }
  }
  if (expected.placeholder === undefined) return expected.item
  return { ...valueOf(expected.placeholder, memory), tag: expected.item.tag }
}

/** The value a placeholder has now; throws UnboundPlaceholder when it has none. */
function valueOf(placeholder: string, memory: CaseMemory): TypedValue {
  const moment = momentOf(placeholder, memory.now)
  if (moment !== undefined) return { type: 'DateTime', value: moment }
  const field = placeholder.replace(/_\d+$/, '')
  const value = memory.bound.get(placeholder) ?? memory.shown.get(field)
  if (value === undefined) throw new UnboundPlaceholder(`${placeholder} was never shown`)
  return value
}

function placeholderIn(element: XmlElement): string | undefined {
  const value = element.attributes['value']
  return value?.startsWith('$') ? value : undefined
}

function withStandIns(element: XmlElement): XmlElement {
  const children = element.children.map(withStandIns)
  if (placeholderIn(element) === undefined) return { ...element, children }
  const type = (element.attributes['type'] ?? 'Structure') as ItemType
  return { ...element, children, attributes: { ...element.attributes, value: standIns[type] } }
}

function join(element: XmlElement, item: Item): Expected {
  const placeholder = placeholderIn(element)
  const items = item.type === 'Structure' ? item.value : []
  return {
    name: element.name,
    item,
    text: element.attributes['value'] ?? '',
    ...(placeholder === undefined ? {} : { placeholder }),
    children: element.children.map((child, index) => join(child, items[index]!)),
  }
}
