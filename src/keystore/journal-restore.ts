// A keystore that is lost altogether: a journal that held everything once is enough to make it anew, since it has
// the identity of the keystore and the wrapped secrets of its epochs.
import { UserError } from '../errors.ts'
import { readJournal } from './journal-files.ts'
import type { JournalSurvey } from './journal-survey.ts'
import { surveyJournal } from './journal-survey.ts'
import { migrate } from './migrate.ts'
import { sqlStorage } from './sql-storage.ts'
import type { SqlDriver, WrapRow } from './storage.ts'

/** Surveys a journal that is to become a keystore. Throws UserError for one that never held everything. */
export async function demandWhole(path: string): Promise<JournalSurvey> {
  const survey = await surveyJournal(path, undefined)
  if (survey.isWhole) return survey
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
  const wraps = new Map<string, WrapRow>()
  for await (const item of readJournal(path, store)) {
    if (item.kind !== 'frame') continue
    for (const entry of item.frame.entries)
      if (entry.kind === 'wrap') wraps.set(`${entry.row.epoch} ${entry.row.provider}`, entry.row)
  }
  await sqlStorage(driver).write(async (rows) => {
    await rows.putSetting('store', store)
    for (const wrap of wraps.values()) await rows.putWrap(wrap)
  })
}
