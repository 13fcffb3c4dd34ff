/** A site with a keystore in memory and everything that exchanging keys takes: for tests of bundles. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { putBody } from '../../src/access/documents.ts'
import { randomBytes } from '../../src/crypto/primitives/random.ts'
import { ensureExchange } from '../../src/exchange/identity.ts'
import { exportKeys, type ExportReport, type ExportWish } from '../../src/exchange/export-keys.ts'
import { importEngine } from '../../src/exchange/import-engine.ts'
import { importBundle, type ImportWish } from '../../src/exchange/import-keys.ts'
import type { ImportReport } from '../../src/exchange/import-run.ts'
import { readOffered } from '../../src/exchange/peer-certificates.ts'
import { trustPeer } from '../../src/exchange/peers.ts'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { createStore } from '../../src/keystore/create-store.ts'
import { insertObject, loadObject, materialOf } from '../../src/keystore/keystore.ts'
import { ManagedObject } from '../../src/keystore/managed-object.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import type { KeyBlock } from '../../src/kmip/model/objects.ts'
import { sealedItem, unsealedFields } from '../../src/kmip/operations/key-material.ts'
import { setDigest } from '../../src/kmip/operations/object-facts.ts'

/** The time at every site, unless a test sets it. */
export const now = 1_800_000_000n
export const day = 86_400n

const openMasterKey: MasterKey = {
  id: 'test',
  wrap: (key) => Promise.resolve(Uint8Array.from(key)),
  unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
  close: () => undefined,
}

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** How a key of a test differs from an ordinary one. */
export interface KeyWish {
  id?: string
  group?: string
  barcode?: string
  /** Application Data; by default it follows from the identifier. */
  data?: string
  name?: string
  material?: Uint8Array
  used?: boolean
  extractable?: boolean
}

export interface Site {
  store: Store
  time: { seconds: bigint }
  /** Makes a tape key and answers its identifier. */
  key(wish?: KeyWish): Promise<string>
  /** The raw bytes of a key; undefined when it is not here. */
  bytesOf(id: string, group?: string): Promise<string | undefined>
  object(id: string, group?: string): Promise<ManagedObject | undefined>
  /** Trusts another site under a name. */
  trust(name: string, other: Site): Promise<void>
  /** Exports to a file of the test's own; answers its path and the report. */
  export(
    wish: Partial<ExportWish> & { peer: string },
  ): Promise<{ file: string; report: ExportReport }>
  import(file: string, wish?: Partial<ImportWish>): Promise<ImportReport>
}

let made = 0

/** A directory that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyreel-bundles-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A new site; `lasting` for one that the caller closes, `driver` for an empty database of the caller's. */
export async function newSite(
  options: { lasting?: boolean; folder?: string; driver?: SqlDriver } = {},
): Promise<Site> {
  const driver = options.driver ?? (await openSqlite({ file: ':memory:' }))
  const time = { seconds: now }
  const clock = () => time.seconds
  await createStore({ driver, masterKey: openMasterKey, now: clock, chain: 'test' })
  const store = await openStore({ driver, masterKey: openMasterKey, writer: 'test', now: clock })
  if (options.lasting !== true) onTestFinished(() => store.close())
  await store.act(async (work) => {
    for (const group of ['default', 'vault'])
      await putBody(work, 'group', group, { created: Number(now) })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  await ensureExchange(store)
  const object = (id: string, group = 'default') =>
    store.read((work) => loadObject(work, group, id))
  const site: Site = {
    store,
    time,
    object,
    async key(wish = {}) {
      const id = wish.id ?? crypto.randomUUID()
      await store.act(async (work) => {
        await insertKey(work, id, wish, time.seconds)
      })
      return id
    },
    async bytesOf(id, group = 'default') {
      return store.act(async (work) => {
        work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'look', outcome: 'Success' })
        const found = await loadObject(work, group, id)
        const secret = found && (await materialOf(work, found))
        if (secret === undefined) return undefined
        const { KeyBlock: block } = unsealedFields('SymmetricKey', secret.bytes) as {
          KeyBlock: KeyBlock
        }
        const { KeyMaterial } = block.KeyValue?.value as { KeyMaterial: Uint8Array }
        return Buffer.from(KeyMaterial).toString('hex')
      })
    },
    async trust(name, other) {
      const { current, identity } = await ensureExchange(other.store)
      const offered = readOffered(Buffer.from(current.pem + identity.pem), 'file', time.seconds)
      await trustPeer(store, name, offered, { confirmed: 'fingerprint', replace: false })
    },
    async export(wish) {
      const file = join(options.folder ?? scratch(), `bundle-${++made}`)
      const report = await exportKeys(store, {
        group: 'default',
        selection: { scope: 'all' },
        out: file,
        validDays: 90,
        ...wish,
      })
      return { file: wish.out ?? file, report }
    },
    import: (file, wish = {}) =>
      importBundle(store, importEngine(store, silent), {
        file,
        group: 'default',
        dryRun: false,
        allowWriting: false,
        vouch: () => Promise.reject(new Error('a stranger')),
        ...wish,
      }),
  }
  return site
}

