// Plays scenarios: each on a stage and in a directory of its own, which are gone afterwards.

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Scenario } from './scenarios/scenario.ts'
import { Stage, type StageOptions } from './stage.ts'

/** How a scenario went. */
export interface Played {
  readonly id: string
  readonly title: string
  /** The personality it was played in. */
  readonly personality: string
  readonly milliseconds: number
  /** Absent when everything went as told. */
  readonly error?: Error
}

/** Plays one scenario; never rejects for what the scenario finds. `scratch` is a directory. */
export async function play(scenario: Scenario, options: StageOptions): Promise<Played> {
  const { id, title } = scenario
  const began = performance.now()
  const error = await onStage(options, (stage) => scenario.run(stage)).then(
    () => undefined,
    (problem: unknown) => (problem instanceof Error ? problem : new Error(String(problem))),
  )
  const milliseconds = performance.now() - began
  return { id, title, personality: options.dialect.name, milliseconds, ...(error && { error }) }
}

/** Does `work` on a stage of its own inside `scratch`. */
export async function onStage<T>(
  options: StageOptions,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(options.scratch, 'stage-'))
  const stage = new Stage({ ...options, scratch })
  try {
    return await work(stage)
  } finally {
    await stage.close()
    await rm(scratch, { recursive: true, force: true })
  }
}
