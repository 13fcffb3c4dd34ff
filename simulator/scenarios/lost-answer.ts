// T-17: the key is made, but the library never hears of it.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** After a lost answer the library first looks for its identifier, and makes a key only when it must. */
export const lostAnswer: Scenario = {
  id: 'T-17',
  title: 'after a lost answer the library finds the key it made; after a lost request it makes one',
  async run(stage) {
    const relay = await stage.relay()
    for (const [fault, outcome] of [
      ['cut-answer', 'key-found'],
      ['truncate', 'key-found'],
      ['garbage', 'key-found'],
      ['cut-request', 'key-made'],
    ] as const) {
      const library = stage.library({
        servers: [relay.address],
        dialect: { ...stage.dialect, connection: 'kept' },
      })
      const cartridge = await stage.cartridge('KR0017L8')
      await library.insert(cartridge)
      await library.heartbeat()

      const struck = relay.next(fault)
      const written = recording(1)
      await write(await library.mount(cartridge, 0), written)
      await struck
      await library.dismount(0)

      const [heartbeat, key, ...others] = library.journal.events()
      assert.equal(heartbeat?.kind, 'heartbeat-answered')
      assert.equal(key?.kind, outcome, `after ${fault}`)
      assert.deepEqual(others, [])

      await proveTape(library, cartridge, [written], { drive: 1 })
    }
  },
}
