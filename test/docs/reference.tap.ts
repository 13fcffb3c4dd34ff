// The reference pages against a started server: the data directory holds the files of data-directory.md,
// and what stands in the database is what formats.md says, as a reader sees it that knows nothing else.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dataFiles } from '../../scripts/reference/data-directory.ts'
import { connect } from '../../src/kmip/client/client.ts'
import { startKeyreel } from '../fixtures/keyreel.ts'
import { find, readStore } from './stranger.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-reference-'))
const data = join(scratch, 'data')
const keyreel = await startKeyreel({ data })
t.teardown(async () => {
  await keyreel.stop()
  await rm(scratch, { recursive: true, force: true })
})

const kit = await keyreel.enrol('alpha', 'general')
const file = (path: string) => readFile(path)
const client = await connect({
  host: 'localhost',
  port: keyreel.port,
  ca: await file(kit.ca),
  cert: await file(kit.certificate),
  key: await file(kit.key),
})
const [created, fetched] = await client.batch([
  {
    operation: 'Create',
    payload: {
      ObjectType: 'SymmetricKey',
      Attributes: [
        { tag: 'CryptographicAlgorithm', value: 'AES' },
        { tag: 'CryptographicLength', value: 256 },
        {
          tag: 'AlternativeName',
          value: {
            AlternativeNameValue: 'KR0001L8',
            AlternativeNameType: 'UninterpretedTextString',
          },
        },
        {
          tag: 'ApplicationSpecificInformation',
          value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: '0011AABB' },
        },
      ],
    },
  },
  { operation: 'Get', payload: {} },
])
await client.close()
if (created.status !== 'Success' || fetched.status !== 'Success') throw new Error('no key was made')
const id = created.payload.UniqueIdentifier
const block = fetched.payload.SymmetricKey?.KeyBlock.KeyValue
const served = block?.type === 'Structure' ? (block.value.KeyMaterial as Uint8Array) : undefined

await t.test('the data directory holds the files that are described, and no other', async (t) => {
  const described = new Set<string>(dataFiles.map(([name]) => name))
  const others = (await readdir(data)).filter((name) => !described.has(name))
  t.same(others, [], 'no file goes undescribed')
})

await t.test('a stranger reads the keystore by formats.md alone', async (t) => {
  await keyreel.stop()
  const { objects, documents, secrets, chains } = readStore(data)
  t.equal(objects.length, 1, 'it finds one object')
  const [object] = objects
  t.equal(object?.id, id, 'by its identifier')
  t.equal(object?.group, 'default', 'in its group')
  t.same(object?.material && find(object.material, '420043')?.value, served, 'it finds the key')
  const { record } = object!
  t.same(
    record.items.map(({ tag }) => tag),
    ['54A001', '54A002', '54A006'],
    'a record has its format, the vitals and the attributes',
  )
  t.equal(find(record, '54A001')?.value.readInt32BE(), 1, 'the format is the one described')
  t.equal(find(record, '54A003')?.value.toString(), 'alpha', 'the owner stands in the vitals')
  t.equal(find(record, '420003')?.value.toString(), 'LIBRARY-LTO', 'and the namespace behind them')
  t.ok(documents.has('client/alpha'), 'the client is a document')
  t.equal(secrets, 5, 'the secrets of CA, server certificates and exchange keys open')
  t.same([...chains.keys()], ['cli', 'serve'], 'both chains are whole')
  const operations = chains.get('serve')!.map(({ operation }) => operation)
  t.ok(operations.includes('Create') && operations.includes('Get'), 'and tell what was done')
})
