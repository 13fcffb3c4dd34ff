// A keystore that is lost altogether: a journal that held everything once is enough to make it anew, since it has
// the identity of the keystore and the wrapped secrets of its epochs.
import { UserError } from '../errors.ts'
import type { StoreDescription } from './describe-store.ts'
import { readJournal } from './journal-files.ts'
import type { JournalSurvey } from './journal-survey.ts'
import { surveyJournal } from './journal-survey.ts'
import { migrate } from './migrate.ts'
import { sqlStorage } from './sql-storage.ts'
import type { SqlDriver, WrapRow } from './storage.ts'

/** A keystore that was not opened. */
type Description = Omit<StoreDescription, 'schema'>

/** Surveys a journal that is to become a keystore. Throws UserError for one that never held everything. */
export async function demandWhole(path: string): Promise<JournalSurvey> {
  const survey = await surveyJournal(path, undefined)
  if (survey.isWhole) return survey
  if (survey.begins.length > 0) {
    throw new UserError(
      'journal-pruned',
      `${path}: the first files of this journal were removed: what they held is in a backup`,
      'restore one made since, with it:  keyreel backup restore FILE --journal DIR',
    )
  }
  throw new UserError(
    'journal-partial',
    `${path}: this journal never held the whole keystore: its server had not brought it up to date`,
    'restore a backup, with it:  keyreel backup restore FILE --journal DIR',
  )
}

/** Makes an empty database the keystore of that journal, still without objects. */
export async function beginFromJournal(
  path: string,
  { store }: JournalSurvey,
  driver: SqlDriver,
  where: string,
): Promise<void> {
  await migrate(driver, where)
  const wraps = await wrapsIn(path, store)
  await sqlStorage(driver).write(async (rows) => {
    await rows.putSetting('store', store)
    for (const wrap of wraps) await rows.putWrap(wrap)
  })
}

/** What can be said about the keystore of a journal without its master key. Throws UserError. */
export async function describeJournal(path: string): Promise<Description> {
  const { store: id } = await demandWhole(path)
  const wraps = await wrapsIn(path, id)
  return { id, wraps, providers: [...new Set(wraps.map(({ provider }) => provider))] }
}

/** Every wrap in it, the last of each epoch and provider. */
async function wrapsIn(path: string, store: string): Promise<readonly WrapRow[]> {
  const wraps = new Map<string, WrapRow>()
  for await (const item of readJournal(path, store)) {
    if (item.kind !== 'frame') continue
    for (const entry of item.frame.entries)
      if (entry.kind === 'wrap') wraps.set(`${entry.row.epoch} ${entry.row.provider}`, entry.row)
  }
  return [...wraps.values()]
}
