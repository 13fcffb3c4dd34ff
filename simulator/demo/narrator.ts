// How the demo talks: numbered steps, a few lines each, and what each step has proven.

import { stripVTControlCharacters } from 'node:util'

import { paintFor } from '../reports.ts'

/** What a step is told with. */
export interface Narrator {
  /** Opens the next numbered step. */
  step(title: string): void
  /** A command as a person would type it. */
  command(line: string): void
  /** What happens. */
  tell(line: string): void
  /** What has just been checked and found true. */
  proven(line: string): void
  /** Output of a command, as it stands. */
  show(text: string): void
}

/** A narrator that writes to `print`, and counts what it told. */
export function narrator(
  print: (line: string) => void,
  colour: boolean,
): Narrator & { readonly steps: number; readonly proofs: number } {
  const paint = paintFor(colour)
  let steps = 0
  let proofs = 0
  return {
    get steps() {
      return steps
    },
    get proofs() {
      return proofs
    },
    step(title) {
      steps += 1
      print(`\n${paint('bold', `${steps}. ${title}`)}`)
    },
    command: (line) => print(paint('dim', `   $ ${line}`)),
    tell: (line) => print(`   ${line}`),
    proven(line) {
      proofs += 1
      print(`   ${paint('green', '✓')} ${line}`)
    },
    show(text) {
      const lines = stripVTControlCharacters(text).split('\n')
      for (const line of lines) print(`   ${paint('dim', '│')} ${line}`.trimEnd())
    },
  }
}
