// Which files of a journal a backup makes unnecessary: those of which the keystore that was restored from it lacks
// nothing, row by row. Records alone would not tell: a file may hold rows as they stood later than its records.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncDirectory } from '../durable-files.ts'
import { journalFilesIn } from './journal-files.ts'
import type { ReplayReport } from './journal-replay.ts'
import { surveyJournal } from './journal-survey.ts'
import type { Store } from './store.ts'
import type { AuditActor } from './work.ts'

/**
 * Names of the files, from the first on, of which `copy` lacks nothing; never the newest, nor one that is damaged or
 * comes after such a one. Throws UserError for a journal that is foreign or cannot be read.
 */
export async function coveredFiles(
  copy: Pick<Store, 'id' | 'replayJournal'>,
  path: string,
  actor: AuditActor,
): Promise<readonly string[]> {
  const files = await journalFilesIn(path)
  const { undone } = await surveyJournal(path, copy.id)
  const covered: string[] = []
  for (const file of files.slice(0, -1)) {
    const report = await copy.replayJournal({ path, file, undone, apply: false, actor })
    if (!isCovered(report)) break
    covered.push(file)
  }
  return covered
}

/** Removes files, the first one first: cut off in between, those that are left still follow on each other. */
export async function removeFiles(path: string, files: readonly string[]): Promise<void> {
  for (const file of files) await rm(join(path, file))
  await syncDirectory(path)
}

function isCovered(report: ReplayReport): boolean {
  const { objects, changes, documents, wiped, auditRecords, auditLeft } = report
  if (objects + changes + documents + wiped + auditRecords + auditLeft > 0) return false
  return report.problems.length === 0 && report.faults.every(({ kind }) => kind === 'cut')
}
