// Messages out of a stream: in any chunks, and nothing kept for what cannot be a message.

import { describe, expect, it } from 'vitest'
import { Frames } from 'ttlv-codec'
import { hex, messageBytes } from './fixtures.ts'

const message = messageBytes()
const request = hex('420078 01 00000000')

function frames(maxBytes = 4096): Frames {
  return new Frames({ maxBytes })
}

function all(from: Frames): Uint8Array[] {
  const messages: Uint8Array[] = []
  for (let next = from.next(); next !== undefined; next = from.next()) messages.push(next)
  return messages
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

describe('frames', () => {
  it('give a message only when it is whole', () => {
    const stream = frames()
    expect(stream.next()).toBeUndefined()
    stream.push(message.subarray(0, message.length - 1))
    expect(stream.next()).toBeUndefined()
    expect(stream.buffered).toBe(message.length - 1)
    stream.push(message.subarray(message.length - 1))
    expect(stream.next()).toEqual(message)
    expect(stream.next()).toBeUndefined()
    expect(stream.buffered).toBe(0)
  })

  it('take several messages from one chunk, and keep the beginning of another', () => {
    const stream = frames()
    stream.push(joined(message, request, message, message.subarray(0, 5)))
    expect(all(stream)).toEqual([message, request, message])
    expect(stream.buffered).toBe(5)
    stream.push(message.subarray(5))
    expect(all(stream)).toEqual([message])
  })

  it('take messages in chunks of any size', () => {
    const bytes = joined(message, request, message)
    for (let size = 1; size <= bytes.length; size++) {
      const stream = frames()
      const found: Uint8Array[] = []
      for (let at = 0; at < bytes.length; at += size) {
        stream.push(bytes.slice(at, at + size))
        found.push(...all(stream))
      }
      expect(found).toEqual([message, request, message])
    }
  })

  it('do not change a message given before', () => {
    const stream = frames()
    stream.push(message.slice(0, 3))
    stream.push(joined(message.subarray(3), message.subarray(0, 9)))
    const first = stream.next()
    for (const byte of message.subarray(9)) stream.push(Uint8Array.of(byte))
    expect(first).toEqual(message)
    expect(stream.next()).toEqual(message)
  })

  it('copy little when a great message comes byte by byte', () => {
    const size = 200_000
    const great = new Uint8Array(size + 8)
    great.set(hex('42007B 01'))
    new DataView(great.buffer).setUint32(4, size)
    const stream = frames(size + 8)
    const set = Uint8Array.prototype.set
    let copied = 0
    Uint8Array.prototype.set = function (source, offset) {
      copied += source.length
      set.call(this, source, offset)
    }
    try {
      for (let at = 0; at < great.length; at++) stream.push(great.subarray(at, at + 1))
    } finally {
      Uint8Array.prototype.set = set
    }
    expect(stream.next()).toEqual(great)
    expect(copied).toBeLessThan(4 * great.length)
  })

  it('pass over empty chunks', () => {
    const stream = frames()
    stream.push(new Uint8Array(0))
    stream.push(message.subarray(0, 4))
    stream.push(new Uint8Array(0))
    stream.push(message.subarray(4))
    expect(all(stream)).toEqual([message])
  })

  it.each([
    ['of another tag', '420077 01 00000008', 'tag'],
    ['of TLS', '160301 02 00010001', 'tag'],
    ['of HTTP', '474554 20 2F204854', 'tag'],
    ['that is no structure', '420078 02 00000008', 'type'],
    ['whose length is no multiple of 8', '420078 01 00000009', 'length'],
    ['of 4 GiB', '420078 01 FFFFFFF8', 'size'],
    ['one item above the ceiling', '420078 01 00001000', 'size'],
  ])('refuse a header %s as soon as its eight bytes are there', (_, header, code) => {
    const stream = frames()
    const bytes = hex(header)
    stream.push(bytes.subarray(0, 7))
    expect(() => stream.push(bytes.subarray(7))).toThrow(
      expect.objectContaining({ name: 'DecodeError', code }),
    )
  })

  it('refuse a bad header behind a good message when its turn comes', () => {
    const stream = frames()
    stream.push(joined(message, hex('474554 20 2F204854')))
    expect(stream.next()).toEqual(message)
    expect(() => stream.next()).toThrow(expect.objectContaining({ code: 'tag' }))
  })

  it('take a message as long as the ceiling', () => {
    const stream = frames(message.length)
    stream.push(message)
    expect(stream.next()).toEqual(message)
  })
})
