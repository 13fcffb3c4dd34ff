// Keys that are wrong, late or missing, blocks that are damaged, and where keys end.

import { describe, expect, test, vi } from 'vitest'

import { flipBit } from '../../simulator/cartridge-damage.ts'
import { keyPage, type KeyAnswer } from '../../simulator/drive-control.ts'
import { descriptorsOf } from '../../simulator/security-protocol-page.ts'
import {
  dataEncryptionStatus,
  encryptionOff,
  setDataEncryption,
} from '../../simulator/security-protocol-pages.ts'
import { senseProfiles } from '../../simulator/sense.ts'
import {
  blankCartridge,
  blockOf,
  bothWays,
  encryptedCartridge,
  kadOfText,
  keyNumber,
  KeyShelf,
  libraryDrive,
  loaded,
  readBlocks,
  readPage,
  sendOut,
  wrongKey,
} from './fixtures.ts'

describe('a wrong key', () => {
  test('reads nothing: 7/74/03, and the next try asks again', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    shelf.answer = wrongKey
    const drive = await loaded(cartridge, shelf)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/03' })
    shelf.answer = undefined
    expect(await readBlocks(drive)).toHaveLength(3)
    expect(shelf.reasons).toEqual(['read', 'read'])
    await drive.unload()
  })

  test('ten times in a row locks the drive until unload', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    shelf.answer = wrongKey
    const drive = await loaded(cartridge, shelf)
    for (let n = 0; n < 10; n += 1) {
      await expect(drive.read()).rejects.toMatchObject({ code: '7/74/03' })
    }
    shelf.answer = undefined
    await expect(drive.read()).rejects.toMatchObject({ code: '7/26/10' })
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/26/10' })
    await drive.spaceToEndOfData()
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/26/10' })
    expect(shelf.requests).toHaveLength(10)

    await drive.unload()
    await drive.load(cartridge)
    expect(await readBlocks(drive)).toHaveLength(3)
    await drive.unload()
  })

  test('is gone from the lock after a power cycle', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    shelf.answer = wrongKey
    const drive = await loaded(cartridge, shelf)
    for (let n = 0; n < 10; n += 1) await drive.read().catch(() => undefined)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/26/10' })
    await drive.powerCycle()
    shelf.answer = undefined
    expect(await readBlocks(drive)).toHaveLength(3)
    await drive.unload()
  })
})

describe('a damaged block', () => {
  test.each(['tag', 'ciphertext', 'iv'] as const)(
    'with a flipped bit in its %s is 7/74/04, and its neighbours read on',
    async (part) => {
      const { cartridge, shelf } = await encryptedCartridge()
      await flipBit(cartridge, 1, part)
      const drive = await loaded(cartridge, shelf)
      expect(await drive.read()).toMatchObject({ kind: 'block' })
      await expect(drive.read()).rejects.toMatchObject({ code: '7/74/04' })
      expect(drive.position).toBe(1)
      await drive.locate(2)
      expect(await readBlocks(drive)).toEqual([blockOf(1000, 2)])
      await drive.unload()
    },
  )

  test('is told from a wrong key even when it is the only one', async () => {
    const { cartridge, shelf } = await encryptedCartridge(1)
    await flipBit(cartridge, 0, 'tag')
    const drive = await loaded(cartridge, shelf)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/04' })
    await drive.unload()
  })

  test('does not count as a wrong key', async () => {
    const { cartridge, shelf } = await encryptedCartridge(1)
    await flipBit(cartridge, 0, 'tag')
    const drive = await loaded(cartridge, shelf)
    for (let n = 0; n < 11; n += 1) {
      await expect(drive.read()).rejects.toMatchObject({ code: '7/74/04' })
    }
    expect(shelf.reasons).toEqual(['read'])
    await drive.unload()
  })
})

