// A power cut that loses what was not synced: a library preloaded under the process keeps each file as it was
// when it was last synced. From there, with some of the later sectors or none, everything acknowledged must be
// there. Needs a C compiler.
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { chance, dataDirectory, folder, type Chance, type Outcome, type Plan } from './ground.ts'
import { compared, figuresOf, runToDeath } from './kills.ts'
import { Ledger } from './ledger.ts'

const source = join(import.meta.dirname, 'unsynced.c')

/** Smallest piece that a disk writes whole. */
const sector = 512

/** Whether the library can be compiled here. */
export function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Rounds of load, power cut, and comparison. */
export async function unsynced({ form, seed, say }: Plan): Promise<Outcome> {
  const rounds = form === 'short' ? 6 : 100
  const random = chance(seed)
  using scratch = folder()
  const directory = join(scratch.path, 'data')
  const synced = join(scratch.path, 'synced')
  const library = join(scratch.path, 'unsynced.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  await dataDirectory(directory)
  const ledger = new Ledger()
  let lost = 0
  for (let round = 1; round <= rounds; round++) {
    rmSync(synced, { recursive: true, force: true })
    mkdirSync(synced)
    // What lies there before the process begins has long been synced.
    for (const name of readdirSync(directory))
      copyFileSync(join(directory, name), join(synced, name))
    const preloaded = { LD_PRELOAD: library, FAULTS_LIVE: directory, FAULTS_SYNCED: synced }
    // Between a write and its sync there is little time: most deaths are aimed there.
    const isAimed = round % 3 !== 0
    const env = isAimed ? { ...preloaded, FAULTS_DIES_AT: `${10 + random(60)}` } : preloaded
    const whenever = isAimed ? {} : { after: 20 + random(200) }
    const death = { seed: seed + round, clients: 1 + random(12), env, ...whenever }
    await runToDeath({ directory }, death, ledger)
    lost += cutPower(directory, synced, round % 2 === 0 ? random : undefined)
    await compared({ directory }, ledger, `power cut ${round}`)
    if (round % 10 === 0) say(`${round} power cuts, ${lost} sectors lost`)
  }
  const figures = { cuts: rounds, sectorsLost: lost, ...figuresOf(ledger) }
  return { figures, failures: ledger.failures }
}

/** Puts what was synced in the place of what was written, keeping some sectors by chance; how many are lost. */
function cutPower(directory: string, synced: string, random: Chance | undefined): number {
  let lost = 0
  for (const name of readdirSync(directory)) {
    const live = join(directory, name)
    const durable = join(synced, name)
    // Shared memory is none of the disk's.
    if (name.endsWith('-shm') || !existsSync(durable)) {
      rmSync(live)
      continue
    }
    const written = readFileSync(live)
    const kept = readFileSync(durable)
    const image = Buffer.alloc(random ? Math.max(written.length, kept.length) : kept.length)
    kept.copy(image)
    for (let at = 0; at < Math.max(written.length, kept.length); at += sector) {
      const piece = written.subarray(at, at + sector)
      if (piece.equals(kept.subarray(at, at + sector))) continue
      if (random !== undefined && random(2) === 0) piece.copy(image, at)
      else lost++
    }
    writeFileSync(`${live}.image`, image, { mode: 0o600 })
    renameSync(`${live}.image`, live)
  }
  return lost
}
