import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { flipBit } from '../../simulator/cartridge-damage.ts'
import { Cartridge } from '../../simulator/cartridge.ts'
import type { TapeObject } from '../../simulator/tape-record.ts'
import { blankCartridge, blockOf, hex, temporaryDirectory } from './fixtures.ts'

const filemark: TapeObject = { kind: 'filemark' }
const clear = (length: number, seed = 1): TapeObject => ({
  kind: 'clear',
  data: blockOf(length, seed),
})
const encrypted = (seed = 1): Extract<TapeObject, { kind: 'encrypted' }> => ({
  kind: 'encrypted',
  external: false,
  rawReadAllowed: true,
  kadFormat: 'binary',
  ukad: blockOf(8, seed),
  akad: blockOf(12, seed + 1),
  iv: blockOf(12, seed + 2),
  keyCheck: blockOf(4, seed + 3),
  ciphertext: blockOf(500, seed + 4),
  tag: blockOf(16, seed + 5),
})

async function contents(cartridge: Cartridge): Promise<TapeObject[]> {
  const medium = await cartridge.mount()
  const objects: TapeObject[] = []
  try {
    for (let n = 0; n < medium.count; n += 1) {
      const object = await medium.read(n)
      if (object !== undefined) objects.push(object)
    }
  } finally {
    await medium.close()
  }
  return objects
}

async function record(cartridge: Cartridge, from: number, objects: TapeObject[]): Promise<void> {
  const medium = await cartridge.mount()
  for (const [at, object] of objects.entries()) await medium.write(from + at, object)
  await medium.close()
}

describe('a cartridge', () => {
  test('is what its label says', async () => {
    const cartridge = await blankCartridge({ barcode: 'KR0001LY' })
    expect(cartridge).toMatchObject({
      barcode: 'KR0001LY',
      volser: 'KR0001',
      mediumSerial: 'MEDIUM0001',
      format: 'LTO-8',
      worm: true,
      writeProtected: false,
    })
  })

  test('with a label of six characters needs its format said', async () => {
    await expect(blankCartridge({ barcode: 'KR0001' })).rejects.toMatchObject({
      code: 'cartridge-format',
    })
    const cartridge = await blankCartridge({ barcode: 'KR0001', format: 'LTO-6' })
    expect(cartridge).toMatchObject({ format: 'LTO-6', worm: false })
  })

  test('of type M has no WORM variant', async () => {
    const made = blankCartridge({ barcode: 'KR0001M8', worm: true })
    await expect(made).rejects.toMatchObject({ code: 'cartridge-format' })
  })

  test('is found again with label, tab and tape', async () => {
    const made = await blankCartridge()
    await made.setWriteProtected(true)
    await record(made, 0, [clear(100), filemark, encrypted()])

    const found = await Cartridge.open(made.directory)
    expect(found.writeProtected).toBe(true)
    expect(await contents(found)).toEqual([clear(100), filemark, encrypted()])
  })

  test('keeps its medium serial under a new label', async () => {
    const made = await blankCartridge()
    await made.relabel('XX9999L8')
    const found = await Cartridge.open(made.directory)
    expect([found.barcode, found.volser]).toEqual(['XX9999L8', 'XX9999'])
    expect(found.mediumSerial).toBe('MEDIUM0001')
  })

  test('does not replace another', async () => {
    const { directory } = await blankCartridge()
    const again = Cartridge.create(directory, { barcode: 'KR0002L8', mediumSerial: 'M2' })
    await expect(again).rejects.toMatchObject({ code: 'cartridge-exists' })
    expect((await Cartridge.open(directory)).barcode).toBe('KR0001L8')
  })

  test('is mounted once at a time', async () => {
    const cartridge = await blankCartridge()
    const medium = await cartridge.mount()
    await expect(cartridge.mount()).rejects.toMatchObject({ code: 'cartridge-in-use' })
    await medium.close()
    await (await cartridge.mount()).close()
  })

  test.each([
    ['a newer version', { version: 2 }],
    ['another kind of file', { kind: 'photograph' }],
    ['an unknown format', { format: 'LTO-3' }],
    ['a missing field', { mediumSerial: undefined }],
  ])('is refused with %s', async (_, changes) => {
    const { directory } = await blankCartridge()
    const file = join(directory, 'cartridge.json')
    const description = JSON.parse(await readFile(file, 'utf8')) as object
    await writeFile(file, JSON.stringify({ ...description, ...changes }))
    const opened = Cartridge.open(directory)
    await expect(opened).rejects.toMatchObject({ code: 'cartridge-format' })
  })

  test('is refused when its description is not JSON', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'cartridge.json'), '{')
    await expect(Cartridge.open(directory)).rejects.toMatchObject({ code: 'cartridge-format' })
  })
})

