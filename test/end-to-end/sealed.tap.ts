// A server without its master key stays up sealed, with no port open, until the key comes back or is given.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { accepts, WaitingServer } from '../fixtures/waiting-server.ts'

t.setTimeout(240_000)
const scratch = mkdtempSync(join(tmpdir(), 'keyreel-sealed-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
const env = { ...process.env, NO_COLOR: '1' }

const cli = (data: string, ...words: string[]) => runKeyreel([...words, '--data', data], { env })

function file(name: string, text: string): string {
  const path = join(scratch, name)
  writeFileSync(path, `${text}\n`, { mode: 0o600 })
  return path
}

await t.test('a key file that comes back opens a server that waits', async (t) => {
  const data = join(scratch, 'file')
  await cli(data, 'init', '--host', 'localhost')
  renameSync(join(data, 'master.key'), join(scratch, 'away.key'))
  const server = new WaitingServer(env, data)
  await server.says(/sealed: there is no master key/)
  t.equal(server.out, '', 'no ready line')
  const status = await cli(data, 'status')
  t.equal(status.status, 11)
  t.match(status.stdout, /process \d+ waits, sealed: there is no master key/)
  const doctor = await cli(data, 'doctor', 'server')
  t.match(doctor.stdout, /failed +server +process \d+ is sealed/)
  const second = await cli(data, 'serve', '--listen', '127.0.0.1:0')
  t.equal(second.status, 1)
  t.match(second.stderr, /is served by another process, which waits sealed/)
  const vain = await cli(data, 'master-key', 'unseal')
  t.equal(vain.status, 11)
  t.match(vain.stderr, /there is no master key/)
  renameSync(join(scratch, 'away.key'), join(data, 'master.key'))
  await server.says(/^ready kmip=/m)
  t.ok(await accepts(server.address!))
  t.match((await cli(data, 'master-key', 'unseal')).stdout, /the keystore is open/)
  t.equal(await server.stop(), 0)
})

await t.test('a passphrase opens it, a wrong one does not and is not tried again', async (t) => {
  const data = join(scratch, 'passphrase')
  const right = file('right', 'correct horse battery staple')
  const wrong = file('wrong', 'staple battery horse correct')
  await cli(
    data,
    'init',
    '--host',
    'localhost',
    '--master-key',
    'passphrase',
    '--passphrase-file',
    right,
  )
  const server = new WaitingServer(env, data, '--passphrase-file', wrong, '--log-level', 'debug')
  await server.says(/sealed: this passphrase does not open the keystore/)
  await server.says(/is not tried again[^]*is not tried again/)
  t.equal(server.err.match(/trying to open the keystore/g)?.length, 1)
  const again = await cli(data, 'master-key', 'unseal', '--passphrase-file', wrong)
  t.equal(again.status, 12)
  t.match(again.stderr, /this passphrase does not open the keystore/)
  t.notMatch(server.err, /staple battery/)
  const nobody = await cli(data, 'master-key', 'unseal')
  t.equal(nobody.status, 11, 'nobody can be asked')
  const given = await cli(data, 'master-key', 'unseal', '--passphrase-file', right)
  t.equal(given.status, 0)
  t.match(given.stdout, /unsealed; serving KMIP on 127/)
  await server.says(/^ready kmip=/m)
  t.ok(await accepts(server.address!))

  const next = file('next', 'four entirely different words')
  const rotated = await cli(
    data,
    ...['master-key', 'rotate', '--passphrase-file', right, '--new-passphrase-file', next],
  )
  t.equal(rotated.status, 0)
  await server.says(/the master key was rotated, and the new one is not to be had/)
  t.ok(await accepts(server.address!), 'it serves on meanwhile')
  const filed = await cli(data, 'master-key', 'rotate', '--passphrase-file', next, '--to', 'file')
  t.equal(filed.status, 0, filed.stderr)
  await server.says(/this server goes on with the new one/)
  const last = file('last', 'and now again four others')
  const returned = ['master-key', 'rotate', '--to', 'passphrase', '--new-passphrase-file', last]
  t.equal((await cli(data, ...returned)).status, 0)
  await server.says(/the new one is not to be had[^]*the new one is not to be had/)
  const adopted = await cli(data, 'master-key', 'unseal', '--passphrase-file', last)
  t.match(adopted.stdout, /goes on with the new master key/)
  t.equal(await server.stop(), 0)
})

await t.test('recovery shares open it', async (t) => {
  const data = join(scratch, 'shares')
  const shares = join(scratch, 'handed-out')
  await cli(data, 'init', '--host', 'localhost')
  await cli(data, 'recovery', 'setup', '--threshold', '2', '--shares', '2', '--out', shares)
  rmSync(join(data, 'master.key'))
  const server = new WaitingServer(env, data)
  await server.says(/sealed: there is no master key/)
  const one = ['--share', join(shares, 'share-1.txt')]
  const few = await cli(data, 'master-key', 'unseal', ...one)
  t.equal(few.status, 1)
  t.match(few.stderr, /1 of 2 shares/)
  const both = [...one, '--share', join(shares, 'share-2.txt')]
  const given = await cli(data, 'master-key', 'unseal', ...both)
  t.equal(given.status, 0)
  await server.says(/^ready kmip=/m)
  t.ok(await accepts(server.address!))
  const [line] = readFileSync(join(shares, 'share-1.txt'), 'utf8').match(/\d\) +\w+/) ?? ['?']
  t.notMatch(server.err, line.slice(-5), 'no share in the log')
  await cli(data, 'master-key', 'rotate', '--to', 'file', ...both)
  await server.says(/this server goes on with the new one/)
  t.equal(await server.stop(), 0)
})

await t.test('a server that waits ends at once when it shall', async (t) => {
  const data = join(scratch, 'ended')
  await cli(data, 'init', '--host', 'localhost')
  rmSync(join(data, 'master.key'))
  const server = new WaitingServer(env, data)
  await server.says(/sealed:/)
  t.equal(await server.stop(), 0)
  t.match((await cli(data, 'master-key', 'unseal')).stderr, /no server runs on/)
})
