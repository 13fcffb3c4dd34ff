// T-7: one bit of a tape flips.

import { flipBit } from '../cartridge-damage.ts'
import { readBack, write } from '../recording.ts'
import { endsWith, proveTape, recording, type Scenario } from './scenario.ts'

/** The right key and a wrong tag: the drive says that the block is damaged, not that the key is wrong. */
export const damagedTape: Scenario = {
  id: 'T-7',
  title: 'a flipped bit is told from a wrong key, and the other blocks read',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0007L8')
    await library.insert(cartridge)
    const written = recording(1, 3)
    await write(await library.mount(cartridge, 0), written)

    for (const part of ['tag', 'ciphertext'] as const) {
      const drive = library.drive(0)
      await flipBit(cartridge, 1, part)
      await drive.rewind()
      await drive.read()
      await endsWith('7/74/04', drive.read())
      await drive.locate(2)
      await drive.read()
      await flipBit(cartridge, 1, part)
      await readBack(drive, [written])
    }
    await library.dismount(0)
    await proveTape(library, cartridge, [written], { drive: 1 })
  },
}
