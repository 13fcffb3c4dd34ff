/**
 * `npm run bench:exchange [KEYS]`: keys exported, inspected and imported between two data directories by
 * the commands an administrator types, beside the bare primitives over the same keys and bytes; then
 * imported once more while a server on the same data directory answers Gets. What counts are the ratios.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { makeKeys } from './exchange-keys.ts'
import { primitives } from './exchange-primitives.ts'
import type { PacedLoad, PacedResult } from './paced-gets.ts'
import { ended, output, started } from './processes.ts'
import { requests } from './requests.ts'
import { usageVariable, type Usage } from './usage-report.ts'

const count = Number(process.argv[2] ?? 100_000)
const keyreel = resolve(import.meta.dirname, '../src/cli/keyreel.js')
const usageReport = join(import.meta.dirname, 'usage-report.ts')
const pacedGets = join(import.meta.dirname, 'paced-gets.ts')
const directory = mkdtempSync(join(tmpdir(), 'keyreel-bench-'))
const print = (line: string) => void process.stdout.write(`${line}\n`)

/** Keys of the library that reads its tapes while the import runs, and how it reads them. */
const ownKeys = 1000
const reading = { connections: 4, pace: 100 } as const
const idleSeconds = 10

try {
  await run()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const [a, b, served] = ['a', 'b', 'served'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ]
  for (const data of [a, b])
    await cli(data, 'init', '--host', 'localhost', '--host', '127.0.0.1', '--quiet')
  await trust(a, 'B', b)
  await trust(b, 'A', a)
  await makeKeys(a, count)
  const kit = join(directory, 'kit')
  await cli(b, 'library', 'add', 'bench', '--out', kit, '--quiet')
  const own = await makeKeys(b, ownKeys, 900_000)
  cpSync(b, served, { recursive: true })

  const out = join(directory, 'bundle')
  const exported = await timed('exported', a, 'export', '--peer', 'B', '--all', '--out', out)
  await timed('inspected', b, 'inspect', out)
  const imported = await timed('imported', b, 'import', out)
  const { size } = statSync(out)
  const bare = barePrimitives(size)
  print(
    `ratio to the bare primitives: export ${ratio(exported, bare)}, import ${ratio(imported, bare)}`,
  )
  print(`${(size / count).toFixed(0)} bytes of file per key`)
  await whileServed(served, kit, own, out)
}

/** Processor time of the primitives alone, in seconds. */
function barePrimitives(bytes: number): number {
  const before = process.cpuUsage()
  primitives(count, bytes)
  const { user, system } = process.cpuUsage(before)
  const seconds = (user + system) / 1e6
  print(`bare primitives: ${seconds.toFixed(1)} s of processor`)
  return seconds
}

/** The same import into a data directory that a server serves: how long its Gets take. */
async function whileServed(
  data: string,
  kit: string,
  own: readonly string[],
  bundle: string,
): Promise<void> {
  const serving = [keyreel, 'serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level']
  const { child, ready } = await started([...serving, 'error'])
  try {
    const port = Number(/kmip=[^ ]*:(\d+)/u.exec(ready)![1])
    // A key's first Get also notes that it is in use; what is measured are those after it.
    await gets(port, kit, own, { pace: 400 }, () => delay((ownKeys / 400) * 1000))
    const idle = await gets(port, kit, own, {}, () => delay(idleSeconds * 1000))
    printGets('idle', idle)
    const during = await gets(port, kit, own, {}, async () => {
      await timed('imported beside a server', data, 'import', bundle)
    })
    printGets('during the import', during)
    print(
      `Get during an import, to idle: p50 ${ratio(during.p50, idle.p50)}, p99 ${ratio(during.p99, idle.p99)}`,
    )
  } finally {
    await ended(child)
  }
}

function printGets(when: string, { count, p50, p99, longest }: PacedResult): void {
  const times = [p50, p99, longest].map((time) => time.toFixed(1))
  print(`Get ${when}: p50 ${times[0]} ms, p99 ${times[1]} ms, longest ${times[2]} ms (${count})`)
}

/** Runs `meanwhile` while a library of this kit asks for its keys in turn. */
async function gets(
  port: number,
  kit: string,
  own: readonly string[],
  pace: Partial<PacedLoad>,
  meanwhile: () => Promise<void>,
): Promise<PacedResult> {
  const { bytes, patches, texts } = requests(own as readonly [string, ...string[]]).Get
  const load: PacedLoad = {
    port,
    ca: join(kit, 'ca.pem'),
    certificate: join(kit, 'certificate.pem'),
    key: join(kit, 'key.pem'),
    request: Buffer.from(bytes).toString('base64'),
    ...{ patches, texts, ...reading, ...pace },
  }
  const driver = spawn(process.execPath, [pacedGets], { stdio: ['pipe', 'pipe', 'inherit'] })
  try {
    const lines = createInterface({ input: driver.stdout })[Symbol.asyncIterator]()
    driver.stdin.write(`${JSON.stringify(load)}\n`)
    await lines.next()
    await meanwhile()
    driver.stdin.end()
    const result = JSON.parse(String((await lines.next()).value)) as PacedResult
    if (result.failed > 0) throw new Error(`${result.failed} answers were failures`)
    return result
  } finally {
    driver.kill()
  }
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(1)}×`
}

/** Runs an exchange command, prints what it took and answers its processor time in seconds. */
async function timed(what: string, data: string, ...words: readonly string[]): Promise<number> {
  const began = performance.now()
  const { processor, memory } = await measured(['exchange', ...words, '--data', data, '--quiet'])
  const seconds = (performance.now() - began) / 1000
  print(
    `${what}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor, ` +
      `${(count / seconds).toFixed(0)} keys/s, peak memory ${(memory / 2 ** 20).toFixed(0)} MiB`,
  )
  return processor
}

/** Runs a command; what its process has used. */
async function measured(args: readonly string[]): Promise<Usage> {
  const file = join(directory, 'usage')
  const child = spawn(process.execPath, ['--import', usageReport, keyreel, ...args], {
    env: { ...process.env, [usageVariable]: file },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const [errors, [status]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (status !== 0) throw new Error(`${args.join(' ')} failed (${status}):\n${errors}`)
  return JSON.parse(readFileSync(file, 'utf8')) as Usage
}

function cli(data: string, ...args: readonly string[]): Promise<string> {
  return output([keyreel, ...args, '--data', data])
}

/** `to` trusts the certificate of `from` under a name. */
async function trust(to: string, name: string, from: string): Promise<void> {
  const file = join(directory, `${name}.pem`)
  const shown = await cli(from, 'exchange', 'certificate', 'export', '--out', file, '--json')
  const { certificate } = JSON.parse(shown) as { certificate: { fingerprint: string } }
  const peer = ['--peer', name, '--fingerprint', certificate.fingerprint]
  await cli(to, 'exchange', 'certificate', 'import', file, ...peer)
}