/** Two sites that trust each other as A and B. */
export async function twoSites(): Promise<{ a: Site; b: Site }> {
  const [a, b] = await Promise.all([newSite(), newSite()])
  await a.trust('B', b)
  await b.trust('A', a)
  return { a, b }
}

type Work = Parameters<Parameters<Store['act']>[0]>[0]

/** Keeps a key; also used to make many within one act. */
export async function insertKey(
  work: Work,
  id: string,
  wish: KeyWish,
  time: bigint,
): Promise<void> {
  const { group = 'default', barcode = 'KR0001L8', data = `KAD ${id}`, name } = wish
  const KeyMaterial = wish.material ?? randomBytes(32)
  const attributes = new AttributeSet()
  attributes.set('CryptographicAlgorithm', 'AES')
  attributes.set('CryptographicLength', 256)
  attributes.set('CryptographicUsageMask', 0x0c)
  if (name !== undefined)
    attributes.add({
      tag: 'Name',
      value: { NameValue: name, NameType: 'UninterpretedTextString' },
    })
  attributes.add({
    tag: 'AlternativeName',
    value: { AlternativeNameValue: barcode, AlternativeNameType: 'UninterpretedTextString' },
  })
  attributes.add({
    tag: 'ApplicationSpecificInformation',
    value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: data },
  })
  const vendor = (AttributeName: string, value: string) => ({
    VendorIdentification: 'x',
    AttributeName,
    AttributeValue: { type: 'TextString', value },
  })
  attributes.add({ tag: 'Attribute', value: vendor('Barcode', barcode) })
  attributes.add({ tag: 'Attribute', value: vendor('MediumSerial', `SN${id.slice(0, 8)}`) })
  const object = new ManagedObject(
    { id, group, objectType: 'SymmetricKey' },
    {
      Owner: 'alpha',
      Fresh: wish.used !== true,
      Sensitive: false,
      Extractable: wish.extractable ?? true,
      InitialDate: time,
      ActivationDate: time,
      LastChangeDate: time,
      LeaseTime: 3600,
      KeyFormatType: 'Raw',
    },
    attributes,
  )
  setDigest(object, KeyMaterial, 'Raw')
  const KeyBlock = {
    KeyFormatType: 'Raw',
    KeyValue: { type: 'Structure', value: { KeyMaterial } },
    CryptographicAlgorithm: 'AES',
    CryptographicLength: 256,
  }
  const conflict = await insertObject(work, object, sealedItem('SymmetricKey', { KeyBlock }))
  if (conflict !== undefined) throw new Error(`the key conflicts with ${conflict.holder}`)
  const actor = { name: 'alpha', kind: 'library' }
  work.audit({ actor, operation: 'Create', object: id, group, outcome: 'Success' })
}
