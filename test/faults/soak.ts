// A fleet of simulated libraries at work for a long time: memory and open files of the server stay flat
// after the first five minutes. The short form is a few fleets, the first of which do not count.
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { startKeyreel, type Kit } from '../fixtures/keyreel.ts'
import { folder, type Outcome, type Plan } from './ground.ts'

const simulator = resolve(import.meta.dirname, '../../simulator/main.ts')
const run = promisify(execFile)

/** What may be added after the first minutes before memory counts as growing. */
const memorySlack = { short: 1.5, long: 1.25 }
const filesSlack = 16

/** Fleets of the short form, and those before the server has settled. */
const fewFleets = { all: 8, first: 3 }

/** Runs for so many minutes, in the long form. */
export async function soak({ form, say }: Plan, minutes = 30): Promise<Outcome> {
  using scratch = folder()
  const data = join(scratch.path, 'data')
  await using server = await startKeyreel({ data })
  const kit = await server.enrol('alpha')
  const { pid } = JSON.parse(readFileSync(join(data, 'server-state.json'), 'utf8')) as {
    pid: number
  }
  const failures: string[] = []
  const began = performance.now()
  const passed = () => (performance.now() - began) / 60_000
  const warmUp = Math.min(5, minutes / 4)
  const samples: { minute: number; memory: number; files: number }[] = []
  let fleets = 0
  while (form === 'short' ? fleets < fewFleets.all : passed() < minutes) {
    await fleet(server.port, kit).catch((error: unknown) => failures.push(String(error)))
    fleets++
    const sample = { minute: passed(), ...usage(pid) }
    samples.push(sample)
    if (fleets % 20 === 0)
      say(
        `${sample.minute.toFixed(1)} min: ${sample.memory} KiB, ${sample.files} files, ${fleets} fleets`,
      )
  }
  const settled =
    form === 'short'
      ? samples.slice(fewFleets.first)
      : samples.filter(({ minute }) => minute > warmUp)
  const half = Math.ceil(settled.length / 2)
  const [early, late] = [settled.slice(0, half), settled.slice(half)]
  const memory = {
    early: median(early.map((one) => one.memory)),
    late: median(late.map((one) => one.memory)),
  }
  const files = {
    early: median(early.map((one) => one.files)),
    late: median(late.map((one) => one.files)),
  }
  if (memory.late > memory.early * memorySlack[form])
    failures.push(`memory grew from ${memory.early} to ${memory.late} KiB`)
  if (files.late > files.early + filesSlack)
    failures.push(`open files grew from ${files.early} to ${files.late}`)
  return {
    figures: {
      minutes: Math.round(passed()),
      fleets,
      samples: settled.length,
      memoryEarlyKiB: memory.early,
      memoryLateKiB: memory.late,
      filesEarly: files.early,
      filesLate: files.late,
    },
    failures,
  }
}

async function fleet(port: number, kit: Kit): Promise<void> {
  const size = ['--libraries', '4', '--cartridges', '10']
  const where = ['--server', `127.0.0.1:${port}`, '--kit', kit.directory]
  await run(process.execPath, [simulator, 'fleet', ...size, ...where])
}

function usage(pid: number): { memory: number; files: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const memory = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1])
  return { memory, files: readdirSync(`/proc/${pid}/fd`).length }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
