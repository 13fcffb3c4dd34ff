// T-4: a tape is to be read while the key server does not answer, and then another address of it does.

import assert from 'node:assert/strict'

import type { StartTimer } from '../drive-control.ts'
import { write } from '../recording.ts'
import { endsWith, proveTape, recording, type Scenario } from './scenario.ts'

/** Without an answer the drive gives up with 74/6E; with a second server in the list it reads. */
export const serverDown: Scenario = {
  id: 'T-4',
  title: 'without a key server reading ends with 74/6E; the next server in the list serves it',
  async run(stage) {
    const first = await stage.relay()
    const second = await stage.relay()
    const patience = new ManualTimer()
    const library = stage.library({
      servers: [first.address, second.address],
      dialect: { ...stage.dialect, connection: 'kept' },
      startTimer: patience.start,
    })
    const cartridge = await stage.cartridge('KR0004L8')
    await library.insert(cartridge)
    const written = recording(1)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)

    const answer = first.next('hold')
    const drive = await library.mount(cartridge, 1)
    const reading = endsWith('7/74/6E', drive.read())
    // A request that was never answered ends the reading before its answer can be held.
    await Promise.race([answer, reading])
    patience.fire()
    await reading
    first.release()

    first.set('refuse')
    second.set('refuse')
    await endsWith('7/74/6F', drive.read())
    second.set('up')
    await library.dismount(1)
    await proveTape(library, cartridge, [written], { drive: 1 })
    assert.ok(library.journal.events('failover').length > 0, 'the library changed servers')
    assert.equal(library.servers.current.port, second.address.port)
  },
}

/** A timer that fires when the story says so. */
class ManualTimer {
  readonly #armed = new Set<() => void>()

  readonly start: StartTimer = (_, fire) => {
    this.#armed.add(fire)
    return () => void this.#armed.delete(fire)
  }

  fire(): void {
    for (const fire of this.#armed) fire()
  }
}
