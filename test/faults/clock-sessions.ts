// A clock stepped by an hour or by ten years, forth and back, under a running server and clients with open
// sessions: the sessions go on, no state goes back, and once the clock is right whoever connects is served.
// Needs a C compiler.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Connection } from '../../src/kmip/client/connection.ts'
import { openConnection } from '../../src/kmip/client/open-connection.ts'
import { startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'
import { answerOf, requestBytes, type Ask } from '../fixtures/responder.ts'
import { chance, folder, type Outcome, type Plan } from './ground.ts'
import { compared, figuresOf } from './kills.ts'
import { Ledger } from './ledger.ts'
import { runLoad } from './load.ts'

const source = join(import.meta.dirname, 'clock.c')
const clients = 4
const hour = 3600
const years = 10 * 365 * 24 * hour
const offsets = [hour, -hour, years, -years]

/** Steps under load. */
export async function clockSessions({ form, seed, say }: Plan): Promise<Outcome> {
  const steps = form === 'short' ? 8 : 200
  const perStep = form === 'short' ? 30 : 60
  const random = chance(seed)
  using scratch = folder()
  const library = join(scratch.path, 'clock.so')
  using clock = new Clock(join(scratch.path, 'clock'))
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const data = join(scratch.path, 'data')
  const env = { LD_PRELOAD: library, FAULTS_CLOCK: clock.path }
  await using server = await startKeyreel({ data, env })
  const kit = await server.enrol('alpha', 'general')
  const ledger = new Ledger()
  const count = { steps: 0, requests: 0, atWrongTimes: 0, newcomers: 0 }
  const step = async () => {
    const offset = offsets[count.steps++ % offsets.length]!
    clock.set(offset)
    if (Math.abs(offset) === hour) count.newcomers += await newcomer(server, kit, ledger)
    else if (random(2) === 0) clock.set(0)
    if (count.steps % 20 === 0) say(`${count.steps} steps, ${count.requests} requests`)
  }
  // None is made again when it ends: each must last.
  const sessions = await Promise.all(Array.from({ length: clients }, () => session(server, kit)))
  let next = 0
  await runLoad({
    seed,
    clients,
    mayFail: true,
    async ask(asks) {
      if (++count.requests % perStep === 0) await step()
      const answer = await askOn(sessions[next++ % clients]!, asks, ledger)
      if (answer === undefined) return []
      const { TimeStamp } = answer.ResponseHeader
      if (Math.abs(Number(TimeStamp) - Date.now() / 1000) > hour / 2) count.atWrongTimes++
      return answer.BatchItem
    },
    tell: (line) => ledger.take(line),
    until: () => count.steps >= steps || ledger.failures.length > 0,
  })
  clock.set(0)
  count.newcomers += await newcomer(server, kit, ledger)
  await Promise.all(sessions.map((one) => one.close()))
  await server.stop()
  await compared({ directory: data }, ledger, 'at the end')
  const { refused } = ledger
  const figures = { ...count, sessions: clients, refused, ...figuresOf(ledger) }
  return { figures, failures: ledger.failures }
}

function session({ host, port }: Keyreel, kit: Kit): Promise<Connection> {
  const [ca, cert, key] = [kit.ca, kit.certificate, kit.key].map((file) => readFileSync(file))
  return openConnection({ host, port, ca: ca!, cert: cert!, key: key! })
}

async function askOn(
  connection: Connection,
  asks: readonly Ask[],
  ledger: Ledger,
): Promise<ReturnType<typeof answerOf> | undefined> {
  try {
    return answerOf(await connection.send(requestBytes('2.1', asks)), '2.1')
  } catch (error) {
    ledger.failures.push(`a session did not last: ${String(error)}`)
    return undefined
  }
}

/** A library that connects now; 1 when it is served. */
async function newcomer(server: Keyreel, kit: Kit, ledger: Ledger): Promise<number> {
  try {
    const connection = await session(server, kit)
    const request = requestBytes('2.1', [['Query', { QueryFunction: ['QueryOperations'] }]])
    const [item] = answerOf(await connection.send(request), '2.1').BatchItem
    await connection.close()
    return item?.ResultStatus === 'Success' ? 1 : 0
  } catch (error) {
    ledger.failures.push(`nobody can connect: ${String(error)}`)
    return 0
  }
}

/** The file that says how far the clock is off; the process under test has it mapped. */
class Clock {
  readonly path: string
  readonly #file: number

  constructor(path: string) {
    this.path = path
    writeFileSync(path, Buffer.alloc(8))
    this.#file = openSync(path, 'r+')
  }

  /** Seconds from the right time. */
  set(offset: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(offset))
    writeSync(this.#file, bytes, 0, 8, 0)
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
