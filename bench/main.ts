/**
 * `npm run bench`: keyreel beside a bare node:tls server with answers of the same sizes, under the same
 * load, in the same minute. What counts are the ratios; the figures themselves are the machine's.
 */
import { execFileSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { bareInsertsPerSecond } from './bare-inserts.ts'
import { ended, output, processorTime, started } from './processes.ts'
import { requests, type Request, type RequestName } from './requests.ts'
import type { Load, LoadResult } from './tls-driver.ts'

const here = import.meta.dirname
const keyreel = resolve(here, '../src/cli/keyreel.js')
const driver = join(here, 'tls-driver.ts')
const knownKeys = 1000

interface Site {
  directory: string
  data: string
  /** The library's files. */
  kit: Files
  /** The bare server's own certificate, P-256 like the one keyreel shows these clients. */
  bare: Files
}

interface Files {
  ca: string
  certificate: string
  key: string
}

interface Measured extends LoadResult {
  /** Requests per second, and microseconds of server processor time per request. */
  rate: number
  processor: number
}

let counter = knownKeys

async function drive(
  port: number,
  server: ChildProcess,
  { kit }: Site,
  request: Request,
  how: Pick<Load, 'connections' | 'count' | 'mount'>,
  numbers: 'known' | 'new',
): Promise<Measured> {
  const load: Load = {
    port,
    ...kit,
    request: Buffer.from(request.bytes).toString('base64'),
    patches: request.patches,
    ...(request.texts && { texts: request.texts }),
    from: numbers === 'known' ? 0 : counter,
    distinct: numbers === 'known' ? knownKeys : how.count,
    ...how,
  }
  if (numbers === 'new') counter += how.count
  const before = processorTime(server)
  const result = JSON.parse(await output([driver], JSON.stringify(load))) as LoadResult
  const used = processorTime(server) - before
  if (result.failed > 0) throw new Error(`${result.failed} answers were failures`)
  return { ...result, rate: how.count / result.seconds, processor: (used * 1000) / how.count }
}

async function prepare(): Promise<Site> {
  const directory = mkdtempSync(join(tmpdir(), 'keyreel-bench-'))
  const data = join(directory, 'data')
  await output([
    keyreel,
    'init',
    '--data',
    data,
    '--host',
    'localhost',
    '--host',
    '127.0.0.1',
    '--quiet',
  ])
  const out = join(directory, 'kit')
  await output([keyreel, 'library', 'add', 'bench', '--data', data, '--out', out, '--quiet'])
  const kit = {
    ca: join(out, 'ca.pem'),
    certificate: join(out, 'certificate.pem'),
    key: join(out, 'key.pem'),
  }
  const bare = {
    ca: join(directory, 'bare.pem'),
    certificate: join(directory, 'bare.pem'),
    key: join(directory, 'bare-key.pem'),
  }
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    bare.key,
  ]
  execFileSync('openssl', ['req', '-x509', ...key, ...subject, '-out', bare.certificate], {
    stdio: 'ignore',
  })
  return { directory, data, kit, bare }
}

/** Asks the database of the server; the benchmark is the one program that may. */
function ask({ data }: Site, sql: string): unknown {
  const database = new DatabaseSync(join(data, 'keystore.db'), { readOnly: true })
  try {
    return Object.values(database.prepare(sql).get() ?? {})[0]
  } finally {
    database.close()
  }
}

/** Identifiers of the keys there are, in no order of their making. */
function keysOf(site: Site): [string, ...string[]] {
  const hex = String(ask(site, 'SELECT group_concat(lower(hex(id))) FROM objects')).split(',')
  const [first, ...others] = hex.map((digits) =>
    digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5'),
  )
  return [first!, ...others]
}

/** Group commits so far: each appends one row to the chain of the server. */
function commits(site: Site): number {
  return Number(ask(site, 'SELECT count(*) FROM audit'))
}

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
]

function line(cells: readonly string[]): void {
  console.log(
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(columns[at]![1]) : cell.padStart(columns[at]![1])))
      .join(' '),
  )
}

