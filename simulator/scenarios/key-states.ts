// T-13: the key of a tape goes through its life.

import assert from 'node:assert/strict'

import { write } from '../recording.ts'
import { endsWith, proveTape, recording, type Scenario } from './scenario.ts'

/** Libraries never activate keys, and old tapes have deactivated ones: both must be served. */
export const keyStates: Scenario = {
  id: 'T-13',
  title:
    'a tape reads while its key is Pre-Active, Active and Deactivated, not once it is Destroyed',
  async run(stage) {
    const library = stage.library()
    const cartridge = await stage.cartridge('KR0013L8')
    await library.insert(cartridge)
    const written = recording(1)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)

    const [made] = library.journal.events('key-made')
    const UniqueIdentifier = made!.id
    const client = await stage.client()
    const isNow = async (expected: string) => {
      const AttributeReference = [{ tag: 'State' as const }]
      const { Attributes } = await client.call('GetAttributes', {
        UniqueIdentifier,
        AttributeReference,
      })
      assert.equal(Attributes?.find(({ tag }) => tag === 'State')?.value, expected)
    }

    await isNow('PreActive')
    await proveTape(library, cartridge, [written])
    await client.call('Activate', { UniqueIdentifier })
    await isNow('Active')
    await proveTape(library, cartridge, [written])
    await client.call('Revoke', {
      UniqueIdentifier,
      RevocationReason: { RevocationReasonCode: 'CessationOfOperation' },
    })
    await isNow('Deactivated')
    await proveTape(library, cartridge, [written])

    await client.call('Destroy', { UniqueIdentifier })
    await endsWith('7/74/01', (await library.mount(cartridge, 0)).read())
    await library.dismount(0)
  },
}
