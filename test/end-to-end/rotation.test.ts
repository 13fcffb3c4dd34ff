// Master key and epochs are changed, shares handed out and backups made while libraries make, activate, fetch and destroy
// keys: no request is refused or broken off, and every key is what was handed out. A run of sealing anew is killed in the
// middle, and ended by a server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connect, type BatchItem, type Client } from '../../src/kmip/client/client.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { readKit, type Kit } from '../../simulator/kit.ts'
import { Ledger } from '../faults/ledger.ts'
import { runLoad } from '../faults/load.ts'
import { runKeyreel, startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { startPostgres, withoutPostgres, type PostgresServer } from '../fixtures/postgres.ts'
import type { Ask } from '../fixtures/responder.ts'

const program = resolve(import.meta.dirname, '../../src/cli/keyreel.js')
const followed = /this server goes on with the new one/g

let postgres: PostgresServer | undefined
beforeAll(async () => {
  if (!withoutPostgres()) postgres = await startPostgres()
})
afterAll(() => postgres?.stop())

/** Servers of one keystore, whose master key is in a file that all of them name. */
interface Site {
  readonly database: readonly string[] | undefined
  readonly keyFile: string
  readonly servers: readonly Keyreel[]
}

async function siteOf(folder: string, names: readonly string[], url?: string): Promise<Site> {
  const keyFile = join(folder, 'master.key')
  const shared = ['--master-key-file', keyFile, ...(url === undefined ? [] : ['--database', url])]
  const servers: Keyreel[] = []
  for (const name of names) {
    const node = url === undefined ? [] : ['--node', name]
    const data = join(folder, name)
    const line = ['init', '--data', data, '--host', 'localhost', ...shared, ...node]
    const { status, stderr } = await runKeyreel(line)
    expect(status, stderr).toBe(0)
    const server = await startKeyreel({ data, args: [...shared, ...node] })
    onTestFinished(() => server.kill())
    servers.push(server)
  }
  return { database: url === undefined ? undefined : [url], keyFile, servers }
}

async function openedBy({ database, keyFile, servers }: Site, writer: string): Promise<Store> {
  const masterKey = openMasterKeyFile(keyFile)
  return openStore({ directory: servers[0]!.data, database, masterKey, writer })
}

/** Clients of every server, two each, whose first failure ends them all. */
async function clientsOf(servers: readonly Keyreel[], kit: Kit): Promise<Client[]> {
  const { ca, certificate: cert, key } = kit
  const once = { attempts: 1 }
  const each = [...servers, ...servers]
  return Promise.all(
    each.map(({ host, port }) => connect({ host, port, ca, cert, key, reconnect: once })),
  )
}

async function answersOf(client: Client, asks: readonly Ask[]): Promise<ResponseBatchItem[]> {
  const items = asks.map(([operation, payload]) => ({ operation, payload }) as BatchItem)
  const results = await client.batch(items)
  return results.map((result) => {
    if (result.status === 'Failed') throw result.error
    if (result.status === 'NotRun') throw new Error('an item was not run')
    return { ResultStatus: 'Success', ResponsePayload: result.payload } as ResponseBatchItem
  })
}

/** Kills a run of sealing anew once some of the keys are done, and says how many. */
async function killedReseal(site: Site, flags: readonly string[], store: Store): Promise<number> {
  const words = [program, 'master-key', 'reseal', '--data', site.servers[0]!.data, ...flags]
  const epochs = (await store.epochs()).length
  const child = spawn(process.execPath, words, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  for (;;) {
    const facts = await store.epochs()
    if (facts.length > epochs && facts.at(-1)!.objects > 100) break
    expect(child.exitCode).toBeNull()
    await delay(5)
  }
  child.kill('SIGKILL')
  await ended
  return (await store.epochs()).slice(0, -1).reduce((sum, { objects }) => sum + objects, 0)
}

const places = [
  { name: 'one server on a file', nodes: ['only'], onPostgres: false },
  { name: 'two nodes on PostgreSQL', nodes: ['kms-a', 'kms-b'], onPostgres: true },
]

describe.each(places.filter(({ onPostgres }) => !onPostgres || !withoutPostgres()))(
  '$name',
  ({ nodes, onPostgres }) => {
    const folder = mkdtempSync(join(tmpdir(), 'keyreel-rotation-'))
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    test('master key and epochs are changed under load', { timeout: 180_000 }, async () => {
      const site = await siteOf(folder, nodes, onPostgres ? await postgres!.fresh() : undefined)
      const { servers, keyFile } = site
      const [server] = servers as [Keyreel]
      const flags = [
        '--master-key-file',
        keyFile,
        ...(site.database ?? []).flatMap((url) => ['--database', url]),
      ]
      const cli = async (...words: string[]): Promise<string> => {
        const { status, stdout, stderr } = await server.cli(...words, ...flags)
        expect(status, `${words.join(' ')}: ${stderr}${stdout}`).toBe(0)
        return stdout
      }
      const kit = await readKit((await server.enrol('alpha', 'tape-library', ...flags)).directory)
      const clients = await clientsOf(servers, kit)
      const ledger = new Ledger()
      let isOver = false
      let saved = [0, 0] as [number, number]
      let turn = 0
      const load = runLoad({
        seed: 20_261_128,
        clients: 8,
        ask: (asks) => answersOf(clients[turn++ % clients.length]!, asks),
        tell: (line) => ledger.take(line),
        until: () => isOver,
      })
      const during = async (): Promise<void> => {
        while (ledger.keys < 500) await delay(20)
        const split = ['--threshold', '2', '--shares', '3', '--out', join(folder, 'shares')]
        await cli('recovery', 'setup', ...split)
        await cli('master-key', 'rotate')
        for (const { log } of servers) while (!followed.test(log())) await delay(20)

        const watching = await openedBy(site, 'watch')
        const waiting = await killedReseal(site, flags, watching)
        expect(waiting).toBeGreaterThan(0)
        // A server goes on with it by itself.
        for (;;) {
          const before = (await watching.epochs()).slice(0, -1)
          if (before.every(({ objects, documents }) => objects + documents === 0)) break
          await delay(50)
        }
        await watching.close()
        const before = ledger.keys
        await cli('backup', 'create', '--out', join(folder, 'backup'))
        saved = [before, ledger.keys + 8]
        await cli('master-key', 'rotate')
        await cli('master-key', 'reseal')
        const made = ledger.keys
        while (ledger.keys < made + 200) await delay(20)
      }
      try {
        await Promise.race([during(), load])
      } finally {
        isOver = true
      }
      await load
      await Promise.all(clients.map((client) => client.close()))
      const logs = servers.map(({ log }) => log()).join('')
      expect(await cli('doctor', 'epochs')).toMatch(/everything is sealed under epoch 3/)
      for (const one of servers) expect(await one.stop()).toBe(0)
      expect(logs.split('\n').filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
      expect(ledger.refused).toBe(0)
      // A state of one moment: what was acknowledged before it began, whole, and nothing that came later.
      const verified = await cli('backup', 'verify', join(folder, 'backup'), '--json')
      const found = JSON.parse(verified) as { objects: number; problems: unknown[] }
      expect(found).toMatchObject({ compared: true, problems: [] })
      expect(found.objects).toBeGreaterThanOrEqual(saved[0])
      expect(found.objects).toBeLessThanOrEqual(saved[1])
      const shares = [1, 2].flatMap((n) => ['--share', join(folder, 'shares', `share-${n}.txt`)])
      expect(await cli('recovery', 'verify', ...shares)).toMatch(/3 of 3 epochs/)
      const store = await openedBy(site, 'compare')
      await ledger.compare(store, 'afterwards')
      await store.close()
      expect(ledger.failures).toEqual([])
    })
  },
)
