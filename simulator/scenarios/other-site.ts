// T-10: a tape is written at one site and read at another, whose key server got the key by an exchange.

import assert from 'node:assert/strict'

import type { Cartridge } from '../cartridge.ts'
import type { DriveGeneration } from '../generations.ts'
import type { Library } from '../library.ts'
import { write, type Recording } from '../recording.ts'
import type { Stage } from '../stage.ts'
import { endsWith, proveTape, recording } from './scenario.ts'

/** Two sites with a key server each. No key is in both. */
export interface Sites {
  readonly source: Stage
  readonly destination: Stage
  /** Takes what would let the destination read, but is made for somebody else; it must come to nothing. */
  readonly carryForeign: () => Promise<void>
  /** Takes the keys of these cartridges from the source's key server to the destination's. */
  readonly carry: (barcodes: readonly string[]) => Promise<void>
}

interface Tape {
  readonly generation: DriveGeneration
  readonly barcode: string
  /** Length of the identifier: the shortest in use, and all that the medium holds. */
  readonly identifierBytes: number
}

/** LTO-4 has 32 bytes of U-KAD and 12 of A-KAD, LTO-8 has 32 and 60. */
const tapes: readonly Tape[] = [
  { generation: 4, barcode: 'KR1001L4', identifierBytes: 12 },
  { generation: 4, barcode: 'KR1002L4', identifierBytes: 44 },
  { generation: 8, barcode: 'KR1003L8', identifierBytes: 12 },
  { generation: 8, barcode: 'KR1004L8', identifierBytes: 92 },
]

/** What the story says, for whoever tells it. */
export interface Told {
  readonly written: (barcode: string, identifierBytes: number) => void
  readonly unreadable: (when: string) => void
  readonly read: (barcode: string) => void
}

/** Plays it. Rejects when anything does not go as told. */
export async function tapesTravel(
  { source, destination, carry, carryForeign }: Sites,
  told: Told,
): Promise<void> {
  const travelling: { tape: Tape; cartridge: Cartridge; written: Recording }[] = []
  for (const [seed, tape] of tapes.entries()) {
    const library = libraryFor(source, tape)
    const cartridge = await source.cartridge(tape.barcode)
    await library.insert(cartridge)
    const written = recording(seed + 10)
    await write(await library.mount(cartridge, 0), written)
    await library.dismount(0)
    await proveTape(library, cartridge, [written])
    await library.eject(cartridge)
    travelling.push({ tape, cartridge, written })
    told.written(tape.barcode, tape.identifierBytes)
  }
  const readsNothing = async (when: string) => {
    for (const { tape, cartridge } of travelling) {
      const library = libraryFor(destination, tape)
      await library.insert(cartridge)
      await endsWith('7/74/01', (await library.mount(cartridge, 0)).read())
      await library.dismount(0)
      await library.eject(cartridge)
      assert.equal(library.journal.events('key-not-found').length, 1)
    }
    told.unreadable(when)
  }
  await readsNothing('before any key has come')
  await carryForeign()
  await readsNothing('with a bundle made for somebody else')
  await carry(travelling.map(({ tape }) => tape.barcode))
  for (const { tape, cartridge, written } of travelling) {
    const library = libraryFor(destination, tape)
    await library.insert(cartridge)
    await proveTape(library, cartridge, [written])
    assert.equal(library.journal.events('key-made').length, 0, 'the destination made no key')
    told.read(tape.barcode)
  }
}

/** A library with drives of the tape's generation. */
function libraryFor(stage: Stage, { generation, identifierBytes }: Tape): Library {
  return stage.library({
    dialect: { ...stage.dialect, identifierBytes },
    partitions: [{ name: 'travelling', method: 'library', drives: [generation] }],
  })
}
