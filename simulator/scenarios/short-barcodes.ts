// T-15: a library reports six characters of its labels, its neighbour all eight.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** The label is told as the library reads it, and no key depends on it. */
export const shortBarcodes: Scenario = {
  id: 'T-15',
  title: 'a library with six-character barcodes and one with eight read each other’s tapes',
  async run(stage) {
    const six = stage.library({ dialect: { ...stage.dialect, barcodeReporting: 6 } })
    const eight = stage.library({ dialect: { ...stage.dialect, barcodeReporting: 8 } })
    for (const [writer, reader, told] of [
      [six, eight, 'KR0015'],
      [eight, six, 'KR0015L8'],
    ] as const) {
      const cartridge = await stage.cartridge('KR0015L8')
      const written = recording(1)
      await writer.insert(cartridge)
      await write(await writer.mount(cartridge, 0), written)
      await writer.dismount(0)
      await writer.eject(cartridge)
      assert.equal(writer.journal.events('key-made')[0]?.barcode, told)

      await reader.insert(cartridge)
      await proveTape(reader, cartridge, [written])
    }
  },
}
