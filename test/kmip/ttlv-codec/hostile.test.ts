// What an enemy sends: messages cut, lengths and types falsified, bytes flipped, nesting and counts
// without end. Only DecodeError may come out.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, decodeItem, DecodeError, encodeItem, peekVersion, limits } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import {
  hex,
  messageBytes,
  messageTag,
  ResponseMessage,
  structure,
  tagNumber,
  v14,
} from './fixtures.ts'

const good = messageBytes()

/** Offsets of all headers of the message. */
const headers: number[] = []
for (let at = 0; at < good.length;) {
  headers.push(at)
  const length = new DataView(good.buffer).getUint32(at + 4)
  at += good[at + 3] === 1 ? 8 : 8 + Math.ceil(length / 8) * 8
}

/** Reads in every way there is; the outcome is a value or a DecodeError. */
function survives(bytes: Uint8Array): void {
  for (const read of [
    () => decode(ResponseMessage, messageTag, bytes, v14),
    () => decode(ResponseMessage, messageTag, bytes, { ...v14, unknown: 'ignore', strict: true }),
    () => decodeItem(bytes),
    () => peekVersion(bytes),
  ]) {
    try {
      read()
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
    }
  }
}

function changed(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = Uint8Array.from(good)
  change(bytes, new DataView(bytes.buffer))
  return bytes
}

describe('decoding', () => {
  it('refuses a message cut at any length as truncated', () => {
    for (let length = 0; length < good.length; length++) {
      const cut = good.subarray(0, length)
      expect(() => decode(ResponseMessage, messageTag, cut, v14)).toThrow(
        expect.objectContaining({ name: 'DecodeError', code: 'truncated' }),
      )
      survives(cut)
    }
  })

  it('refuses bytes after the message', () => {
    const longer = new Uint8Array(good.length + 8)
    longer.set(good)
    expect(() => decode(ResponseMessage, messageTag, longer, v14)).toThrow(
      expect.objectContaining({ code: 'trailing', reason: '8 bytes after the end' }),
    )
    expect(() => decodeItem(longer)).toThrow(expect.objectContaining({ code: 'trailing' }))
  })

  it.each([0xffffffff, 0xfffffff8, 0x80000000, 0x7fffffff])(
    'refuses each length turned into %i',
    (length) => {
      for (const at of headers) {
        const bytes = changed((_, view) => view.setUint32(at + 4, length))
        expect(() => decode(ResponseMessage, messageTag, bytes, v14)).toThrow(
          expect.objectContaining({ code: at === 0 ? 'truncated' : 'length' }),
        )
        survives(bytes)
      }
    },
  )

  it('refuses each length off by one or by eight, unless it is a text still', () => {
    for (const at of headers) {
      for (const error of [-8, -1, 1, 8]) {
        const bytes = changed((_, view) => view.setUint32(at + 4, view.getUint32(at + 4) + error))
        // A text or a byte string may take a zero of its padding in and still be one.
        const ofAnyLength = good[at + 3] === 7 || good[at + 3] === 8
        if (!ofAnyLength || error > 1) {
          expect(() => decode(ResponseMessage, messageTag, bytes, v14)).toThrow(DecodeError)
        }
        survives(bytes)
      }
    }
  })

  it('refuses each type turned into any other', () => {
    for (const at of headers) {
      for (let type = 0; type < 256; type++) {
        if (type === good[at + 3]) continue
        const bytes = changed((bytes) => (bytes[at + 3] = type))
        expect(() => decode(ResponseMessage, messageTag, bytes, v14)).toThrow(DecodeError)
        survives(bytes)
      }
    }
  })

  it('survives random changes', () => {
    const changes = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {
      minLength: 1,
      maxLength: 8,
    })
    const property = fc.property(changes, (list) => {
      survives(
        changed((bytes) => {
          for (const [at, byte] of list) bytes[at] = byte
        }),
      )
    })
    fc.assert(property, { seed: 20260101, numRuns: 5000 })
  })

  it('survives random bytes', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 64 }), survives)
    fc.assert(property, { seed: 20260102, numRuns: 2000 })
  })

  it('survives tags taken from other items', () => {
    for (const at of headers) {
      for (const from of headers) {
        survives(changed((bytes) => bytes.set(good.subarray(from, from + 3), at)))
      }
    }
  })
})

describe('limits', () => {
  /** Structures inside one another. */
  function nested(depth: number): Uint8Array {
    const bytes = new Uint8Array(depth * 8)
    const view = new DataView(bytes.buffer)
    for (let level = 0; level < depth; level++) {
      view.setUint32(level * 8, 0x42000801)
      view.setUint32(level * 8 + 4, (depth - level - 1) * 8)
    }
    return bytes
  }

  it('hold for the depth of structures', () => {
    expect(decodeItem(nested(limits.maxDepth))).toMatchObject({ type: 'Structure' })
    expect(() => decodeItem(nested(limits.maxDepth + 1))).toThrow(
      expect.objectContaining({ code: 'depth' }),
    )
    expect(() => decodeItem(nested(100_000))).toThrow(expect.objectContaining({ code: 'depth' }))
    expect(() => decodeItem(nested(3), { maxDepth: 2 })).toThrow(
      expect.objectContaining({ code: 'depth' }),
    )
  })

  it('hold for the number of items', () => {
    const empty: Item = { tag: tagNumber('BatchItem'), type: 'Structure', value: [] }
    const many = (count: number) =>
      structure(messageTag, ...Array.from({ length: count }, () => empty))
    expect(() => decodeItem(many(limits.maxItems))).toThrow(
      expect.objectContaining({ code: 'items' }),
    )
    expect(decodeItem(many(limits.maxItems - 1)).type).toBe('Structure')
    expect(() => decodeItem(many(9), { maxItems: 9 })).toThrow(
      expect.objectContaining({ code: 'items' }),
    )
  })

  it('hold for the bytes of a message', () => {
    const bytes = encodeItem({ tag: 0x420001, type: 'ByteString', value: new Uint8Array(1 << 20) })
    expect(() => decodeItem(bytes)).toThrow(expect.objectContaining({ code: 'size' }))
    expect(decodeItem(bytes, { maxBytes: bytes.length }).type).toBe('ByteString')
    expect(() => decodeItem(good, { maxBytes: good.length - 1 })).toThrow(
      expect.objectContaining({ code: 'size' }),
    )
  })

  it('let a great Big Integer through in reasonable time', () => {
    const value = new Uint8Array(1 << 19).fill(0xab)
    const bytes = encodeItem({ tag: 0x420001, type: 'ByteString', value })
    bytes[3] = 0x04
    expect(encodeItem(decodeItem(bytes))).toEqual(bytes)
  })
})

describe('errors', () => {
  it('never show contents', () => {
    const secret = 'correct horse'
    const item = structure(messageTag, { tag: 0x420094, type: 'TextString', value: secret })
    item.set(hex('ff'), item.length - 8)
    for (const read of [
      () => decodeItem(item),
      () => decode(ResponseMessage, messageTag, item, v14),
    ]) {
      try {
        read()
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toContain('horse')
      }
    }
  })
})
