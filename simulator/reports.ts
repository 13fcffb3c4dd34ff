// How the simulator tells what it found: lines for people, TAP, or one JSON document.

import { stripVTControlCharacters, styleText } from 'node:util'

import type { Dialect } from './dialects.ts'
import type { FleetReport } from './fleet.ts'
import type { Finding } from './path-diagnostics.ts'
import type { Played } from './play.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** Paints words where colours are wanted. */
export type Paint = (look: 'bold' | 'dim' | 'red' | 'green' | 'yellow', text: string) => string

/** Paint for a stream; plain where colours are not wanted. */
export const paintFor =
  (colour: boolean): Paint =>
  (look, text) =>
    colour ? styleText(look, text, { validateStream: false }) : text

/** One line per scenario, as soon as it has been played. */
export function playedLine({ id, title, personality, milliseconds, error }: Played, paint: Paint) {
  const name = `${id.padEnd(5)} ${personality.padEnd(12)} ${title}`
  const took = paint('dim', `${Math.round(milliseconds)} ms`)
  if (error === undefined) return `${paint('green', 'ok    ')} ${name}  ${took}`
  return `${paint('red', 'FAILED')} ${name}  ${took}\n${indented(reason(error), 7)}`
}

/** The last line of a run. */
export function playedSummary(played: readonly Played[], paint: Paint): string {
  const failed = played.filter(({ error }) => error !== undefined)
  const all = `${played.length} ${played.length === 1 ? 'scenario' : 'scenarios'}`
  if (failed.length === 0) return paint('green', `${all}, all as told`)
  return paint('red', `${all}, ${failed.length} not as told`)
}

/** One TAP test point, with a YAML block for a failure. */
export function tapPoint({ id, title, personality, milliseconds, error }: Played, n: number) {
  const name = `${id} ${personality}: ${title}`.replaceAll(/[\\#]/gu, String.raw`\$&`)
  const line = `${error === undefined ? 'ok' : 'not ok'} ${n} - ${name} # time=${milliseconds.toFixed(3)}ms`
  if (error === undefined) return line
  return `${line}\n  ---\n  message: ${JSON.stringify(reason(error))}\n  ...`
}

/** The document of `run --json`. */
export const playedJson = (played: readonly Played[]) => ({
  passed: played.filter(({ error }) => error === undefined).length,
  failed: played.filter(({ error }) => error !== undefined).length,
  scenarios: played.map(({ error, milliseconds, ...rest }) => ({
    ...rest,
    milliseconds: Math.round(milliseconds),
    passed: error === undefined,
    ...(error && { error: reason(error) }),
  })),
})

/** What `list` prints. */
export function catalogue(
  scenarios: readonly Scenario[],
  dialects: readonly Dialect[],
  paint: Paint,
): string {
  return [
    paint('bold', 'Scenarios'),
    ...scenarios.map(({ id, title }) => `  ${id.padEnd(12)} ${title}`),
    '',
    paint('bold', 'Personalities'),
    ...dialects.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`),
  ].join('\n')
}

const looks = { ok: 'green', warning: 'yellow', failed: 'red', skipped: 'dim' } as const

/** The table of `diagnose`, each remedy under its finding. */
export function findingsTable(findings: readonly Finding[], paint: Paint): string {
  const width = Math.max(...findings.map(({ server = 'library' }) => server.length))
  return findings
    .map(({ server = 'library', test, result, found, remedy }) => {
      const mark = paint(looks[result], result.padEnd(7))
      const line = `${mark} ${server.padEnd(width)}  ${test.padEnd(6)}  ${oneLine(found)}`
      return remedy === undefined ? line : `${line}\n        hint: ${remedy}`
    })
    .join('\n')
}

/** What `fleet` prints. */
export function fleetText(report: FleetReport, paint: Paint): string {
  const { libraries, cartridges, keysMade, keyRequests, latency, rate, problems } = report
  const verdict =
    problems.length === 0
      ? paint('green', 'every cartridge has a key of its own, and reads under it')
      : paint('red', `${problems.length} problems`)
  return [
    `${libraries} libraries, ${cartridges} cartridges each`,
    `${keysMade} keys made, ${keyRequests} requests for keys, ${rate.toFixed(0)} a second`,
    `a request took ${milliseconds(latency.p50)} (median), ${milliseconds(latency.p99)} (99 %), ${milliseconds(latency.longest)} (longest)`,
    verdict,
    ...problems.slice(0, 20).map((problem) => `  ${oneLine(problem)}`),
    ...(problems.length > 20 ? [`  … and ${problems.length - 20} more`] : []),
  ].join('\n')
}

const milliseconds = (value: number): string => `${value.toFixed(1)} ms`

function reason(error: Error): string {
  return stripVTControlCharacters(error.message)
}

const oneLine = (text: string): string => stripVTControlCharacters(text).replaceAll(/\s+/gu, ' ')

const indented = (text: string, columns: number): string =>
  text.replaceAll(/^/gmu, ' '.repeat(columns))
