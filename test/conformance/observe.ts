// Taking note of what goes over the wire: dates and identifiers that the client sends, and whose
// the material of the objects named in answers is.
import type { Item } from 'ttlv-codec'
import type { Expected } from './expected.ts'
import {
  attributeKey,
  childrenOf,
  enumerationName,
  field,
  fields,
  nameOf,
  textOf,
} from './items.ts'
import { dateKey, momentOf, placeholderFor, type CaseMemory, type Origin } from './memory.ts'
import { identifiers } from './permitted.ts'

/** Operations after which an object exists, and whose its material is. */
const originBy: Readonly<Record<string, Origin>> = {
  Create: 'server',
  CreateKeyPair: 'server',
  CreateSplitKey: 'server',
  ReKey: 'server',
  ReKeyKeyPair: 'server',
  Register: 'client',
  Import: 'client',
}

/** Notes a request of a case; a Locate names dates without setting them. */
export function noteRequest(request: Expected, memory: CaseMemory): void {
  for (const child of request.children) {
    const operation = enumerationName(field(child.item, 'Operation'))
    note(child, { memory, setsDates: operation !== 'Locate' })
  }
}

interface Noting {
  readonly memory: CaseMemory
  readonly setsDates: boolean
  readonly attribute?: string
}

function note(expected: Expected, noting: Noting): void {
  const { memory, setsDates, attribute = expected.name } = noting
  const { item, name, text, placeholder } = expected
  if (item.type === 'DateTime' && setsDates) {
    const key = dateKey(attribute, text)
    const moment = momentOf(text, memory.now) ?? item.value
    memory.dates.set(key, moment)
    memory.run.dates.set(key, moment)
  }
  if (identifiers.has(name) && placeholder === undefined) memory.said.add(text)
  const inside = name === 'Attribute' ? { ...noting, attribute: attributeKey(item) } : noting
  for (const child of expected.children) note(child, inside)
}

/** Operations that compute an object from others: it is the client's when all of those are. */
const computing: ReadonlySet<string> = new Set(['DeriveKey', 'JoinSplitKey'])

/** Notes what an answer to `request` shows: the objects it says were made, and its byte strings. */
export function noteAnswer(answer: Item, { run, shown }: CaseMemory, request: Item): void {
  const items = fields(request, 'BatchItem')
  for (const [at, item] of fields(answer, 'BatchItem').entries()) {
    const operation = enumerationName(field(item, 'Operation')) ?? ''
    const asked = field(items[at], 'RequestPayload')
    const bases = fields(asked, 'UniqueIdentifier').map((base) => textOf(base) ?? '')
    const isClients = bases.every((base) => run.origins.get(base) === 'client')
    const ofBases = isClients ? 'client' : 'server'
    const origin = computing.has(operation) ? ofBases : originBy[operation]
    const type = enumerationName(field(asked, 'ObjectType'))
    for (const part of childrenOf(field(item, 'ResponsePayload'))) {
      const id = identifiers.has(nameOf(part)) ? textOf(part) : undefined
      if (id !== undefined && origin !== undefined) run.origins.set(id, origin)
      if (id !== undefined && origin !== undefined && type === 'PublicKey') run.publicKeys.add(id)
      const placeholder = placeholderFor(nameOf(part))
      if (part.type === 'ByteString' && !shown.has(placeholder)) shown.set(placeholder, part)
    }
  }
}
