// One bit flipped at random places of the database file: it is noticed, or it does not matter; no wrong key
// is ever served. Also rows that changed places, and old rows put back.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { UserError } from '../../src/errors.ts'
import { contentsCheck } from '../../src/keystore/contents-check.ts'
import { loadObject, materialOf } from '../../src/keystore/keystore.ts'
import { fileCheck } from '../../src/keystore/sqlite-driver-check.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { Store } from '../../src/keystore/store.ts'
import { IntegrityError } from '../../src/keystore/work.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  principal,
  requestBytes,
  responderOver,
  answerOf,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import {
  chance,
  dataDirectory,
  folder,
  openDirectory,
  type Chance,
  type Outcome,
  type Plan,
} from './ground.ts'

const actor = { name: 'faults', kind: 'cli' }
const quiet = (): void => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }
const keysMade = 24

/** A data directory that has seen a bit of everything, its keys, and nothing left in the log. */
async function usedDirectory(directory: string): Promise<Map<string, string>> {
  await dataDirectory(directory)
  const store = await openDirectory(directory, { writer: 'serve' })
  const responder = responderOver(store, log, () => 0)
  const ask = async (...asks: Ask[]) => {
    const { bytes } = await respond(responder, requestBytes('2.1', asks), principal())
    return answerOf(bytes, '2.1').BatchItem
  }
  const ids: string[] = []
  for (let at = 0; at < keysMade; at++) {
    const create = { ObjectType: 'SymmetricKey' as const, Attributes: tapeKey(`T${at}`) }
    const [made] = await ask(['Create', create])
    ids.push((made!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier)
  }
  for (const UniqueIdentifier of ids.slice(0, 8)) await ask(['Activate', { UniqueIdentifier }])
  while (await store.catchUpAuditIndex());
  const keys = await keysOf(store, ids)
  await responder.requests.close()
  await store.close()
  return keys
}

async function keysOf(store: Store, ids: Iterable<string>): Promise<Map<string, string>> {
  return store.act(async (work) => {
    const keys = new Map<string, string>()
    for (const id of ids) {
      const object = await loadObject(work, 'default', id)
      const secret = object && (await materialOf(work, object))
      keys.set(id, secret === undefined ? 'none' : Buffer.from(secret.bytes).toString('hex'))
    }
    work.audit({ actor, operation: 'look', outcome: 'Success' })
    return keys
  })
}

/** What a database says, table by table, apart from the file's own layout. */
function contentOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    return tables
      .map(({ name }) => {
        const statement = database.prepare(`SELECT * FROM "${String(name)}"`)
        statement.setReadBigInts(true)
        const rows = statement.all().map((row) => Object.values(row).map(textOf).join('\u0001'))
        return `${String(name)}\n${rows.toSorted().join('\n')}`
      })
      .join('\n\n')
  } finally {
    database.close()
  }
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array
    ? Buffer.from(value).toString('hex')
    : `${typeof value} ${String(value)}`
}

type Verdict = 'noticed' | 'harmless' | 'unnoticed' | 'wrong key'

/** Opens a database that somebody has changed, uses every key, and verifies. */
async function judge(
  directory: string,
  file: string,
  keys: ReadonlyMap<string, string>,
  content: string,
): Promise<Verdict> {
  let isNoticed = false
  const noticed = (error: unknown) => {
    if (!isExpected(error)) throw error
    isNoticed = true
  }
  const isSame = sameContent(file, content)
  let store: Store | undefined
  try {
    store = await openDirectory(directory)
    const opened = store
    // Together, so that they share a commit.
    const reads = [...keys].map(async ([id, key]) => {
      const found = (await keysOf(opened, [id])).get(id)
      return found === key ? 'right' : (found ?? 'none')
    })
    for (const read of await Promise.allSettled(reads)) {
      if (read.status === 'rejected') noticed(read.reason)
      else if (read.value === 'none') isNoticed = true
      else if (read.value !== 'right') return 'wrong key'
    }
    if ((await store.auditVerify({ contents: contentsCheck })).problems.length > 0) isNoticed = true
  } catch (error) {
    noticed(error)
  } finally {
    await store?.close().catch(noticed)
  }
  if (isNoticed) return 'noticed'
  if (isSame) return 'harmless'
  try {
    const driver = await openSqlite({ file })
    if ((await fileCheck(driver, true)).length > 0) isNoticed = true
    await driver.close()
  } catch (error) {
    noticed(error)
  }
  return isNoticed ? 'noticed' : 'unnoticed'
}

/** What a damaged database may end in; anything else is a bug of ours. */
function isExpected(error: unknown): boolean {
  if (error instanceof IntegrityError || error instanceof UserError) return true
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  return code === 'ERR_SQLITE_ERROR' || (cause !== undefined && isExpected(cause))
}

function sameContent(file: string, content: string): boolean {
  try {
    return contentOf(file) === content
  } catch {
    return false
  }
}

