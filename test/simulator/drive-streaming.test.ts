// Amounts: many blocks, large blocks, long stories, and vectors that never repeat.

import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import {
  blankCartridge,
  blockOf,
  encryptedCartridge,
  KeyShelf,
  loaded,
  readBlocks,
} from './fixtures.ts'

test('no initialisation vector is used twice, across mounts, appends and overwrites', async () => {
  const { cartridge, shelf } = await encryptedCartridge(20)
  const seen = new Set<string>()
  const medium = async () => {
    const open = await cartridge.mount()
    for (let n = 0; n < open.count; n += 1) {
      const block = await open.peek(n)
      if (block?.kind === 'encrypted') seen.add(`${n} ${block.iv.toHex()}`)
    }
    await open.close()
  }
  await medium()
  for (const from of [20, 10, 5]) {
    const drive = await loaded(cartridge, shelf)
    await drive.locate(from)
    for (let n = 0; n < 10; n += 1) await drive.write(blockOf(10, n))
    await drive.unload()
    await medium()
  }
  const vectors = [...seen].map((line) => line.split(' ')[1])
  expect(shelf.keys.size).toBe(1)
  expect(new Set(vectors).size).toBe(vectors.length)
})

describe('block sizes', () => {
  test.each([16, 64, 256, 1024])('%i KiB', async (kibibytes) => {
    const cartridge = await blankCartridge()
    const drive = await loaded(cartridge, new KeyShelf())
    const blocks = [1, 2, 3].map((n) => blockOf(kibibytes * 1024, n))
    for (const block of blocks) await drive.write(block)
    await drive.rewind()
    expect(await readBlocks(drive)).toEqual(blocks)
    await drive.unload()
  })

  test('up to 8 MiB, not a byte more, and nothing for nothing', async () => {
    const shelf = new KeyShelf()
    const drive = await loaded(await blankCartridge(), shelf)
    await drive.write(new Uint8Array())
    expect(shelf.requests).toEqual([])
    await drive.write(new Uint8Array(8 * 1024 * 1024))
    const longer = drive.write(new Uint8Array(8 * 1024 * 1024 + 1))
    await expect(longer).rejects.toMatchObject({ code: '5/24/00' })
    expect(drive.position).toBe(1)
    await drive.unload()
  })
})

test('64 MiB pass through without being kept', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const cartridge = await blankCartridge()
  const shelf = new KeyShelf()
  const block = new Uint8Array(256 * 1024)
  const held: number[] = []
  const weigh = async (n: number) => {
    if (n % 64 !== 63) return
    collect()
    await setImmediate()
    collect()
    held.push(process.memoryUsage().arrayBuffers)
  }

  const writer = await loaded(cartridge, shelf)
  for (let n = 0; n < 256; n += 1) {
    block.fill(n)
    await writer.write(block)
    await weigh(n)
  }
  await writer.unload()
  const reader = await loaded(cartridge, shelf)
  for (let n = 0; n < 256; n += 1) {
    const found = await reader.read()
    expect(found.kind === 'block' && [found.data[0], found.data.length]).toEqual([n, block.length])
    await weigh(n)
  }
  await reader.unload()
  expect(Math.max(...held) - Math.min(...held)).toBeLessThan(4 * 1024 * 1024)
})

test('any story of writes, overwrites and mounts reads back, each beginning under a key of its own', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('write'), length: fc.integer({ min: 1, max: 400 }) }),
    fc.record({ kind: fc.constant('locate'), where: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({ kind: fc.constant('filemark') }),
    fc.record({ kind: fc.constant('remount') }),
  ) as fc.Arbitrary<
    | { kind: 'write'; length: number }
    | { kind: 'locate'; where: number }
    | { kind: 'filemark' | 'remount' }
  >
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const cartridge = await blankCartridge()
      const shelf = new KeyShelf()
      const drive = await loaded(cartridge, shelf)
      const model: (Uint8Array | 'filemark')[] = []
      let position = 0
      let beginnings = 0
      for (const [seed, move] of steps.entries()) {
        if (move.kind === 'locate') {
          position = Math.round(move.where * model.length)
          await drive.locate(position)
        }
        if (move.kind === 'remount') {
          await drive.load(await drive.unload())
          position = 0
        }
        if (move.kind === 'filemark') {
          await drive.writeFilemarks()
          model.splice(position, Infinity, 'filemark')
          position += 1
        }
        if (move.kind === 'write') {
          if (!model.slice(0, position).some((object) => object !== 'filemark')) beginnings += 1
          await drive.write(blockOf(move.length, seed))
          model.splice(position, Infinity, blockOf(move.length, seed))
          position += 1
        }
      }
      await drive.rewind()
      const found: (Uint8Array | 'filemark')[] = []
      for (let n = 0; n < model.length; n += 1) {
        const object = await drive.read()
        if (object.kind !== 'end-of-data')
          found.push(object.kind === 'block' ? object.data : 'filemark')
      }
      expect(found).toEqual(model)
      expect(await drive.read()).toEqual({ kind: 'end-of-data' })
      expect(shelf.keys.size).toBe(beginnings)
      await drive.unload()
    }),
    { numRuns: 40 },
  )
})
