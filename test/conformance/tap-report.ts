// TAP, version 14: one line per case, differences as a YAML block.
import type { Verdict } from './verdict.ts'

/** The first lines: what is run, and what this release leaves out. */
export function tapHeader(count: number, comments: readonly string[]): string {
  return ['TAP version 14', ...comments.map((text) => `# ${text}`), `1..${count}`, ''].join('\n')
}

/** The lines of one case. An exception is ok, and says that it is one. */
export function tapLines(number: number, verdict: Verdict): string {
  const { name, result, differences, exception } = verdict
  const point = `${result === 'fails' ? 'not ok' : 'ok'} ${number} - ${name}`
  if (result === 'conforms') return `${point}\n`
  const said = exception ? ` exception: ${exception.why} (${exception.clause})` : ''
  const block = differences.map((difference) => `    - ${JSON.stringify(difference)}`)
  return [`${point}${said}`, '  ---', '  differences:', ...block, '  ...', ''].join('\n')
}

/** The last line; exceptions do not count as conforming. */
export function tapFooter(verdicts: readonly Verdict[]): string {
  const count = (result: Verdict['result']): number =>
    verdicts.filter((verdict) => verdict.result === result).length
  const exceptions = count('exception')
  const excepted = exceptions === 0 ? '' : `, and ${exceptions} differ as exceptions.ts says`
  return `# ${count('conforms')} of ${verdicts.length} cases conform${excepted}\n`
}
