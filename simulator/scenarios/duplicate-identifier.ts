// T-14: a library whose random numbers repeat names two keys alike.

import assert from 'node:assert/strict'

import { drawRandom } from '../drive-cipher.ts'
import { identifiersOnTape, write } from '../recording.ts'
import { endsWith, proveTape, recording, type Scenario } from './scenario.ts'

/** A second key of one identifier would make both tapes unreadable, so the key server refuses it. */
export const duplicateIdentifier: Scenario = {
  id: 'T-14',
  title: 'a second key with an identifier in use is refused, and the first tape stays readable',
  async run(stage) {
    const stuck = drawRandom(64)
    const library = stage.library({
      identifiers: (length) => Uint8Array.from(stuck.subarray(0, length)),
    })
    const cartridge = await stage.cartridge('KR0014L8')
    const other = await stage.cartridge('KR9014L8')
    await library.insert(cartridge, other)
    const written = recording(1)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)

    const drive = await library.mount(other, 0)
    await endsWith('7/74/6F', drive.write(new Uint8Array(1024)))
    await library.dismount(0)
    assert.deepEqual(await identifiersOnTape(other), [], 'nothing was written')
    assert.deepEqual(
      library.journal.events().map(({ kind }) => kind),
      ['key-made', 'key-refused'],
    )
    await proveTape(library, cartridge, [written], { drive: 1 })
  },
}
