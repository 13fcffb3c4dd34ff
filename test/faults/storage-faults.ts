// A disk that fails now and then (EIO), and a file system that has become read-only, under a running server:
// nothing is answered with Success that is not there afterwards; what needs no record is answered all the
// time; once the disk works again everything does, without a restart. Needs a C compiler.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type Client } from '../../src/kmip/client/client.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'
import { answerOf, requestBytes, tapeKey, type Ask } from '../fixtures/responder.ts'
import { chance, folder, type Chance, type Outcome, type Plan } from './ground.ts'
import { compared, figuresOf } from './kills.ts'
import { Ledger } from './ledger.ts'
import { runLoad } from './load.ts'

const source = join(import.meta.dirname, 'failing.c')
const clients = 8

/** What fails, by the bits that the library knows, and how often in 256 calls (255: always). */
const troubles: readonly {
  readonly name: string
  readonly what: number
  readonly often: number
  /** What a client is told whose request needs a record, where none can be written. */
  readonly told?: string
}[] = [
  { name: 'some writes', what: 1, often: 40 },
  { name: 'some syncs', what: 2, often: 80 },
  { name: 'some reads', what: 4, often: 40 },
  { name: 'a bit of everything', what: 7, often: 15 },
  { name: 'every write', what: 1, often: 255, told: 'the disk of the key store fails' },
  {
    ...{ name: 'read-only', what: 8, often: 255 },
    told: 'the key store is read-only: nothing is recorded',
  },
]

/** Troubles one after the other, with sound times between them. */
export async function storageFaults({ form, seed, say }: Plan): Promise<Outcome> {
  const operations = form === 'short' ? 600 : 10_000
  const perTrouble = form === 'short' ? 100 : 400
  const random = chance(seed)
  using scratch = folder()
  using control = new Control(join(scratch.path, 'control'))
  const library = join(scratch.path, 'failing.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const data = join(scratch.path, 'data')
  const env = { LD_PRELOAD: library, FAULTS_LIVE: data, FAULTS_CONTROL: control.path }
  await using server = await startKeyreel({ data, env })
  const site = { server, kit: await server.enrol('alpha', 'general'), ledger: new Ledger() }
  const { ledger } = site
  const count = { operations: 0, troubles: 0, servedReadOnly: 0 }
  const known = await sound(site, random)
  while (count.operations < operations) {
    const trouble = troubles[count.troubles++ % troubles.length]!
    control.set(trouble.what, trouble.often)
    count.operations += await worked(site, seed + count.troubles, perTrouble)
    if (trouble.told !== undefined) {
      count.servedReadOnly += await servedWithoutRecords(site, known, trouble.told)
      count.operations += 2
    }
    control.set(0, 0)
    await sound(site, random)
    if (count.troubles % troubles.length !== 0) continue
    await compared({ directory: data }, ledger, `after ${count.troubles} troubles`)
    say(`${count.operations} operations, ${ledger.refused} refused, ${control.failed} calls failed`)
  }
  const status = await server.stop()
  if (status !== 0) ledger.failures.push(`the server ended with ${status}`)
  await compared({ directory: data }, ledger, 'at the end')
  const { refused } = ledger
  return {
    figures: { ...count, callsFailed: control.failed, refused, ...figuresOf(ledger) },
    failures: ledger.failures,
  }
}

interface Site {
  readonly server: Keyreel
  readonly kit: Kit
  readonly ledger: Ledger
}

/** Keeps the server busy with so many requests; how many were sent. */
async function worked(site: Site, seed: number, requests: number): Promise<number> {
  let sent = 0
  const { ledger } = site
  const connections = new Reconnecting(site)
  await runLoad({
    seed,
    clients,
    mayFail: true,
    ask(asks) {
      sent++
      return connections.ask(asks)
    },
    tell: (line) => ledger.take(line),
    until: () => sent >= requests,
  })
  await connections.close()
  return sent
}

/** The disk is sound: a key is made and given at the first attempt, on a new connection. */
async function sound(site: Site, random: Chance): Promise<string> {
  const connections = new Reconnecting(site)
  const name = `sound ${random(2 ** 32)}`
  const asks: Ask[] = [
    ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(name) }],
    ['Get', {}],
  ]
  const items = await connections.ask(asks)
  await connections.close()
  const refused = items.find(({ ResultStatus }) => ResultStatus !== 'Success')
  if (refused !== undefined || items.length < asks.length)
    site.ledger.failures.push(`the disk is sound again, and yet: ${refused?.ResultMessage}`)
  const { UniqueIdentifier } = (items[0]?.ResponsePayload ?? {}) as { UniqueIdentifier?: string }
  return UniqueIdentifier ?? ''
}

/** Nothing can be written: attributes are shown, on a new connection too; a key is not given without its record. */
async function servedWithoutRecords(site: Site, known: string, told: string): Promise<number> {
  const connections = new Reconnecting(site)
  const [shown] = await connections.ask([['GetAttributes', { UniqueIdentifier: known }]])
  const [got] = await connections.ask([['Get', { UniqueIdentifier: known }]])
  await connections.close()
  if (got?.ResultStatus === 'Success') site.ledger.failures.push('a Get without a record')
  else if (got?.ResultMessage !== told)
    site.ledger.failures.push(`a client is told '${got?.ResultMessage}', not '${told}'`)
  if (shown?.ResultStatus === 'Success') return 1
  site.ledger.failures.push(`nothing is shown on a read-only disk: ${shown?.ResultMessage}`)
  return 0
}

/** A client that comes back after its connection was cut, as a library does. No answer is an empty one. */
class Reconnecting {
  readonly #site: Site
  #client: Client | undefined

  constructor(site: Site) {
    this.#site = site
  }

  async ask(asks: readonly Ask[]): Promise<readonly ResponseBatchItem[]> {
    try {
      const client = (this.#client ??= await this.#connected())
      const answer = await client.send(requestBytes('2.1', asks))
      return answerOf(answer, '2.1').BatchItem
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      await this.close()
      return asks.map(() => ({ ResultStatus: 'OperationFailed', ResultMessage: message }) as never)
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.close()
  }

  #connected(): Promise<Client> {
    const { server, kit } = this.#site
    const { host, port } = server
    const [ca, cert, key] = [kit.ca, kit.certificate, kit.key].map((file) => readFileSync(file))
    return connect({ host, port, ca: ca!, cert: cert!, key: key!, versions: ['2.1'] })
  }
}

/** The file that says what fails; the process under test has it mapped. */
class Control {
  readonly path: string
  readonly #file: number

  constructor(path: string) {
    this.path = path
    writeFileSync(path, Buffer.alloc(4096))
    this.#file = openSync(path, 'r+')
  }

  /** From now on. */
  set(what: number, often: number): void {
    writeSync(this.#file, Uint8Array.of(often), 0, 1, 1)
    writeSync(this.#file, Uint8Array.of(what), 0, 1, 0)
  }

  get failed(): number {
    const bytes = Buffer.alloc(4)
    readSync(this.#file, bytes, 0, 4, 4)
    return bytes.readUInt32LE()
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}
