// How the short forms are run inside the test suite.
import { expect } from 'vitest'
import { figuresText, type Outcome, type Plan } from './ground.ts'

const plan: Plan = { form: 'short', seed: 20_261_128, say: () => undefined }

/** Nothing has gone wrong, and these figures show that something was done. */
export async function expectSound(
  run: (plan: Plan) => Promise<Outcome>,
  least: Readonly<Record<string, number>>,
): Promise<void> {
  const { figures, failures } = await run(plan)
  process.stdout.write(`${run.name}: ${figuresText(figures)}\n`)
  expect(failures).toEqual([])
  for (const [name, figure] of Object.entries(least))
    expect(figures[name], name).toBeGreaterThanOrEqual(figure)
}
