// The checker of tapes must itself notice everything that is wrong.

import { expect, test } from 'vitest'

import { blockOf, identifiersOnTape, readBack, write } from '../../simulator/recording.ts'
import { endsWith } from '../../simulator/scenarios/scenario.ts'
import { encryptedCartridge, loaded, withCartridge } from './fixtures.ts'

const recording = { seed: 1, blocks: 3, blockSize: 1000 }

test('blocks can be made again, and no two are alike', () => {
  expect(blockOf(recording, 0)).toEqual(blockOf(recording, 0))
  const all = [0, 1, 2].flatMap((seed) =>
    [0, 1, 2].map((n) => blockOf({ ...recording, seed }, n).toHex()),
  )
  expect(new Set(all).size).toBe(all.length)
  expect(blockOf(recording, 0)).toHaveLength(1000)
  expect(new Set(blockOf(recording, 0)).size).toBeGreaterThan(200)
})

test('reading back accepts what was written, in order', async () => {
  const { drive } = await withCartridge()
  await write(drive, recording)
  await write(drive, { ...recording, seed: 2 })
  await readBack(drive, [recording, { ...recording, seed: 2 }])
  await drive.unload()
})

test.each([
  ['another block', [{ ...recording, seed: 9 }]],
  ['blocks too few', [{ ...recording, blocks: 4 }]],
  ['blocks too many', [{ ...recording, blocks: 2 }]],
  ['shorter blocks', [{ ...recording, blockSize: 999 }]],
])('reading back finds %s', async (_, expected) => {
  const { drive } = await withCartridge()
  await write(drive, recording)
  await expect(readBack(drive, expected)).rejects.toMatchObject({ name: 'WrongData' })
  await drive.unload()
})

test('reading back finds a filemark between blocks', async () => {
  const { drive } = await withCartridge()
  await write(drive, recording)
  await drive.writeFilemarks()
  await expect(readBack(drive, [recording])).rejects.toMatchObject({ name: 'WrongData' })
  await drive.unload()
})

test('the identifier of every block is read from the tape, and its absence too', async () => {
  const { cartridge, shelf } = await encryptedCartridge(2)
  const [identifier] = [...shelf.keys.keys()]
  expect(await identifiersOnTape(cartridge)).toEqual([identifier, identifier])

  const clear = await withCartridge()
  await write(clear.drive, recording)
  await clear.drive.unload()
  expect(await identifiersOnTape(clear.cartridge)).toEqual([undefined, undefined, undefined])
})

test('an expected sense is neither another sense nor success nor a mistake', async () => {
  const { cartridge, shelf } = await encryptedCartridge()
  shelf.answer = () => ({ refused: 'key-not-found' })
  const drive = await loaded(cartridge, shelf)
  await endsWith('7/74/01', drive.read())
  await expect(endsWith('7/74/03', drive.read())).rejects.toThrow(/expected sense 7\/74\/03/)
  await expect(endsWith('7/74/01', drive.rewind())).rejects.toThrow()
  await expect(endsWith('7/74/01', Promise.reject(new Error('7/74/01')))).rejects.toThrow()
  await drive.unload()
})