async function compare(
  site: Site,
  server: { child: ChildProcess; port: number },
  name: RequestName,
  request: Request,
  how: Pick<Load, 'connections' | 'count' | 'mount'>,
): Promise<{ measured: Measured; bare: Measured }> {
  const numbers = name.startsWith('Create') ? 'new' : 'known'
  const measured = await drive(server.port, server.child, site, request, how, numbers)
  const { certificate, key } = site.bare
  const { ca } = site.kit
  const { child, ready } = await started([
    join(here, 'bare-server.ts'),
    certificate,
    key,
    ca,
    String(measured.answerBytes),
  ])
  try {
    const bareSite = { ...site, kit: { ...site.kit, ca: site.bare.ca } }
    const port = Number(ready.split(' ')[1])
    // Its code is compiled by then, as keyreel's is.
    await drive(port, child, bareSite, request, { ...how, count: how.count / 4 }, 'known')
    const bare = await drive(port, child, bareSite, request, how, 'known')
    line([
      name,
      how.mount,
      String(how.connections),
      measured.rate.toFixed(0),
      measured.p50.toFixed(2),
      measured.p99.toFixed(2),
      measured.processor.toFixed(0),
      bare.processor.toFixed(0),
      `${(measured.processor / bare.processor).toFixed(2)}×`,
    ])
    return { measured, bare }
  } finally {
    await ended(child)
  }
}

async function main(): Promise<void> {
  const site = await prepare()
  const { child, ready } = await started([
    keyreel,
    'serve',
    '--data',
    site.data,
    '--listen',
    '127.0.0.1:0',
    '--log-level',
    'error',
  ])
  try {
    const server = { child, port: Number(/kmip=[^ ]*:(\d+)/u.exec(ready)![1]) }
    const known = requests(['00000000-0000-0000-0000-000000000000']).Create
    const keptAt = { connections: 8, count: knownKeys, mount: 'kept' } as const
    counter = 0
    await drive(server.port, child, site, known, keptAt, 'new')
    const all = requests(keysOf(site))
    // A key's first Get also notes that it is in use; what is measured are those after it.
    await drive(server.port, child, site, all.Get, keptAt, 'known')
    console.log(`keyreel beside a bare node:tls server, ${knownKeys} keys, KMIP 1.2\n`)
    line(columns.map(([title]) => title))
    const ratios: Record<string, number> = {}
    for (const name of ['Get', 'Create', 'Locate+Get', 'Query'] as const) {
      for (const connections of [1, 8, 64]) {
        const count = connections === 1 ? 4000 : 12_000
        const before = commits(site)
        const { measured, bare } = await compare(site, server, name, all[name], {
          connections,
          count,
          mount: 'kept',
        })
        ratios[`${name} ${connections}`] = measured.processor / bare.processor
        if (name === 'Create') ratios[`syncs ${connections}`] = (commits(site) - before) / count
      }
    }
    for (const mount of ['new', 'resumed'] as const) {
      for (const connections of [1, 8]) {
        await compare(site, server, 'Locate+Get', all['Locate+Get'], {
          connections,
          count: connections === 1 ? 200 : 600,
          mount,
        })
      }
    }
    const pair = await compare(site, server, 'Create+Get', all['Create+Get'], {
      connections: 64,
      count: 6000,
      mount: 'kept',
    })
    const loop = bareInsertsPerSecond(
      join(site.data, 'keystore.db'),
      join(site.directory, 'bare.db'),
      6000,
    )
    console.log(`
aims
  Get at 8 connections, CPU beside the bare server:      ${ratios['Get 8']!.toFixed(2)}×   (aim ≤ 4)
  Create+Get at 64 connections beside a bare insert loop: ${(pair.measured.rate / loop).toFixed(2)}   (aim ≥ 0.30; ${pair.measured.rate.toFixed(0)}/s of ${loop.toFixed(0)}/s)
  commits per acknowledged Create at 64 connections:      ${ratios['syncs 64']!.toFixed(3)} (aim ≤ 0.125)
  commits per acknowledged Create at 1 connection:        ${ratios['syncs 1']!.toFixed(3)} (never below 1)`)
  } finally {
    await ended(child)
    rmSync(site.directory, { recursive: true, force: true })
  }
}

await main()
