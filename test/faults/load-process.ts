// A process that serves its own load and may be killed at any moment, also by itself at a failpoint. Every
// line it prints is true when it is printed: `try` before a request, `ok` once it is answered.
// Arguments: data directory, seed, clients, failpoint or `none`, how many times the point is passed first.
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import type { SqlDriver, SqlSession } from '../../src/keystore/storage.ts'
import { openStore } from '../../src/keystore/store.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import type { Failpoint } from './failpoints.ts'
import { chance } from './ground.ts'

const [directory, seedText, clients, failpoint, passes] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const seed = Number(seedText)
let left = Number(passes)

/** Ends the process at its failpoint, as a power cut would. */
function pass(point: Failpoint): void {
  if (point !== failpoint || left-- > 0) return
  process.kill(process.pid, 'SIGKILL')
  // The signal comes at once, but not necessarily before the next instruction.
  for (;;);
}

function withFailpoints(driver: SqlDriver): SqlDriver {
  const watched = (sql: SqlSession): SqlSession => ({
    ...sql,
    savepoint: (fn) => sql.savepoint(fn),
    async query(text, parameters) {
      const isAudit = text.startsWith('INSERT INTO audit ')
      if (isAudit) pass('before-audit')
      const rows = await sql.query(text, parameters)
      if (isAudit) pass('after-audit')
      return rows
    },
  })
  return {
    ...driver,
    async transaction(fn) {
      const result = await driver.transaction(async (sql) => {
        const inner = await fn(watched(sql))
        pass('before-commit')
        return inner
      })
      pass('after-commit')
      return result
    },
  }
}

const opening = performance.now()
const plain = await openSqlite({ file: join(directory, 'keystore.db') })
const masterKey = openMasterKeyFile(join(directory, 'master.key'))
const store = await openStore({ driver: withFailpoints(plain), masterKey, writer: 'serve' })
tell(`open ${Math.round(performance.now() - opening)}`)

const quiet = (): void => undefined
const log = {
  debug: quiet,
  info: quiet,
  warn: quiet,
  error: (fields: object) => tell(`bug ${JSON.stringify(fields)}`),
}
const responder = responderOver(store, log, () => performance.now())

/** Written before it returns: what was said before a kill was said. */
function tell(line: string): void {
  writeSync(1, `${line}\n`)
}

async function ask(asks: readonly Ask[]): Promise<ResponseBatchItem[]> {
  const { bytes } = await respond(responder, requestBytes('2.1', asks), principal())
  const items = answerOf(bytes, '2.1').BatchItem
  pass('before-answer')
  return items
}

function digestIn(item: ResponseBatchItem): string {
  const { SymmetricKey } = item.ResponsePayload as {
    SymmetricKey: { KeyBlock: { KeyValue: { value: { KeyMaterial: Uint8Array } } } }
  }
  return createHash('sha256').update(SymmetricKey.KeyBlock.KeyValue.value.KeyMaterial).digest('hex')
}

const steps = { PreActive: 'Activate', Active: 'Revoke', Deactivated: 'Destroy' } as const
const after = { PreActive: 'Active', Active: 'Deactivated', Deactivated: 'Destroyed' } as const

async function client(number: number): Promise<void> {
  const random = chance(seed * 1000 + number)
  const own: { id: string; state: keyof typeof steps }[] = []
  for (let at = 0; ; at++) {
    const [first] = own
    if (first === undefined || random(3) === 0) {
      const made = await make(`${seed}-${number}-${at}`, random(2) === 0)
      own.push({ id: made, state: 'PreActive' })
      continue
    }
    const place = random(own.length)
    const { id, state } = own[place]!
    const operation = steps[state]
    tell(`try ${id} ${after[state]}`)
    const reason = { RevocationReasonCode: 'CessationOfOperation' as const }
    const request = {
      UniqueIdentifier: id,
      ...(operation === 'Revoke' && { RevocationReason: reason }),
    }
    const [item] = await ask([[operation, request] as Ask])
    if (item!.ResultStatus !== 'Success') throw new Error(`${operation}: ${item!.ResultMessage}`)
    tell(`ok ${id} ${after[state]}`)
    own.splice(place, 1)
    if (after[state] !== 'Destroyed') own.push({ id, state: after[state] })
  }
}

async function make(data: string, isCreate: boolean): Promise<string> {
  const Attributes = tapeKey(data)
  tell(`make ${data}`)
  const KeyMaterial = createHash('sha256').update(data).digest()
  const block = { KeyFormatType: 'Raw', CryptographicAlgorithm: 'AES', CryptographicLength: 256 }
  const KeyBlock = { ...block, KeyValue: { type: 'Structure', value: { KeyMaterial } } }
  const register = { ObjectType: 'SymmetricKey', Attributes, SymmetricKey: { KeyBlock } }
  const [made, got] = await ask([
    isCreate
      ? ['Create', { ObjectType: 'SymmetricKey', Attributes }]
      : (['Register', register] as unknown as Ask),
    ['Get', {}],
  ])
  if (made!.ResultStatus !== 'Success') throw new Error(`making: ${made!.ResultMessage}`)
  const { UniqueIdentifier } = made!.ResponsePayload as { UniqueIdentifier: string }
  tell(`made ${data} ${UniqueIdentifier} ${digestIn(got!)}`)
  return UniqueIdentifier
}

await Promise.all(Array.from({ length: Number(clients) }, (_, at) => client(at)))
