// TAP, version 14: one line per case, differences as a YAML block.
import type { Outcome } from './play.ts'

/** The first lines: what is run, and what this release leaves out. */
export function tapHeader(count: number, comments: readonly string[]): string {
  return ['TAP version 14', ...comments.map((text) => `# ${text}`), `1..${count}`, ''].join('\n')
}

/** The lines of one case. */
export function tapLines(number: number, { name, differences }: Outcome): string {
  if (differences.length === 0) return `ok ${number} - ${name}\n`
  const block = differences.map((difference) => `    - ${JSON.stringify(difference)}`)
  return [`not ok ${number} - ${name}`, '  ---', '  differences:', ...block, '  ...', ''].join('\n')
}

/** The last line. */
export function tapFooter(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ differences }) => differences.length > 0).length
  return `# ${outcomes.length - failed} of ${outcomes.length} cases conform\n`
}
