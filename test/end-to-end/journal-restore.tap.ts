// A keystore that is lost comes back out of its journal by whatever opened it: a passphrase, a key in a token,
// recovery shares, a key file. Passphrase and token stay what opens it, unless another master key is asked for.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readKit } from '../../simulator/kit.ts'
import { connect } from '../../src/kmip/client/client.ts'
import { runKeyreel, startKeyreel, type CliResult } from '../fixtures/keyreel.ts'
import { tapeKey } from '../fixtures/responder.ts'
import { softhsmModule, softhsmTokens, withoutSofthsm } from '../fixtures/softhsm.ts'

const scratch = mkdtempSync(join(tmpdir(), 'keyreel-journal-restore-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
const place = (name: string): string => join(scratch, name)
const secret = (name: string, text: string): string => {
  writeFileSync(place(name), `${text}\n`, { mode: 0o600 })
  return place(name)
}
const right = secret('right', 'six words drawn at random indeed')
const other = secret('other', 'another six words drawn at random')

interface Lost {
  readonly journal: string
  readonly key: string
}

/** A keystore with a journal that holds everything, one key in it, and shares; then its disk is lost. */
async function lost(
  name: string,
  init: readonly string[],
  opens: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Lost> {
  const data = place(name)
  const journal = `${data}.journal`
  const all = { ...process.env, ...env }
  const cli = async (...words: string[]): Promise<CliResult> => {
    const result = await runKeyreel([...words, '--data', data, ...opens], { env: all })
    if (result.status !== 0) throw new Error(`${words.join(' ')}: ${result.stderr}`)
    return result
  }
  const made = await runKeyreel(['init', '--host', '127.0.0.1', '--data', data, ...init], {
    env: all,
  })
  if (made.status !== 0) throw new Error(made.stderr)
  const shares = ['--threshold', '2', '--shares', '2', '--out', `${data}.shares`]
  await cli('recovery', 'setup', ...shares)
  const server = await startKeyreel({ data, args: ['--journal', journal, ...opens], env })
  await cli('library', 'add', 'alpha', '--out', `${data}.kit`)
  const kit = await readKit(`${data}.kit`)
  const { host, port } = server
  const client = await connect({ host, port, ca: kit.ca, cert: kit.certificate, key: kit.key })
  const { UniqueIdentifier } = await client.call('Create', {
    ObjectType: 'SymmetricKey',
    Attributes: tapeKey('KR0001L8'),
  })
  await client.close()
  for (;;) {
    const { stdout } = await cli('status', '--json')
    if ((JSON.parse(stdout) as { journal: { state: string } }).journal.state === 'current') break
  }
  await server.kill()
  rmSync(data, { recursive: true })
  return { journal, key: UniqueIdentifier }
}

const restore = (
  { journal }: Lost,
  data: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CliResult> =>
  runKeyreel(['journal', 'restore', journal, '--data', data, ...words], {
    env: { ...process.env, ...env },
  })

/** The key is served again by a keystore that opens so. */
async function comesBack(
  t: Test,
  { key }: Lost,
  data: string,
  opens: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const all = { ...process.env, ...env }
  const cli = (...words: string[]) => runKeyreel([...words, '--data', data, ...opens], { env: all })
  const verified = await cli('audit', 'verify')
  t.match(verified.stdout, /^all is well: 1 object,/, 'everything is verified', verified)
  t.match((await cli('key', 'show', key)).stdout, /PreActive/)
}

await t.test('by its passphrase, which stays', async (t) => {
  const kind = ['--master-key', 'passphrase']
  const opens = ['--passphrase-file', right]
  const it = await lost('passphrase', [...kind, ...opens], opens)

  const wrong = await restore(it, place('wrong'), ['--passphrase-file', other])
  t.equal(wrong.status, 12)
  t.match(wrong.stderr, /^error: this passphrase does not open the keystore.*\nhint: /m)

  const data = place('passphrase-restored')
  const made = await restore(it, data, [...opens, '--json'])
  t.equal(made.status, 0, 'restored', made)
  t.match(JSON.parse(made.stdout), { objects: 1, masterKey: 'passphrase' })
  await comesBack(t, it, data, opens)

  const byShares = place('passphrase-shares')
  const shares = [1, 2].flatMap((n) => [
    '--share',
    join(`${place('passphrase')}.shares`, `share-${n}.txt`),
  ])
  const next = ['--passphrase-file', other]
  const changed = await restore(it, byShares, [...shares, ...kind, ...next])
  t.equal(changed.status, 0, 'by shares, and another passphrase', changed)
  await comesBack(t, it, byShares, next)
  const before = await runKeyreel(['key', 'list', '--data', byShares, ...opens])
  t.equal(before.status, 12, 'that of before opens it no longer')

  const asFile = place('passphrase-file')
  const file = await restore(it, asFile, [...opens, '--master-key', 'file'])
  t.match(file.stdout, /master key +\S+master\.key/, 'a key file from now on', file)
  await comesBack(t, it, asFile, [])
})

await t.test('by its key file, which has to be named, or by shares', async (t) => {
  const data = place('file')
  const it = await lost('file', ['--master-key-file', place('outside.key')], [])
  const none = await restore(it, place('none'), [])
  t.equal(none.status, 2)
  t.match(
    none.stderr,
    /^error: the keystore in this journal opens with a key file or recovery shares, and none/m,
  )
  t.match(
    none.stderr,
    /^hint: name the key file with --old-master-key FILE, or each share with --share FILE$/m,
  )
  const restored = `${data}-restored`
  const made = await restore(it, restored, ['--old-master-key', place('outside.key')])
  t.equal(made.status, 0, 'restored', made)
  await comesBack(t, it, restored, [])
})

await t.test('by its key in a token, which stays', { skip: withoutSofthsm }, async (t) => {
  const tokens = softhsmTokens(scratch)
  tokens.make('kms', '471147')
  const env = { SOFTHSM2_CONF: tokens.conf }
  const pin = secret('pin', '471147')
  const token = ['--pkcs11-module', softhsmModule ?? '', '--pkcs11-token', 'kms']
  const opens = [...token, '--pkcs11-pin-file', pin]
  const it = await lost('token', ['--master-key', 'pkcs11', ...opens], [], env)

  const unnamed = await restore(it, place('unnamed'), [], env)
  t.equal(unnamed.status, 11)
  t.match(
    unnamed.stderr,
    /^error: the master key is in a token, and no PKCS#11 module is named\nhint: /m,
  )
  renameSync(tokens.directory, `${tokens.directory}.away`)
  t.equal((await restore(it, place('away'), opens, env)).status, 11)
  renameSync(`${tokens.directory}.away`, tokens.directory)

  const data = place('token-restored')
  const made = await restore(it, data, opens, env)
  t.equal(made.status, 0, 'restored', made)
  t.match(made.stdout, /master key +in the token kms, which it never leaves/)
  const settings = readFileSync(join(data, 'keyreel.toml'), 'utf8')
  t.match(settings, /token = "kms"/)
  t.notMatch(settings, '471147')
  await comesBack(t, it, data, [], env)

  const elsewhere = place('token-shares')
  const shares = [1, 2].flatMap((n) => [
    '--share',
    join(`${place('token')}.shares`, `share-${n}.txt`),
  ])
  const anew = await restore(it, elsewhere, [...shares, '--master-key', 'pkcs11', ...opens], env)
  t.equal(anew.status, 0, 'by shares, and a new key in the token', anew)
  await comesBack(t, it, elsewhere, [], env)

  const refused = await restore(it, place('refused'), [...token, '--pkcs11-pin-file', other], env)
  t.equal(refused.status, 12, 'a wrong PIN', refused)
})
