// Many libraries at once against one set of key servers: every drive writes cartridge after
// cartridge, then every cartridge is read in another drive. At the end each cartridge must have a
// key of its own, the same for writing and for reading.

import type { Cartridge } from './cartridge.ts'
import { SimulatorError } from './errors.ts'
import type { EventOf } from './library-events.ts'
import type { Library } from './library.ts'
import { identifiersOnTape, readBack, write, type Recording } from './recording.ts'
import type { Stage } from './stage.ts'

/** How large a fleet. */
export interface FleetSize {
  readonly libraries: number
  /** Per library. */
  readonly cartridges: number
}

/** What a fleet may have at most, so that a slip of the finger does not fill a keystore. */
export const largestFleet: FleetSize = { libraries: 64, cartridges: 500 }

/** What became of it. */
export interface FleetReport extends FleetSize {
  readonly keysMade: number
  readonly keyRequests: number
  /** Of the requests for keys, in milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number; readonly longest: number }
  /** Requests for keys per second while the fleet ran. */
  readonly rate: number
  /** In words, one each; empty when every cartridge has its key. */
  readonly problems: readonly string[]
}

interface Tape {
  readonly library: Library
  readonly cartridge: Cartridge
  readonly recording: Recording
}

type KeyBrought = EventOf<'key-made'> | EventOf<'key-found'>

/** Runs a fleet on a stage; throws SimulatorError 'library-layout' for one that is too large. */
export async function runFleet(stage: Stage, size: FleetSize): Promise<FleetReport> {
  for (const [what, most] of Object.entries(largestFleet) as [keyof FleetSize, number][]) {
    if (!Number.isInteger(size[what]) || size[what] < 1 || size[what] > most) {
      throw new SimulatorError('library-layout', `${size[what]} ${what}, not 1 to ${most}`)
    }
  }
  const fleet = await Promise.all(
    Array.from({ length: size.libraries }, (_, n) => stockedLibrary(stage, n, size.cartridges)),
  )
  const problems: string[] = []
  const began = performance.now()
  await Promise.all(fleet.map((tapes) => onEveryDrive(tapes, writeTape, problems)))
  await Promise.all(fleet.map((tapes) => onEveryDrive(tapes.toReversed(), readTape, problems)))
  const seconds = (performance.now() - began) / 1000

  const events = fleet.flatMap(([tape]) => tape?.library.journal.events() ?? [])
  const brought = events.filter(
    (event): event is KeyBrought => event.kind === 'key-made' || event.kind === 'key-found',
  )
  problems.push(...(await mixedUpKeys(fleet.flat(), brought)))
  const waits = brought.map(({ milliseconds }) => milliseconds).sort((one, other) => one - other)
  return {
    ...size,
    keysMade: brought.filter(({ kind }) => kind === 'key-made').length,
    keyRequests: brought.length,
    latency: { p50: quantile(waits, 0.5), p99: quantile(waits, 0.99), longest: waits.at(-1) ?? 0 },
    rate: brought.length / seconds,
    problems,
  }
}

async function stockedLibrary(stage: Stage, n: number, cartridges: number): Promise<Tape[]> {
  const library = stage.library({ kit: n, storageSlots: cartridges })
  const tapes: Tape[] = []
  for (let m = 0; m < cartridges; m += 1) {
    const cartridge = await stage.cartridge(`F${twoDigits(n)}${m.toString().padStart(3, '0')}L8`)
    library.robot.stock(cartridge)
    const recording = { seed: n * largestFleet.cartridges + m, blocks: 2, blockSize: 4096 }
    tapes.push({ library, cartridge, recording })
  }
  return tapes
}

const twoDigits = (n: number): string => n.toString(36).padStart(2, '0').toUpperCase()

/** Every drive of the library takes the next tape until there is none; a failure is noted. */
async function onEveryDrive(
  tapes: readonly Tape[],
  work: (tape: Tape, drive: number) => Promise<void>,
  problems: string[],
): Promise<void> {
  const waiting = [...tapes]
  const drives = tapes[0]?.library.drives ?? []
  await Promise.all(
    drives.map(async (_, n) => {
      for (let tape = waiting.shift(); tape !== undefined; tape = waiting.shift()) {
        try {
          await work(tape, n)
        } catch (error) {
          problems.push(`${tape.cartridge.barcode}: ${String(error)}`)
        } finally {
          if (tape.library.drive(n).cartridge !== undefined) await tape.library.dismount(n)
        }
      }
    }),
  )
}

async function writeTape({ library, cartridge, recording }: Tape, n: number): Promise<void> {
  await write(await library.mount(cartridge, n), recording)
}

async function readTape({ library, cartridge, recording }: Tape, n: number): Promise<void> {
  await readBack(await library.mount(cartridge, n), [recording])
}

/** One identifier per cartridge, one key per identifier, and the same key for writing and reading. */
async function mixedUpKeys(
  tapes: readonly Tape[],
  brought: readonly KeyBrought[],
): Promise<string[]> {
  const problems: string[] = []
  const holders = new Map<string, string>()
  const idOf = new Map<string, string>()
  for (const { identifier, id } of brought) {
    const before = idOf.get(identifier.toUpperCase()) ?? id
    idOf.set(identifier.toUpperCase(), before)
    if (before !== id) problems.push(`identifier ${identifier} means ${before} and ${id}`)
  }
  const ids = new Set<string>()
  for (const { cartridge } of tapes) {
    const { barcode } = cartridge
    const [identifier, ...others] = new Set(await identifiersOnTape(cartridge))
    const holder = holders.get(String(identifier))
    const id = idOf.get(String(identifier))
    if (identifier === undefined || others.length > 0) problems.push(`${barcode}: not one key`)
    else if (holder !== undefined) problems.push(`${barcode} has the identifier of ${holder}`)
    else if (id === undefined) problems.push(`${barcode}: nobody brought its key`)
    else if (ids.has(id)) problems.push(`${barcode} shares key ${id}`)
    holders.set(String(identifier), barcode)
    if (id !== undefined) ids.add(id)
  }
  return problems
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}
