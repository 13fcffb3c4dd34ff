/**
 * `npm run bench:exchange [KEYS]`: keys exported, inspected and imported between two data directories,
 * beside the bare primitives over the same keys and bytes in the same run. What counts are the ratios.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportKeys } from '../src/exchange/export-keys.ts'
import { ensureExchange } from '../src/exchange/identity.ts'
import { importEngine } from '../src/exchange/import-engine.ts'
import { importBundle } from '../src/exchange/import-keys.ts'
import { inspectBundle } from '../src/exchange/inspect.ts'
import { readOffered } from '../src/exchange/peer-certificates.ts'
import { trustPeer } from '../src/exchange/peers.ts'
import { initialise } from '../src/initialise.ts'
import { AttributeSet } from '../src/keystore/attribute-set.ts'
import { insertObject } from '../src/keystore/keystore.ts'
import { ManagedObject } from '../src/keystore/managed-object.ts'
import { masterKeyFile } from '../src/keystore/master-key-choice.ts'
import { openMasterKeyFile } from '../src/keystore/master-key-file.ts'
import { openStore, type Store } from '../src/keystore/store.ts'
import type { Work } from '../src/keystore/work.ts'
import { sealedItem } from '../src/kmip/operations/key-material.ts'
import { setDigest } from '../src/kmip/operations/object-facts.ts'

const count = Number(process.argv[2] ?? 100_000)
const directory = mkdtempSync(join(tmpdir(), 'keyreel-bench-'))
const now = () => BigInt(Math.floor(Date.now() / 1000))
const print = (line: string) => void process.stdout.write(`${line}\n`)
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

try {
  await run()
} finally {
  rmSync(directory, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const [a, b] = [await site('a'), await site('b')]
  try {
    await trust(a, 'B', b)
    await trust(b, 'A', a)
    await timed('made', () => makeKeys(a))
    const out = join(directory, 'bundle')
    const selection = { scope: 'all' } as const
    const exported = await timed('exported', () =>
      exportKeys(a, { peer: 'B', group: 'default', selection, out, validDays: undefined }),
    )
    await timed('inspected', () => inspectBundle(b, out))
    const wish = { file: out, group: 'default', dryRun: false, allowWriting: false }
    const vouch = () => Promise.reject(new Error('a stranger'))
    const imported = await timed('imported', async () => {
      const { counts } = await importBundle(b, importEngine(b, silent), { ...wish, vouch })
      if (counts.new !== count) throw new Error(`imported ${counts.new} of ${count}`)
    })
    const { size } = statSync(out)
    const bare = await timed('bare primitives', () => Promise.resolve(primitives(size)))
    print(
      `ratio to the bare primitives: export ${ratio(exported, bare)}, import ${ratio(imported, bare)}`,
    )
    print(`${(size / count).toFixed(0)} bytes of file per key`)
    print(
      `peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB, both sites in one process`,
    )
  } finally {
    await a.close()
    await b.close()
  }
}

function ratio(one: number, other: number): string {
  return `${(one / other).toFixed(1)}×`
}

async function timed(what: string, work: () => Promise<unknown>): Promise<number> {
  const [began, before] = [performance.now(), process.cpuUsage()]
  await work()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(before)
  const processor = (user + system) / 1e6
  const rate = (count / seconds).toFixed(0)
  print(`${what}: ${seconds.toFixed(1)} s, ${processor.toFixed(1)} s of processor, ${rate} keys/s`)
  return processor
}

async function site(name: string): Promise<Store> {
  const data = join(directory, name)
  await initialise({
    data,
    hosts: ['localhost'],
    masterKey: { kind: 'file', path: undefined },
    now,
  })
  const masterKey = openMasterKeyFile(join(data, masterKeyFile))
  return openStore({ directory: data, masterKey, writer: 'cli', now })
}

async function trust(store: Store, name: string, other: Store): Promise<void> {
  const { current, identity } = await ensureExchange(other)
  const offered = readOffered(Buffer.from(current.pem + identity.pem), name, now())
  await trustPeer(store, name, offered, { confirmed: 'fingerprint', replace: false })
}

async function makeKeys(store: Store): Promise<void> {
  for (let first = 0; first < count; first += 200)
    await store.act(async (work) => {
      for (let n = first; n < Math.min(first + 200, count); n += 1) await makeKey(work, n)
      const actor = { name: 'bench', kind: 'cli' }
      work.audit({ actor, operation: 'Create', group: 'default', outcome: 'Success' })
    })
}

/** A key as a tape library makes it. */
async function makeKey(work: Work, n: number): Promise<void> {
  const KeyMaterial = randomBytes(32)
  const barcode = `${String(n).padStart(6, '0')}L8`
  const attributes = new AttributeSet()
  attributes.set('CryptographicAlgorithm', 'AES')
  attributes.set('CryptographicLength', 256)
  attributes.set('CryptographicUsageMask', 0x0c)
  const AlternativeNameType = 'UninterpretedTextString' as const
  attributes.add({
    tag: 'AlternativeName',
    value: { AlternativeNameValue: barcode, AlternativeNameType },
  })
  attributes.add({
    tag: 'ApplicationSpecificInformation',
    value: {
      ApplicationNamespace: 'LIBRARY-LTO',
      ApplicationData: randomBytes(12).toString('hex').toUpperCase(),
    },
  })
  const identity = {
    id: crypto.randomUUID(),
    group: 'default',
    objectType: 'SymmetricKey',
  } as const
  const vitals = {
    Owner: 'alpha',
    Fresh: false,
    Sensitive: false,
    Extractable: true,
    InitialDate: work.now,
    LastChangeDate: work.now,
    LeaseTime: 3600,
    KeyFormatType: 'Raw' as const,
  }
  const object = new ManagedObject(identity, vitals, attributes)
  setDigest(object, KeyMaterial, 'Raw')
  const KeyBlock = {
    KeyFormatType: 'Raw',
    KeyValue: { type: 'Structure', value: { KeyMaterial } },
    CryptographicAlgorithm: 'AES',
    CryptographicLength: 256,
  }
  await insertObject(work, object, sealedItem('SymmetricKey', { KeyBlock }))
}

/** Every key wrapped and unwrapped, the file's bytes encrypted and decrypted, one signature. */
function primitives(bytes: number): void {
  const kek = createSecretKey(randomBytes(32))
  const iv = Buffer.from('a65959a6', 'hex')
  const key = randomBytes(32)
  for (let n = 0; n < count; n += 1) {
    const cipher = createCipheriv('id-aes256-wrap-pad', kek, iv)
    const wrapped = Buffer.concat([cipher.update(key), cipher.final()])
    const decipher = createDecipheriv('id-aes256-wrap-pad', kek, iv)
    decipher.update(wrapped)
    decipher.final()
  }
  const nonce = randomBytes(12)
  const gcm = createCipheriv('aes-256-gcm', key, nonce)
  const encrypted = gcm.update(Buffer.alloc(bytes))
  gcm.final()
  const open = createDecipheriv('aes-256-gcm', key, nonce)
  open.setAuthTag(gcm.getAuthTag())
  open.update(encrypted)
  open.final()
  sign('sha384', encrypted, generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey)
}
