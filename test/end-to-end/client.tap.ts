// The client library against a started keyreel: every kind of credential, requests that are done later,
// batches with options, and an asynchronous request that outlives the process of the server.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { versionText } from 'ttlv-codec'
import t from 'tap'
import {
  connect,
  ConnectionError,
  ResultError,
  type Client,
  type ClientCredential,
  type ClientOptions,
} from '../../src/kmip/client/client.ts'
import { startKeyreel, type Keyreel, type Kit } from '../fixtures/keyreel.ts'

const keyreel = await startKeyreel()
const scratch = await mkdtemp(join(tmpdir(), 'keyreel-client-'))
t.setTimeout(240_000)
t.teardown(async () => {
  await keyreel.stop()
  await rm(scratch, { recursive: true, force: true })
})

const tlsOf = (kit: Kit) => ({
  ca: readFileSync(kit.ca),
  cert: readFileSync(kit.certificate),
  key: readFileSync(kit.key),
})

/** A client that is closed with its test. */
async function clientOf(
  t: { teardown(close: () => Promise<void>): unknown },
  kit: Kit,
  options: Partial<ClientOptions> = {},
  { host, port }: Pick<Keyreel, 'host' | 'port'> = keyreel,
): Promise<Client> {
  const client = await connect({ host, port, ...tlsOf(kit), ...options } as ClientOptions)
  t.teardown(() => client.close())
  return client
}

const password = 'correct horse battery'
const passwordFile = join(scratch, 'password')
await writeFile(passwordFile, `${password}\n`)

/** Makes a key; whose it is shows on the command line. */
async function made(client: Client, credential?: ClientCredential): Promise<string> {
  const { UniqueIdentifier } = await client.call(
    'Create',
    {
      ObjectType: 'SymmetricKey',
      Attributes: [
        { tag: 'CryptographicAlgorithm', value: 'AES' },
        { tag: 'CryptographicLength', value: 256 },
        { tag: 'CryptographicUsageMask', value: 12 },
      ],
    },
    credential && { credential },
  )
  return UniqueIdentifier
}

const reasonOf = async (call: Promise<unknown>): Promise<unknown> => {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  return error instanceof ResultError ? error.reason : error
}

await t.test('credentials', async (t) => {
  const kit = await keyreel.enrol('users', 'general')
  const add = async (...words: string[]) => {
    const from = ['--password-file', passwordFile]
    const made = await keyreel.cli('library', 'credential', 'add', 'users', ...words, ...from)
    t.equal(made.status, 0, made.stderr)
  }
  await add('--username', 'tapes', '--hashed')
  await add('--username', 'once', '--one-time')
  await add('--device', 'S-1', '--identifier', 'machine=robot')

  /** Whose each key must be. */
  const owners = new Map<string, string>()

  await t.test('none is refused where one is asked for', async (t) => {
    const client = await clientOf(t, kit)
    t.equal(
      await reasonOf(client.call('Create', { ObjectType: 'SymmetricKey', Attributes: [] })),
      'AuthenticationNotSuccessful',
    )
  })

  await t.test('user name and password', async (t) => {
    const client = await clientOf(t, kit, { credential: { username: 'tapes', password } })
    owners.set(await made(client), 'users/tapes')
  })

  await t.test('a device with everything that is known of it', async (t) => {
    const device = { type: 'Device', serialNumber: 'S-1', password } as const
    const client = await clientOf(t, kit)
    owners.set(await made(client, { ...device, machineIdentifier: 'robot' }), 'users/S-1')
    t.equal(await reasonOf(made(client, device)), 'AuthenticationNotSuccessful')
  })

  await t.test('a one-time password, for one request', async (t) => {
    const client = await clientOf(t, kit)
    const credential = {
      type: 'OneTimePassword',
      username: 'once',
      oneTimePassword: password,
    } as const
    owners.set(await made(client, credential), 'users/once')
    t.equal(await reasonOf(made(client, credential)), 'AuthenticationNotSuccessful')
  })

  await t.test(
    'a hashed password, many requests at a time, which the server proves too',
    async (t) => {
      for (const algorithm of ['SHA_256', 'SHA_384', 'SHA_512'] as const) {
        const credential = {
          type: 'HashedPassword',
          username: 'tapes',
          password,
          algorithm,
        } as const
        const client = await clientOf(t, kit, { credential })
        const keys = await Promise.all([made(client), made(client), made(client)])
        for (const key of keys) owners.set(key, 'users/tapes')
      }
      const credential = { type: 'HashedPassword', username: 'tapes', password: 'wrong' } as const
      const client = await clientOf(t, kit, { credential })
      t.equal(await reasonOf(made(client)), 'AuthenticationNotSuccessful')
    },
  )

  await t.test('a ticket from Login', async (t) => {
    const client = await clientOf(t, kit)
    const credential = { username: 'tapes', password }
    const { Ticket } = await client.call('Login', {}, { credential })
    owners.set(await made(client, { type: 'Ticket', ticket: Ticket }), 'users/tapes')
    await client.call('Logout', { Ticket }, { credential: { type: 'Ticket', ticket: Ticket } })
    t.equal(
      await reasonOf(made(client, { type: 'Ticket', ticket: Ticket })),
      'AuthenticationNotSuccessful',
    )
  })

  await t.test('an attestation, which this server does not verify', async (t) => {
    const client = await clientOf(t, kit, { versions: ['1.4'] })
    const credential = {
      type: 'Attestation',
      nonce: { NonceID: Uint8Array.of(1), NonceValue: Uint8Array.of(2) },
      attestationType: 'TPMQuote',
      measurement: Uint8Array.of(3),
    } as const
    t.equal(await reasonOf(made(client, credential)), 'AttestationFailed')
  })

  await t.test('say whose the keys are', async (t) => {
    const { stdout } = await keyreel.cli('key', 'list', '--json')
    const { keys } = JSON.parse(stdout) as { keys: { id: string; owner: string }[] }
    t.strictSame(new Map(keys.map(({ id, owner }) => [id, owner])), owners)
    t.equal(owners.size, 13)
  })
})

