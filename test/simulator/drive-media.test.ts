// Cartridges and drives of different generations, and what a drive does without encryption.

import { describe, expect, test } from 'vitest'

import {
  driveGenerations,
  driveRow,
  mediumFormats,
  type DriveGeneration,
  type MediumFormat,
} from '../../simulator/generations.ts'
import { applicationDataOf } from '../../simulator/kad.ts'
import {
  blankCartridge,
  blockOf,
  hostDrive,
  KeyShelf,
  libraryDrive,
  readBlocks,
} from './fixtures.ts'

const formats = Object.keys(mediumFormats) as MediumFormat[]
const generations = Object.keys(driveGenerations).map(Number) as DriveGeneration[]
const pairs = generations.flatMap((generation) =>
  formats.map((format) => [generation, format] as const),
)

test('drives read and write as their generations are known to', () => {
  const table = generations.map((generation) => {
    const { reads, writes } = driveRow(generation)
    return `${generation}: ${reads.join(' ')} / ${writes.join(' ')}`
  })
  expect(table).toEqual([
    '4: LTO-4 / LTO-4',
    '5: LTO-4 LTO-5 / LTO-4 LTO-5',
    '6: LTO-4 LTO-5 LTO-6 / LTO-5 LTO-6',
    '7: LTO-5 LTO-6 LTO-7 / LTO-6 LTO-7',
    '8: LTO-7 M8 LTO-8 / LTO-7 M8 LTO-8',
    '9: LTO-8 LTO-9 / LTO-8 LTO-9',
  ])
})

test.each(pairs)('an LTO-%i drive keeps to the table with %s media', async (generation, format) => {
  const cartridge = await blankCartridge({ barcode: 'KR0001', format })
  const drive = hostDrive({ generation })
  const { reads, writes } = driveRow(generation)
  if (!reads.includes(format)) {
    await expect(drive.load(cartridge)).rejects.toMatchObject({ code: '3/30/00' })
    expect(drive.cartridge).toBeUndefined()
    return
  }
  await drive.load(cartridge)
  const writing = drive.write(blockOf(10, 1))
  if (writes.includes(format)) await expect(writing).resolves.toBeUndefined()
  else await expect(writing).rejects.toMatchObject({ code: '7/30/05' })
  await drive.unload()
})

test('an LTO-4 tape gives LTO-5 and LTO-6 drives the same Application Data', async () => {
  const cartridge = await blankCartridge({ barcode: 'KR0001L4' })
  const shelf = new KeyShelf()
  const blocks = [1, 2, 3].map((n) => blockOf(1000, n))
  const old = libraryDrive(shelf, { generation: 4 })
  await old.load(cartridge)
  for (const block of blocks) await old.write(block)
  await old.unload()
  const [applicationData] = shelf.keys.keys()

  for (const generation of [5, 6] as const) {
    shelf.requests.length = 0
    const drive = libraryDrive(shelf, { generation })
    await drive.load(cartridge)
    expect(await readBlocks(drive)).toEqual(blocks)
    const [request] = shelf.requests
    expect(request).toMatchObject({ format: 'LTO-4', kadLimits: { ukad: 32, akad: 12 } })
    const kad = request !== undefined && 'kad' in request ? request.kad : undefined
    expect(kad && [kad.ukad.length, kad.akad.length]).toEqual([4, 12])
    expect(kad && applicationDataOf(kad)).toBe(applicationData)
    await drive.unload()
  }

  const newer = libraryDrive(shelf, { generation: 5 })
  await newer.load(cartridge)
  await newer.spaceToEndOfData()
  await newer.write(blockOf(1000, 4))
  await newer.unload()
  await old.load(cartridge)
  expect(await readBlocks(old)).toEqual([...blocks, blockOf(1000, 4)])
  await old.unload()
})

describe('a drive', () => {
  test('without a cartridge does nothing', async () => {
    const drive = hostDrive()
    const commands = [
      drive.read(),
      drive.write(blockOf(1, 1)),
      drive.writeFilemarks(),
      drive.rewind(),
      drive.spaceToEndOfData(),
      drive.unload(),
    ]
    for (const command of commands) await expect(command).rejects.toMatchObject({ code: '2/3A/00' })
    expect([drive.position, drive.cartridge]).toEqual([0, undefined])
  })

  test('takes one cartridge, and keeps its manager while it holds one', async () => {
    const drive = hostDrive()
    await drive.load(await blankCartridge())
    const second = await blankCartridge({ barcode: 'KR0002L8' })
    await expect(drive.load(second)).rejects.toMatchObject({ code: '5/3B/0D' })
    expect(() => drive.setControl(new KeyShelf())).toThrow(
      expect.objectContaining({ code: 'drive-in-use' }),
    )
    expect((await drive.unload()).barcode).toBe('KR0001L8')
    await drive.load(second)
    await drive.unload()
  })

  test('finds blocks and filemarks by number and stops at the end of data', async () => {
    const drive = hostDrive()
    await drive.load(await blankCartridge())
    await drive.write(blockOf(10, 1))
    await drive.writeFilemarks(2)
    await drive.write(blockOf(10, 2))
    await drive.rewind()
    expect(await readBlocks(drive)).toEqual([blockOf(10, 1)])
    expect(drive.position).toBe(2)
    expect(await drive.read()).toEqual({ kind: 'filemark' })
    expect(await readBlocks(drive)).toEqual([blockOf(10, 2)])
    expect(await drive.read()).toEqual({ kind: 'end-of-data' })
    expect(drive.position).toBe(4)
    await drive.locate(3)
    expect(await readBlocks(drive)).toEqual([blockOf(10, 2)])
    await expect(drive.locate(5)).rejects.toMatchObject({ code: '8/00/05' })
    expect(drive.position).toBe(4)
    await drive.unload()
  })

  test('respects the write-protect tab', async () => {
    const cartridge = await blankCartridge()
    await cartridge.setWriteProtected(true)
    const drive = hostDrive()
    await drive.load(cartridge)
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/27/00' })
    await expect(drive.writeFilemarks()).rejects.toMatchObject({ code: '7/27/00' })
    await drive.unload()
  })

  test('appends to a WORM cartridge but overwrites nothing', async () => {
    const drive = hostDrive()
    await drive.load(await blankCartridge({ barcode: 'KR0001LY' }))
    await drive.write(blockOf(10, 1))
    await drive.write(blockOf(10, 2))
    await drive.locate(1)
    await expect(drive.write(blockOf(10, 3))).rejects.toMatchObject({ code: '7/30/0C' })
    await drive.rewind()
    await expect(drive.writeFilemarks()).rejects.toMatchObject({ code: '7/30/0C' })
    expect(await readBlocks(drive)).toEqual([blockOf(10, 1), blockOf(10, 2)])
    await drive.unload()
  })

  test('that manages keys through a library writes on clear after clear blocks', async () => {
    const cartridge = await blankCartridge()
    const host = hostDrive()
    await host.load(cartridge)
    await host.write(blockOf(10, 1))
    await host.unload()
    const shelf = new KeyShelf()
    const drive = libraryDrive(shelf)
    await drive.load(cartridge)
    await drive.spaceToEndOfData()
    await drive.write(blockOf(10, 2))
    await drive.rewind()
    expect(await readBlocks(drive)).toEqual([blockOf(10, 1), blockOf(10, 2)])
    expect(shelf.requests).toEqual([])
    await drive.unload()
  })
})
