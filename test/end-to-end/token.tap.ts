// A server whose master key is in a token: it closes its port when the token goes, and a PIN is never tried twice.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../../src/kmip/client/client.ts'
import { readKit } from '../../simulator/kit.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { lockingToken, type Meddling } from '../fixtures/locking-token.ts'
import { softhsmModule, softhsmTokens, withoutSofthsm } from '../fixtures/softhsm.ts'
import { accepts, WaitingServer } from '../fixtures/waiting-server.ts'

t.setTimeout(240_000)
if (withoutSofthsm !== false) t.plan(0, withoutSofthsm)
else await withToken()

async function withToken(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'keyreel-token-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const tokens = softhsmTokens(scratch)
  tokens.make('kms', '471147')
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', SOFTHSM2_CONF: tokens.conf }
  const data = join(scratch, 'data')
  const cli = (...words: string[]) => runKeyreel([...words, '--data', data], { env })
  const file = (name: string, text: string): string => {
    const path = join(scratch, name)
    writeFileSync(path, `${text}\n`, { mode: 0o600 })
    return path
  }
  const right = file('right', '471147')
  const wrong = file('wrong', '000000')
  const place = ['--pkcs11-module', softhsmModule ?? '', '--pkcs11-token', 'kms']
  const away = `${tokens.directory}.away`
  const gone = async (address: string): Promise<boolean> => {
    for (let waited = 0; waited < 30_000; waited += 100) {
      if (!(await accepts(address))) return true
      await delay(100)
    }
    return false
  }

  await t.test('the port closes when the token goes, and opens when it is back', async (t) => {
    const kind = ['--master-key', 'pkcs11', ...place, '--pkcs11-pin-file', right]
    const made = await cli('init', '--host', 'localhost', ...kind)
    t.equal(made.status, 0, made.stderr)
    t.match(made.stdout, /master key +in the token kms, which it never leaves/)
    t.notMatch(readFileSync(join(data, 'keyreel.toml'), 'utf8'), '471147')
    const server = new WaitingServer(env, data, '--https', '127.0.0.1:0')
    await server.says(/^ready kmip=/m)
    const first = server.address!
    const secure = /https=(\S+)/.exec(server.out)![1]!
    await cli('library', 'add', 'alpha', '--out', join(scratch, 'kit'))
    const { ca, certificate: cert, key } = await readKit(join(scratch, 'kit'))
    const [host, port] = first.split(':') as [string, string]
    const reconnect = { attempts: 1 }
    const client = await connect({ host, port: Number(port), ca, cert, key, reconnect })
    const isServed = () =>
      client.call('Query', { QueryFunction: ['QueryOperations'] }).then(Boolean, () => false)
    t.ok(await isServed())
    t.match((await cli('doctor', 'master-key')).stdout, /opened by a key in a token/)
    renameSync(tokens.directory, away)
    t.ok(await gone(first), 'the port is closed')
    t.ok(await gone(secure), 'so is that of HTTPS')
    t.notOk(await isServed(), 'open connections have ended')
    await client.close()
    await server.says(/sealed: no token kms/)
    t.match(await cli('status'), { status: 11, stdout: /keystore +sealed: / })
    for (const words of [
      'key list',
      'library list',
      'backup list',
      'audit verify',
      'master-key rotate',
    ])
      t.match(await cli(...words.split(' ')), { status: 11, stderr: /^error: .*\nhint: / }, words)
    t.equal((await cli('doctor', 'master-key')).status, 11)
    renameSync(away, tokens.directory)
    await server.says(/serving KMIP[^]*serving KMIP/)
    const again = [...server.err.matchAll(/serving KMIP on (\S+?)[, ]/g)].at(-1)![1]!
    t.ok(await accepts(again))
    t.equal(server.out.match(/ready/g)?.length, 1)
    t.equal(await server.stop(), 0)
    t.notMatch(server.out + server.err, '471147')
  })

  await t.test('a wrong PIN makes no keystore and changes none', async (t) => {
    const kind = ['--pkcs11-pin-file', wrong, ...place]
    const nobody = join(scratch, 'nobody')
    const init = ['init', '--host', 'localhost', '--master-key', 'pkcs11', ...kind]
    const made = await runKeyreel([...init, '--data', nobody], { env })
    t.equal(made.status, 12)
    t.match(made.stderr, /^error: the PIN is not that of the token kms: a wrong PIN was given/)
    t.notOk(existsSync(nobody))
    const filed = join(scratch, 'filed')
    await runKeyreel(['init', '--host', 'localhost', '--data', filed], { env })
    const files = () =>
      readdirSync(filed).map((name) => [name, readFileSync(join(filed, name)).toString('base64')])
    const before = files()
    const rotate = ['master-key', 'rotate', '--to', 'pkcs11', ...kind, '--data', filed]
    const refused = await runKeyreel(rotate, { env })
    t.equal(refused.status, 11, 'nor is a further one tried from a file')
    t.match(refused.stderr, /^error: .* was not tried from a file: a wrong PIN .*\nhint: .*by hand/)
    t.same(files(), before)
    // A person gives the right one.
    const server = new WaitingServer(env, data)
    await server.says(/sealed: /)
    t.equal((await cli('master-key', 'unseal', '--pin-file', right)).status, 0)
    t.equal(await server.stop(), 0)
    const elsewhere = ['--pkcs11-module', softhsmModule ?? '', '--pkcs11-token', 'another']
    const absent = [...rotate.slice(0, 4), ...elsewhere, '--pkcs11-pin-file', right]
    const missing = await runKeyreel([...absent, '--data', filed], { env })
    t.match(missing, { status: 11, stderr: /^error: no token another .*there are kms .*\nhint: / })
    t.same(files(), before)
  })

  await t.test('a wrong PIN is tried once; then a person gives the right one', async (t) => {
    const server = new WaitingServer(env, data, '--pkcs11-pin-file', wrong, '--log-level', 'debug')
    await server.says(/sealed: the PIN is not that of the token kms/)
    t.match(server.err, /a wrong PIN was given since the last right one/)
    await server.says(/is not tried again[^]*is not tried again/)
    const filed = await cli('status')
    t.equal(filed.status, 11)
    t.match(filed.stdout, /was not tried from a file: a wrong PIN was given/)
    const again = await cli('master-key', 'unseal', '--pin-file', wrong)
    t.equal(again.status, 12)
    t.match(again.stderr, /refused before and is not tried again/)
    const given = await cli('master-key', 'unseal', '--pin-file', right)
    t.equal(given.status, 0, given.stderr)
    await server.says(/^ready kmip=/m)
    t.equal((await cli('status')).status, 0, 'files are read again')
    t.equal(await server.stop(), 0)
    t.notMatch(server.out + server.err, /471147|000000/)
  })

  await t.test(
    'a session that is lost while it serves is opened again, and a PIN once',
    async (t) => {
      const token = lockingToken(scratch)
      Object.assign(env, token.env)
      const elsewhere = join(scratch, 'locking')
      const kind = [
        '--master-key',
        'pkcs11',
        '--pkcs11-module',
        token.module,
        '--pkcs11-token',
        'kms',
      ]
      const made = await runKeyreel(
        ['init', '--data', elsewhere, '--host', 'localhost', ...kind, '--pkcs11-pin-file', right],
        { env },
      )
      t.equal(made.status, 0, made.stderr)
      const server = new WaitingServer(env, elsewhere, '--log-level', 'debug')
      await server.says(/^ready kmip=/m)
      const before = token.tries()
      const noticed = async (what: Meddling, tries: number) => {
        token.meddle(what)
        while (token.stands(what) || token.tries() - before < tries) await delay(50)
      }
      await noticed('lose-session', 1)
      await noticed('lose-session', 2)
      t.ok(await accepts(server.address!), 'the port stays open')
      t.equal(token.tries() - before, 2, 'the PIN is given once for each session')
      t.equal(token.wrong(), 0)

      token.meddle('other-pin')
      await noticed('lose-session', 3)
      await server.says(/sealed: .*it was changed while the token was away/)
      t.equal(token.tries() - before, 3)
      token.setWrong(2)
      await server.says(/is not tried again[^]*is not tried again/)
      t.equal(token.tries() - before, 3, 'it is never tried again')
      t.match(
        (await runKeyreel(['status', '--data', elsewhere], { env })).stdout,
        /one more wrong PIN locks it/,
      )
      t.equal(await server.stop(), 0)
      t.notMatch(server.err, /serving KMIP[^]*serving KMIP/)
    },
  )

  await t.test(
    'a token that does not tell of wrong PINs is not given one twice either',
    async (t) => {
      const folder = join(scratch, 'quiet')
      mkdirSync(folder)
      const token = lockingToken(folder)
      const quiet = { ...env, ...token.env }
      token.meddle('silent')
      const own = join(folder, 'data')
      const pinFile = join(folder, 'pin')
      const write = (pin: string) => writeFileSync(pinFile, `${pin}\n`, { mode: 0o600 })
      write('471147')
      const module = ['--pkcs11-module', token.module, '--pkcs11-token', 'kms']
      const kind = ['--master-key', 'pkcs11', ...module, '--pkcs11-pin-file', pinFile]
      const run = (...words: string[]) => runKeyreel([...words, '--data', own], { env: quiet })
      t.equal((await run('init', '--host', 'localhost', ...kind)).status, 0)
      write('000000')
      const before = token.tries()
      t.equal((await run('key', 'list')).status, 12)
      for (let again = 0; again < 3; again++) {
        const refused = await run('key', 'list')
        t.equal(refused.status, 11)
        t.match(
          refused.stderr,
          /not tried from a file: it was refused before, and the file is as it was/,
        )
      }
      t.equal(token.tries() - before, 1)
      t.notMatch(readFileSync(join(own, 'refused-pin.json'), 'utf8'), '000000')
      write('471147')
      t.equal((await run('key', 'list')).status, 0)
      t.equal(token.wrong(), 0)
      t.notOk(existsSync(join(own, 'refused-pin.json')))
    },
  )

  await t.test('the key is changed in the token, leaves for a file, and comes back', async (t) => {
    const server = new WaitingServer(env, data)
    await server.says(/^ready kmip=/m)
    const changed = await cli('master-key', 'rotate')
    t.match(changed.stdout, /master key +pkcs11:[0-9a-f]{16}, in the token kms/)
    await server.says(/this server goes on with the new one/)
    t.match((await cli('master-key', 'rotate', '--to', 'file')).stdout, /master key +file:/)
    await server.says(/goes on with the new one[^]*goes on with the new one/)
    const back = await cli('master-key', 'rotate', '--to', 'pkcs11')
    t.equal(back.status, 0, back.stderr)
    t.equal((await cli('status')).status, 0)
    t.ok(await accepts(server.address!))
    t.equal(await server.stop(), 0)
  })
}
