// A tape of another site: the library looks for its key in vain, the site asks for whatever was looked for in
// vain, the other site releases exactly that, and the library reads on.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../src/kmip/client/client.ts'
import { idOf, makeTapeKey } from '../cli/tape-keys.ts'
import { runKeyreel, startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'

const scratch = await mkdtemp(join(tmpdir(), 'keyreel-foreign-'))
t.teardown(() => rm(scratch, { recursive: true }))
const file = (name: string) => join(scratch, name)

/** A command on a site's data directory that must succeed. */
async function run(site: string, ...args: string[]): Promise<string> {
  const { status, stdout, stderr } = await runKeyreel([...args, '--data', file(site)])
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}${stdout}`)
  return stdout
}

for (const site of ['a', 'b']) {
  await run(site, 'init', '--host', '127.0.0.1')
  await run(site, 'exchange', 'certificate', 'export', '--out', file(`${site}.pem`))
}
await run('a', 'exchange', 'certificate', 'import', file('b.pem'), '--peer', 'B', '--yes')
await run('b', 'exchange', 'certificate', 'import', file('a.pem'), '--peer', 'A', '--yes')
const now = BigInt(Math.floor(Date.now() / 1000))
await makeTapeKey(file('a'), { digit: '1', barcode: 'KR0001L8', library: 'alpha' }, now)
await makeTapeKey(file('a'), { digit: '2', barcode: 'KR0002L8', library: 'alpha' }, now)

/** What the library at B finds by the data on the tape. */
async function look(b: Keyreel, kit: Kit): Promise<readonly unknown[]> {
  const pem = (path: string) => readFileSync(path)
  const { host, port } = b
  const [ca, cert, key] = [pem(kit.ca), pem(kit.certificate), pem(kit.key)]
  const client = await connect({ host, port, ca, cert, key })
  const value = { ApplicationNamespace: 'ACME-LIBRARY-LTO', ApplicationData: 'KAD of KR0001L8' }
  const attribute = { tag: 'ApplicationSpecificInformation', value } as const
  const { UniqueIdentifier } = await client.call('Locate', { Attributes: [attribute] })
  await client.close()
  return UniqueIdentifier as readonly unknown[]
}

await t.test('what a library looks for in vain is asked for and comes', async (t) => {
  const before = await startKeyreel({ data: file('b') })
  t.same(await look(before, await before.enrol('beta')), [])
  t.equal(await before.stop(), 0)
  await run('b', 'exchange', 'request', '--peer', 'A', '--unknown', '--out', file('request'))
  t.match(await run('a', 'exchange', 'request', 'show', file('request')), /would release +1 key /)
  const made = ['exchange', 'export', '--request', file('request'), '--out', file('bundle')]
  t.match(await run('a', ...made), /^1 key of group default exported to B/)
  await run('b', 'exchange', 'import', file('bundle'))
  const after = await startKeyreel({ data: file('b') })
  t.same(await look(after, await after.enrol('gamma')), [idOf('1')])
  await after.stop()
})

await t.test('then there is nothing to ask for any more', async (t) => {
  const again = ['exchange', 'request', '--peer', 'A', '--unknown', '--out', file('again')]
  const { status, stderr } = await runKeyreel([...again, '--data', file('b')])
  t.equal(status, 1)
  t.match(stderr, /no library of group default has asked for a tape in vain/)
})