describe('a tape', () => {
  test('forgets what lay behind an overwritten object', async () => {
    const cartridge = await blankCartridge()
    await record(cartridge, 0, [clear(1000, 1), clear(1000, 2), clear(1000, 3), filemark])
    await record(cartridge, 1, [clear(10, 4)])
    expect(await contents(cartridge)).toEqual([clear(1000, 1), clear(10, 4)])
    expect((await stat(join(cartridge.directory, 'data'))).size).toBe(1010)

    await record(cartridge, 0, [filemark])
    expect(await contents(cartridge)).toEqual([filemark])
    expect((await stat(join(cartridge.directory, 'data'))).size).toBe(0)
  })

  test('does not leave gaps', async () => {
    const medium = await (await blankCartridge()).mount()
    await expect(medium.write(1, filemark)).rejects.toThrow(RangeError)
    await medium.close()
  })

  test('knows whether an encrypted block is recorded, also after overwriting and reopening', async () => {
    const cartridge = await blankCartridge()
    const containsEncrypted = async () => {
      const medium = await cartridge.mount()
      await medium.close()
      return medium.containsEncrypted
    }
    expect(await containsEncrypted()).toBe(false)
    await record(cartridge, 0, [clear(10), encrypted(), filemark, clear(10)])
    expect(await containsEncrypted()).toBe(true)
    await record(cartridge, 1, [filemark])
    expect(await containsEncrypted()).toBe(false)
  })

  test('peeks at a block without its content', async () => {
    const medium = await (await blankCartridge()).mount()
    await medium.write(0, encrypted())
    await medium.write(1, filemark)
    await medium.write(2, filemark)
    const { ukad, akad, iv, keyCheck } = encrypted()
    expect(await medium.peek(0)).toMatchObject({ kind: 'encrypted', ukad, akad, iv, keyCheck })
    expect(await medium.blockBefore(3)).toMatchObject({ ukad, akad })
    expect(await medium.blockBefore(0)).toBeUndefined()
    expect(await medium.peek(3)).toBeUndefined()
    await medium.close()
  })

  test('survives a writer killed before the index entry was whole', async () => {
    const cartridge = await blankCartridge()
    await record(cartridge, 0, [clear(100, 1), clear(100, 2)])
    await appendFile(join(cartridge.directory, 'data'), 'torn')
    await appendFile(join(cartridge.directory, 'index'), 'half an')
    expect(await contents(cartridge)).toEqual([clear(100, 1), clear(100, 2)])
    await record(cartridge, 2, [clear(100, 3)])
    expect(await contents(cartridge)).toEqual([clear(100, 1), clear(100, 2), clear(100, 3)])
  })

  test('drops objects whose block is not in the data file', async () => {
    const cartridge = await blankCartridge()
    await record(cartridge, 0, [clear(100, 1), clear(100, 2), clear(100, 3)])
    await truncate(join(cartridge.directory, 'data'), 150)
    expect(await contents(cartridge)).toEqual([clear(100, 1)])
  })

  test('reports a block that makes no sense', async () => {
    const cartridge = await blankCartridge()
    await record(cartridge, 0, [encrypted()])
    const data = await readFile(join(cartridge.directory, 'data'))
    await writeFile(join(cartridge.directory, 'data'), data.fill(0xff, 0, 4))
    await expect(contents(cartridge)).rejects.toMatchObject({ code: '3/11/00' })
  })

  test.each(['ukad', 'akad', 'iv', 'keyCheck', 'ciphertext', 'tag'] as const)(
    'can have one bit of its %s flipped',
    async (part) => {
      const cartridge = await blankCartridge()
      await record(cartridge, 0, [clear(30), encrypted()])
      await flipBit(cartridge, 1, part, 3)
      const before = encrypted()
      const first = (before[part][0] ?? 0) ^ 8
      expect((await contents(cartridge))[1]).toEqual({
        ...before,
        [part]: before[part].with(0, first),
      })
    },
  )

  test('reads back any sequence of writes as a list would', async () => {
    const object = fc.oneof(
      fc.constant(filemark),
      fc.integer({ min: 1, max: 300 }).map((length) => clear(length, length)),
      fc.nat(50).map((seed) => encrypted(seed)),
    )
    const steps = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), object), {
      maxLength: 20,
    })
    await fc.assert(
      fc.asyncProperty(steps, async (writes) => {
        const cartridge = await blankCartridge()
        const model: TapeObject[] = []
        for (const [where, written] of writes) {
          const n = Math.round(where * model.length)
          model.splice(n, Infinity, written)
          await record(cartridge, n, [written])
        }
        expect(await contents(await Cartridge.open(cartridge.directory))).toEqual(model)
      }),
      { numRuns: 25 },
    )
  })
})

test('a data file lies as documented', async () => {
  const cartridge = await blankCartridge()
  const block = {
    ...encrypted(),
    ukad: hex('aa'),
    akad: hex('bbbb'),
    iv: hex('11'.repeat(12)),
    keyCheck: hex('22'.repeat(4)),
    ciphertext: hex('33'),
    tag: hex('44'.repeat(16)),
  }
  await record(cartridge, 0, [filemark, block])
  const data = Uint8Array.from(await readFile(join(cartridge.directory, 'data')))
  const head = '02 01 01 02 00000000'
  const rest = `${'11'.repeat(12)} ${'22'.repeat(4)} 33 ${'44'.repeat(16)}`
  expect(data).toEqual(hex(`${head} aa bbbb ${rest}`))
  const index = Uint8Array.from(await readFile(join(cartridge.directory, 'index')))
  expect(index).toEqual(
    hex(`00000000 00000000 0000000000000000  02010000 0000002c 0000000000000000`),
  )
})
