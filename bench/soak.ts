/** Load for minutes, and what the server's memory does meanwhile. */
import { commits, type Server, type Site } from './site.ts'
import { drive, type Manner } from './load.ts'
import { residentMemory } from './processes.ts'
import type { Request } from './requests.ts'

const at = (connections: number, count: number): Manner => ({ connections, count, mount: 'kept' })

/**
 * Gets, creates and mounts in turn until the time is over; a line for each tenth of it, and what it came
 * to: memory at the first line, when code is compiled and caches are filled, and at the last.
 */
export async function soak(
  site: Site,
  server: Server,
  requests: Record<'Get' | 'Create+Get' | 'Locate+Get', Request>,
  minutes: number,
): Promise<void> {
  const begin = performance.now()
  const seconds = minutes * 60
  const elapsed = () => (performance.now() - begin) / 1000
  const memory: number[] = []
  let done = 0
  console.log('  seconds   requests   commits   RSS MiB')
  for (let tenth = 1; tenth <= 10; tenth++) {
    while (elapsed() < (seconds * tenth) / 10) {
      await drive(server, site, requests.Get, at(8, 2000), 'known')
      await drive(server, site, requests['Create+Get'], at(64, 500), 'new')
      await drive(server, site, requests['Locate+Get'], { ...at(8, 100), mount: 'new' }, 'known')
      done += 2600
    }
    memory.push(residentMemory(server.child))
    const line = [elapsed().toFixed(0), done, commits(site), memory.at(-1)!.toFixed(0)]
    console.log(line.map((cell) => String(cell).padStart(9)).join(' '))
  }
  const [first, last] = [memory[0]!, memory.at(-1)!]
  console.log(
    `\nRSS ${first.toFixed(0)} MiB after a tenth of the time, ${last.toFixed(0)} MiB at the end`,
  )
}
