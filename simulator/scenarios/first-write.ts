// T-1: a blank cartridge is written from the beginning.

import assert from 'node:assert/strict'

import { identifiersOnTape, write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** The drive asks at the first block; Create and Get bring one key, and every block names it. */
export const firstWrite: Scenario = {
  id: 'T-1',
  title: 'a write from the beginning gets a new key, and every block names it',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0001L8')
    await library.insert(cartridge)

    const drive = await library.mount(cartridge, 0)
    const written = recording(1)
    await write(drive, written)
    await library.dismount(0)

    assert.deepEqual(
      library.journal.events().map(({ kind }) => kind),
      ['key-made'],
      'one request for the whole tape',
    )
    const [made] = library.journal.events('key-made')
    const onTape = await identifiersOnTape(cartridge)
    assert.equal(onTape.length, written.blocks)
    assert.deepEqual([...new Set(onTape)], [made?.identifier.toUpperCase()])

    await proveTape(library, cartridge, [written], { drive: 1 })
  },
}
