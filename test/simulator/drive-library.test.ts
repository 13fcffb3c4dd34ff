// Library-managed encryption: when a drive asks for a key, and what it does with the answer.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { describe, expect, test } from 'vitest'

import { flipBit } from '../../simulator/cartridge-damage.ts'
import { keyPage } from '../../simulator/drive-control.ts'
import { applicationDataOf } from '../../simulator/kad.ts'
import {
  encryptionOff,
  nextBlockEncryptionStatus,
  setDataEncryption,
} from '../../simulator/security-protocol-pages.ts'
import { senseProfiles } from '../../simulator/sense.ts'
import {
  blankCartridge,
  blockOf,
  decryptOnly,
  encryptedCartridge,
  kadOfText,
  keyNumber,
  KeyShelf,
  libraryDrive,
  loaded,
  readBlocks,
  readPage,
  wrongKey,
} from './fixtures.ts'

describe('a write from the beginning', () => {
  test('asks for one key, tells nothing but the medium, and names it on every block', async () => {
    const cartridge = await blankCartridge()
    const shelf = new KeyShelf()
    const drive = await loaded(cartridge, shelf)
    for (let n = 0; n < 3; n += 1) await drive.write(blockOf(1000, n))
    await drive.unload()

    expect(shelf.requests).toEqual([
      {
        reason: 'write-bot',
        format: 'LTO-8',
        mediumSerial: 'MEDIUM0001',
        kadLimits: { ukad: 32, akad: 60 },
      },
    ])
    const medium = await cartridge.mount()
    for (let n = 0; n < 3; n += 1) {
      const block = await medium.read(n)
      expect(block?.kind === 'encrypted' && applicationDataOf(block)).toBe(
        [...shelf.keys.keys()][0],
      )
    }
    await medium.close()
  })

  test('leaves neither key nor plain text on the cartridge', async () => {
    const { cartridge } = await encryptedCartridge()
    const data = await readFile(join(cartridge.directory, 'data'))
    const index = await readFile(join(cartridge.directory, 'index'))
    for (const secret of [keyNumber(1), blockOf(1000, 0), blockOf(1000, 0).subarray(100, 116)]) {
      expect(data.includes(secret)).toBe(false)
      expect(index.includes(secret)).toBe(false)
    }
  })

  test('gets another key each time, whatever key the drive holds', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = await loaded(cartridge, shelf)
    expect(await readBlocks(drive)).toHaveLength(3)
    await drive.rewind()
    await drive.write(blockOf(500, 7))
    await drive.rewind()
    await drive.write(blockOf(500, 8))
    expect(shelf.reasons).toEqual(['read', 'write-bot', 'write-bot'])
    expect(shelf.keys.size).toBe(3)
    await drive.rewind()
    expect(await readBlocks(drive)).toEqual([blockOf(500, 8)])
    await drive.unload()
  })

  test('asks again after a filemark has replaced everything', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = await loaded(cartridge, shelf)
    await drive.writeFilemarks()
    await drive.write(blockOf(10, 1))
    expect(shelf.reasons).toEqual(['write-bot'])
    await drive.unload()
  })

  test('writes clear when the library says so, and goes on clear unasked', async () => {
    const cartridge = await blankCartridge()
    const shelf = new KeyShelf()
    shelf.answer = () => ({ page: setDataEncryption.encode(encryptionOff) })
    const drive = await loaded(cartridge, shelf)
    await drive.write(blockOf(10, 1))
    await drive.write(blockOf(10, 2))
    await drive.rewind()
    expect(await drive.read()).toEqual({ kind: 'block', data: blockOf(10, 1), encrypted: false })
    await drive.spaceToEndOfData()
    await drive.write(blockOf(10, 3))
    expect(shelf.reasons).toEqual(['write-bot'])
    await drive.unload()
  })

  test.each([
    ['without key-associated data', () => keyPage(keyNumber(1), kadOfText('', ''))],
    ['that only decrypts', () => decryptOnly(keyNumber(1))],
    ['cut short', () => keyPage(keyNumber(1), kadOfText('', 'id')).subarray(0, 30)],
    [
      'of another drive: A-KAD too long',
      () => keyPage(keyNumber(1), kadOfText('', 'a'.repeat(61))),
    ],
  ])('refuses a page %s and writes nothing', async (_, page) => {
    const shelf = new KeyShelf()
    shelf.answer = () => ({ page: page() })
    const drive = await loaded(await blankCartridge(), shelf)
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/6F' })
    expect(await drive.read()).toEqual({ kind: 'end-of-data' })
    await drive.unload()
  })
})

