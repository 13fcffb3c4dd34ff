// Plays pages against real servers, one after the other, and compares what their commands print with
// what they show.
import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Test } from 'tap'
import { looksLike, stepsOf } from './page.ts'
import { withoutPostgres } from '../fixtures/postgres.ts'
import { saidDatabase, Stage } from './stage.ts'

const root = resolve(import.meta.dirname, '../..')

/** One subtest per page; KEYREEL_DOCS_PAGE names the only ones to play. */
export async function playPages(t: Test, pages: readonly string[]): Promise<void> {
  const wanted = process.env['KEYREEL_DOCS_PAGE'] ?? ''
  for (const page of pages.filter((name) => name.includes(wanted))) {
    const text = await readFile(join(root, page), 'utf8')
    const cannot = text.includes(saidDatabase) && withoutPostgres()
    const options = cannot ? { skip: 'no PostgreSQL is installed here' } : {}
    await t.test(`the commands of ${page} do what it says`, options, (t) => playPage(t, page))
  }
}

async function playPage(t: Test, page: string): Promise<void> {
  const steps = stepsOf(await readFile(join(root, page), 'utf8'))
  await using stage = await Stage.open({ throughNpx: page === 'README.md' })
  for (const step of steps) {
    const { status, output } = await stage.play(step)
    const place = `${page}:${step.line}`
    const expected = 'status' in step ? step.status : 0
    if (!t.equal(status, expected, `${place} ends with ${expected}`, { output })) return
    if ('shown' in step && step.shown !== undefined) {
      const shown = step.shown.join('\n')
      t.ok(looksLike(output, step.shown), `${place} prints what is shown`, { shown, output })
    }
  }
  if (steps.length === 0) t.pass('has no commands to run')
}
