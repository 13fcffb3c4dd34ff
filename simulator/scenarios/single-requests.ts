// T-11: one library speaks in batches, another asks for everything by itself.

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** Create and Get, Locate and Get: in one message or in two, the key is the same. */
export const singleRequests: Scenario = {
  id: 'T-11',
  title: 'batches and single requests bring the same keys',
  async run(stage) {
    const asBatch = stage.library({ dialect: { ...stage.dialect, messages: 'batch' } })
    const asSingles = stage.library({ dialect: { ...stage.dialect, messages: 'single' } })
    for (const [writer, reader] of [
      [asBatch, asSingles],
      [asSingles, asBatch],
    ] as const) {
      const cartridge = await stage.cartridge('KR0011L8')
      const written = recording(1)
      await writer.insert(cartridge)
      await write(await writer.mount(cartridge, 0), written)
      await writer.dismount(0)
      await writer.eject(cartridge)

      await reader.insert(cartridge)
      await proveTape(reader, cartridge, [written])
    }
  },
}