describe('an append', () => {
  test('asks for the key of the tape once, and both parts read back', async () => {
    const { cartridge, shelf } = await encryptedCartridge(2)
    const other = await loaded(cartridge, shelf)
    await other.spaceToEndOfData()
    await other.write(blockOf(1000, 2))
    await other.write(blockOf(1000, 3))
    await other.writeFilemarks()
    await other.write(blockOf(1000, 4))
    expect(shelf.reasons).toEqual(['append'])
    expect(shelf.requests[0]).toMatchObject({ kad: { akad: expect.any(Uint8Array) as Uint8Array } })
    await other.rewind()
    expect(await readBlocks(other)).toEqual([0, 1, 2, 3].map((n) => blockOf(1000, n)))
    expect(await readBlocks(other)).toEqual([blockOf(1000, 4)])
    expect(shelf.keys.size).toBe(1)
    await other.unload()
  })

  test('over the middle keeps the key and forgets the rest', async () => {
    const { cartridge, shelf } = await encryptedCartridge(5)
    const drive = await loaded(cartridge, shelf)
    await drive.locate(2)
    await drive.write(blockOf(77, 9))
    expect(shelf.reasons).toEqual(['append'])
    await drive.rewind()
    const expected = [blockOf(1000, 0), blockOf(1000, 1), blockOf(77, 9)]
    expect(await readBlocks(drive)).toEqual(expected)
    expect(shelf.keys.size).toBe(1)
    await drive.unload()
  })

  test('after reading does not ask again', async () => {
    const { cartridge, shelf } = await encryptedCartridge(2)
    const drive = await loaded(cartridge, shelf)
    await readBlocks(drive)
    await drive.write(blockOf(10, 1))
    expect(shelf.reasons).toEqual(['read'])
    await drive.unload()
  })

  test('with a wrong key writes nothing', async () => {
    const { cartridge, shelf } = await encryptedCartridge(2)
    shelf.answer = wrongKey
    const drive = await loaded(cartridge, shelf)
    await drive.spaceToEndOfData()
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/03' })
    expect(drive.position).toBe(2)
    expect(await drive.read()).toEqual({ kind: 'end-of-data' })
    await drive.unload()
  })

  test.each([
    ['under another name', () => keyPage(keyNumber(1), kadOfText('', 'other'))],
    ['but not to encrypt with', () => decryptOnly(keyNumber(1))],
  ])('with the right key %s writes nothing', async (_, page) => {
    const { cartridge, shelf } = await encryptedCartridge(2)
    shelf.answer = () => ({ page: page() })
    const drive = await loaded(cartridge, shelf)
    await drive.spaceToEndOfData()
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/0B' })
    expect(await drive.read()).toEqual({ kind: 'end-of-data' })
    await drive.unload()
  })
})

describe('a read', () => {
  test('asks for the key the block names, once', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = await loaded(cartridge, shelf)
    expect(await readBlocks(drive)).toEqual([0, 1, 2].map((n) => blockOf(1000, n)))
    expect(shelf.reasons).toEqual(['read'])
    await drive.unload()
  })

  test('asks again in the next mount: the key left with the cartridge', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = await loaded(cartridge, shelf)
    await readBlocks(drive)
    await drive.unload()
    await drive.load(cartridge)
    await readBlocks(drive)
    expect(shelf.reasons).toEqual(['read', 'read'])
    await drive.unload()
  })

  test.each([
    ['t10', '7/74/01'],
    ['ibm', '7/EF/10'],
  ] as const)('of an unknown key ends as %s drives end it: %s', async (profile, code) => {
    const { cartridge, shelf } = await encryptedCartridge()
    shelf.keys.clear()
    const drive = libraryDrive(shelf, { senses: senseProfiles[profile] })
    await drive.load(cartridge)
    await expect(drive.read()).rejects.toMatchObject({ code })
    expect(drive.position).toBe(0)
    await drive.unload()
  })

  test('with encryption answered off is 7/74/01, and asks again', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    shelf.answer = () => ({ page: setDataEncryption.encode(encryptionOff) })
    const drive = await loaded(cartridge, shelf)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/01' })
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/01' })
    expect(shelf.reasons).toEqual(['read', 'read'])
    await drive.unload()
  })

  test('of a block whose U-KAD was altered asks for a key nobody has', async () => {
    const cartridge = await blankCartridge({ barcode: 'KR0001L4' })
    const shelf = new KeyShelf()
    const drive = libraryDrive(shelf, { generation: 4 })
    await drive.load(cartridge)
    await drive.write(blockOf(10, 1))
    await drive.unload()
    await flipBit(cartridge, 0, 'ukad')
    await drive.load(cartridge)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/01' })
    await drive.unload()
  })
})

test('the library can read the next block’s KAD while the drive waits for the key', async () => {
  const { cartridge, shelf } = await encryptedCartridge()
  const seen: string[] = []
  shelf.answer = async (request) => {
    const status = nextBlockEncryptionStatus.decode(await readPage(drive, 0x21, 'automation'))
    seen.push(status.encryption)
    return shelf.look(request)
  }
  const drive = await loaded(cartridge, shelf)
  expect(await readBlocks(drive)).toHaveLength(3)
  expect(seen).toEqual(['key-missing-or-wrong'])
  await drive.unload()
})

test('commands wait for each other', async () => {
  const cartridge = await blankCartridge()
  const drive = await loaded(cartridge, new KeyShelf())
  await Promise.all([0, 1, 2, 3].map((n) => drive.write(blockOf(100, n))))
  const [, first, , second] = await Promise.all([
    drive.rewind(),
    drive.read(),
    drive.locate(3),
    drive.read(),
  ])
  expect([first, second]).toMatchObject([{ data: blockOf(100, 0) }, { data: blockOf(100, 3) }])
  await drive.unload()
})
