// What an outcome means: the case conforms, it is an exception that differs as its row says, or it fails.
import { exceptions, type Exception } from './exceptions.ts'
import type { Outcome } from './play.ts'

/** The outcome of a case, judged. */
export interface Verdict {
  readonly name: string
  readonly result: 'conforms' | 'exception' | 'fails'
  readonly differences: readonly string[]
  /** The row, for an exception. */
  readonly exception?: Exception
}

/** Judges an outcome by the table of exceptions. */
export function judge(
  { name, differences }: Outcome,
  rows: readonly Exception[] = exceptions,
): Verdict {
  const exception = rows.find((row) => row.case === name)
  if (exception === undefined) {
    return { name, result: differences.length === 0 ? 'conforms' : 'fails', differences }
  }
  if (differences.length === 0) {
    const stale = `it is listed in exceptions.ts, but conforms: take its row out`
    return { name, result: 'fails', differences: [stale] }
  }
  const { differences: allowed } = exception
  const isAsSaid =
    differences.length === allowed.length &&
    differences.every((difference, at) => patternOf(allowed[at] ?? '').test(difference))
  if (isAsSaid) return { name, result: 'exception', differences, exception }
  return { name, result: 'fails', differences }
}

function patternOf(text: string): RegExp {
  return new RegExp(`^${text.split('…').map(RegExp.escape).join('.*')}$`, 'su')
}
