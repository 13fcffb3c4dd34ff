// T-3: a tape is written again from the beginning, after somebody has copied it.

import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'

import { Cartridge } from '../cartridge.ts'
import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** Overwriting makes a new key and leaves the old one: copies of the old tape need it. */
export const overwrite: Scenario = {
  id: 'T-3',
  title: 'an overwrite from the beginning gets a new key, and the old key is kept',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0003L8')
    await library.insert(cartridge)
    const [before, after] = [recording(1), recording(2)]

    await write(await library.mount(cartridge, 0), before)
    await library.dismount(0)
    const directory = join(stage.scratch, 'copy of KR0003L8')
    await cp(cartridge.directory, directory, { recursive: true })
    const copy = await Cartridge.open(directory)

    await write(await library.mount(cartridge, 0), after)
    await library.dismount(0)

    const made = library.journal.events('key-made')
    assert.equal(new Set(made.map(({ id }) => id)).size, 2, 'two keys for two writes')

    const newKey = await proveTape(library, cartridge, [after], { drive: 1 })
    await library.insert(copy)
    const oldKey = await proveTape(library, copy, [before], { drive: 1 })
    assert.notEqual(oldKey, newKey)
  },
}
