// Key servers that know nothing of keyreel: our own server in its plain mode, a general client of which we are, and
// PyKMIP as far as it goes. Keys come and go wrapped, or not at all.
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import {
  connect,
  CryptographicUsageMask,
  inClear,
  materialOf,
  type Client,
} from '../../src/kmip/client/client.ts'
import type { AttributeInstance } from '../../src/kmip/model/attribute-forms.ts'
import { startKeyreel, type Keyreel } from '../fixtures/keyreel.ts'
import { pykmipMissing, startPykmipServer } from '../fixtures/pykmip-server.ts'

const missing = await pykmipMissing()
const scratch = await mkdtemp(join(tmpdir(), 'keyreel-plain-'))
t.teardown(() => rm(scratch, { recursive: true }))
const file = (name: string) => join(scratch, name)
const { bits } = CryptographicUsageMask
const shared = Buffer.alloc(32, 7)
writeFileSync(file('shared.hex'), `${shared.toString('hex')}\n`)

interface Answer {
  readonly counts: Readonly<Record<string, number>>
  readonly reports: readonly { readonly id: string; readonly reason?: string }[]
}

async function json(site: Keyreel, status: number, ...args: string[]): Promise<Answer> {
  const done = await site.cli(...args, '--json')
  if (done.status !== status)
    throw new Error(`${args.join(' ')} ended with ${done.status}: ${done.stderr}${done.stdout}`)
  return JSON.parse(done.stdout) as Answer
}

/** An RSA key with a certificate, made by openssl: what another vendor's administrator hands over. */
function foreignCertificate(name: string) {
  const out = ['-keyout', file(`${name}.key`), '-out', file(`${name}.pem`)]
  const use = ['-addext', 'keyUsage=critical,keyEncipherment']
  const made = ['-x509', '-newkey', 'rsa:3072', '-noenc', '-days', '300', '-subj', `/CN=${name}`]
  execFileSync('openssl', ['req', ...made, ...use, ...out], { stdio: 'ignore' })
  return createPrivateKey(readFileSync(file(`${name}.key`)))
}

/** The key of a tape, as a library of that server has made it. */
async function tapeKey(client: Client, material: Uint8Array, data: string): Promise<string> {
  const { UniqueIdentifier } = await client.call('Register', {
    ObjectType: 'SymmetricKey',
    Attributes: [
      { tag: 'CryptographicUsageMask', value: bits.Encrypt | bits.Decrypt },
      {
        tag: 'ApplicationSpecificInformation',
        value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: data },
      },
    ],
    SymmetricKey: {
      KeyBlock: {
        KeyFormatType: 'Raw',
        KeyValue: inClear(material),
        CryptographicAlgorithm: 'AES',
        CryptographicLength: material.length * 8,
      },
    },
  })
  return UniqueIdentifier
}

/** The AES key that both sides hold, ready to wrap. */
async function sharedKey(client: Client, ...more: AttributeInstance[]): Promise<string> {
  const { UniqueIdentifier } = await client.call('Register', {
    ObjectType: 'SymmetricKey',
    Attributes: [{ tag: 'CryptographicUsageMask', value: bits.WrapKey | bits.UnwrapKey }, ...more],
    SymmetricKey: {
      KeyBlock: {
        KeyFormatType: 'Raw',
        KeyValue: inClear(shared),
        CryptographicAlgorithm: 'AES',
        CryptographicLength: 256,
      },
    },
  })
  await client.call('Activate', { UniqueIdentifier })
  return UniqueIdentifier
}

/** What a library at a keyreel reads its tape with. */
async function read(client: Client, data: string): Promise<string | undefined> {
  const value = { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: data }
  const { UniqueIdentifier } = await client.call('Locate', {
    Attributes: [{ tag: 'ApplicationSpecificInformation', value }],
  })
  const [id] = UniqueIdentifier
  if (id === undefined) return undefined
  return Buffer.from(materialOf(await client.call('Get', { UniqueIdentifier: id }))).toString('hex')
}

