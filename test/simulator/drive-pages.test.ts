// The pages a drive answers with, byte for byte.

import { expect, test } from 'vitest'

import { flipBit } from '../../simulator/cartridge-damage.ts'
import type { Drive } from '../../simulator/drive.ts'
import {
  dataEncryptionCapabilities,
  managementCapabilities,
} from '../../simulator/security-protocol-capabilities.ts'
import { descriptorsOf } from '../../simulator/security-protocol-page.ts'
import { encodeCommand } from '../../simulator/security-protocol.ts'
import {
  blankCartridge,
  bothWays,
  hex,
  hostDrive,
  keyNumber,
  KeyShelf,
  libraryDrive,
  mixedTape,
  mixedTapeKad,
  nextBlock,
  readPage,
  setByHost,
  status,
} from './fixtures.ts'

test('lists of protocols and pages', async () => {
  const drive = hostDrive()
  const information = (page: number) =>
    drive.securityProtocolIn('host', encodeCommand('in', { protocol: 0, page, length: 100 }))
  expect(await information(0)).toEqual(hex('000000000000 0002 00 20'))
  expect(await information(1)).toEqual(hex('00000000'))
  expect(await readPage(drive, 0)).toEqual(hex('0000 0010 0000 0001 0010 0011 0012 0020 0021 0030'))
  expect(await readPage(drive, 1)).toEqual(hex('0001 0002 0010'))
  expect(await readPage(drive, 0x11)).toEqual(hex('0011 0001 00'))
})

test.each([
  ['a page it does not have', { protocol: 0x20, page: 0x0031, length: 100 }],
  ['information it does not have', { protocol: 0x00, page: 2, length: 100 }],
  ['a protocol it does not speak', { protocol: 0x21, page: 0, length: 100 }],
])('5/24/00 for %s', async (_, command) => {
  const asked = hostDrive().securityProtocolIn('host', encodeCommand('in', command))
  await expect(asked).rejects.toMatchObject({ code: '5/24/00' })
})

test('are cut to the allocation length', async () => {
  const cdb = encodeCommand('in', { protocol: 0x20, page: 0x20, length: 7 })
  const cut = await hostDrive().securityProtocolIn('host', cdb)
  expect(cut).toEqual(hex('0020 0014 00 00 00'))
})

test('capabilities follow the medium, and say who may configure', async () => {
  const read = async (drive: Drive, port: 'host' | 'automation') =>
    dataEncryptionCapabilities.decode(await readPage(drive, 0x10, port))
  const managed = libraryDrive(new KeyShelf(), { generation: 5 })
  expect(await read(managed, 'host')).toMatchObject({
    externalControl: 'capable',
    configuration: 'prevented',
    algorithms: [{ index: 1, avfmv: false, maximumUkad: 32, maximumAkad: 60, keySize: 32 }],
  })
  expect(await read(managed, 'automation')).toMatchObject({ configuration: 'allowed' })
  await managed.load(await blankCartridge({ barcode: 'KR0001L4' }))
  expect(await read(managed, 'host')).toMatchObject({
    algorithms: [{ avfmv: true, maximumUkad: 32, maximumAkad: 12, algorithm: 0x00010014 }],
  })
  await managed.unload()
  expect(await read(hostDrive(), 'host')).toMatchObject({ configuration: 'allowed' })
  const bytes = await readPage(hostDrive(), 0x10)
  expect(bytes).toEqual(
    hex(`0010 0028 09 000000000000000000000000000000
           01 00 0014 0a 0c 0020 003c 0020 e9 00 0000 0000 0000 00010014`),
  )
})

test('management: keys are cleared on demount, nothing is locked', async () => {
  const bytes = await readPage(hostDrive(), 0x12)
  expect(bytes).toEqual(hex('0012 000c 00 04 00 06 0000000000000000'))
  expect(managementCapabilities.decode(bytes)).toMatchObject({ ckod_c: true, lock_c: false })
})

test('status: modes, counter, who set them, and the KAD but not the key', async () => {
  const { drive } = await mixedTape({ kadFormat: 'ascii' })
  const bytes = await readPage(drive, 0x20)
  expect(bytes).toEqual(
    hex(`0020 0025 42 02 02 01 00000001 1b 02 0000 0000000000000000
           00 01 0004 6e6f7465  01 02 0005 4b45592d31`),
  )
  await drive.unload()
  const managed = libraryDrive(new KeyShelf())
  expect(await status(managed)).toMatchObject({ parametersControl: 'management', vcelb: false })
})

test('next block: what is there and whether it would open', async () => {
  const { drive, cartridge } = await mixedTape()
  expect(await nextBlock(drive)).toMatchObject({ encryption: 'clear', kads: [] })
  await drive.locate(1)
  expect(await readPage(drive, 0x21)).toEqual(
    hex(`0021 001d 0000000000000001 05 01 01 00
           00 01 0004 6e6f7465  01 03 0005 4b45592d31`),
  )
  setByHost(drive, bothWays(keyNumber(2)))
  expect(await nextBlock(drive)).toMatchObject({
    encryption: 'key-missing-or-wrong',
    kads: descriptorsOf(mixedTapeKad, 'not-covered', 'not-attempted'),
  })
  setByHost(drive, bothWays(keyNumber(1)))
  await flipBit(cartridge, 1, 'ciphertext')
  expect(await nextBlock(drive)).toMatchObject({
    encryption: 'decryptable',
    kads: descriptorsOf(mixedTapeKad, 'not-covered', 'failed'),
  })
  await drive.spaceToEndOfData()
  expect(await nextBlock(drive)).toMatchObject({ encryption: 'not-now', objectNumber: 3 })
  await drive.writeFilemarks()
  await drive.locate(3)
  expect(await nextBlock(drive)).toMatchObject({ encryption: 'not-a-block' })
  await drive.unload()
  await expect(readPage(drive, 0x21)).rejects.toMatchObject({ code: '2/3A/00' })
})

test('random numbers come from the source given', async () => {
  const drive = hostDrive({ random: (length) => new Uint8Array(length).fill(7) })
  expect(await readPage(drive, 0x30)).toEqual(hex(`0030 0020 ${'07'.repeat(32)}`))
  const [one, other] = [await readPage(hostDrive(), 0x30), await readPage(hostDrive(), 0x30)]
  expect(one).not.toEqual(other)
})
