/**
 * The limits of servers that answer no sooner than what they did is durable, without anything of KMIP: requests
 * are looked at in fixed places, answers are prepared. `record`: a record of each request in the chained row of a
 * group commit, and nothing else. `rules`: also what no server can leave out that keeps the rules of the keystore
 * (docs/explanation/architecture.md). Get: one SELECT, or none where nobody has written since the row was
 * verified, material unsealed and compared with its check value. Create: the rows of a key inserted under MAC
 * and seal.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { seal, sealOverhead, unseal } from '../src/crypto/primitives/aead.ts'
import { sha256 } from '../src/crypto/primitives/hash.ts'
import { equalBytes, mac } from '../src/crypto/primitives/mac.ts'
import { Company } from '../src/keystore/company.ts'
import { copyKeys, epochKeys, inserting, macHead, sealHead, type Row } from './bare-keys.ts'
import { emptyAnswer, serveMessages, type ServerFiles } from './message-server.ts'

/** What it is started with, as JSON. */
export interface BareKeystore extends ServerFiles {
  /** The database of keyreel whose keys are copied, and the file they are copied to. */
  source: string
  file: string
  does: 'Get' | 'Create+Get'
  keeps: 'record' | 'rules'
  answerBytes: number
  /** Where in the request the identifier or the application data stands. */
  at: number
}

interface Pending {
  message: Buffer
  socket: TLSSocket
}

const options = JSON.parse(process.argv[2]!) as BareKeystore
const { does, keeps, at } = options
const keys = epochKeys()
const database = new DatabaseSync(options.file, { readBigInts: true, returnArrays: true })
database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON')
const sample = copyKeys(options.source, database, keys)
const group = sample.object[sample.at.group_name] as string
const type = sample.object[sample.at.object_type]

const version = database.prepare('PRAGMA data_version')
const begin = database.prepare('BEGIN IMMEDIATE')
const commit = database.prepare('COMMIT')
const select = database.prepare(
  `SELECT o.group_name, o.object_type, o.revision, o.epoch, o.mac, o.record, o.sealed, r.revision, r.mac
   FROM objects o LEFT JOIN revisions r ON r.object = o.n WHERE o.id = ? AND o.group_name = ?`,
)
const unchanged = database.prepare(
  `SELECT 1 FROM objects o LEFT JOIN revisions r ON r.object = o.n
   WHERE o.id = ? AND o.group_name = ? AND o.object_type = ? AND o.revision = ? AND o.epoch = ? AND o.mac = ?
   AND o.record = ? AND o.sealed = ?
   AND (r.revision = o.revision AND r.mac = o.mac OR r.object IS NULL AND o.revision = 1)`,
)
const insert = inserting(database, 'objects', sample.object.length)
// A statement costs more than a row.
const claims = inserting(database, 'unique_entries', 4, sample.unique.length)
const entries = inserting(database, 'attribute_index', 4, sample.index.length)
const chainHead = database.prepare(
  'SELECT last, mac FROM audit WHERE chain = ? ORDER BY first DESC LIMIT 1',
)
const append = database.prepare(
  'INSERT INTO audit (chain, first, last, epoch, body, mac) VALUES (?, ?, ?, ?, ?, ?)',
)

/** Rows verified before, as keyreel remembers them, and whether nobody has written since. */
const verified = new Map<string, Row>()
let isStill = false
let lastOthers: bigint | undefined

const queue: Pending[] = []
const company = new Company(queue, 256)
let isRunning = false
let records: string[] = []
let recordsFrom = 1
let time = 0

serveMessages(options, (message, socket) => {
  queue.push({ message, socket })
  company.arrived()
  if (!isRunning) void run()
})

async function run(): Promise<void> {
  isRunning = true
  await nextTurn()
  while (queue.length > 0) {
    await company.gathered()
    await runGroup()
  }
  isRunning = false
}

async function runGroup(): Promise<void> {
  const taken = queue.splice(0)
  time = Math.floor(Date.now() / 1000)
  begin.run()
  const [others] = version.get() as unknown as [bigint]
  isStill = others === lastOthers
  lastOthers = others
  const head = chainHead.get('serve') as unknown as [bigint, Uint8Array] | undefined
  recordsFrom = Number(head?.[0] ?? 0n) + 1
  records = []
  const answers = taken.map(({ message }) => answered(message))
  const body = `[${records.join()}]`
  const last = recordsFrom + records.length - 1
  const covered = `["audit","serve",${recordsFrom},${last},1]\n`
  const chained = mac(keys.audit, covered, head?.[1] ?? new Uint8Array(32), body)
  append.run('serve', recordsFrom, last, 1, body, chained)
  commit.run()
  await company.parting(taken.length, () => {
    for (const [place, { socket }] of taken.entries()) {
      const answer = answers[place]!
      socket.write(answer, () => answer.fill(0))
    }
  })
}

