// Every file of scripts/ is a suite of command lines with what they must print and end with.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'vitest'
import { testScripts } from './script.ts'

const folder = join(import.meta.dirname, 'scripts')

for (const file of readdirSync(folder).toSorted()) {
  describe(file, () => testScripts(join(folder, file)))
}
