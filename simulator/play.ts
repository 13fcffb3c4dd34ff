// Plays scenarios: each on a stage and in a directory of its own, which are gone afterwards.

import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Scenario } from './scenarios/scenario.ts'
import { Stage, type StageOptions } from './stage.ts'
import { explainedProblem } from './why-failed.ts'

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
  const error = await onStage(options, async (stage) => {
    const problem = await problemOf(scenario.run(stage))
    return problem && explainedProblem(stage, problem)
  }).catch(asError)
  const milliseconds = performance.now() - began
  return { id, title, personality: options.dialect.name, milliseconds, ...(error && { error }) }
}

/**
 * What a story ended with; undefined when it went as told. Also what it left unhandled, and that it waits for
 * something that cannot come any more: the scenarios after it are to be played all the same.
 */
async function problemOf(story: Promise<void>): Promise<Error | undefined> {
  const { promise: stray, resolve } = Promise.withResolvers<Error>()
  const unhandled = (problem: unknown) => resolve(asError(problem))
  const idle = () => resolve(new Error('the scenario waits for something that never comes'))
  process.on('unhandledRejection', unhandled)
  process.on('beforeExit', idle)
  try {
    return await Promise.race([story.then(() => undefined, asError), stray])
  } finally {
    process.off('unhandledRejection', unhandled)
    process.off('beforeExit', idle)
  }
}

const asError = (problem: unknown): Error =>
  problem instanceof Error ? problem : new Error(String(problem))

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
