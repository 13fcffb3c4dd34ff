// What all pages of the tape data encryption protocol share: a page code and the number of bytes
// that follow, both 16 bits big-endian, then a table of fields and perhaps key-associated data
// descriptors. Modelled on SSC-4 section 8.5 as public drive manuals reproduce it.

import type { Kad } from './kad.ts'
import { layout, named, PageError, uint, type Layout } from './security-protocol-fields.ts'

/** One page: `encode` gives its bytes, `decode` refuses with PageError what is not this page. */
export interface Page<T> {
  readonly code: number
  readonly name: string
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
}

/** Describes a page by its bytes after the header. */
export const page = <T>(
  code: number,
  name: string,
  encode: (value: T) => readonly Uint8Array[],
  decode: (body: Uint8Array) => T,
): Page<T> => ({
  code,
  name,
  encode: (value) => framed(code, encode(value)),
  decode: (bytes) => decode(bodyOf(code, name, bytes)),
})

/** A page that is a table of fields followed by key-associated data descriptors. */
export const pageWithKads = <T>(code: number, name: string, table: Layout<T>) =>
  page<T & { readonly kads: readonly KadDescriptor[] }>(
    code,
    name,
    (value) => [table.write(value), ...encodeKads(value.kads)],
    (body) => ({ ...table.read(body), kads: decodeKads(body.subarray(table.size)) }),
  )

const descriptorTypes = { 'U-KAD': 0, 'A-KAD': 1, nonce: 2, 'M-KAD': 3, 'wrapped-key': 4 } as const
const authentication = {
  reserved: 0,
  'not-covered': 1,
  'not-attempted': 2,
  verified: 3,
  failed: 4,
} as const

/** Whether a tag covers the bytes and agrees; 'reserved' in every page an initiator sends. */
export type Authenticated = keyof typeof authentication
export type KadDescriptorType = keyof typeof descriptorTypes

export interface KadDescriptor {
  readonly type: KadDescriptorType
  readonly authenticated: Authenticated
  readonly bytes: Uint8Array
}

const descriptorHead = layout('key-associated data descriptor', [0, 4], {
  type: named(0, 7, 0, descriptorTypes),
  authenticated: named(1, 2, 0, authentication),
  length: uint(2, 2),
})

/** The bytes of the descriptor of this type; empty when there is none. */
export const descriptorBytes = (
  kads: readonly KadDescriptor[],
  type: KadDescriptorType,
): Uint8Array => kads.find((kad) => kad.type === type)?.bytes ?? new Uint8Array()

/** The U-KAD and A-KAD among descriptors. */
export const kadOfDescriptors = (kads: readonly KadDescriptor[]): Kad => ({
  ukad: descriptorBytes(kads, 'U-KAD'),
  akad: descriptorBytes(kads, 'A-KAD'),
})

/** The descriptors that name a key, empty parts left out; without marks, as initiators send them. */
export function descriptorsOf(
  kad: Kad,
  ukad: Authenticated = 'reserved',
  akad: Authenticated = 'reserved',
): KadDescriptor[] {
  const all: KadDescriptor[] = [
    { type: 'U-KAD', authenticated: ukad, bytes: kad.ukad },
    { type: 'A-KAD', authenticated: akad, bytes: kad.akad },
  ]
  return all.filter((descriptor) => descriptor.bytes.length > 0)
}

/** The descriptors' bytes, one after the other. */
export function encodeKads(kads: readonly KadDescriptor[]): Uint8Array[] {
  return kads.flatMap((kad) => [
    descriptorHead.write({ ...kad, length: kad.bytes.length }),
    kad.bytes,
  ])
}

/** Descriptors to the end of the bytes, each type at most once. */
export function decodeKads(bytes: Uint8Array): KadDescriptor[] {
  const kads: KadDescriptor[] = []
  let at = 0
  while (at < bytes.length) {
    const { type, authenticated, length } = descriptorHead.read(bytes.subarray(at))
    const end = at + descriptorHead.size + length
    if (end > bytes.length) {
      throw new PageError('length', `${type} of ${length} bytes exceeds the page`)
    }
    if (kads.some((kad) => kad.type === type)) throw new PageError('value', `two ${type} given`)
    kads.push({ type, authenticated, bytes: bytes.slice(at + descriptorHead.size, end) })
    at = end
  }
  return kads
}

function framed(code: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const bytes = new Uint8Array(4 + length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, code)
  view.setUint16(2, length)
  let at = 4
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

function bodyOf(code: number, name: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length < 4) throw new PageError('length', `${name}: only ${bytes.length} bytes`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint16(0) !== code) {
    throw new PageError('page', `${name}: page code is ${view.getUint16(0)}, expected ${code}`)
  }
  if (view.getUint16(2) !== bytes.length - 4) {
    const says = view.getUint16(2)
    throw new PageError('length', `${name}: length ${says}, but ${bytes.length - 4} follow`)
  }
  return bytes.subarray(4)
}
