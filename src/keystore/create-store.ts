// Makes an empty database a store: schema, identity, first epoch, first audit chain.
import { randomUuid } from '../crypto/primitives/random.ts'
import { UserError } from '../errors.ts'
import { beginAudit } from './audit.ts'
import type { MasterKey } from './master-key.ts'
import { migrate, schemaOf } from './migrate.ts'
import { Sealing } from './sealing.ts'
import { sqlStorage } from './sql-storage.ts'
import type { SqlDriver } from './storage.ts'

/** What a new store is made of; `chain` is its first audit chain, `where` names the database in errors. */
export interface NewStore {
  readonly driver: SqlDriver
  readonly masterKey: MasterKey
  readonly now: () => bigint
  readonly chain?: string
  readonly where?: string
}

/** Makes the store. Throws UserError 'initialised' when the database already holds one. */
export async function createStore({
  driver,
  masterKey,
  now,
  chain = 'serve',
  where = 'the database',
}: NewStore): Promise<void> {
  if ((await schemaOf(driver)) > 0) throw alreadyInitialised(where)
  await migrate(driver, where)
  const store = randomUuid()
  const sealing = new Sealing(store, masterKey)
  const wraps = await sealing.nextEpoch()
  await sealing.learn(wraps)
  await sqlStorage(driver).write(async (rows) => {
    await rows.putSetting('store', store)
    for (const wrap of wraps) await rows.putWrap(wrap)
    await beginAudit(rows, sealing, chain, now(), store)
  })
}

/** The refusal to make a store where there is one. */
export function alreadyInitialised(where: string): UserError {
  return new UserError(
    'initialised',
    `${where} is already initialised`,
    'start the server with `keyreel serve`, or name another data directory with --data',
  )
}
