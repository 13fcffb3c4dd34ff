/**
 * `npm run bench`: keyreel beside a bare node:tls server with answers of the same sizes, and beside two that
 * make a record of each request durable, one of them by the rules of the keystore, and do nothing else,
 * under the same load, in the same minute.
 * What counts are the ratios; the figures themselves are the machine's. With `--aims` only what has an aim;
 * with `--soak MINUTES` load for as long, and the server's memory.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bareInsertsPerSecond } from './bare-inserts.ts'
import type { BareKeystore } from './bare-keystore.ts'
import {
  drive,
  driveBeside,
  knownKeys,
  numbersOf,
  warm,
  type Manner,
  type Measured,
} from './load.ts'
import { ended } from './processes.ts'
import { requests, type Request, type RequestName } from './requests.ts'
import { soak } from './soak.ts'
import { commits, keysOf, prepare, serve, type Server, type Site } from './site.ts'

const columns: [string, number][] = [
  ['operation', 12],
  ['mount', 8],
  ['conns', 6],
  ['req/s', 9],
  ['p50 ms', 8],
  ['p99 ms', 8],
  ['CPU µs', 8],
  ['bare µs', 8],
  ['CPU ratio', 10],
  ['record µs', 9],
  ['ratio', 7],
  ['rules µs', 9],
  ['ratio', 7],
]

function line(cells: readonly string[]): void {
  console.log(
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(columns[at]![1]) : cell.padStart(columns[at]![1])))
      .join(' '),
  )
}

/** Beside keyreel: the servers of `bare-keystore.ts`, where there are any. */
interface Compared {
  measured: Measured
  bare: Measured
  record: Measured | undefined
  rules: Measured | undefined
}

async function compare(
  site: Site,
  server: Server,
  name: RequestName,
  request: Request,
  how: Manner,
): Promise<Compared> {
  const measured = await drive(server, site, request, how, numbersOf(name))
  const { answerBytes } = measured
  const { certificate, key } = site.bare
  const args = [certificate, key, site.kit.ca, String(answerBytes)]
  const bare = await driveBeside(site, 'bare-server.ts', args, name, request, how)
  const limit = async (keeps: BareKeystore['keeps']) =>
    name === 'Get' || name === 'Create+Get'
      ? besideLimit(site, { does: name, keeps, answerBytes }, request, how)
      : undefined
  const record = await limit('record')
  const rules = await limit('rules')
  line([
    name,
    how.mount,
    String(how.connections),
    measured.rate.toFixed(0),
    measured.p50.toFixed(2),
    measured.p99.toFixed(2),
    measured.processor.toFixed(0),
    bare.processor.toFixed(0),
    ratio(measured, bare),
    ...[record, rules].flatMap((limited) =>
      limited === undefined ? ['', ''] : [limited.processor.toFixed(0), ratio(limited, bare)],
    ),
  ])
  return { measured, bare, record, rules }
}

function ratio(measured: Measured, bare: Measured): string {
  return `${(measured.processor / bare.processor).toFixed(2)}×`
}

let copies = 0

function besideLimit(
  site: Site,
  limit: Pick<BareKeystore, 'does' | 'keeps' | 'answerBytes'>,
  request: Request,
  how: Manner,
): Promise<Measured> {
  const { data, directory, bare, kit } = site
  const options: BareKeystore = {
    source: join(data, 'keystore.db'),
    file: join(directory, `limit-${copies++}.db`),
    ...limit,
    at: request.patches[0]!,
    ...bare,
    ca: kit.ca,
  }
  return driveBeside(site, 'bare-keystore.ts', [JSON.stringify(options)], limit.does, request, how)
}

type All = ReturnType<typeof requests>

async function table(site: Site, server: Server, all: All): Promise<void> {
  for (const name of ['Get', 'Create', 'Locate+Get', 'Query'] as const) {
    await warm(server, site, name, all[name])
    for (const connections of [1, 8, 64]) {
      const count = connections === 1 ? 4000 : 12_000
      await compare(site, server, name, all[name], { connections, count, mount: 'kept' })
    }
  }
  for (const mount of ['new', 'resumed'] as const) {
    await warm(server, site, 'Locate+Get', all['Locate+Get'], mount)
    for (const connections of [1, 8]) {
      const count = connections === 1 ? 200 : 600
      await compare(site, server, 'Locate+Get', all['Locate+Get'], { connections, count, mount })
    }
  }
}

async function aims(site: Site, server: Server, all: All): Promise<void> {
  const at = (connections: number, count: number) =>
    ({ connections, count, mount: 'kept' }) as const
  // In this order: after many Creates the code of a Get is compiled once more.
  await warm(server, site, 'Create+Get', all['Create+Get'])
  await warm(server, site, 'Get', all.Get)
  const gets = await compare(site, server, 'Get', all.Get, at(8, 12_000))
  const pair = await compare(site, server, 'Create+Get', all['Create+Get'], at(64, 6000))
  const loop = bareInsertsPerSecond(
    join(site.data, 'keystore.db'),
    join(site.directory, 'bare.db'),
    6000,
  )
  const syncs = async (connections: number, count: number) => {
    const before = commits(site)
    await drive(server, site, all.Create, at(connections, count), 'new')
    return (commits(site) - before) / count
  }
  const shared = await syncs(64, 12_000)
  const alone = await syncs(1, 2000)
  const ofBare = (one: Measured | undefined) => ratio(one!, gets.bare)
  const ofLoop = (one: Measured | undefined) => (one!.rate / loop).toFixed(2)
  console.log(`
aims
  Get at 8 connections, CPU beside the bare server:       ${ofBare(gets.measured)}   (aim ≤ 4; a durable record alone ${ofBare(gets.record)}, the rules alone ${ofBare(gets.rules)})
  Create+Get at 64 connections beside a bare insert loop: ${ofLoop(pair.measured)}   (aim ≥ 0.30; the rules alone ${ofLoop(pair.rules)}; ${pair.measured.rate.toFixed(0)}/s of ${loop.toFixed(0)}/s)
  commits per acknowledged Create at 64 connections:      ${shared.toFixed(3)} (aim ≤ 0.125)
  commits per acknowledged Create at 1 connection:        ${alone.toFixed(3)} (never below 1)`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { aims: { type: 'boolean', default: false }, soak: { type: 'string' } },
  })
  const site = await prepare()
  const server = await serve(site)
  try {
    const known = requests(['00000000-0000-0000-0000-000000000000']).Create
    const keptAt = { connections: 8, count: knownKeys, mount: 'kept' } as const
    await drive(server, site, known, keptAt, 'new')
    const all = requests(keysOf(site))
    // A key's first Get also notes that it is in use; what is measured are those after it.
    await drive(server, site, all.Get, keptAt, 'known')
    if (values.soak !== undefined) return await soak(site, server, all, Number(values.soak))
    console.log(`keyreel beside a bare node:tls server, ${knownKeys} keys, KMIP 1.2\n`)
    line(columns.map(([title]) => title))
    if (!values.aims) await table(site, server, all)
    await aims(site, server, all)
  } finally {
    await ended(server.child)
    rmSync(site.directory, { recursive: true, force: true })
  }
}

await main()
