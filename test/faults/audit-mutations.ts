// Records of the audit chains edited, inserted, deleted, reordered and cut off: every mutation is detected,
// and located at its first record.
import { createStore } from '../../src/keystore/create-store.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver, SqlRow, SqlValue } from '../../src/keystore/storage.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import { chance, openMasterKey, type Chance, type Outcome, type Plan } from './ground.ts'

interface Row {
  chain: string
  first: number
  last: number
  epoch: number
  mac: Uint8Array
  body: string
}

const now = () => 1_800_000_000n

/** A store in memory with two chains of rows, some of which hold several records. */
async function usedStore(): Promise<{ driver: SqlDriver; store: Store }> {
  const driver = await openSqlite({ file: ':memory:' })
  await createStore({ driver, masterKey: openMasterKey, now, chain: 'serve' })
  const store = await openStore({ driver, masterKey: openMasterKey, writer: 'serve', now })
  const record = (by: Store, at: number) =>
    by.act((work) => {
      const actor = { name: `library ${at}`, kind: 'client' }
      work.audit({ actor, operation: 'Get', object: `key ${at}`, outcome: 'Success' })
      return Promise.resolve()
    })
  const other = await openStore({
    driver: { ...driver, close: () => Promise.resolve() },
    ...{ masterKey: openMasterKey, writer: 'cli', now },
  })
  for (let at = 0; at < 14; at++) {
    await Promise.all([record(store, at), ...(at % 3 === 0 ? [record(store, 100 + at)] : [])])
    await Promise.all([record(other, 200 + at), ...(at % 4 === 0 ? [record(other, 300)] : [])])
  }
  await other.close()
  return { driver, store }
}

const written = ['chain', 'first', 'last', 'epoch', 'mac', 'body'] as const
const columns = written.join(', ')

async function rowsOf(driver: SqlDriver): Promise<Row[]> {
  const rows = await driver.snapshot((sql) =>
    sql.query(`SELECT ${columns} FROM audit ORDER BY chain, first`),
  )
  return rows.map(([chain, first, last, epoch, mac, body]: SqlRow) => ({
    chain: chain as string,
    first: Number(first),
    last: Number(last),
    epoch: Number(epoch),
    mac: mac as Uint8Array,
    body: body as string,
  }))
}

async function put(driver: SqlDriver, rows: readonly Row[]): Promise<void> {
  await driver.transaction(async (sql) => {
    await sql.query('DELETE FROM audit')
    for (const row of rows) {
      const values: SqlValue[] = written.map((name) => row[name])
      await sql.query(`INSERT INTO audit (${columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`, values)
    }
  })
}

/**
 * Changes the rows of a chain, perhaps with some of another. Number of the first record that is not what it was;
 * undefined when the rows are the same after all.
 */
type Mutation = (rows: Row[], random: Chance, others: readonly Row[]) => number | undefined

const mutations: Readonly<Record<string, Mutation>> = {
  edit(rows, random) {
    const row = rows[random(rows.length)]!
    const at = random(row.body.length)
    const other = String.fromCharCode(32 + random(90))
    if (row.body[at] === other) return undefined
    row.body = `${row.body.slice(0, at)}${other}${row.body.slice(at + 1)}`
    return row.first
  },
  'edit a mac'(rows, random) {
    const row = rows[random(rows.length)]!
    row.mac = Uint8Array.from(row.mac)
    row.mac[random(row.mac.length)]! ^= 1 << random(8)
    return row.first
  },
  renumber(rows, random) {
    const row = rows[random(rows.length)]!
    row.last += 1 + random(3)
    return row.first
  },
  insert(rows, random) {
    const at = 1 + random(rows.length - 1)
    const copy = { ...rows[random(rows.length)]! }
    const place = rows[at]!.first
    const count = copy.last - copy.first + 1
    // A copy of the row that stands there is that row; the second of the two is one too many.
    const isSame = copy.first === place
    rows.splice(at, 0, { ...copy, first: place, last: place + count - 1 })
    for (const later of rows.slice(at + 1)) {
      later.first += count
      later.last += count
    }
    return isSame ? place + count : place
  },
  delete(rows, random) {
    const at = random(rows.length - 1)
    return rows.splice(at, 1)[0]!.first
  },
  'delete and close the gap'(rows, random) {
    const at = random(rows.length - 1)
    const [gone] = rows.splice(at, 1)
    const count = gone!.last - gone!.first + 1
    for (const later of rows.slice(at)) {
      later.first -= count
      later.last -= count
    }
    return gone!.first
  },
  reorder(rows, random) {
    const [one, two] = [random(rows.length), random(rows.length)].sort((a, b) => a - b) as [
      number,
      number,
    ]
    const [a, b] = [rows[one]!, rows[two]!]
    if (one === two) return undefined
    ;[a.body, b.body] = [b.body, a.body]
    ;[a.mac, b.mac] = [b.mac, a.mac]
    return a.body === b.body ? undefined : a.first
  },
  'take from another chain'(rows, random, others) {
    const row = rows[random(rows.length)]!
    const other = others[random(others.length)]!
    Object.assign(row, { body: other.body, mac: other.mac })
    return row.first
  },
  truncate(rows, random) {
    const at = 1 + random(rows.length - 1)
    const first = rows[at]!.first
    rows.length = at
    return first
  },
}

/** Mutations one after the other, each undone before the next. */
export async function auditMutations({ form, seed, say }: Plan): Promise<Outcome> {
  const times = form === 'short' ? 400 : 10_000
  const random = chance(seed)
  const { driver, store } = await usedStore()
  const rows = await rowsOf(driver)
  const checkpoints = await store.auditHeads()
  const chains = [...new Set(rows.map(({ chain }) => chain))]
  const names = Object.keys(mutations)
  const count: Record<string, number> = {}
  const failures: string[] = []
  let mutated = 0
  for (let at = 1; mutated < times; at++) {
    const name = names[at % names.length]!
    const chain = chains[random(chains.length)]!
    const changed = rows.map((row) => ({ ...row }))
    const own = changed.filter((row) => row.chain === chain)
    const others = changed.filter((row) => row.chain !== chain)
    const place = mutations[name]!(own, random, others)
    if (place === undefined) continue
    mutated++
    await put(driver, [...own, ...others])
    const { problems } = await store.auditVerify({ checkpoints })
    count[name] = (count[name] ?? 0) + 1
    // What was announced in a record that is gone is told of other chains.
    const ofChain = problems.filter(({ subject }) => subject.startsWith(`${chain}/`))
    const [first] = ofChain
    const isLocated =
      name === 'truncate'
        ? first?.kind === 'audit-truncated' && first.message.includes(`ends at ${place - 1},`)
        : first?.subject === `${chain}/${place}`
    const where = `${name} at ${chain}/${place}`
    if (first === undefined) failures.push(`${where}: not detected`)
    else if (!isLocated) failures.push(`${where}: located at ${first.subject} (${first.kind})`)
    if (mutated % 1000 === 0) say(`${mutated} mutations, ${failures.length} failures`)
  }
  await put(driver, rows)
  const { problems } = await store.auditVerify({ checkpoints })
  if (problems.length > 0) failures.push('the chains as they were do not verify')
  await store.close()
  return { figures: { mutations: mutated, chains: chains.length, ...count }, failures }
}
