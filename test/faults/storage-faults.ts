// A disk that fails now and then (EIO), and a file system that has become read-only, under a running server:
// nothing is answered with Success that is not there afterwards; what needs no record is answered all the
// time; once the disk works again everything does, without a restart. Needs a C compiler.
import { join } from 'node:path'
import { startKeyreel } from '../fixtures/keyreel.ts'
import { tapeKey, type Ask } from '../fixtures/responder.ts'
import { Control, failing, failingUnder, type Trouble } from './control.ts'
import { chance, folder, type Chance, type Outcome, type Plan } from './ground.ts'
import { compared, figuresOf } from './kills.ts'
import { Ledger } from './ledger.ts'
import { Reconnecting, worked, type Site } from './server-load.ts'

const clients = 8

const troubles: readonly (Trouble & {
  /** What a client is told whose request needs a record, where none can be written. */
  readonly told?: string
})[] = [
  { name: 'some writes', what: failing.write, often: 40 },
  { name: 'some syncs', what: failing.sync, often: 80 },
  { name: 'some reads', what: failing.read, often: 40 },
  { name: 'a bit of everything', what: failing.write + failing.sync + failing.read, often: 15 },
  {
    ...{ name: 'every write', what: failing.write, often: 255 },
    told: 'the disk of the key store fails',
  },
  {
    ...{ name: 'read-only', what: failing.readOnly, often: 255 },
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
  const data = join(scratch.path, 'data')
  const env = failingUnder(scratch.path, data, control)
  await using server = await startKeyreel({ data, env })
  const site = { server, kit: await server.enrol('alpha', 'general'), ledger: new Ledger() }
  const { ledger } = site
  const count = { operations: 0, troubles: 0, servedReadOnly: 0 }
  const known = await sound(site, random)
  while (count.operations < operations) {
    const trouble = troubles[count.troubles++ % troubles.length]!
    control.set(trouble)
    const until = (sent: number): boolean => sent >= perTrouble
    count.operations += await worked(site, { seed: seed + count.troubles, clients, until })
    if (trouble.told !== undefined) {
      count.servedReadOnly += await servedWithoutRecords(site, known, trouble.told)
      count.operations += 2
    }
    control.set()
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
