// A disk that fills up under load and has room again: nothing that is answered with Success is missing
// afterwards, keys are handed out from the reserve, and no restart is needed. The long form is on a small file
// system of its own, which only root may mount; the short one under a library that makes a folder small, which
// needs a C compiler.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { DiskReserve } from '../../src/keystore/disk-reserve.ts'
import type { Store } from '../../src/keystore/store.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { respond, type Responder } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import {
  chance,
  dataDirectory,
  folder,
  openDirectory,
  quickFolder,
  type Chance,
  type Outcome,
  type Plan,
} from './ground.ts'

const mebibyte = 2 ** 20
const source = join(import.meta.dirname, 'small.c')
const program = join(import.meta.dirname, 'full-disk-process.ts')
const run = promisify(execFile)
const quiet = (): void => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** Fills the disk, uses up the reserve, makes room, again and again. */
export async function fullDisk({ form, seed, say }: Plan): Promise<Outcome> {
  if (form === 'short') return await onSmallFolder(seed)
  using scratch = folder()
  const disk = join(scratch.path, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'none', disk])
  try {
    return await fillAgainAndAgain(disk, 10_000, chance(seed), say)
  } finally {
    execFileSync('umount', ['-l', disk])
  }
}

async function onSmallFolder(seed: number): Promise<Outcome> {
  using scratch = folder()
  using room = quickFolder()
  const disk = join(room.path, 'disk')
  mkdirSync(disk)
  const library = join(scratch.path, 'small.so')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const env = { LD_PRELOAD: library, FAULTS_LIVE: disk, FAULTS_SIZE: `${32 * mebibyte}` }
  const { stdout } = await run(process.execPath, [program, disk, '1500', String(seed)], {
    env: { ...process.env, ...env },
  })
  return JSON.parse(stdout) as Outcome
}

/** On a disk that is small. */
export async function fillAgainAndAgain(
  disk: string,
  operations: number,
  random: Chance,
  say: Plan['say'],
): Promise<Outcome> {
  const directory = join(disk, 'data')
  await dataDirectory(directory)
  const room = new DiskReserve(directory, mebibyte, log)
  await room.restore()
  const store = await openDirectory(directory, { writer: 'serve', room })
  const use = new Use(responderOver(store, log, () => 0))
  const count = { rounds: 0, fromReserve: 0 }
  while (use.asked < operations) {
    count.rounds++
    fill(disk, 200_000 + random(200_000))
    const before = use.refusedCreates
    for (let at = 0; use.refusedCreates < before + 3 && at < 5000; at++) await use.create()
    if (use.refusedCreates < before + 3) use.failures.push('a full disk took every key')
    // From the reserve: keys that exist are handed out while new ones are refused.
    let got = 0
    while (got < 200 && (await use.get(random))) got++
    count.fromReserve += got
    if (got === 0) use.failures.push('nothing was handed out from the reserve')
    if (count.rounds % 3 === 0) {
      for (let more = 0; more < 20_000 && (await use.get(random)); more++);
    }
    rmSync(join(disk, 'ballast'))
    await room.restore()
    if (!(await use.create())) use.failures.push('no key could be made although there was room')
    if (count.rounds % 5 === 0) say(`${use.asked} operations, ${use.failures.length} failures`)
  }
  await use.compare(store)
  await store.close()
  const { asked, succeeded, refusedCreates } = use
  return {
    figures: { operations: asked, succeeded, refusedCreates, ...count },
    failures: use.failures,
  }
}

/** Leaves so many bytes free. */
function fill(disk: string, free: number): void {
  const { bavail, bsize } = statfsSync(disk)
  writeFileSync(join(disk, 'ballast'), Buffer.alloc(Math.max(0, bavail * bsize - free)))
}

/** One client, and what it was told. */
class Use {
  readonly failures: string[] = []
  readonly #responder: Responder
  readonly #keys = new Map<string, string>()
  asked = 0
  succeeded = 0
  refusedCreates = 0
  #gets = 0

  constructor(responder: Responder) {
    this.#responder = responder
  }

  async create(): Promise<boolean> {
    const Attributes = tapeKey(`T${this.asked}`)
    const [made, got] = await this.#ask([
      ['Create', { ObjectType: 'SymmetricKey', Attributes }],
      ['Get', {}],
    ])
    if (made!.ResultStatus !== 'Success') {
      this.refusedCreates++
      return false
    }
    const { UniqueIdentifier } = made!.ResponsePayload as { UniqueIdentifier: string }
    this.#keys.set(UniqueIdentifier, digestIn(got!))
    this.#gets++
    return true
  }

  async get(random: Chance): Promise<boolean> {
    const ids = [...this.#keys.keys()]
    const UniqueIdentifier = ids[random(ids.length)]!
    const [got] = await this.#ask([['Get', { UniqueIdentifier }]])
    if (got!.ResultStatus !== 'Success') return false
    this.#gets++
    if (digestIn(got!) !== this.#keys.get(UniqueIdentifier))
      this.failures.push(`${UniqueIdentifier}: another key`)
    return true
  }

  /** Every key is there, and every Get that was answered is on record. */
  async compare(store: Store): Promise<void> {
    for (const [id, digest] of this.#keys) {
      const [got] = await this.#ask([['Get', { UniqueIdentifier: id }]])
      if (got!.ResultStatus !== 'Success') this.failures.push(`${id} is lost`)
      else if (digestIn(got!) !== digest) this.failures.push(`${id}: another key`)
    }
    let recorded = 0
    for (let after = 0; ;) {
      const entries = await store.readAudit({ chain: 'serve', after, limit: 1000 })
      if (entries.length === 0) break
      after = entries.at(-1)!.number
      recorded += entries.filter(
        ({ operation, outcome }) => operation === 'Get' && outcome === 'Success',
      ).length
    }
    const answered = this.#gets + this.#keys.size
    if (recorded < answered) this.failures.push(`${answered} Gets answered, ${recorded} on record`)
    const { problems } = await store.auditVerify({ contents: contentsCheck })
    for (const { subject, message } of problems) this.failures.push(`${subject}: ${message}`)
  }

  async #ask(asks: readonly Ask[]): Promise<ResponseBatchItem[]> {
    this.asked++
    const { bytes } = await respond(this.#responder, requestBytes('2.1', asks), principal())
    const items = answerOf(bytes, '2.1').BatchItem
    if (items.every(({ ResultStatus }) => ResultStatus === 'Success')) this.succeeded++
    return items
  }
}

function digestIn(item: ResponseBatchItem): string {
  const { SymmetricKey } = item.ResponsePayload as {
    SymmetricKey: { KeyBlock: { KeyValue: { value: { KeyMaterial: Uint8Array } } } }
  }
  return createHash('sha256').update(SymmetricKey.KeyBlock.KeyValue.value.KeyMaterial).digest('hex')
}