describe('a library that does not answer', () => {
  test.each([
    ['t10', '7/74/6E', '7/74/6F'],
    ['aborted-command', 'B/74/6E', 'B/74/6F'],
  ] as const)('makes a %s drive end the command', async (profile, timeout, error) => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = libraryDrive(shelf, { senses: senseProfiles[profile] })
    await drive.load(cartridge)
    shelf.answer = () => ({ refused: 'control-timeout' })
    await expect(drive.read()).rejects.toMatchObject({ code: timeout })
    shelf.answer = () => ({ refused: 'control-error' })
    await expect(drive.read()).rejects.toMatchObject({ code: error })
    const cause = new Error('no server reachable')
    shelf.answer = () => Promise.reject(cause)
    await expect(drive.read()).rejects.toMatchObject({ code: error, cause })
    shelf.answer = undefined
    expect(await readBlocks(drive)).toHaveLength(3)
    await drive.unload()
  })

  test('in time is not waited for, and its late key is wiped unused', async () => {
    const { cartridge } = await encryptedCartridge()
    const { promise, resolve } = Promise.withResolvers<KeyAnswer>()
    const signals: AbortSignal[] = []
    let fire: () => void = () => undefined
    let stopped = 0
    const drive = libraryDrive({
      kind: 'library',
      timeout: 30_000,
      onKeyNeeded: (_, signal) => {
        signals.push(signal)
        queueMicrotask(fire)
        return promise
      },
      startTimer: (milliseconds, expire) => {
        expect(milliseconds).toBe(30_000)
        fire = expire
        return () => (stopped += 1)
      },
    })
    await drive.load(cartridge)
    await expect(drive.read()).rejects.toMatchObject({ code: '7/74/6E' })
    expect(signals.map((signal) => signal.aborted)).toEqual([true])
    expect(stopped).toBe(1)

    const page = keyPage(keyNumber(1), kadOfText('', 'late'))
    resolve({ page })
    await drive.rewind()
    expect(page.every((byte) => byte === 0)).toBe(true)
    await drive.unload()
  })

  test('keeps no former key to write with', async () => {
    const { cartridge, shelf } = await encryptedCartridge()
    const drive = await loaded(cartridge, shelf)
    await readBlocks(drive)
    await drive.rewind()
    shelf.answer = () => ({ refused: 'control-error' })
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/6F' })
    await expect(drive.write(blockOf(10, 1))).rejects.toMatchObject({ code: '7/74/6F' })
    expect(await drive.read().catch((error: unknown) => error)).toMatchObject({ code: '7/74/6F' })
    await drive.unload()
  })
})

test('the drive wipes the page it was answered with', async () => {
  const shelf = new KeyShelf()
  const page = keyPage(keyNumber(1), kadOfText('', 'id'))
  shelf.answer = () => ({ page })
  const drive = await loaded(await blankCartridge(), shelf)
  await drive.write(blockOf(10, 1))
  expect(page.every((byte) => byte === 0)).toBe(true)
  await drive.unload()
})

test('the key goes when the cartridge goes, even when the page did not say so', async () => {
  const { cartridge, shelf } = await encryptedCartridge()
  const drive = await loaded(cartridge, shelf)
  const kads = descriptorsOf(kadOfText('', 'KEY-1'))
  sendOut(
    drive,
    setDataEncryption.encode({ ...encryptionOff, ...bothWays(keyNumber(1), kads) }),
    'automation',
  )
  expect(dataEncryptionStatus.decode(await readPage(drive, 0x20))).toMatchObject({ kads: [{}] })
  await drive.unload()
  const status = dataEncryptionStatus.decode(await readPage(drive, 0x20))
  expect(status).toMatchObject({ encryptionMode: 'off', decryptionMode: 'off', kads: [] })
})

test('the drive overwrites its copy of the key on unload', async () => {
  const { cartridge, shelf } = await encryptedCartridge()
  const drive = await loaded(cartridge, shelf)
  await readBlocks(drive)
  const overwritten: string[] = []
  const fill = Reflect.get(Uint8Array.prototype, 'fill') as Uint8Array['fill']
  const spy = vi.spyOn(Uint8Array.prototype, 'fill').mockImplementation(function (
    this: Uint8Array,
    ...values
  ) {
    overwritten.push(this.toHex())
    return fill.apply(this, values)
  })
  try {
    await drive.unload()
  } finally {
    spy.mockRestore()
  }
  expect(overwritten).toContain(keyNumber(1).toHex())
})
