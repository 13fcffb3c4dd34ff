// Plays cases as assertions of a tap test, one each.
import type { Test } from 'tap'
import type { CaseFile } from './case-files.ts'
import { conform } from './conform.ts'
import type { Form } from './https-connection.ts'
import type { Target } from './target.ts'
import { judge } from './verdict.ts'

/** Plays the cases in the form that each is published for, or all in one. */
export async function playAll(
  t: Test,
  cases: readonly CaseFile[],
  target: Target,
  form?: Form,
): Promise<void> {
  let exceptions = 0
  for await (const outcome of conform(cases, target, form)) {
    const { name, result, differences, exception } = judge(outcome)
    const said = exception ? ` exception: ${exception.why} (${exception.clause})` : ''
    t.not(result, 'fails', `${name}${said}`, { differences })
    if (result === 'exception') exceptions++
  }
  t.comment(`cannot pass as published, and differ as exceptions.ts says: ${exceptions}`)
}
