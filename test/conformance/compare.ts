// An answer held against the published one: every difference that permitted.ts does not allow.
import type { Item, Version } from 'ttlv-codec'
import type { Expected } from './expected.ts'
import {
  attributeKey,
  childrenOf,
  enumerationName,
  field,
  fields,
  nameOf,
  sameValue,
  show,
  showDate,
  textOf,
} from './items.ts'
import { dateKey, momentOf, type CaseMemory } from './memory.ts'
import {
  identifiers,
  isFree,
  isComputedFreely,
  isFreeMaterial,
  mayBeExtra,
  mayBeMissing,
  serverDates,
  setOf,
  type MemberSet,
  type Place,
} from './permitted.ts'

/** One exchange as it happened. */
export interface Exchanged {
  readonly version: Version
  /** The request as sent. */
  readonly request: Item
  readonly answer: Item
}

/**
 * The differences of an answer from the published one, one line each; none when it conforms.
 * Binds placeholders that this answer is the first to show, also when there are differences.
 */
export function compare(
  published: Expected,
  { version, request, answer }: Exchanged,
  memory: CaseMemory,
): string[] {
  const differences: string[] = []
  const say = ({ path }: Place, what: string): void => {
    const line = `${path}: ${what}`
    if (differences.at(-1) !== line) differences.push(line)
  }
  const top: Place = { path: '', version, memory, parent: '' }

  function item(expected: Expected, found: Item, outer: Place): void {
    const place = within(expected, found, outer)
    if (expected.item.tag !== found.tag) {
      say(place, `expected ${expected.name}, found ${nameOf(found)}`)
    } else if (expected.item.type !== found.type) {
      say(place, `expected the type ${expected.item.type}, found ${found.type}`)
    } else if (isFree(expected, found, place)) {
      return
    } else if (expected.name === 'BatchItem' && otherStatus(expected, found) !== undefined) {
      say(place, otherStatus(expected, found)!)
    } else if (found.type === 'Structure') {
      structure(expected, found, { ...place, parent: expected.name })
    } else {
      const problem = value(expected, found, place)
      if (problem !== undefined) say(place, problem)
    }
  }

  function structure(expected: Expected, found: Item, place: Place): void {
    const wanted = [...expected.children]
    const given = [...childrenOf(found)]
    let at = -1
    while (wanted.length > 0 || given.length > 0) {
      const next = wanted[0]
      const here = given[0]
      const set = next === undefined ? undefined : setOf(next.item, place)
      if (next !== undefined && set !== undefined) {
        const published = takeWhile(wanted, (child) => set.holds(child.item))
        members(published, takeWhile(given, set.holds), set, place)
      } else if (next !== undefined && here !== undefined && next.item.tag === here.tag) {
        if (place.parent.endsWith('Message') && next.name === 'BatchItem') at += 1
        item(next, here, { ...place, path: step(place, next.name, at), ...asked(here, at) })
        wanted.shift()
        given.shift()
      } else if (here !== undefined && (mayBeExtra(here, place) || isOpenSet(here, place))) {
        given.shift()
      } else if (next !== undefined && mayBeMissing(next, place)) {
        wanted.shift()
      } else if (here === undefined || given.some(({ tag }) => tag === next?.item.tag) === false) {
        say(place, next ? `${next.name} is missing` : `${nameOf(here!)} is not expected`)
        if (next) wanted.shift()
        else given.shift()
      } else {
        const reason = wanted.some((other) => other.item.tag === here.tag) ? 'out of order' : ''
        say(place, `${nameOf(here)} is ${reason || 'not expected'}`)
        given.shift()
      }
    }
  }

  function members(
    published: readonly Expected[],
    found: readonly Item[],
    set: MemberSet,
    place: Place,
  ): void {
    const left = [...found]
    for (const expected of published) {
      const key = set.key(expected.item)
      const at = left.findIndex((other) => set.key(other) === key)
      const twin = left[at]
      if (twin === undefined) {
        say(place, `${memberName(expected.item, key)} is missing`)
        continue
      }
      left.splice(at, 1)
      item(expected, twin, { ...place, path: `${place.path}/${memberName(expected.item, key)}` })
    }
    if (
      set.ordered &&
      !isSubsequence(
        published.map((one) => set.key(one.item)),
        found.map(set.key),
      )
    )
      say(place, `found ${found.map(set.key).join(', ')} in another order`)
    const keys = new Set(published.map((one) => set.key(one.item)))
    for (const extra of left) {
      const key = set.key(extra)
      if (set.open && (!keys.has(key) || key === 'ObjectGroup')) continue
      say(place, `${memberName(extra, key)} is not expected`)
    }
  }

  /** What was asked in the Batch Item that the one found answers. */
  function asked(found: Item, at: number): Partial<Place> {
    if (nameOf(found) !== 'BatchItem') return {}
    const operation = enumerationName(field(found, 'Operation'))
    const items = fields(request, 'BatchItem')
    const id = field(found, 'UniqueBatchItemID')
    const same = items.find((other) => {
      const otherId = field(other, 'UniqueBatchItemID')
      return id !== undefined && otherId !== undefined && sameValue(id, otherId)
    })
    const payload = field(same ?? items[at], 'RequestPayload')
    return {
      ...(operation === undefined ? {} : { operation }),
      ...(payload === undefined ? {} : { asked: payload }),
    }
  }

  item(published, answer, top)
  return differences
}

