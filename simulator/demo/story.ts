// The story of the first encrypted tape, step by step. Every claim is checked before it is told.

import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { Cartridge } from '../cartridge.ts'
import { dialectNamed } from '../dialects.ts'
import { readKit } from '../kit.ts'
import type { LibraryEvent } from '../library-events.ts'
import type { Library } from '../library.ts'
import { identifiersOnTape, readBack, write, type Recording } from '../recording.ts'
import { driveWithWrongKeys, endsWith, inDrive } from '../scenarios/scenario.ts'
import { Stage } from '../stage.ts'
import { killedMidWrite } from './crash.ts'
import { keyreel, KeyreelProcess } from './keyreel-process.ts'
import type { Narrator } from './narrator.ts'

const mebibyte = 1024 * 1024

/** What the demo runs in, and what it must clean up. */
export interface Scene {
  readonly directory: string
  readonly narrator: Narrator
  /** The server that runs now. */
  server: KeyreelProcess | undefined
}

/** Tells the whole story; rejects at the first thing that is not so. */
export async function tellStory(scene: Scene): Promise<void> {
  const data = join(scene.directory, 'keyreel-data')
  await startServer(scene, data)
  const kit = await enrolLibrary(scene, data)
  const { host, port } = scene.server!
  const tapes = join(scene.directory, 'tapes')
  await mkdir(tapes)
  const stage = new Stage({
    servers: [{ host, port }],
    kits: [await readKit(kit)],
    dialect: { ...dialectNamed('P-strict21'), drives: 4 },
    scratch: tapes,
  })
  try {
    const events = new EventHooks()
    const library = stage.library({ onEvent: events.call, storageSlots: 40 })
    await firstTape(scene, stage, library)
    await killedMidWrite(scene, { stage, library, events, data })
  } finally {
    await stage.close()
  }
  await showHistory(scene, data)
  await stopServer(scene)
}

/** Lets a step listen to the library for a while. */
export class EventHooks {
  #listener: ((event: LibraryEvent) => void) | undefined

  readonly call = (event: LibraryEvent): void => this.#listener?.(event)

  listen(listener: ((event: LibraryEvent) => void) | undefined): void {
    this.#listener = listener
  }
}

async function startServer(scene: Scene, data: string): Promise<void> {
  const { narrator } = scene
  narrator.step('A key server starts from nothing')
  narrator.command('keyreel init --host 127.0.0.1')
  const made = await keyreel('init', '--host', '127.0.0.1', '--data', data)
  narrator.show(factsOf(made, ['master key', 'server certificates', 'certificate authority']))
  narrator.command('keyreel serve')
  scene.server = await KeyreelProcess.start(data)
  narrator.proven(`it serves KMIP over mutual TLS on 127.0.0.1:${scene.server.port}`)
}

async function enrolLibrary({ directory, narrator }: Scene, data: string): Promise<string> {
  narrator.step('Tape library "alpha" is enrolled')
  narrator.command('keyreel library add alpha --out alpha-kit')
  const kit = join(directory, 'alpha-kit')
  await keyreel('library', 'add', 'alpha', '--out', kit, '--data', data)
  narrator.tell(
    'its kit: certificate, key and the CA it shall trust; README.txt says what goes where',
  )
  return kit
}

const first: Recording = { seed: 1, blocks: 256, blockSize: 256 * 1024 }
const appended: Recording = { seed: 2, blocks: 32, blockSize: 256 * 1024 }
const small: Recording = { seed: 3, blocks: 16, blockSize: 256 * 1024 }
const again: Recording = { seed: 4, blocks: 16, blockSize: 256 * 1024 }

const size = ({ blocks, blockSize }: Recording): string => `${(blocks * blockSize) / mebibyte} MiB`