async function library(site: Keyreel, name: string, profile: 'tape-library' | 'general') {
  const kit = await site.enrol(name, profile)
  const [ca, cert, key] = [kit.ca, kit.certificate, kit.key].map((path) => readFileSync(path))
  const { host, port } = site
  const client = await connect({ host, port, ca: ca!, cert: cert!, key: key! })
  return { kit, client }
}

const a = await startKeyreel()
t.teardown(() => a.stop())
const alpha = (await library(a, 'alpha', 'tape-library')).client
t.teardown(() => alpha.close())

await t.test('our own server in its plain mode', async (t) => {
  const b = await startKeyreel()
  t.teardown(() => b.stop())
  const { kit, client } = await library(b, 'site-a', 'general')
  const beta = (await library(b, 'beta', 'tape-library')).client
  t.teardown(() => Promise.all([client.close(), beta.close()]))
  const privateKey = foreignCertificate('plain')
  await json(a, 0, 'exchange', 'certificate', 'import', file('plain.pem'), '--peer', 'B', '--yes')
  const { UniqueIdentifier: unwrappingKey } = await client.call('Register', {
    ObjectType: 'PrivateKey',
    Attributes: [{ tag: 'CryptographicUsageMask', value: bits.UnwrapKey }],
    PrivateKey: {
      KeyBlock: {
        KeyFormatType: 'PKCS_8',
        KeyValue: inClear(privateKey.export({ type: 'pkcs8', format: 'der' })),
        CryptographicAlgorithm: 'RSA',
        CryptographicLength: 3072,
      },
    },
  })
  await client.call('Activate', { UniqueIdentifier: unwrappingKey })
  const url = `kmips://${b.host}:${b.port}`
  const add = ['peer', 'add', 'B', '--url', url, '--kit', kit.directory]

  await t.test('keys are taken under our RSA key', async (t) => {
    const material = Buffer.alloc(32, 1)
    const id = await tapeKey(client, material, 'kad-1')
    await json(a, 0, ...add, '--plain')
    const { counts, reports } = await json(a, 0, 'peer', 'pull', 'B', '--key', id)
    t.match(counts, { new: 1 })
    t.equal(reports[0]?.id, id, 'it keeps its identifier')
    t.equal(await read(alpha, 'kad-1'), material.toString('hex'))
    t.match((await json(a, 0, 'peer', 'pull', 'B', '--key', id)).counts, { new: 0, here: 1 })
  })

  await t.test('keys are sent under the RSA key there', async (t) => {
    const own = (await library(a, 'gamma', 'general')).client
    const id = await tapeKey(own, Buffer.alloc(32, 2), 'kad-2')
    await own.close()
    await json(a, 0, ...add, '--unwrapping-key', unwrappingKey)
    t.match((await json(a, 0, 'peer', 'push', 'B', '--key', id)).counts, { new: 1 })
    t.equal(await read(beta, 'kad-2'), '02'.repeat(32))
    const { Attributes } = await client.call('GetAttributes', { UniqueIdentifier: id })
    const mask = Attributes.find(({ tag }) => tag === 'CryptographicUsageMask')?.value
    t.equal(mask, bits.Decrypt, 'for reading')
    t.match((await json(a, 0, 'peer', 'push', 'B', '--key', id)).counts, { new: 0, here: 1 })
  })

  await t.test('keys come and go under an AES key that both hold', async (t) => {
    const kek = await sharedKey(
      client,
      ...(['NISTKeyWrap', 'AESKeyWrapPadding'] as const).map((BlockCipherMode, index) => ({
        tag: 'CryptographicParameters' as const,
        value: { BlockCipherMode },
        index,
      })),
    )
    const both = ['--wrapping-key', kek, '--wrapping-key-file', file('shared.hex')]
    await json(a, 0, ...add, ...both)
    const theirs = await tapeKey(client, Buffer.alloc(32, 3), 'kad-3')
    t.match((await json(a, 0, 'peer', 'pull', 'B', '--key', theirs)).counts, { new: 1 })
    t.equal(await read(alpha, 'kad-3'), '03'.repeat(32))
    const own = (await library(a, 'delta', 'general')).client
    const ours = await tapeKey(own, Buffer.alloc(32, 4), 'kad-4')
    await own.close()
    t.match((await json(a, 0, 'peer', 'push', 'B', '--key', ours)).counts, { new: 1 })
    t.equal(await read(beta, 'kad-4'), '04'.repeat(32))
  })

  await t.test(
    'what is missing to open keys there is said, and a shared key has two parts',
    async (t) => {
      await json(a, 0, ...add, '--plain')
      const pushed = await a.cli('peer', 'push', 'B', '--all')
      t.equal(pushed.status, 1)
      t.match(pushed.stderr, /nothing says by which key peer B opens/)
      const half = await a.cli(...add, '--wrapping-key', 'x')
      t.equal(half.status, 2)
      writeFileSync(file('bad.hex'), 'no key')
      const bad = await a.cli(...add, '--wrapping-key', 'x', '--wrapping-key-file', file('bad.hex'))
      t.equal(bad.status, 2)
      t.notMatch(bad.stderr, /no key$/m)
    },
  )
})

