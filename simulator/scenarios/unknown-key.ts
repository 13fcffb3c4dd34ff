// T-5: a tape from elsewhere, whose key this key server never had.

import assert from 'node:assert/strict'

import { drawRandom } from '../drive-cipher.ts'
import { keyPage } from '../drive-control.ts'
import { Drive } from '../drive.ts'
import { kadOfApplicationData } from '../kad.ts'
import { readBack, write } from '../recording.ts'
import { senseProfiles } from '../sense.ts'
import { endsWith, inDrive, proveTape, recording, type Scenario } from './scenario.ts'

/** Reading and appending end with the drive's sense for a missing key, and make no key. */
export const unknownKey: Scenario = {
  id: 'T-5',
  title: 'a tape with an unknown identifier is neither read nor appended to',
  async run(stage) {
    const foreignKey = drawRandom(32)
    const elsewhere = new Drive({
      generation: 8,
      serial: 'ELSEWHERE1',
      control: {
        kind: 'library',
        onKeyNeeded: async (request) => ({
          page: keyPage(
            Uint8Array.from(foreignKey),
            'kad' in request
              ? request.kad
              : kadOfApplicationData(drawRandom(12).toHex().toUpperCase(), request.kadLimits),
          ),
        }),
      },
    })
    const foreign = await stage.cartridge('FOREIGL8')
    const written = recording(1)
    await inDrive(elsewhere, foreign, (drive) => write(drive, written))

    for (const [senses, code] of [
      [senseProfiles.t10, '7/74/01'],
      [senseProfiles.ibm, '7/EF/10'],
    ] as const) {
      const library = stage.library({ senses })
      await library.insert(foreign)
      const drive = await library.mount(foreign, 0)
      await endsWith(code, drive.read())
      await drive.spaceToEndOfData()
      await endsWith(code, drive.write(new Uint8Array(1024)))
      await library.dismount(0)
      await library.eject(foreign)
      assert.deepEqual(
        library.journal.events().map(({ kind }) => kind),
        ['key-not-found', 'key-not-found'],
      )
    }

    await inDrive(elsewhere, foreign, (drive) => readBack(drive, [written]))

    const library = stage.library()
    const own = await stage.cartridge('KR0005L8')
    await library.insert(own)
    await write(await library.mount(own, 0), written)
    await library.dismount(0)
    await proveTape(library, own, [written])
  },
}
