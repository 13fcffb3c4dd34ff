// T-8: a tape of one generation in a drive of the next.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** LTO-4 splits a long identifier into U-KAD and A-KAD; read elsewhere it is the same identifier. */
export const olderTape: Scenario = {
  id: 'T-8',
  title: 'an LTO-4 tape is found under the same identifier in an LTO-5 drive',
  async run(stage) {
    const library = stage.library({
      dialect: { ...stage.dialect, identifierBytes: 32 },
      partitions: [{ name: 'old and new', method: 'library', drives: [4, 5] }],
    })
    const cartridge = await stage.cartridge('KR0008L4')
    await library.insert(cartridge)
    const written = recording(1)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)

    const identifier = await proveTape(library, cartridge, [written], { drive: 1 })
    const [made] = library.journal.events('key-made')
    const [found] = library.journal.events('key-found')
    assert.equal(found?.identifier, made?.identifier)
    assert.equal(found?.id, made?.id)
    assert.equal(identifier.length, 64, '20 bytes of U-KAD and 12 of A-KAD, put together again')
  },
}