if (missing !== undefined) {
  if (process.env['CI']) t.fail(missing)
  else t.pass(missing, { skip: missing })
} else
  await t.test('PyKMIP', async (t) => {
    const server = await startPykmipServer()
    t.teardown(() => server.stop())
    const { host, port, ca, cert, key } = server
    const client = await connect({ host, port, ca, cert, key, versions: ['1.2'] })
    t.teardown(() => client.close())
    const kit = file('pykmip-kit')
    mkdirSync(kit)
    for (const [name, content] of Object.entries({ ca, certificate: cert, key }))
      writeFileSync(join(kit, `${name}.pem`), content)
    foreignCertificate('pykmip')
    const trust = ['exchange', 'certificate', 'import', file('pykmip.pem'), '--peer', 'P', '--yes']
    await json(a, 0, ...trust)
    const kek = await sharedKey(client)
    const add = ['peer', 'add', 'P', '--url', `kmips://${host}:${port}`, '--kit', kit]
    const both = ['--wrapping-key', kek, '--wrapping-key-file', file('shared.hex')]
    await json(a, 0, ...add, ...both)

    await t.test('TLS without a post-quantum key exchange wants a word', async (t) => {
      const pulled = await a.cli('peer', 'pull', 'P', '--all')
      t.equal(pulled.status, 1)
      t.match(pulled.stderr, /no post-quantum key exchange/)
    })

    await t.test(
      'keys are taken under AES key wrap, and keep what they are called there',
      async (t) => {
        const id = await tapeKey(client, Buffer.alloc(32, 5), 'kad-5')
        const pull = ['peer', 'pull', 'P', '--key', id, '--classical'] as const
        const { counts, reports } = await json(a, 0, ...pull)
        t.match(counts, { new: 1 })
        t.equal(await read(alpha, 'kad-5'), '05'.repeat(32))
        const shown = await a.cli('key', 'show', reports[0]!.id)
        t.match(shown.stdout, new RegExp(`x-ForeignIdentifier +${id}\n`))
        t.match(
          (await json(a, 0, ...pull)).counts,
          { new: 0, here: 1 },
          'the same identifier each time',
        )
      },
    )

    await t.test('every key is taken but the wrapping key', async (t) => {
      await tapeKey(client, Buffer.alloc(32, 6), 'kad-6')
      const all = ['peer', 'pull', 'P', '--all', '--classical'] as const
      t.match((await json(a, 0, ...all)).counts, { new: 1, here: 1, refused: 0 })
      t.equal(await read(alpha, 'kad-6'), '06'.repeat(32))
    })

    await t.test('nothing is sent, since it would not open what comes wrapped', async (t) => {
      const pushed = await a.cli('peer', 'push', 'P', '--all', '--classical')
      t.equal(pushed.status, 1)
      t.match(pushed.stderr, /peer P has no Import .* nothing was sent/)
    })

    await t.test('it does not wrap under RSA keys: then no key comes', async (t) => {
      await json(a, 0, ...add, '--plain')
      const pulled = await a.cli('peer', 'pull', 'P', '--all', '--classical', '--json')
      t.not(pulled.status, 0)
      t.notMatch(pulled.stdout, /"new": [1-9]/)
    })
  })
