// T-9: two libraries own a cartridge with the same label each, and one day they swap them.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** A barcode is a label, not an identity: each tape gets the key that it names itself. */
export const sameBarcode: Scenario = {
  id: 'T-9',
  title: 'two cartridges with one barcode keep their own keys, even when libraries swap them',
  async run(stage) {
    const libraries = [stage.library({ kit: 0 }), stage.library({ kit: 1 })] as const
    const tapes = await Promise.all(
      libraries.map(async (library, n) => {
        const cartridge = await stage.cartridge('KR0009L8')
        const written = recording(n + 1)
        await library.insert(cartridge)
        await write(await library.mount(cartridge, 0), written)
        await library.dismount(0)
        return { cartridge, written, key: await proveTape(library, cartridge, [written]) }
      }),
    )
    const [first, second] = tapes as [(typeof tapes)[number], (typeof tapes)[number]]
    assert.notEqual(first.key, second.key)

    await libraries[0].eject(first.cartridge)
    await libraries[1].eject(second.cartridge)
    await libraries[0].insert(second.cartridge)
    await libraries[1].insert(first.cartridge)
    await proveTape(libraries[0], second.cartridge, [second.written], { drive: 1 })
    await proveTape(libraries[1], first.cartridge, [first.written], { drive: 1 })
  },
}
