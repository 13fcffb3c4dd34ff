// The part of the story where the key server dies: with SIGKILL, while one drive streams and three
// others want keys. What was acknowledged before must be there afterwards.

import assert from 'node:assert/strict'

import type { Cartridge } from '../cartridge.ts'
import type { Library } from '../library.ts'
import { readBack, write, type Recording } from '../recording.ts'
import { CheckCondition } from '../sense.ts'
import type { Stage } from '../stage.ts'
import { KeyreelProcess } from './keyreel-process.ts'
import type { EventHooks, Scene } from './story.ts'

/** What the crash happens to. */
export interface Crash {
  readonly stage: Stage
  readonly library: Library
  readonly events: EventHooks
  readonly data: string
}

interface Tape {
  readonly cartridge: Cartridge
  readonly recording: Recording
}

/** Keys that are acknowledged to the three drives before the kill, and tapes there are for them. */
const acknowledgedBefore = 9
const tapeCount = 24
const streamed: Recording = { seed: 100, blocks: 256, blockSize: 256 * 1024 }
const midWrite = 128

/** Kills the server in the middle of writing, starts it again, and reads every tape. */
export async function killedMidWrite(scene: Scene, crash: Crash): Promise<void> {
  const { narrator, server } = scene
  const { stage, library, events, data } = crash
  narrator.step('The key server is killed while four drives write')

  const stream: Tape = { cartridge: await stage.cartridge('KR0003L8'), recording: streamed }
  await library.insert(stream.cartridge)
  const tapes: Tape[] = []
  for (let n = 0; n < tapeCount; n += 1) {
    const cartridge = await stage.cartridge(`KR${String(100 + n).padStart(4, '0')}L8`)
    tapes.push({ cartridge, recording: { seed: 200 + n, blocks: 4, blockSize: 64 * 1024 } })
  }
  for (const { cartridge } of tapes) library.robot.stock(cartridge)

  const before = library.journal.events('key-made').length
  const streaming = await library.mount(stream.cartridge, 0)
  const killed = Promise.withResolvers<void>()
  const burst = Promise.withResolvers<BurstResult>()
  const writing = write(streaming, streamed, async (n) => {
    if (n + 1 !== midWrite) return
    let made = 0
    events.listen(({ kind }) => {
      if (kind !== 'key-made') return
      made += 1
      if (made !== acknowledgedBefore) return
      server!.kill()
      killed.resolve()
    })
    burst.resolve(writeOnEveryDrive(library, tapes))
    await killed.promise
  })
  await writing
  const { written, refused } = await burst.promise
  events.listen(undefined)
  await server!.ended()
  await library.dismount(0)

  const acknowledged = library.journal.events('key-made').length - before
  assert.ok(written.length >= acknowledgedBefore)
  assert.ok(refused > 0)
  narrator.tell(
    `SIGKILL at block ${midWrite} of ${streamed.blocks} on KR0003L8, and after key ${acknowledgedBefore} of the others`,
  )
  narrator.proven('the streaming drive had its key and wrote on to the end')
  narrator.proven(`drives that wanted a new key wrote nothing: sense 7/74/6F, ${refused} times`)

  narrator.command('keyreel serve')
  scene.server = await KeyreelProcess.start(data, server!.port)
  for (const [n, { cartridge, recording }] of [stream, ...written].entries()) {
    const drive = n % library.drives.length
    await readBack(await library.mount(cartridge, drive), [recording])
    await library.dismount(drive)
  }
  assert.equal(written.length + 1, acknowledged, 'a tape for every acknowledged key')
  narrator.proven(
    `restarted: all ${acknowledged} keys acknowledged before are there, their tapes read`,
  )

  const [waiting] = tapes.filter((tape) => !written.includes(tape))
  await write(await library.mount(waiting!.cartridge, 0), waiting!.recording)
  await readBack(library.drive(0), [waiting!.recording])
  await library.dismount(0)
  narrator.proven('and a drive that was refused a key gets one now')
}

interface BurstResult {
  readonly written: readonly Tape[]
  /** How many tapes got no key. */
  readonly refused: number
}

/** Drives 1 to 3 write tape after tape until they run out or get no key. */
async function writeOnEveryDrive(library: Library, tapes: readonly Tape[]): Promise<BurstResult> {
  const waiting = [...tapes]
  const written: Tape[] = []
  let refused = 0
  await Promise.all(
    [1, 2, 3].map(async (n) => {
      for (let tape = waiting.shift(); tape !== undefined; tape = waiting.shift()) {
        const drive = await library.mount(tape.cartridge, n)
        try {
          await write(drive, tape.recording)
          written.push(tape)
        } catch (error) {
          if (!(error instanceof CheckCondition) || error.code !== '7/74/6F') throw error
          refused += 1
          return
        } finally {
          await library.dismount(n)
        }
      }
    }),
  )
  return { written, refused }
}