await t.test('requests that are done later', async (t) => {
  const kit = await keyreel.enrol('later', 'general')
  const key = {
    ObjectType: 'SymmetricKey' as const,
    Attributes: [
      { tag: 'CryptographicAlgorithm' as const, value: 'AES' },
      { tag: 'CryptographicLength' as const, value: 256 },
      { tag: 'CryptographicUsageMask' as const, value: 12 },
    ],
  }

  for (const version of ['2.0', '2.1'] as const) {
    await t.test(`give their results when polled for: ${version}`, async (t) => {
      const client = await clientOf(t, kit, { versions: [version] })
      t.equal(versionText(client.version), version)
      const [created, missing] = await client.startBatch(
        [
          { operation: 'Create', payload: key },
          { operation: 'Get', payload: { UniqueIdentifier: 'none' } },
        ],
        { onError: 'Continue' },
      )
      const { UniqueIdentifier } = await created.result({ every: 20, within: 20_000 })
      t.equal(await reasonOf(missing.result({ every: 20 })), 'ObjectNotFound')
      t.equal((await client.call('Get', { UniqueIdentifier })).UniqueIdentifier, UniqueIdentifier)
      t.equal(await created.cancel(), 'Completed')
    })
  }

  await t.test('are answered at once where the server chooses to', async (t) => {
    const client = await clientOf(t, kit, { versions: ['1.2'] })
    const created = await client.start('Create', key, { asynchronous: 'Optional' })
    t.equal(created.correlation, undefined)
    t.type((await created.result()).UniqueIdentifier, 'string')
    t.equal(await created.cancel(), 'Completed')
    const found = await client.start('Locate', { Attributes: [] }, { asynchronous: 'Optional' })
    t.type(found.correlation, Uint8Array)
    t.ok((await found.result({ every: 20 })).UniqueIdentifier.length > 0)
  })

  await t.test('of a value that means nothing are refused', async (t) => {
    const client = await clientOf(t, kit)
    const pending = client.pending('Get', new Uint8Array(8))
    t.equal(await reasonOf(pending.result()), 'InvalidAsynchronousCorrelationValue')
    t.equal(await pending.cancel(), 'Unavailable')
  })
})

await t.test('batches', async (t) => {
  const kit = await keyreel.enrol('batches', 'general')
  const client = await clientOf(t, kit)
  const create = {
    operation: 'Create',
    payload: { ObjectType: 'SymmetricKey', Attributes: [] },
  } as const
  const failing = { operation: 'Get', payload: { UniqueIdentifier: 'none' } } as const
  const statuses = async (options: Parameters<Client['batch']>[1]) =>
    (await client.batch([create, failing, create], options)).map(({ status }) => status)

  t.strictSame(await statuses({}), ['Success', 'Failed', 'NotRun'])
  t.strictSame(await statuses({ onError: 'Continue', anyOrder: true, timeStamp: 0n }), [
    'Success',
    'Failed',
    'Success',
  ])
  t.strictSame(await statuses({ onError: 'Undo' }), ['Failed', 'Failed', 'NotRun'])
  const small = client.batch([create, create], { maximumResponseSize: 250 })
  t.strictSame(
    (await small).map(({ status }) => status),
    ['Success', 'Failed'],
  )
  const attesting = { attestationTypes: ['TPMQuote'] } as const
  t.equal((await client.batch([create], attesting))[0].status, 'Success')
})

await t.test('an asynchronous request survives the end of the server', async (t) => {
  const server = await startKeyreel()
  const kit = await server.enrol('alpha', 'general')
  const client = await clientOf(t, kit, { reconnect: { attempts: 1 } }, server)
  // Key pairs take a while: some of them are not made yet when the server is killed.
  const pairs = await client.startBatch(
    Array.from({ length: 6 }, () => ({
      operation: 'CreateKeyPair' as const,
      payload: {
        CommonAttributes: [
          { tag: 'CryptographicAlgorithm' as const, value: 'RSA' },
          { tag: 'CryptographicLength' as const, value: 3072 },
        ],
      },
    })),
  )
  const located = await client.start('Locate', { Attributes: [] })
  const correlations = [...pairs, located].map(({ correlation }) => correlation!)
  t.equal(new Set(correlations.map((one) => Buffer.from(one).toString('hex'))).size, 7)
  await server.kill()
  const lost = await client.call('Ping', {}).catch((error: unknown) => error)
  t.ok(lost instanceof ConnectionError)

  const again = await startKeyreel({ data: server.data })
  t.teardown(async () => {
    await again.stop()
    await server.stop()
  })
  const another = await clientOf(t, kit, {}, again)
  const made: string[] = []
  for (const correlation of correlations.slice(0, -1)) {
    const pending = another.pending('CreateKeyPair', correlation)
    const { PrivateKeyUniqueIdentifier } = await pending.result({ every: 100, within: 60_000 })
    made.push(PrivateKeyUniqueIdentifier)
  }
  t.equal(new Set(made).size, 6)
  const found = await another.pending('Locate', correlations.at(-1)!).result({ within: 60_000 })
  t.equal(found.UniqueIdentifier.length, 12, 'each pair was made once')
  t.equal((await another.call('Locate', { Attributes: [] })).UniqueIdentifier.length, 12)
})