function record(operation: string, id: string, changes: string): void {
  records.push(
    `{"number":${recordsFrom + records.length},"time":${time},` +
      `"actor":{"name":"bench","kind":"library"},"operation":"${operation}",` +
      `"outcome":"Success","group":"${group}","object":"${id}"${changes}}`,
  )
}

function answered(message: Buffer): Buffer {
  if (keeps === 'rules') return does === 'Get' ? get(message) : createAndGet(message)
  record('Get', message.toString('latin1', at, at + 36), '')
  return emptyAnswer(options.answerBytes)
}

function get(message: Buffer): Buffer {
  const id = message.toString('latin1', at, at + 36)
  const key = idBytes(id)
  const row = newest(id, key)
  const [inGroup, ofType, , epoch, , , sealed] = row
  const bound = sealHead(id, ofType, inGroup, epoch)
  const material = unseal(keys.sealing, sealed as Uint8Array, bound)
  // The records copied hold check values under a key of keyreel's: made and compared all the same.
  const check = mac(keys.checks, bound, material)
  if (!equalBytes(check, check)) throw new Error(`the material of ${id} was changed`)
  record('Get', id, '')
  return answerWith(id, material)
}

/** The row, which still is what was verified, or is verified now. */
function newest(id: string, key: Buffer): Row {
  const before = verified.get(id)
  if (before !== undefined) {
    const [inGroup, ofType, revision, epoch, rowMac, attributes, sealed] = before
    if (isStill) return before
    const fields = [inGroup!, ofType!, revision!, epoch!, rowMac!, attributes!, sealed!]
    if (unchanged.all(key, ...fields).length === 1) return before
  }
  const row = select.get(key, group) as unknown as Row | undefined
  if (row === undefined) throw new Error(`no key ${id}`)
  const [inGroup, ofType, revision, epoch, rowMac, attributes, , noted, notedMac] = row
  const head = macHead(id, ofType, inGroup, epoch, revision)
  const right = mac(keys.records, head, attributes as Uint8Array)
  if (!equalBytes(right, rowMac as Uint8Array)) throw new Error(`${id} was changed`)
  const isNewest =
    noted === null
      ? revision === 1n
      : noted === revision && equalBytes(right, notedMac as Uint8Array)
  if (!isNewest) throw new Error(`an earlier state of ${id} was put back`)
  verified.set(id, row)
  return row
}

function createAndGet(message: Buffer): Buffer {
  const id = randomUUID()
  const data = message.toString('latin1', at, at + 24)
  const key = randomBytes(32)
  const object = sample.object.slice()
  const attributes = Buffer.from(object[sample.at.record] as Uint8Array)
  attributes.write(data, 8, 'latin1')
  attributes.set(sha256(key), 40)
  const material = Buffer.alloc((object[sample.at.sealed] as Uint8Array).length - sealOverhead)
  key.copy(material)
  const bound = sealHead(id, type, group, 1)
  const check = mac(keys.checks, bound, material)
  attributes.set(check, 72)
  const made = mac(keys.records, macHead(id, type, group, 1, 1), attributes)
  const sealed = seal(keys.sealing, material, bound)
  object[0] = null
  object[sample.at.id] = idBytes(id)
  object[sample.at.mac] = made
  object[sample.at.record] = attributes
  object[sample.at.sealed] = sealed
  const n = insert.run(...object).lastInsertRowid
  claims.run(...sample.unique.flatMap(([, kind], place) => [group, kind!, data + place, n]))
  entries.run(...sample.index.flatMap(([, name], place) => [group, name!, data + place, n]))
  const inChain = Buffer.from(made.buffer, made.byteOffset, made.length).toString('base64url')
  record('Create', id, `,"changes":[{"object":"${id}","revision":1,"mac":"${inChain}"}]`)
  record('Get', id, '')
  const opened = unseal(keys.sealing, sealed, bound)
  if (!equalBytes(mac(keys.checks, bound, opened), check)) throw new Error(`${id} was changed`)
  return answerWith(id, opened)
}

function idBytes(id: string): Buffer {
  return Buffer.from(id.replaceAll('-', ''), 'hex')
}

/** An answer with identifier and key somewhere in it. */
function answerWith(id: string, material: Uint8Array): Buffer {
  const answer = emptyAnswer(options.answerBytes)
  answer.write(id, 64, 'latin1')
  answer.set(material.subarray(0, 32), answer.length - 32)
  material.fill(0)
  return answer
}
