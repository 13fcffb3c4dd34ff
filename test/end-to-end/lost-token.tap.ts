// The token with the master key is gone for good: the server waits sealed, shares open it, keys are served, a new token
// takes the place of the lost one, and from then on the server opens by itself.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { connect } from '../../src/kmip/client/client.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { runKeyreel } from '../fixtures/keyreel.ts'
import { answerOf, requestBytes, tapeKey, type Ask } from '../fixtures/responder.ts'
import { softhsmModule, softhsmTokens, withoutSofthsm } from '../fixtures/softhsm.ts'
import { accepts, WaitingServer } from '../fixtures/waiting-server.ts'

t.setTimeout(240_000)
if (withoutSofthsm !== false) t.plan(0, withoutSofthsm)
else await t.test('recovery shares take the place of a lost token, then a new one does', withToken)

async function withToken(t: Test): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'keyreel-lost-token-'))
  t.teardown(() => rmSync(scratch, { recursive: true, force: true }))
  const tokens = softhsmTokens(scratch)
  tokens.make('kms', '471147')
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', SOFTHSM2_CONF: tokens.conf }
  const [data, kit, shares] = ['data', 'kit', 'shares'].map((name) => join(scratch, name))
  const cli = (...words: string[]) => runKeyreel([...words, '--data', data!], { env })
  const pinFile = (name: string, pin: string): string => {
    const path = join(scratch, name)
    writeFileSync(path, `${pin}\n`, { mode: 0o600 })
    return path
  }
  const place = (token: string, pin: string) => [
    ...['--pkcs11-module', softhsmModule ?? '', '--pkcs11-token', token],
    ...['--pkcs11-pin-file', pin],
  ]
  const [first, second] = [pinFile('first', '471147'), pinFile('second', '081508')]
  const twoShares = [1, 3].flatMap((at) => ['--share', join(shares!, `share-${at}.txt`)])

  /** Sends a batch as the library does. */
  const ask = async (server: WaitingServer, asks: readonly Ask[]): Promise<ResponseBatchItem[]> => {
    const [host, port] = [...server.err.matchAll(/serving KMIP on (\S+?)[, ]/g)]
      .at(-1)![1]!
      .split(':')
    const [ca, cert, key] = ['ca', 'certificate', 'key'].map((name) =>
      readFileSync(join(kit!, `${name}.pem`)),
    )
    const versions = ['1.4'] as const
    const files = { ca: ca!, cert: cert!, key: key! }
    const client = await connect({ host: host!, port: Number(port), ...files, versions })
    try {
      return answerOf(await client.send(requestBytes('1.4', asks)), '1.4').BatchItem
    } finally {
      await client.close()
    }
  }
  const made = async (server: WaitingServer, barcode: string): Promise<string> => {
    const create: Ask = ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey(barcode) }]
    const [item] = await ask(server, [create])
    return (item!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier
  }
  const keyOf = async (server: WaitingServer, UniqueIdentifier: string): Promise<unknown> => {
    const [item] = await ask(server, [['Get', { UniqueIdentifier }]])
    return (item!.ResponsePayload as { SymmetricKey?: unknown } | undefined)?.SymmetricKey
  }

  const init = ['init', '--host', 'localhost', '--host', '127.0.0.1', '--master-key', 'pkcs11']
  t.equal((await cli(...init, ...place('kms', first))).status, 0)
  t.equal((await cli('library', 'add', 'alpha', '--out', kit!)).status, 0)
  const setup = ['recovery', 'setup', '--threshold', '2', '--shares', '3', '--out', shares!]
  t.equal((await cli(...setup)).status, 0)
  const before = new WaitingServer(env, data!)
  await before.says(/^ready kmip=/m)
  const written = await made(before, 'KR0001L8')
  const bytes = await keyOf(before, written)
  t.ok(bytes, 'a tape is written with a key')
  const address = before.address!
  rmSync(tokens.directory, { recursive: true })
  mkdirSync(tokens.directory)
  await before.says(/sealed: no token kms is reached/)
  t.notOk(await accepts(address), 'the port closes when the token goes')
  t.equal(await before.stop(), 0)

  const server = new WaitingServer(env, data!)
  await server.says(/sealed: no token kms is reached/)
  t.equal(server.out, '', 'nothing is served without it')
  t.equal((await cli('status')).status, 11)
  const one = await cli('master-key', 'unseal', ...twoShares.slice(0, 2))
  t.equal(one.status, 1)
  t.match(one.stderr, /1 of 2 shares/)
  t.equal(server.out, '')
  const given = await cli('master-key', 'unseal', ...twoShares)
  t.equal(given.status, 0, given.stderr)
  await server.says(/^ready kmip=/m)
  t.same(await keyOf(server, written), bytes, 'two of three shares serve the key of the tape')
  const later = await made(server, 'KR0002L8')
  const laterBytes = await keyOf(server, later)
  t.ok(laterBytes, 'and new ones are made')

  tokens.make('kms2', '081508')
  const rotate = ['master-key', 'rotate', '--to', 'pkcs11', ...place('kms2', second)]
  const alone = await cli(...rotate)
  t.equal(alone.status, 11, 'without shares nobody gives it another master key')
  const rotated = await cli(...rotate, ...twoShares)
  t.equal(rotated.status, 0, rotated.stderr)
  t.match(rotated.stdout, /master key +pkcs11:[0-9a-f]{16}, in the token kms2/)
  t.match(rotated.stdout, /opens no longer +pkcs11:/)
  await server.says(/this server goes on with the new one/)
  t.same(await keyOf(server, later), laterBytes)
  t.equal(await server.stop(), 0)
  t.notMatch(server.out + server.err, /471147|081508/)

  const again = new WaitingServer(env, data!)
  await again.says(/^ready kmip=/m)
  t.same(await keyOf(again, written), bytes, 'after a restart the new token opens it')
  t.same(await keyOf(again, later), laterBytes)
  t.equal((await cli('audit', 'verify')).status, 0)
  const shown = await cli('recovery', 'verify', ...twoShares)
  t.equal(shown.status, 0, 'the shares open it as before')
  t.equal(await again.stop(), 0)
}
