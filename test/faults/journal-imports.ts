// Keys of another site, imported into a group that wants every key on two copies: the command is killed while it
// imports, beside a server and without one; then the disk of the keystore is lost, and it comes back out of the
// journal. Every key of a bundle whose import was reported is there, byte for byte.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { setGroupPolicy } from '../../src/access/groups.ts'
import { exitStatus } from '../../src/errors.ts'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { loadObject } from '../../src/keystore/keystore.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { tapeKey, type Ask } from '../fixtures/responder.ts'
import { chance, folder, openDirectory, type Outcome, type Plan } from './ground.ts'
import { digestOf } from './ledger.ts'
import { digestIn } from './load.ts'
import { Reconnecting } from './server-load.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')

/** A bundle, and SHA-256 of each of its keys. */
interface Bundle {
  readonly file: string
  readonly keys: ReadonlyMap<string, string>
}

/** Imports that are killed, and disks that are lost. */
export async function journalImports({ form, seed, say }: Plan): Promise<Outcome> {
  // A step of an import has at most a hundred keys.
  const [rounds, keysPerBundle] = form === 'short' ? [3, 120] : [30, 250]
  const random = chance(seed)
  using scratch = folder()
  const path = (name: string): string => join(scratch.path, name)
  const bundles = await madeElsewhere(scratch.path, rounds, keysPerBundle)
  const failures: string[] = []
  const count = { rounds, kills: 0, refused: 0, keys: 0 }
  let data = path('here')
  let journal = path('journal-0')
  let server = await startKeyreel({ data, args: ['--journal', journal] })
  try {
    await server.enrol('alpha')
    await untilCurrent(server)
    const store = await openDirectory(data)
    const copies = () => Promise.resolve({ count: 2, missing: '' })
    await setGroupPolicy(store, 'default', ['ready=2'], { copies }).finally(() => store.close())
    const reported = new Map<string, string>()
    for (let round = 1; round <= rounds; round++) {
      // By turns beside a server, without one, and beside one that dies meanwhile.
      if (round % 3 === 2) await server.stop()
      const { file, keys } = bundles[round - 1]!
      const words = ['exchange', 'import', file, '--data', data, '--json']
      for (let isDone = false; !isDone;) {
        const child = spawn(process.execPath, [program, ...words], { stdio: 'ignore' })
        const ended = once(child, 'close')
        const isKilled = random(2) === 0
        if (round % 3 === 0) void delay(random(1500)).then(() => server.kill())
        if (isKilled) void delay(300 + random(1500)).then(() => child.kill('SIGKILL'))
        const [status] = (await ended) as [number | null]
        if (status === null) count.kills++
        else if (status === exitStatus.partly || status === exitStatus.policy) count.refused++
        else if (status !== 0) failures.push(`round ${round}: the import ended with ${status}`)
        // One that was refused, as where the disk was slow, has reported no key: it is run again.
        isDone = status === 0 || failures.length > 0
      }
      for (const [id, digest] of keys) reported.set(id, digest)
      await server.kill()
      const oldKey = path('old.key')
      renameSync(join(data, 'master.key'), oldKey)
      rmSync(data, { recursive: true })
      data = path(`here-${round}`)
      const restore = ['journal', 'restore', journal, '--old-master-key', oldKey, '--data', data]
      await run([...restore, '--json'])
      await compare(data, reported, (what) => void failures.push(`round ${round}: ${what}`))
      rmSync(journal, { recursive: true })
      journal = path(`journal-${round}`)
      server = await startKeyreel({ data, args: ['--journal', journal] })
      await untilCurrent(server)
      if (round % 10 === 0) say(`${round} imports, ${count.kills} killed, ${reported.size} keys`)
    }
    count.keys = reported.size
  } finally {
    await server.kill()
  }
  return { figures: count, failures }
}

/** Another site makes keys and a bundle for each round; both sites know each other then. */
async function madeElsewhere(
  scratch: string,
  rounds: number,
  each: number,
): Promise<readonly Bundle[]> {
  const [here, there] = [join(scratch, 'here'), join(scratch, 'there')]
  for (const data of [here, there]) await run(['init', '--host', '127.0.0.1', '--data', data])
  for (const [from, to] of [
    [here, there],
    [there, here],
  ] as const) {
    const file = `${from}.pem`
    await run(['exchange', 'certificate', 'export', '--out', file, '--data', from])
    const trust = ['exchange', 'certificate', 'import', file, '--peer', 'other', '--yes']
    await run([...trust, '--data', to])
  }
  await using site = await startKeyreel({ data: there })
  const connections = new Reconnecting({ server: site, kit: await site.enrol('beta', 'general') })
  const bundles: Bundle[] = []
  mkdirSync(join(scratch, 'bundles'))
  for (let bundle = 0; bundle < rounds; bundle++) {
    const keys = new Map<string, string>()
    while (keys.size < each) {
      const asks: Ask[] = [
        ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(`${bundle}-${keys.size}`) }],
        ['Get', {}],
      ]
      const [made, got] = await connections.ask(asks)
      const { UniqueIdentifier } = made!.ResponsePayload as { UniqueIdentifier: string }
      keys.set(UniqueIdentifier, digestIn(got!))
    }
    const file = join(scratch, 'bundles', `${bundle}.keyreel`)
    const chosen = [...keys.keys()].flatMap((id) => ['--key', id])
    const words = ['exchange', 'export', '--peer', 'other', ...chosen, '--out', file]
    await run([...words, '--data', there])
    bundles.push({ file, keys })
  }
  await connections.close()
  return bundles
}

async function compare(
  data: string,
  expected: ReadonlyMap<string, string>,
  fail: (what: string) => void,
): Promise<void> {
  const store = await openDirectory(data)
  try {
    await store.act(async (work) => {
      for (const [id, digest] of expected) {
        const object = await loadObject(work, 'default', id)
        if (object === undefined) fail(`${id} is lost`)
        else if ((await digestOf(work, object)) !== digest) fail(`${id} has another key`)
      }
      const actor = { name: 'faults', kind: 'cli' }
      work.audit({ actor, operation: 'compare', outcome: 'Success' })
    })
    const { problems } = await store.auditVerify({ contents: contentsCheck })
    for (const { kind, subject, message } of problems) fail(`${kind} ${subject}: ${message}`)
  } finally {
    await store.close()
  }
}

async function untilCurrent(server: Keyreel): Promise<void> {
  for (;;) {
    const { stdout } = await server.cli('status', '--json')
    const { journal } = JSON.parse(stdout) as { journal: { state: string } | null }
    if (journal?.state === 'current') return
  }
}

async function run(words: readonly string[]): Promise<void> {
  const { status, stderr } = await runKeyreel(words)
  if (status !== 0)
    throw new Error(`${words.slice(0, 3).join(' ')} ended with ${status}: ${stderr}`)
}
