// A process of its own that opens a data directory and writes: prints a line for each act once acknowledged.
// Arguments: data directory, writer ('serve' or 'cli'), first object number, count, acts at a time.
import { join } from 'node:path'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openStore } from '../../src/keystore/store.ts'

const [directory, writer, first, count, together] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const masterKey = openMasterKeyFile(join(directory, 'master.key'))
const store = await openStore({ directory, masterKey, writer })
process.stdout.write('open\n')

let next = Number(first)
const end = next + Number(count)
const work = async (): Promise<void> => {
  while (next < end) {
    const at = next++
    const id = `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`
    await store.act(async (act) => {
      const columns = { owner: 'alpha', initialDate: act.now, lastChangeDate: act.now }
      const index = [{ attribute: 'Name', value: `KR${at}` }]
      const unique = [{ kind: 'name', value: `KR${at}` }]
      const object = {
        id,
        group: 'default',
        type: 2,
        record: Buffer.from(id),
        columns,
        index,
        unique,
      }
      await act.insert(object, new Uint8Array(32).fill(at))
      act.audit({
        actor: { name: 'alpha', kind: 'client' },
        operation: 'Create',
        object: id,
        outcome: 'Success',
      })
    })
    process.stdout.write(`${at}\n`)
  }
}
await Promise.all(Array.from({ length: Number(together) }, work))
await store.close()