/** The place inside an item: what payload, attribute or key block it opens. */
function within(expected: Expected, found: Item, place: Place): Place {
  const path = place.path === '' ? expected.name : place.path
  if (expected.name === 'ResponsePayload') {
    const object = textOf(field(found, 'UniqueIdentifier'))
    const randomIv = field(found, 'IVCounterNonce') !== undefined
    return { ...place, path, randomIv, ...(object === undefined ? {} : { object }) }
  }
  if (expected.name === 'Attribute') return { ...place, path, attribute: attributeKey(found) }
  if (place.parent === 'Attributes') return { ...place, path, attribute: expected.name }
  if (expected.name === 'KeyBlock' && field(found, 'KeyWrappingData') === undefined) {
    return { ...place, path, format: enumerationName(field(found, 'KeyFormatType')) ?? 'default' }
  }
  return { ...place, path }
}

/** When a Batch Item succeeded or failed otherwise than published: how, with reason and message. */
function otherStatus({ item }: Expected, found: Item): string | undefined {
  const status = field(found, 'ResultStatus')
  const published = field(item, 'ResultStatus')
  if (status === undefined || published === undefined || sameValue(status, published)) return
  const told = ['ResultStatus', 'ResultReason', 'ResultMessage']
    .map((name) => field(found, name))
    .filter((part) => part !== undefined)
    .map((part) => show(part))
  return `expected ${show(published)}, found ${told.join(' ')}`
}

/** Why a value is not the published one, or undefined. */
function value(expected: Expected, found: Item, place: Place): string | undefined {
  if (found.type === 'DateTime') return date(expected, found.value, place)
  if (isFreeMaterial(expected, place)) return material(expected, found, place)
  if (isComputedFreely(expected, place)) return otherLength(expected, found)
  const { placeholder } = expected
  if (placeholder !== undefined) return bound(placeholder, found, place)
  const isIdentifier = identifiers.has(expected.name) || identifiers.has(place.attribute ?? '')
  if (isIdentifier && !place.memory.said.has(expected.text)) {
    return bound(expected.text, found, place)
  }
  if (sameValue(expected.item, found)) return undefined
  return `expected ${show(expected.item, place.attribute)}, found ${show(found, place.attribute)}`
}

function otherLength({ item }: Expected, found: Item): string | undefined {
  if (item.type !== 'ByteString' || found.type !== 'ByteString') return undefined
  if (item.value.length === found.value.length) return undefined
  return `expected ${item.value.length} bytes, found ${found.value.length}`
}

/** A placeholder takes the first value shown; two identifiers are never one object. */
function bound(placeholder: string, found: Item, { memory }: Place): string | undefined {
  const known = memory.bound.get(placeholder)
  if (known !== undefined) {
    if (sameValue(known, found)) return undefined
    return `expected ${placeholder}, which is ${show({ ...found, ...known } as Item)}, found ${show(found)}`
  }
  const twin = [...memory.bound].find(([, other]) => sameValue(other, found))
  memory.bound.set(placeholder, found)
  if (twin === undefined || !placeholder.includes('UNIQUE_IDENTIFIER')) return undefined
  return `expected ${placeholder} to be another object than ${twin[0]}`
}

/**
 * A date that the client has sent has to come back as sent; one that only the server sets is free;
 * any other is as written, `$NOW` meaning the start of the case.
 */
function date(expected: Expected, found: bigint, place: Place): string | undefined {
  const { memory } = place
  const about = place.attribute ?? expected.name
  const key = dateKey(about, expected.text)
  const isServers = serverDates.has(about) || serverDates.has(expected.name)
  const sent = memory.dates.get(key) ?? (isServers ? undefined : memory.run.dates.get(key))
  if (sent === undefined && isServers) return undefined
  const written = expected.item.type === 'DateTime' ? expected.item.value : undefined
  const wanted = sent ?? momentOf(expected.text, memory.now) ?? written
  if (wanted === found || wanted === undefined) return undefined
  return `expected ${expected.text} (${showDate(wanted)}), found ${showDate(found)}`
}

/** Material of the published length; of one object always the same. */
function material(expected: Expected, found: Item, place: Place): string | undefined {
  if (expected.item.type !== 'ByteString' || found.type !== 'ByteString') return undefined
  if (expected.item.value.length !== found.value.length) {
    return `expected ${show(expected.item)}, found ${show(found)}`
  }
  if (place.object === undefined || place.format === undefined) return undefined
  const { materials } = place.memory.run
  const key = `${place.object} ${place.format}`
  const known = materials.get(key)
  materials.set(key, known ?? Uint8Array.from(found.value))
  if (known === undefined || Buffer.compare(known, found.value) === 0) return undefined
  return 'found other bytes than this object has shown before'
}

function isOpenSet(found: Item, place: Place): boolean {
  return setOf(found, place)?.open === true
}

function step({ path, parent }: Place, name: string, at: number): string {
  const index = name === 'BatchItem' && parent.endsWith('Message') ? `[${at}]` : ''
  return `${path}/${name}${index}`
}

function memberName(item: Item, key: string): string {
  return nameOf(item) === key ? key : `${nameOf(item)}(${key})`
}

function takeWhile<T>(list: T[], holds: (one: T) => boolean): T[] {
  const end = list.findIndex((one) => !holds(one))
  return list.splice(0, end === -1 ? list.length : end)
}

function isSubsequence(wanted: readonly string[], found: readonly string[]): boolean {
  let at = 0
  for (const one of found) if (one === wanted[at]) at += 1
  return at === wanted.length
}
