// A server with a journal or two, and a group that wants every key on two copies: killed under load, also while the
// journal's disk fails or is full; then the disk of the keystore is lost, and it comes back out of the journal
// alone or out of a backup with it. Every key that was acknowledged is there. Needs a C compiler.
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setGroupPolicy } from '../../src/access/groups.ts'
import { runKeyreel, startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'
import { tapeKey } from '../fixtures/responder.ts'
import { Control, failing, failingUnder, type Trouble } from './control.ts'
import { chance, folder, openDirectory, type Chance, type Outcome, type Plan } from './ground.ts'
import { figuresOf } from './kills.ts'
import { Ledger } from './ledger.ts'
import { digestIn } from './load.ts'
import { Reconnecting, worked } from './server-load.ts'

/** What the journal's disk does. */
const troubles: readonly Trouble[] = [
  { name: 'some writes fail', what: failing.write, often: 60 },
  { name: 'some syncs fail', what: failing.sync, often: 60 },
  { name: 'writes and syncs fail', what: failing.write + failing.sync, often: 90 },
  { name: 'it is full now and then', what: failing.full, often: 60 },
  { name: 'it is full', what: failing.full, often: 255 },
  { name: 'every sync fails', what: failing.sync, often: 255 },
  { name: 'it is read-only', what: failing.readOnly, often: 255 },
]

/** Requests that are sent before a server may be killed. */
const leastSent = 30

/** Kills by turns: with a sound disk of the journal and a failing one, on the same keystore or with its disk lost. */
export function journalLosses(plan: Plan): Promise<Outcome> {
  return lossesWith(1, plan.form === 'short' ? 4 : 80, plan)
}

/** The same with two journals of which one fails: the other has everything, changes of keys included. */
export function lossesWithTwoJournals(plan: Plan): Promise<Outcome> {
  return lossesWith(2, plan.form === 'short' ? 3 : 40, plan)
}

async function lossesWith(journals: 1 | 2, rounds: number, { seed, say }: Plan): Promise<Outcome> {
  using scratch = folder()
  using control = new Control(join(scratch.path, 'control'))
  const second = join(scratch.path, 'second')
  mkdirSync(second)
  const env = failingUnder(scratch.path, second, control)
  const site = new Site(scratch.path, env, journals)
  const random = chance(seed)
  await site.prepare()
  const { ledger, count } = site
  for (let round = 1; round <= rounds; round++) {
    const trouble = round % 2 === 0 ? troubles[(round / 2 - 1) % troubles.length] : undefined
    await site.live(control, { round, seed: seed + round, trouble, random })
    if (round % 4 === 2) await site.lose('journal')
    if (round % 4 === 3) await site.lose('backup and journal')
    if (round % 10 === 0)
      say(`${round} kills, ${count.losses} losses, ${ledger.keys} keys, ${ledger.refused} refused`)
  }
  await site.live(control, { round: rounds + 1, seed, trouble: undefined, random })
  const { refused, getsOffRecord } = ledger
  return {
    figures: {
      ...{ kills: rounds + 1, ...count, callsFailed: control.failed, refused, getsOffRecord },
      ...figuresOf(ledger),
    },
    failures: ledger.failures,
  }
}

interface Life {
  readonly round: number
  readonly seed: number
  readonly trouble: Trouble | undefined
  readonly random: Chance
}

/** A keystore, wherever it is by now, and its journal. */
class Site {
  readonly ledger = new Ledger()
  readonly count = { losses: 0, troubles: 0 }
  readonly #folder: string
  readonly #env: Readonly<Record<string, string>>
  #kit!: Kit
  #data: string
  readonly #journals: 1 | 2
  #isRestored = false
  #wasAway = false

  constructor(path: string, env: Readonly<Record<string, string>>, journals: 1 | 2) {
    this.#folder = path
    this.#env = env
    this.#data = join(path, 'data')
    this.#journals = journals
    mkdirSync(join(path, 'third'))
  }

  /** Makes the keystore, its shares, its first backup and a client whose keys must be on two copies. */
  async prepare(): Promise<void> {
    await this.#run('init', '--host', '127.0.0.1')
    await this.#run('recovery', 'setup', '--threshold', '2', '--shares', '3', '--out', this.#shares)
    const directory = join(this.#folder, 'kit')
    await this.#run('library', 'add', 'alpha', '--profile', 'general', '--out', directory)
    const [ca, certificate, key] = ['ca.pem', 'certificate.pem', 'key.pem'].map((name) =>
      join(directory, name),
    )
    this.#kit = { directory, ca: ca!, certificate: certificate!, key: key! }
    await this.#run('backup', 'create', '--out', this.#backup)
    const store = await openDirectory(this.#data)
    try {
      const copies = () => Promise.resolve({ count: 2, missing: '' })
      await setGroupPolicy(store, 'default', ['ready=2'], { copies })
    } finally {
      await store.close()
    }
  }

  /** Starts a server, compares, keeps it busy, and kills it. */
  async live(control: Control, { round, seed, trouble, random }: Life): Promise<void> {
    const { ledger } = this
    const args = this.#paths.flatMap((path) => ['--journal', path])
    const server = await startKeyreel({ data: this.#data, args, env: this.#env })
    const site = { server, kit: this.#kit, ledger }
    try {
      await this.#compare(`kill ${round - 1}`)
      if (this.#journals > 1) await this.#untilAllCurrent(server)
      await this.#untilCurrent(site, `first ${seed}`)
      // What was acknowledged so far is in the journal too.
      ledger.twoCopies()
      let isDead = false
      let sent = 0
      const until = (more: number): boolean => {
        sent = more
        return isDead
      }
      const busy = worked(site, { seed, clients: 1 + random(12), until })
      await this.#until(() => sent >= leastSent)
      await delay(random(300))
      if (trouble !== undefined) {
        this.count.troubles++
        ledger.oneCopy = this.#journals === 1
        control.set(trouble)
        await delay(50 + random(400))
        // Half of the deaths come while it fails, half once it is being brought up to date again.
        if (random(2) === 0) control.set()
        await delay(random(1500))
      }
      const killed = server.kill()
      isDead = true
      await Promise.all([killed, busy])
      this.#noteAway(server)
    } finally {
      control.set()
      await server.kill()
    }
  }

  /** The disk of the keystore is lost, unless that would be one too many; what comes back goes on with new journals. */
  async lose(how: 'journal' | 'backup and journal'): Promise<void> {
    if (this.#wasAway) return
    const paths = this.#paths
    const number = ++this.count.losses
    const lost = this.#data
    this.#data = join(this.#folder, `data-${number}`)
    const oldKey = join(this.#folder, 'old.key')
    renameSync(join(lost, 'master.key'), oldKey)
    rmSync(lost, { recursive: true })
    const journal = paths.at(-1)!
    if (how === 'journal')
      await this.#run('journal', 'restore', journal, '--old-master-key', oldKey)
    else {
      const shares = [1, 3].flatMap((n) => ['--share', join(this.#shares, `share-${n}.txt`)])
      await this.#run('backup', 'restore', this.#backup, '--journal', journal, ...shares, '--yes')
    }
    for (const path of paths) rmSync(path, { recursive: true, force: true })
    this.#isRestored = true
  }

  /** Folders of the journals of now; only the first is on the disk that fails. */
  get #paths(): readonly string[] {
    const disks = ['second', 'third'].slice(0, this.#journals)
    return disks.map((disk) => join(this.#folder, disk, `journal-${this.count.losses}`))
  }

  get #shares(): string {
    return join(this.#folder, 'shares')
  }

  get #backup(): string {
    return join(this.#folder, 'first.backup')
  }

  async #compare(when: string): Promise<void> {
    const store = await openDirectory(this.#data)
    try {
      await this.ledger.compare(store, when, { isRestored: this.#isRestored })
    } finally {
      await store.close()
    }
    this.#isRestored = false
  }

  /** Whether the journal that is to bring everything back was away: its disk may have been too slow. */
  #noteAway(server: Keyreel): void {
    const sound = this.#paths[1]
    const isAway = (line: string): boolean =>
      sound !== undefined && line.includes(sound) && line.includes('is away')
    this.#wasAway = server.log().split('\n').some(isAway)
  }

  async #untilAllCurrent(server: Keyreel): Promise<void> {
    for (;;) {
      const { stdout } = await server.cli('status', '--json')
      const { journals } = JSON.parse(stdout) as { journals: { state: string }[] }
      if (journals.length > 0 && journals.every(({ state }) => state === 'current')) return
    }
  }

  /** Asks for a key until one is made: from then on there are two copies. */
  async #untilCurrent(site: { server: Keyreel; kit: Kit; ledger: Ledger }, data: string) {
    const connections = new Reconnecting(site)
    const name = data.replace(' ', '-')
    for (;;) {
      site.ledger.take(`make ${name}`)
      const Attributes = tapeKey(data)
      const [made, got] = await connections.ask([
        ['Create', { ObjectType: 'SymmetricKey', Attributes }],
        ['Get', {}],
      ])
      if (made?.ResultStatus === 'Success' && got?.ResultStatus === 'Success') {
        const { UniqueIdentifier } = made.ResponsePayload as { UniqueIdentifier: string }
        site.ledger.take(`made ${name} ${UniqueIdentifier} ${digestIn(got)}`)
        break
      }
      await delay(50)
    }
    await connections.close()
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await delay(5)
  }

  async #run(...words: string[]): Promise<void> {
    const { status, stderr, stdout } = await runKeyreel([...words, '--data', this.#data])
    if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  }
}
