// The full disk in a process of its own, under which a library makes its folder small. Prints what it has
// found. Arguments: folder, operations, seed.
import { fillAgainAndAgain } from './full-disk.ts'
import { chance } from './ground.ts'

const [disk, operations, seed] = process.argv.slice(2) as [string, string, string]
const say = (line: string): void => void process.stderr.write(`${line}\n`)
const outcome = await fillAgainAndAgain(disk, Number(operations), chance(Number(seed)), say)
process.stdout.write(JSON.stringify(outcome))
