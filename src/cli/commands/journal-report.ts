// What was found in a journal, and put back, for people and programs.
import { exitStatus } from '../../errors.ts'
import type { Report } from '../command.ts'
import type { JournalFault } from '../../keystore/journal-files.ts'
import type { ReplayReport } from '../../keystore/journal-replay.ts'
import { isoMoment, moment, table, type CellValue, type Style } from '../output.ts'

/** Rows of the facts. */
export function replayFacts(report: ReplayReport): (readonly [string, CellValue])[] {
  const { journal, files, frames, last, isWhole, undone } = report
  const { objects, changes, documents, wiped, auditRecords, auditLeft } = report
  return [
    [
      'journal',
      `${journal}, ${files} files, ${frames} frames, the last of ${moment(seconds(last)) ?? 'never'}`,
    ],
    ['holds everything', isWhole ? 'yes' : 'no: only what was written since it began'],
    ['new objects', objects],
    ['changed objects', changes],
    ['documents', documents],
    ['wiped again', wiped],
    [
      'audit records',
      auditLeft === 0 ? auditRecords : `${auditRecords}, ${auditLeft} more are only in the journal`,
    ],
    ['never committed', undone === 0 ? 'nothing' : `${undone} frames, left out`],
  ]
}

/** Tables of what is wrong; nothing where all is well. */
export function replayTables({ faults, problems, doubled }: ReplayReport, style: Style): string[] {
  const faultColumns = {
    FAULT: ({ kind }: JournalFault) => kind,
    WHERE: ({ where }: JournalFault) => where,
    WHAT: ({ message }: JournalFault) => message,
  }
  const problemColumns = {
    'NOT PUT BACK': ({ subject }: ReplayReport['problems'][number]) => subject,
    WHY: ({ message }: ReplayReport['problems'][number]) => message,
  }
  const doubledColumns = { 'ANOTHER KEY HAS ITS NAME OR TAPE BY NOW': (id: string) => id }
  return [
    ...(faults.length === 0 ? [] : [table(faultColumns, faults, style, '')]),
    ...(problems.length === 0 ? [] : [table(problemColumns, problems, style, '')]),
    ...(doubled.length === 0 ? [] : [table(doubledColumns, doubled, style, '')]),
  ]
}

/** Whether something of the journal could not be read or was not believed; an end that was cut off is none. */
export function isWrong({ faults, problems }: ReplayReport): boolean {
  return problems.length > 0 || faults.some(({ kind }) => kind !== 'cut')
}

/** The exit status that says so. */
export function replayExit(report: ReplayReport | undefined): Pick<Report, 'exitStatus'> {
  return report !== undefined && isWrong(report) ? { exitStatus: exitStatus.partly } : {}
}

/** The report as JSON. */
export function replayJson(report: ReplayReport) {
  const { first, last, isWhole, ...rest } = report
  return {
    ...rest,
    whole: isWhole,
    first: isoMoment(seconds(first)),
    last: isoMoment(seconds(last)),
  }
}

function seconds(time: number | undefined): bigint | undefined {
  return time === undefined ? undefined : BigInt(time)
}
