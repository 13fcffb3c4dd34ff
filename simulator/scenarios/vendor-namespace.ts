// T-12: a library writes under its vendor's namespace, another one reads under the profile's.

import { write } from '../recording.ts'
import { proveTape, recording, type Scenario } from './scenario.ts'

/** `VENDOR-LIBRARY-LTO` is to be treated exactly as `LIBRARY-LTO` (profile, TLP-S10). */
export const vendorNamespace: Scenario = {
  id: 'T-12',
  title: 'a key made under ACME-LIBRARY-LTO is found under LIBRARY-LTO, and the other way round',
  async run(stage) {
    const acme = stage.library({ dialect: { ...stage.dialect, namespace: 'ACME-LIBRARY-LTO' } })
    const plain = stage.library({ dialect: { ...stage.dialect, namespace: 'LIBRARY-LTO' } })
    for (const [writer, reader] of [
      [acme, plain],
      [plain, acme],
    ] as const) {
      const cartridge = await stage.cartridge('KR0012L8')
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
