// A process of its own that wipes the key of object 1 in a data directory and says so once that is acknowledged.
// Argument: data directory.
import { join } from 'node:path'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openStore } from '../../src/keystore/store.ts'

const directory = process.argv[2]!
const masterKey = openMasterKeyFile(join(directory, 'master.key'))
const store = await openStore({ directory, masterKey, writer: 'serve' })
process.stdout.write('open\n')
await store.act(async (work) => {
  const id = '00000000-0000-4000-8000-000000000001'
  const object = await work.load('default', id)
  if (object === undefined) throw new Error(`there is no ${id}`)
  await work.wipe(object)
  const actor = { name: 'keyreel', kind: 'server' }
  work.audit({ actor, operation: 'Wipe', object: id, group: 'default', outcome: 'Success' })
})
process.stdout.write('wiped\n')
await store.close()
