// Makes a data directory out of a backup, a journal or both, and recovery shares: keys, clients, CA and certificates
// as they were, under a new master key. Whole or not at all.
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { administrator } from './access/documents.ts'
import { UserError } from './errors.ts'
import { fillFrom, type OpenBackup } from './exchange/backup-file.ts'
import { verified, type BackupVerified } from './exchange/backup-verify.ts'
import { placeOf, writeSettings } from './initialise.ts'
import type { Problem } from './keystore/audit-chain-walk.ts'
import type { JournalSurvey } from './keystore/journal-survey.ts'
import { beginFromJournal, demandWhole } from './keystore/journal-restore.ts'
import type { ReplayReport } from './keystore/journal-replay.ts'
import { initialiseStore } from './keystore/initialise.ts'
import {
  makeMasterKey,
  masterKeyFile,
  type MasterKeyPlace,
  type MasterKeyWish,
} from './keystore/master-key-choice.ts'
import { newPassphraseProvider, passphraseMasterKey } from './keystore/master-key-passphrase.ts'
import { rotateMasterKey } from './keystore/master-key-rotation.ts'
import type { MasterKey } from './keystore/master-key.ts'
import type { Store } from './keystore/store.ts'

/** What is restored, and how. */
export interface RestoreOptions {
  /** Without one the journal has to hold everything. */
  readonly backup: OpenBackup | undefined
  /** Folder of a journal, whose newer rows are put back as well. */
  readonly journal: string | undefined
  readonly data: string
  /** URLs of an empty PostgreSQL; absent: a file in the directory. */
  readonly database: readonly string[] | undefined
  readonly node: string | undefined
  /** What opens what is restored, such as the master key of the recovery shares; taken over. */
  readonly recovered: MasterKey
  /** The master key that opens it from now on: another, or the same. */
  readonly masterKey: MasterKeyWish | KeptMasterKey
  /** Whether what is whole comes back although other things in it are damaged. */
  readonly acceptDamage?: boolean
  readonly now: () => bigint
}

/** The master key that opened it stays. */
export interface KeptMasterKey {
  readonly kind: 'kept'
  readonly as: MasterKeyPlace
}

/** What came back. */
export interface Restored extends BackupVerified {
  readonly directory: string
  /** Where the new master key is, for people. */
  readonly masterKeyPlace: string
  /** Path of the key file, or the kind of another master key. */
  readonly masterKeyName: string
  /** What came back from the journal. */
  readonly replay: ReplayReport | undefined
}

/**
 * Restores and verifies before anything is there. Throws UserError 'initialised', 'directory-in-use', or
 * 'backup-damaged' when what came back is not whole.
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { backup, journal, recovered, masterKey, database, node, now } = options
  const wish = masterKey.kind === 'kept' ? masterKey.as : masterKey
  const survey = backup === undefined ? await surveyed(journal ?? '', recovered) : undefined
  const directory = resolve(options.data)
  const outside = wish.kind === 'file' && wish.path !== undefined ? resolve(wish.path) : undefined
  const found = outside !== undefined && existsSync(outside)
  let result: BackupVerified | undefined
  let replay: ReplayReport | undefined
  await initialiseStore({
    directory,
    database,
    node,
    now,
    masterKey(_, isThere) {
      if (isThere) throw databaseInUse()
      return recovered
    },
    make: (driver, where) =>
      survey === undefined
        ? fillFrom(backup!, driver, where)
        : beginFromJournal(journal!, survey, driver, where),
    // A chain of its own: the ends of the others are those of the backup, which its first record names.
    writer: 'restore',
    async fill(store, building) {
      // Before anything is recorded here: the chains of the journal go on where those of the backup end.
      if (journal !== undefined)
        replay = await store.replayJournal({ path: journal, apply: true, actor: administrator })
      result = await verified(store)
      const [first] = result.problems
      if (first !== undefined && options.acceptDamage !== true)
        throw damaged(result.problems.length, first, backup !== undefined)
      const heads = await store.auditHeads()
      await store.act((work) => {
        const details = {
          ...(backup && { digest: backup.digest, created: Number(backup.manifest.CreationDate) }),
          ...(replay && { journal: replay.journal }),
          heads: heads.map(({ chain, number }) => ({ chain, number })),
          ...(first && { damaged: subjectsOf(result?.problems ?? []) }),
        }
        const operation = backup === undefined ? 'journal restore' : 'backup restore'
        const record = { actor: administrator, operation, details }
        work.audit({ ...record, object: backup?.manifest.ExportIdentifier, outcome: 'Success' })
        return Promise.resolve()
      })
      if (masterKey.kind === 'kept') await store.retireOthers(store.lendMasterKey(), administrator)
      else await putInPlace(store, masterKey, building)
      writeSettings(building, wish, database)
    },
    undo() {
      if (outside !== undefined && !found) rmSync(outside, { force: true })
    },
  })
  if (result === undefined) throw new Error('the backup was restored without being verified')
  const path = outside ?? join(directory, masterKeyFile)
  const masterKeyName = wish.kind === 'file' ? path : wish.kind
  const { objects, documents, problems } = result
  const masterKeyPlace = placeOf(wish, path)
  return { directory, objects, documents, problems, masterKeyPlace, masterKeyName, replay }
}

/** Another master key instead of what opened it. */
async function putInPlace(store: Store, wish: MasterKeyWish, building: string): Promise<void> {
  // Wraps by the passphrase of before are there under its name: they would stay what opens it.
  const masterKey =
    wish.kind === 'passphrase'
      ? passphraseMasterKey(wish.passphrase, undefined, newPassphraseProvider())
      : await makeMasterKey(wish, building)
  try {
    await rotateMasterKey(store, { masterKey, takePlace: () => undefined }, administrator)
  } finally {
    masterKey.close()
  }
}

async function surveyed(journal: string, recovered: MasterKey): Promise<JournalSurvey> {
  try {
    return await demandWhole(journal)
  } catch (error) {
    recovered.close()
    throw error
  }
}

function databaseInUse(): UserError {
  return new UserError(
    'initialised',
    'the database holds a keystore already',
    'name an empty database with --database, or none',
  )
}

/** So many of them are named in the record; verification names all. */
const mostNamed = 100

function subjectsOf(problems: readonly Problem[]): string[] {
  return problems.slice(0, mostNamed).map(({ subject }) => subject)
}

function damaged(count: number, { subject, message }: Problem, isBackup: boolean): UserError {
  const what = count === 1 ? '1 problem' : `${count} problems, the first`
  const partly = '; when there is none, --accept-damage brings back what is whole'
  return new UserError(
    'backup-damaged',
    `what came back is not whole: ${what}: ${subject}: ${message}`,
    `take an earlier backup${isBackup ? partly : ''}; nothing was made`,
  )
}
