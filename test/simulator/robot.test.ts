import { describe, expect, test } from 'vitest'

import { Drive } from '../../simulator/drive.ts'
import {
  libraryModels,
  Robot,
  type LibraryModel,
  type RobotOptions,
} from '../../simulator/robot.ts'
import { blankCartridge, blockOf, readBlocks } from './fixtures.ts'

const drive = (serial: string, generation: 6 | 8 = 8) =>
  new Drive({ generation, serial, control: { kind: 'application' } })

const robotOf = (options: Partial<RobotOptions> = {}) =>
  new Robot({
    model: 'quantum-scalar',
    storageSlots: 3,
    mailSlots: 2,
    drives: [drive('D1'), drive('D2')],
    ...options,
  })

describe('inventory', () => {
  test('lists every element by address, with drive serials and labels', async () => {
    const robot = robotOf()
    robot.stock(await blankCartridge())
    expect(robot.inventory()).toEqual([
      { address: 0x0001, kind: 'picker' },
      { address: 0x0010, kind: 'mail' },
      { address: 0x0011, kind: 'mail' },
      { address: 0x0100, kind: 'drive', driveSerial: 'D1' },
      { address: 0x0101, kind: 'drive', driveSerial: 'D2' },
      { address: 0x1000, kind: 'storage', barcode: 'KR0001L8' },
      { address: 0x1001, kind: 'storage' },
      { address: 0x1002, kind: 'storage' },
    ])
  })

  test('reports six characters when set so, but finds by the label as printed', async () => {
    const robot = robotOf({ barcodeReporting: 6 })
    const address = robot.stock(await blankCartridge())
    expect(robot.inventory().find((row) => row.address === address)?.barcode).toBe('KR0001')
    expect(robot.find('KR0001L8')).toEqual([address])
    expect(robot.find('KR0001')).toEqual([])
  })

  test('shows a label as often as it occurs', async () => {
    const robot = robotOf()
    robot.stock(await blankCartridge({ mediumSerial: 'M1' }))
    robot.stock(await blankCartridge({ mediumSerial: 'M2' }))
    const found = robot.find('KR0001L8')
    expect(found).toEqual([0x1000, 0x1001])
    expect(found.map((address) => robot.cartridgeAt(address)?.mediumSerial)).toEqual(['M1', 'M2'])
  })

  test('element addresses are those of the public table', () => {
    const models = Object.keys(libraryModels) as LibraryModel[]
    const first = models.map((model) => {
      const robot = robotOf({ model, storageSlots: 1, mailSlots: 1, drives: [drive('D')] })
      const kinds = ['picker', 'mail', 'drive', 'storage'] as const
      return [model, ...kinds.map((kind) => robot.addresses(kind)[0])]
    })
    expect(first).toEqual([
      ['quantum-scalar', 0x0001, 0x0010, 0x0100, 0x1000],
      ['ibm-ts3100', 0x0001, 0x0010, 0x0100, 0x1000],
      ['ibm-ts3500', 0x0001, 0x0300, 0x0101, 0x0400],
      ['hp-msl', 0x0001, 0x01c0, 0x01e0, 0x0020],
      ['hp-eml', 0x0001, 0x000a, 0x01f4, 0x03e8],
      ['stk-l', 0x0001, 0x000a, 0x01f4, 0x03e8],
      ['spectra-treefrog', 86, 99, 31, 1],
      ['generic', 0x02f0, 0x0300, 0x0001, 0x0400],
    ])
  })

  test('refuses a layout whose addresses overlap', () => {
    expect(() => robotOf({ model: 'hp-msl', mailSlots: 33 })).toThrow(
      expect.objectContaining({ code: 'library-layout' }),
    )
  })
})

describe('moves', () => {
  test('load and unload drives; the tape goes along', async () => {
    const robot = robotOf()
    const slot = robot.stock(await blankCartridge())
    const [first = 0, second = 0] = robot.addresses('drive')
    await robot.move(slot, first)
    expect(robot.driveAt(first).cartridge?.barcode).toBe('KR0001L8')
    await robot.driveAt(first).write(blockOf(100, 1))

    await robot.move(first, second)
    expect(robot.driveAt(first).cartridge).toBeUndefined()
    expect(await readBlocks(robot.driveAt(second))).toEqual([blockOf(100, 1)])

    await robot.driveAt(second).unload()
    expect(robot.find('KR0001L8')).toEqual([second])
    await robot.move(second, slot)
    expect(robot.find('KR0001L8')).toEqual([slot])
  })

  test.each([
    ['from an empty element', 0x1001, 0x1002, '5/3B/0E'],
    ['to a full one', 0x1000, 0x0100, '5/3B/0D'],
    ['to itself', 0x1000, 0x1000, '5/3B/0D'],
    ['to the picker', 0x1000, 0x0001, '5/3B/0D'],
    ['from nowhere', 0x2000, 0x1001, '5/21/01'],
    ['to nowhere', 0x1000, 0x2000, '5/21/01'],
  ])('%s are refused', async (_, from, to, code) => {
    const robot = robotOf()
    robot.stock(await blankCartridge())
    robot.stock(await blankCartridge({ barcode: 'KR0002L8' }))
    await robot.move(0x1001, 0x0100)
    await expect(robot.move(from, to)).rejects.toMatchObject({ code })
    expect([robot.find('KR0001L8'), robot.find('KR0002L8')]).toEqual([[0x1000], [0x0100]])
    await robot.move(0x0100, 0x1002)
  })

  test('into a drive that cannot read the medium leave it where it was', async () => {
    const robot = robotOf({ drives: [drive('OLD', 6)] })
    const slot = robot.stock(await blankCartridge())
    await expect(robot.move(slot, 0x0100)).rejects.toMatchObject({ code: '3/30/00' })
    expect(robot.find('KR0001L8')).toEqual([slot])
  })

  test('happen one after the other', async () => {
    const robot = robotOf()
    robot.stock(await blankCartridge())
    await Promise.all([robot.move(0x1000, 0x1001), robot.move(0x1001, 0x1002)])
    expect(robot.find('KR0001L8')).toEqual([0x1002])
  })
})

describe('mail slots', () => {
  test('take cartridges in and give them out', async () => {
    const robot = robotOf()
    const cartridge = await blankCartridge()
    const mail = robot.insert(cartridge)
    expect(mail).toBe(0x0010)
    await robot.move(mail, 0x1000)
    await robot.move(0x1000, 0x0011)
    expect(robot.remove(0x0011)).toBe(cartridge)
    expect(robot.find('KR0001L8')).toEqual([])
  })

  test('refuse what does not fit', async () => {
    const robot = robotOf({ mailSlots: 1, storageSlots: 1 })
    robot.insert(await blankCartridge())
    const second = await blankCartridge({ barcode: 'KR0002L8' })
    expect(() => robot.insert(second)).toThrow(expect.objectContaining({ code: '5/3B/0D' }))
    robot.stock(second)
    expect(() => robot.stock(second)).toThrow(expect.objectContaining({ code: '5/3B/0D' }))
    robot.remove(0x0010)
    expect(() => robot.remove(0x0010)).toThrow(expect.objectContaining({ code: '5/3B/0E' }))
    expect(() => robot.remove(0x1000)).toThrow(expect.objectContaining({ code: '5/21/01' }))
    expect(() => robot.driveAt(0x1000)).toThrow(expect.objectContaining({ code: '5/21/01' }))
  })
})