/** Single bits of the file. */
export async function bitFlips({ form, seed, say }: Plan): Promise<Outcome> {
  const flips = form === 'short' ? 120 : 10_000
  const random = chance(seed)
  using scratch = folder()
  const pristine = join(scratch.path, 'pristine')
  const keys = await usedDirectory(pristine)
  const bytes = readFileSync(join(pristine, 'keystore.db'))
  const content = contentOf(join(pristine, 'keystore.db'))
  const count = { noticed: 0, harmless: 0, unnoticed: 0, 'wrong key': 0 }
  const failures: string[] = []
  for (let at = 1; at <= flips; at++) {
    const [place, bit] = [random(bytes.length), random(8)]
    const directory = join(scratch.path, 'flipped')
    const file = copyOf(pristine, directory)
    const flipped = Buffer.from(bytes)
    flipped[place]! ^= 1 << bit
    writeFileSync(file, flipped)
    const verdict = await judged(`bit ${bit} of byte ${place}`, failures, () =>
      judge(directory, file, keys, content),
    )
    count[verdict]++
    if (verdict === 'unnoticed' || verdict === 'wrong key') {
      failures.push(`bit ${bit} of byte ${place}: ${verdict}`)
      say(failures.at(-1)!)
    }
    if (at % 500 === 0) say(`${at} bits: ${JSON.stringify(count)}`)
  }
  return { figures: { bits: flips, bytes: bytes.length, ...count }, failures }
}

/** A bug met on the way is a failure of its own, with its place. */
async function judged(
  place: string,
  failures: string[],
  run: () => Promise<Verdict>,
): Promise<Verdict> {
  try {
    return await run()
  } catch (error) {
    failures.push(`${place}: ${String((error as Error).stack)}`)
    return 'noticed'
  }
}

function copyOf(pristine: string, directory: string): string {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory)
  for (const name of ['keystore.db', 'master.key'])
    copyFileSync(join(pristine, name), join(directory, name))
  return join(directory, 'keystore.db')
}

/** Columns of one row taken from another, and rows as they were before. */
export async function rowSwaps({ form, seed }: Plan): Promise<Outcome> {
  const swaps = form === 'short' ? 40 : 2000
  const random = chance(seed)
  using scratch = folder()
  const pristine = join(scratch.path, 'pristine')
  const keys = await usedDirectory(pristine)
  const old = rowsOf(join(pristine, 'keystore.db'))
  await changeAll(pristine, keys)
  const content = contentOf(join(pristine, 'keystore.db'))
  const count = { noticed: 0, harmless: 0, unnoticed: 0, 'wrong key': 0 }
  const failures: string[] = []
  for (let at = 0; at < swaps; at++) {
    const directory = join(scratch.path, 'swapped')
    const file = copyOf(pristine, directory)
    const what = at % 2 === 0 ? swapColumn(file, random) : putBack(file, old, random)
    const verdict = await judged(what, failures, () => judge(directory, file, keys, content))
    count[verdict]++
    if (verdict === 'unnoticed' || verdict === 'wrong key') failures.push(`${what}: ${verdict}`)
  }
  return { figures: { swaps, ...count }, failures }
}

type Row = Record<string, string | number | bigint | Uint8Array | null>

function rowsOf(file: string): Row[] {
  const database = new DatabaseSync(file)
  try {
    return database.prepare('SELECT * FROM objects ORDER BY n').all() as Row[]
  } finally {
    database.close()
  }
}

/** Every key is changed once more, so that what is put back is old. */
async function changeAll(directory: string, keys: ReadonlyMap<string, string>): Promise<void> {
  const store = await openDirectory(directory, { writer: 'serve' })
  const responder = responderOver(store, log, () => 0)
  for (const UniqueIdentifier of keys.keys()) {
    const NewAttribute = { tag: 'ContactInformation' as const, value: 'tape room' }
    const request = requestBytes('2.1', [['AddAttribute', { UniqueIdentifier, NewAttribute }]])
    await respond(responder, request, principal())
  }
  await responder.requests.close()
  await store.close()
}

const swapped = [
  'id',
  'record',
  'sealed',
  'mac',
  'revision',
  'entries',
  'owner',
  'initial_date',
] as const

function swapColumn(file: string, random: Chance): string {
  const database = new DatabaseSync(file)
  const column = swapped[random(swapped.length)]!
  const [one, two] = [1 + random(keysMade), 1 + random(keysMade)]
  try {
    const read = database.prepare(`SELECT ${column} AS value FROM objects WHERE n = ?`)
    const write = database.prepare(`UPDATE objects SET ${column} = ? WHERE n = ?`)
    const [a, b] = [(read.get(one) as Row)['value']!, (read.get(two) as Row)['value']!]
    if (column === 'id') write.run(new Uint8Array(16), one)
    write.run(a, two)
    write.run(b, one)
  } finally {
    database.close()
  }
  return `${column} of rows ${one} and ${two}`
}

function putBack(file: string, old: readonly Row[], random: Chance): string {
  const database = new DatabaseSync(file)
  const row = old[random(old.length)]!
  const columns = Object.keys(row)
  try {
    const places = columns.map(() => '?').join(', ')
    database.exec(`DELETE FROM objects WHERE n = ${String(row['n'])}`)
    database
      .prepare(`INSERT INTO objects (${columns.join(', ')}) VALUES (${places})`)
      .run(...Object.values(row))
    // Half of the time with the revision that was noted for it.
    if (random(2) === 0) database.exec(`DELETE FROM revisions WHERE object = ${String(row['n'])}`)
  } finally {
    database.close()
  }
  return `row ${String(row['n'])} put back`
}
