// T-6: a drive is handed wrong keys, again and again.

import { write } from '../recording.ts'
import {
  driveWithWrongKeys,
  endsWith,
  inDrive,
  proveTape,
  recording,
  type Scenario,
} from './scenario.ts'

const wrongKeyLimit = 10

/** Each wrong key is found out before any data leaves the drive; the tenth locks it. */
export const wrongKey: Scenario = {
  id: 'T-6',
  title: 'a wrong key reads nothing, and ten of them lock the drive',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0006L8')
    await library.insert(cartridge)
    const written = recording(1)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)
    await library.eject(cartridge)

    await inDrive(driveWithWrongKeys(cartridge), cartridge, async (stranger) => {
      for (let n = 0; n < wrongKeyLimit; n += 1) await endsWith('7/74/03', stranger.read())
      await endsWith('7/26/10', stranger.read())
    })

    await library.insert(cartridge)
    await proveTape(library, cartridge, [written], { drive: 1 })
  },
}
