// What a scenario is, and the two things every scenario ends with: the bytes written are the bytes
// read, and a drive with a wrong key reads nothing.

import assert from 'node:assert/strict'

import type { Cartridge } from '../cartridge.ts'
import { keyPage, type LibraryControl } from '../drive-control.ts'
import { drawRandom } from '../drive-cipher.ts'
import { Drive } from '../drive.ts'
import { mediumRow, type DriveGeneration } from '../generations.ts'
import type { Library } from '../library.ts'
import { identifiersOnTape, readBack, type Recording } from '../recording.ts'
import type { SenseCode } from '../sense.ts'
import type { Stage } from '../stage.ts'

/** One story about a tape. `run` rejects when it does not go as told. */
export interface Scenario {
  readonly id: string
  readonly title: string
  run(stage: Stage): Promise<void>
}

/** A small recording: 8 blocks of 32 KiB. */
export const recording = (seed: number, blocks = 8): Recording => ({
  seed,
  blocks,
  blockSize: 32 * 1024,
})

/** Whether an operation ends with this sense. */
export async function endsWith(code: SenseCode, operation: Promise<unknown>): Promise<void> {
  const error: unknown = await operation.then(
    () => assert.fail(`expected sense ${code}, and nothing failed`),
    (problem: unknown) => problem,
  )
  const found = error instanceof Error && 'code' in error ? error.code : String(error)
  assert.equal(found, code, `expected sense ${code}, found ${String(found)}: ${String(error)}`)
}

/**
 * The last assertion of every scenario. The cartridge lies in a slot of `library` and holds these
 * recordings, every block under one and the same key: a drive of the library reads them back byte
 * for byte, and a drive that is given another key reads nothing. Gives the identifier on tape.
 */
export async function proveTape(
  library: Library,
  cartridge: Cartridge,
  recordings: readonly Recording[],
  { drive: n = 0 }: { drive?: number } = {},
): Promise<string> {
  const drive = await library.mount(cartridge, n)
  await readBack(drive, recordings)
  await library.dismount(n)

  const [identifier, ...others] = new Set(await identifiersOnTape(cartridge))
  assert.ok(identifier !== undefined, 'every block carries the identifier of its key')
  assert.deepEqual(others, [], 'one key for the whole tape')

  await library.eject(cartridge)
  await inDrive(driveWithWrongKeys(cartridge), cartridge, (stranger) =>
    endsWith('7/74/03', stranger.read()),
  )
  await library.insert(cartridge)
  return identifier
}

/** Does something with a cartridge in a drive that belongs to no library, and unloads it always. */
export async function inDrive<T>(
  drive: Drive,
  cartridge: Cartridge,
  work: (drive: Drive) => Promise<T>,
): Promise<T> {
  await drive.load(cartridge)
  try {
    return await work(drive)
  } finally {
    await drive.unload()
  }
}

/** A drive whose library answers every request with some key, never the right one. */
export function driveWithWrongKeys(cartridge: Cartridge): Drive {
  const control: LibraryControl = {
    kind: 'library',
    onKeyNeeded: async (request) =>
      'kad' in request
        ? { page: keyPage(drawRandom(32), request.kad) }
        : { refused: 'key-not-found' },
  }
  const generation = mediumRow(cartridge.format).generation as DriveGeneration
  return new Drive({ generation, serial: 'STRANGER01', control })
}
