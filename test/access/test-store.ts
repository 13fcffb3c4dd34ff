/** A keystore in memory for the tests of access control, with a clock that the test sets. */
import { onTestFinished } from 'vitest'
import { createServerIdentity } from '../../src/access/authority.ts'
import { allOf, type ActingStore, type Body } from '../../src/access/documents.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import { sqlStorage } from '../../src/keystore/sql-storage.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore } from '../../src/keystore/store.ts'
import type { AuditEntry } from '../../src/keystore/work.ts'

export const now = 1_800_000_000n
export const day = 86_400n

export interface TestStore extends ActingStore {
  /** The store's clock, in seconds since 1970; the test may set it. */
  time: { seconds: bigint }
  /** What was audited since the store was made. */
  audited(): Promise<AuditEntry[]>
  /** Everything the database holds of documents, as text: nothing secret may be in it. */
  stored(): Promise<string>
}

/** Wraps by copying: master keys have tests of their own. */
const openMasterKey: MasterKey = {
  id: 'test',
  wrap: (key) => Promise.resolve(Uint8Array.from(key)),
  unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
  close: () => undefined,
}

/** An empty store; closed when the test is over. */
export async function testStore(): Promise<TestStore> {
  const driver = await openSqlite({ file: ':memory:' })
  const time = { seconds: now }
  const clock = () => time.seconds
  await createStore({ driver, masterKey: openMasterKey, now: clock, chain: 'test' })
  const store = await openStore({ driver, masterKey: openMasterKey, writer: 'test', now: clock })
  onTestFinished(() => store.close())
  return {
    time,
    act: (fn) => store.act(fn),
    read: (fn) => store.read(fn),
    audited: async () => [...(await store.readAudit({ chain: 'test', after: 1, limit: 1000 }))],
    async stored() {
      const documents = await sqlStorage(driver).read((rows) => rows.documentsAfter('', '', 1000))
      return documents.map(({ body }) => body).join('\n')
    },
  }
}

/** A store that has its authority, server certificates and the group `default`. */
export async function initialisedStore(): Promise<TestStore> {
  const store = await testStore()
  template ??= makeTemplate()
  const documents = await template
  await store.act(async (work) => {
    for (const { kind, name, body, secret } of documents)
      await work.putDocument(kind, name, body, secret)
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  return store
}

interface Template {
  kind: 'authority' | 'server-certificate' | 'group'
  name: string
  body: Body<Template['kind']>
  secret?: Uint8Array
}

/** Made once for all tests of a file: an RSA-3072 key takes its time. */
let template: Promise<Template[]> | undefined

async function makeTemplate(): Promise<Template[]> {
  const store = await testStore()
  await createServerIdentity(store, ['keyreel.example.com', '192.0.2.10'])
  return store.read(async (work) => {
    const made: Template[] = []
    for (const kind of ['authority', 'server-certificate', 'group'] as const)
      for (const { name, body } of await allOf(work, kind)) {
        const secret =
          kind === 'group' ? {} : { secret: (await work.documentSecret(kind, name)).bytes }
        made.push({ kind, name, body, ...secret })
      }
    return made
  })
}
