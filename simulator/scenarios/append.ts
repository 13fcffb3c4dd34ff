// T-2: a cartridge moves to another drive and is written on.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** Appending asks for the key the tape names; no key is made. */
export const append: Scenario = {
  id: 'T-2',
  title: 'an append in another drive goes on with the same key',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0002L8')
    await library.insert(cartridge)
    const [first, second] = [recording(1), recording(2)]

    await write(await library.mount(cartridge, 0), first)
    await library.dismount(0)

    const other = await library.mount(cartridge, 1)
    await other.spaceToEndOfData()
    await write(other, second)
    await library.dismount(1)

    const [made] = library.journal.events('key-made')
    const [found] = library.journal.events('key-found')
    assert.equal(library.journal.events('key-made').length, 1)
    assert.equal(found?.id, made?.id, 'the append got the key of the first write')

    await proveTape(library, cartridge, [first, second])
  },
}
