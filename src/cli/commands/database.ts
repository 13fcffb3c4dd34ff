// `keyreel database move`: from the file of the data directory into PostgreSQL.
import { administrator } from '../../access/documents.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { contentsCheck } from '../../keystore/contents-check.ts'
import { openMasterKey } from '../../keystore/master-key-choice.ts'
import type { MasterKey } from '../../keystore/master-key.ts'
import { moveStore, type MoveReport } from '../../keystore/move-store.ts'
import type { MovedTable } from '../../keystore/move-tables.ts'
import { openPostgres } from '../../keystore/postgres-driver.ts'
import { machineName } from '../../keystore/node-identity.ts'
import { openStore, type Store } from '../../keystore/store.ts'
import type { Work } from '../../keystore/work.ts'
import { command, list } from '../command.ts'
import type { Report } from '../command.ts'
import { keystoreExits, masterKeySources } from '../keystore-session.ts'
import { pairs, table } from '../output.ts'
import type { Style } from '../output.ts'
import { progress } from '../progress.ts'

export const databaseMove = command({
  words: 'database move',
  summary: 'move the keystore from its file into PostgreSQL',
  details:
    'The server must be stopped. Every row is copied as it is, compared by its digest and verified with ' +
    'the master key; only then the settings name the database and the file gets another name. What was ' +
    'cut off goes on when the command is run again. The database must be empty.',
  options: {
    to: list('URL', 'postgres://USER@HOST/NAME; may repeat for a primary and its standbys'),
  },
  exits: keystoreExits,
  examples: [
    'database move --to postgres://keyreel@db.example.org/keyreel',
    'database move --to postgres://keyreel@db1/keyreel --to postgres://keyreel@db2/keyreel --node kms-a',
  ],
  async run({ options: { to }, context }) {
    if (to.length === 0) throw needsTarget()
    const { data, node = machineName() } = context.config
    const masterKey = await openMasterKey(
      { ...context.config, database: undefined },
      masterKeySources(context),
    )
    const reporting = progress(context, 'rows', undefined)
    let rows = 0
    let copy: Store | undefined
    try {
      const moved = await moveStore({
        directory: data,
        urls: to,
        node,
        step: (more) => reporting.step((rows += more)),
        async verify() {
          copy = await openCopy(masterKey, to, node, context.io.now)
          await demandSound(copy)
        },
      })
      await copy?.act((work) => record(work, moved.database, node))
      return movedReport(moved, node, context.style)
    } finally {
      reporting.end()
      await copy?.close()
      masterKey.close()
    }
  },
})

/** Opens the copy; the master key is closed with it. */
async function openCopy(
  masterKey: MasterKey,
  urls: readonly string[],
  node: string,
  now: () => bigint,
): Promise<Store> {
  const driver = await openPostgres({ urls })
  return openStore({ driver, masterKey, writer: `cli@${node}`, now, whileMoving: true })
}

async function demandSound(store: Store): Promise<void> {
  const { problems } = await store.auditVerify({ contents: contentsCheck })
  const [first] = problems
  if (first !== undefined) throw unsound(first.subject, first.message)
}

function record(work: Work, to: string, node: string): Promise<void> {
  const details = { to, node }
  work.audit({ actor: administrator, operation: 'Database Moved', outcome: 'Success', details })
  return Promise.resolve()
}

function movedReport({ tables, database, left }: MoveReport, node: string, style: Style): Report {
  const facts = pairs(
    [
      ['keystore', database],
      ['node', node],
      ['was in', `${left}; remove it once a backup of the database is verified`],
    ],
    style,
  )
  const columns = {
    TABLE: (row: MovedTable) => row.table,
    ROWS: (row: MovedTable) => row.rows,
    'SHA-256': (row: MovedTable) => row.digest,
  }
  const copied = table(columns, tables, style, 'everything had been copied before')
  return { json: { database, node, left, tables }, text: `${facts}\n\n${copied}` }
}

function unsound(subject: string, message: string): UserError {
  return new UserError(
    'move-unsound',
    `the keystore is not sound: ${subject}: ${message}`,
    'see what is wrong where it was:  keyreel audit verify ; nothing was changed there',
  )
}

function needsTarget(): UserError {
  return new UserError(
    'usage',
    'database move wants to know where to',
    'keyreel database move --to postgres://USER@HOST/NAME',
    { exitStatus: exitStatus.usage },
  )
}
