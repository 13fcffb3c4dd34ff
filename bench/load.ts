/** Puts the load of `tls-driver.ts` on a server and reads what it cost. */
import { join } from 'node:path'
import { ended, output, processorTime, started } from './processes.ts'
import type { Request, RequestName } from './requests.ts'
import type { Server, Site } from './site.ts'
import type { Load, LoadResult } from './tls-driver.ts'

/** Keys made before anything is measured. */
export const knownKeys = 1000

/** How much load, and on which connections. */
export type Manner = Pick<Load, 'connections' | 'count' | 'mount'>

/** What came of it. */
export interface Measured extends LoadResult {
  /** Requests per second, and microseconds of server processor time per request. */
  rate: number
  processor: number
}

/**
 * Requests after which a server's figures fall no further, so that what is measured is compiled code: a server runs
 * for months.
 */
export const warmUp: Readonly<Record<RequestName, number>> = {
  Get: 60_000,
  Create: 20_000,
  'Create+Get': 20_000,
  'Locate+Get': 40_000,
  Query: 40_000,
}

/** The same for connections, each with its handshake. */
const mountsToWarm = 1000

let counter = 0

/** Sends `count` requests about keys that are known, or with numbers never used before. */
export async function drive(
  { child, port }: Server,
  { kit }: Site,
  request: Request,
  how: Manner,
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
  const before = processorTime(child)
  const driver = join(import.meta.dirname, 'tls-driver.ts')
  const result = JSON.parse(await output([driver], JSON.stringify(load))) as LoadResult
  const used = processorTime(child) - before
  if (result.failed > 0) throw new Error(`${result.failed} answers were failures`)
  return { ...result, rate: how.count / result.seconds, processor: (used * 1000) / how.count }
}

/** Has a server answer so many requests of a kind, on such connections, that its code is compiled. */
export async function warm(
  server: Server,
  site: Site,
  name: RequestName,
  request: Request,
  mount: Manner['mount'] = 'kept',
): Promise<void> {
  const kept = { connections: 64, count: warmUp[name], mount: 'kept' } as const
  const how = mount === 'kept' ? kept : { connections: 8, count: mountsToWarm, mount }
  await drive(server, site, request, how, numbersOf(name))
}

/** Whether a request is about keys that there are, or makes them. */
export function numbersOf(name: RequestName): 'known' | 'new' {
  return name.startsWith('Create') ? 'new' : 'known'
}

/** The same load on a program beside keyreel, once its code is compiled as keyreel's is. */
export async function driveBeside(
  site: Site,
  program: string,
  args: readonly string[],
  name: RequestName,
  request: Request,
  how: Manner,
): Promise<Measured> {
  const { child, ready } = await started([join(import.meta.dirname, program), ...args])
  try {
    const server = { child, port: Number(ready.split(' ')[1]) }
    const trusting = { ...site, kit: { ...site.kit, ca: site.bare.ca } }
    await warm(server, trusting, name, request, how.mount)
    return await drive(server, trusting, request, how, numbersOf(name))
  } finally {
    await ended(child)
  }
}
