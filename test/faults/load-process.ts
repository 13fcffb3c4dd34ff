// A process that serves its own load and may be killed at any moment, also by itself at a failpoint. Every
// line it prints is true when it is printed. Arguments: data directory, seed, clients, failpoint or `none`, how
// many times the point is passed first, URLs of the database unless it is the file in the directory.
import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { openDatabase } from '../../src/keystore/database.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import type { SqlDriver, SqlSession } from '../../src/keystore/storage.ts'
import { nodeName, openStore } from '../../src/keystore/store.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  type Ask,
} from '../fixtures/responder.ts'
import type { Failpoint } from './failpoints.ts'
import { runLoad } from './load.ts'

const [directory, seedText, clients, failpoint, passes, ...database] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
  ...string[],
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
    copies: (relied) => sql.copies(relied),
    othersVersion: () => sql.othersVersion(),
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
const driver = withFailpoints(await openDatabase({ directory, database }))
const masterKey = openMasterKeyFile(join(directory, 'master.key'))
const writer = database.length > 0 ? `serve@${nodeName({ directory })}` : 'serve'
const store = await openStore({ driver, masterKey, writer })
tell(`open ${Math.round(performance.now() - opening)}`)
// Those that die leave nothing for the next process otherwise.
flushCompileCache()

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

await runLoad({ seed, clients: Number(clients), ask, tell })
