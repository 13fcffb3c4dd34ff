/** Puts the load of `tls-driver.ts` on a server and reads what it cost. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { ended, output, processorTime, started } from './processes.ts'
import type { Request } from './requests.ts'
import type { Site } from './site.ts'
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

let counter = 0

/** Sends `count` requests about keys that are known, or with numbers never used before. */
export async function drive(
  { child, port }: { child: ChildProcess; port: number },
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

/** The same load on a program beside keyreel, once its code is compiled as keyreel's is. */
export async function driveBeside(
  site: Site,
  program: string,
  args: readonly string[],
  request: Request,
  how: Manner,
  numbers: 'known' | 'new',
): Promise<Measured> {
  const { child, ready } = await started([join(import.meta.dirname, program), ...args])
  try {
    const server = { child, port: Number(ready.split(' ')[1]) }
    const trusting = { ...site, kit: { ...site.kit, ca: site.bare.ca } }
    await drive(server, trusting, request, { ...how, count: how.count / 2 }, numbers)
    return await drive(server, trusting, request, how, numbers)
  } finally {
    await ended(child)
  }
}
