/**
 * Loaded into a program before it starts (`node --import`): when the program ends, what it has used is
 * written as JSON to the file that the environment names.
 */
import { writeFileSync } from 'node:fs'

/** Seconds of processor time, and the most memory it had at once, in bytes. */
export interface Usage {
  processor: number
  memory: number
}

/** The variable that names the file. */
export const usageVariable = 'KEYREEL_BENCH_USAGE'

const file = process.env[usageVariable]
if (file !== undefined)
  process.once('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const usage: Usage = { processor: (userCPUTime + systemCPUTime) / 1e6, memory: maxRSS * 1024 }
    writeFileSync(file, JSON.stringify(usage))
  })
