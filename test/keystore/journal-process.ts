// A process that writes keys with a journal, and may end itself between the sync of the journal and the commit.
// Prints a line for each key once it is acknowledged. Arguments: data directory, journal, first number, keys at a
// time, transactions before it ends itself (0: never).
import { join } from 'node:path'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject } from '../../src/keystore/keystore.ts'
import { ManagedObject } from '../../src/keystore/managed-object.ts'
import { openStore } from '../../src/keystore/store.ts'

const [directory, path, first, together, passes] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const plain = await openSqlite({ file: join(directory, 'keystore.db') })
let left = Infinity
const driver: typeof plain = {
  ...plain,
  transaction: (fn) =>
    plain.transaction(async (sql) => {
      const result = await fn(sql)
      if (left-- <= 0) {
        process.kill(process.pid, 'SIGKILL')
        // The signal comes at once, but not necessarily before the next instruction.
        for (;;);
      }
      return result
    }),
}
const log = { info: () => undefined, error: () => undefined }
const store = await openStore({
  driver,
  masterKey: openMasterKeyFile(join(directory, 'master.key')),
  writer: 'serve',
  journals: { paths: [path], log },
})
await store.tendJournals()
process.stdout.write('open\n')
if (passes !== '0') left = Number(passes)

function create(at: number): Promise<void> {
  const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`
  const vitals = {
    Owner: 'alpha',
    Fresh: true,
    Sensitive: false,
    Extractable: true,
    InitialDate: 1_800_000_000n,
    LastChangeDate: 1_800_000_000n,
    LeaseTime: 0,
  }
  return store.act(async (work) => {
    const identity = { id, group: 'default', objectType: 'SymmetricKey' } as const
    const object = new ManagedObject(identity, vitals, new AttributeSet())
    await insertObject(work, object, new Uint8Array(32).fill(at))
    const actor = { name: 'alpha', kind: 'client' }
    work.audit({ actor, operation: 'Create', object: id, group: 'default', outcome: 'Success' })
  })
}

let next = Number(first)
await Promise.all(
  Array.from({ length: Number(together) }, async () => {
    for (;;) {
      const at = next++
      await create(at)
      process.stdout.write(`${at}\n`)
    }
  }),
)
