// Reads a keystore by docs/reference/formats.md alone: none of keyreel's own modules is imported.
import { createDecipheriv, createHash, createHmac, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** A TTLV item as the binary encoding has it. */
export interface Item {
  readonly tag: string
  readonly type: number
  /** Bytes of the value; the items inside for a structure. */
  readonly value: Buffer
  readonly items: readonly Item[]
}

/** One managed object, its MAC and seal verified. */
export interface ReadObject {
  readonly id: string
  readonly group: string
  readonly record: Item
  readonly material: Item | undefined
}

/** Everything a stranger can read. */
export interface ReadStore {
  readonly objects: readonly ReadObject[]
  /** `kind/name` → body; sealed secrets are opened and counted. */
  readonly documents: ReadonlyMap<string, unknown>
  readonly secrets: number
  /** Chain → its records. */
  readonly chains: ReadonlyMap<string, readonly Record<string, unknown>[]>
}

type Row = Record<string, unknown>

/** Reads the data directory of a server that does not run. Throws when anything is not as described. */
export function readStore(directory: string): ReadStore {
  const database = new DatabaseSync(join(directory, 'keystore.db'), { readOnly: true })
  try {
    const all = (sql: string) => database.prepare(sql).all() as Row[]
    const store = String(all("SELECT value FROM settings WHERE name = 'store'")[0]?.['value'])
    const keys = workingKeys(readMasterKey(join(directory, 'master.key')), store, all)
    const revisions = new Map(all('SELECT * FROM revisions').map((row) => [row['object'], row]))
    const documents = all('SELECT * FROM documents').map((row) => readDocument(row, keys))
    return {
      objects: all('SELECT * FROM objects').map((row) => readObject(row, keys, revisions)),
      documents: new Map(documents.map(({ name, body }) => [name, body])),
      secrets: documents.filter(({ secret }) => secret !== undefined).length,
      chains: readChains(all('SELECT * FROM audit ORDER BY chain, first'), keys),
    }
  } finally {
    database.close()
  }
}

function readMasterKey(file: string): { provider: string; key: Buffer } {
  const content = readFileSync(file)
  demand(content.length === 72, 'master key file has 72 bytes')
  demand(content.subarray(0, 8).toString('ascii') === 'keyreel1', 'and begins with keyreel1')
  const checksum = createHash('sha256').update(content.subarray(0, 40)).digest()
  demand(checksum.equals(content.subarray(40)), 'and ends with a SHA-256')
  const key = content.subarray(8, 40)
  return { provider: `file:${mac(key, 'keyreel master key id').toString('hex', 0, 8)}`, key }
}

interface WorkingKeys {
  readonly sealing: Buffer
  readonly records: Buffer
  readonly audit: Buffer
  readonly checks: Buffer
}

type KeysOf = (epoch: unknown) => WorkingKeys

function workingKeys(
  { provider, key }: ReturnType<typeof readMasterKey>,
  store: string,
  all: (sql: string) => Row[],
): KeysOf {
  const epochs = new Map<number, WorkingKeys>()
  for (const { epoch, provider: by, bytes } of all('SELECT * FROM epoch_wraps')) {
    if (by !== provider) continue
    const secret = unseal(key, bytes, head('epoch', store, Number(epoch)))
    const derive = (label: string) => Buffer.from(hkdfSync('sha256', secret, store, label, 32))
    epochs.set(Number(epoch), {
      sealing: derive('keyreel 1 sealing'),
      records: derive('keyreel 1 records'),
      audit: derive('keyreel 1 audit'),
      checks: derive('keyreel 1 checks'),
    })
  }
  return (epoch) => epochs.get(Number(epoch)) ?? fail(`epoch ${String(epoch)} has no wrap`)
}

function readObject(row: Row, keysOf: KeysOf, revisions: Map<unknown, Row>): ReadObject {
  const { n, group_name: group, object_type: type, revision, epoch, record, sealed } = row
  const keys = keysOf(epoch)
  const hex = Buffer.from(row['id'] as Uint8Array).toString('hex')
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  const identity = [id, type, group, epoch] as const
  const expected = mac(keys.records, head('object', ...identity, revision), record as Uint8Array)
  demand(expected.equals(row['mac'] as Uint8Array), `MAC of object ${id}`)
  const noted = revisions.get(n)
  if (Number(revision) > 1) {
    demand(noted?.['revision'] === revision, `revision of object ${id}`)
    demand(expected.equals(noted?.['mac'] as Uint8Array), `noted MAC of object ${id}`)
  }
  const material =
    sealed === null ? undefined : unseal(keys.sealing, sealed, head('object', ...identity))
  const read = item(Buffer.from(record as Uint8Array))
  demandCheckValue(find(read, '54A00A')?.value, keysOf, [id, type, group], material)
  return { id, group: String(group), record: read, material: material && item(material) }
}

function demandCheckValue(
  check: Buffer | undefined,
  keysOf: KeysOf,
  identity: readonly unknown[],
  material: Buffer | undefined,
): void {
  if (material === undefined) return
  const epoch = check?.readUInt32BE() ?? fail('an object with material has a check value')
  const expected = mac(keysOf(epoch).checks, head('check', ...identity, epoch), material)
  demand(expected.equals(check!.subarray(4)), `check value of ${String(identity[0])}`)
}

function readDocument(row: Row, keysOf: KeysOf) {
  const { kind, name, epoch, revision, body } = row
  const sealed = row['sealed'] as Uint8Array | null
  const keys = keysOf(epoch)
  const covered = head('document', kind, name, epoch, revision, body, sealed?.length ?? null)
  const expected = mac(keys.records, covered, sealed ?? '')
  demand(
    expected.equals(row['mac'] as Uint8Array),
    `MAC of document ${String(kind)}/${String(name)}`,
  )
  const secret = sealed && unseal(keys.sealing, sealed, head('document', kind, name, epoch))
  return {
    name: `${String(kind)}/${String(name)}`,
    body: JSON.parse(String(body)) as unknown,
    secret: secret ?? undefined,
  }
}

function readChains(rows: readonly Row[], keysOf: KeysOf): Map<string, Record<string, unknown>[]> {
  const chains = new Map<string, Record<string, unknown>[]>()
  const before = new Map<string, { last: number; mac: Buffer }>()
  for (const { chain, first, last, epoch, mac: found, body } of rows) {
    const name = String(chain)
    const previous = before.get(name) ?? { last: 0, mac: Buffer.alloc(32) }
    demand(Number(first) === previous.last + 1, `chain ${name} has no gap at ${String(first)}`)
    const covered = head('audit', chain, first, last, epoch)
    const expected = mac(keysOf(epoch).audit, covered, previous.mac, String(body))
    demand(expected.equals(found as Uint8Array), `MAC of audit row ${name}/${String(first)}`)
    before.set(name, { last: Number(last), mac: expected })
    const records = JSON.parse(String(body)) as Record<string, unknown>[]
    chains.set(name, [...(chains.get(name) ?? []), ...records])
  }
  return chains
}

function head(...fields: readonly unknown[]): Buffer {
  return Buffer.from(`${JSON.stringify(fields)}\n`)
}

function mac(key: Uint8Array, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}

function unseal(key: Uint8Array, sealed: unknown, additionalData: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed as Uint8Array)
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
  decipher.setAAD(additionalData)
  decipher.setAuthTag(bytes.subarray(-16))
  return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()])
}

/** KMIP 2.1 §10.1: three bytes tag, one byte type, four bytes length, value padded to eight. */
function item(bytes: Buffer): Item {
  const length = bytes.readUInt32BE(4)
  const type = bytes.readUInt8(3)
  const value = bytes.subarray(8, 8 + length)
  const items: Item[] = []
  if (type === 1) {
    for (let at = 0; at < value.length;) {
      const child = item(value.subarray(at))
      items.push(child)
      at += 8 + Math.ceil(child.value.length / 8) * 8
    }
  }
  return { tag: bytes.toString('hex', 0, 3).toUpperCase(), type, value, items }
}

/** The first item with that tag, at any depth. */
export function find(within: Item, tag: string): Item | undefined {
  if (within.tag === tag) return within
  for (const child of within.items) {
    const found = find(child, tag)
    if (found !== undefined) return found
  }
  return undefined
}

function demand(holds: boolean, what: string): void {
  if (!holds) fail(what)
}

function fail(what: string): never {
  throw new Error(`not as described: ${what}`)
}