async function firstTape(scene: Scene, stage: Stage, library: Library): Promise<void> {
  const { narrator } = scene
  const tape = await stage.cartridge('KR0001L8')
  const second = await stage.cartridge('KR0002L8')
  await library.insert(tape, second)

  narrator.step('The robot loads blank cartridge KR0001L8, and a host writes')
  await write(await library.mount(tape, 0), first)
  await library.dismount(0)
  const [made] = library.journal.events('key-made')
  assert.ok(made !== undefined && library.journal.events().length === 1)
  narrator.tell(`drive ${made.driveSerial} stood at the beginning of the tape and asked for a key`)
  narrator.tell(
    `the library sent Create and Get in one message: key ${short(made.id)} in ${Math.round(made.milliseconds)} ms`,
  )
  const onTape = await identifiersOnTape(tape)
  assert.deepEqual([...new Set(onTape)], [made.identifier])
  narrator.proven(`${size(first)} are on tape, ${onTape.length} blocks of AES-256-GCM`)
  narrator.proven(`every block names its key, ${made.identifier.slice(0, 16)}…; none holds it`)

  narrator.step('The cartridge moves to another drive, and the host appends')
  const drive = await library.mount(tape, 1)
  await drive.spaceToEndOfData()
  await write(drive, appended)
  await library.dismount(1)
  const found = library.journal.events('key-found').at(-1)
  assert.equal(found?.id, made.id)
  narrator.proven(`drive ${found.driveSerial} got the same key, ${short(found.id)}: Locate and Get`)
  await readBack(await library.mount(tape, 2), [first, appended])
  await library.dismount(2)
  narrator.proven(`a third drive reads ${size(first)} and ${size(appended)} back, byte for byte`)

  narrator.step('A second cartridge gets a key of its own')
  await write(await library.mount(second, 0), small)
  await readBack(library.drive(0), [small])
  await library.dismount(0)
  const other = library.journal.events('key-made').at(-1)
  assert.ok(other !== undefined && other.id !== made.id)
  narrator.proven(`KR0002L8 is written and read under key ${short(other.id)}`)

  narrator.step('KR0001L8 is overwritten from the beginning, after somebody made a copy')
  const copy = await copyOf(tape, join(stage.scratch, 'copy of KR0001L8'))
  await write(await library.mount(tape, 0), again)
  await readBack(library.drive(0), [again])
  await library.dismount(0)
  const newest = library.journal.events('key-made').at(-1)
  assert.ok(newest !== undefined && newest.id !== made.id && newest.id !== other.id)
  narrator.proven(`the new recording has a new key, ${short(newest.id)}`)
  await library.insert(copy)
  await readBack(await library.mount(copy, 1), [first, appended])
  await library.dismount(1)
  await library.eject(copy)
  narrator.proven(`the old key ${short(made.id)} is kept: the copy of the old tape still reads`)

  narrator.step('Somebody steals a tape and tries a key of their own')
  await library.eject(tape)
  await inDrive(driveWithWrongKeys(tape), tape, (stranger) => endsWith('7/74/03', stranger.read()))
  await library.insert(tape)
  narrator.proven('their drive reads nothing: sense 7/74/03, incorrect data encryption key')
}

async function copyOf(cartridge: Cartridge, directory: string): Promise<Cartridge> {
  await cp(cartridge.directory, directory, { recursive: true, mode: constants.COPYFILE_FICLONE })
  return Cartridge.open(directory)
}

async function showHistory({ narrator }: Scene, data: string): Promise<void> {
  narrator.step('What the key server knows of the cartridge')
  narrator.command('keyreel cartridge show KR0001L8')
  narrator.show(await keyreel('cartridge', 'show', 'KR0001L8', '--data', data))
  const shown = JSON.parse(
    await keyreel('cartridge', 'show', 'KR0001L8', '--json', '--data', data),
  ) as { keys: { id: string; current: boolean }[] }[]
  assert.equal(shown[0]?.keys.length, 2)
  assert.equal(shown[0].keys.filter(({ current }) => current).length, 1)
  narrator.proven('both keys are in its history, and the newest is the current one')
}

async function stopServer(scene: Scene): Promise<void> {
  const status = await scene.server?.stop()
  scene.server = undefined
  assert.equal(status, 0, 'the server ends with status 0')
}

/** The first characters of a unique identifier. */
const short = (id: string): string => id.slice(0, 8)

/** Some lines of a list of facts. */
const factsOf = (text: string, names: readonly string[]): string =>
  text
    .split('\n')
    .filter((line) => names.some((name) => line.startsWith(name)))
    .join('\n')
