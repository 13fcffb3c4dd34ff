// Which cases run: all but those that this release does not pass yet, or those named; the rest is counted.
import { access } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UserError, exitStatus } from '../../src/errors.ts'
import { findCases, type CaseFile } from './case-files.ts'
import { pending } from './pending.ts'

/** Cases of our own making; they always run. */
const own = resolve(import.meta.dirname, '../vectors/profiles')

/** The variable that names a folder of published OASIS cases. */
const folderVariable = 'KEYREEL_OASIS_CASES'

/** What to run, and what is left out. */
export interface Selection {
  readonly cases: readonly CaseFile[]
  /** Cases that are not run, since this release does not pass them yet. */
  readonly outside: readonly CaseFile[]
  readonly folders: readonly string[]
}

/**
 * Finds the cases. `only` picks cases by name or family, also pending ones. Throws UserError when a folder is absent or `only` picks nothing.
 */
export async function selectCases(options: {
  readonly folders?: readonly string[]
  readonly only?: readonly string[]
  readonly env?: NodeJS.ProcessEnv
}): Promise<Selection> {
  const { folders: further = [], only = [], env = process.env } = options
  const published = env[folderVariable]
  const folders = [own, ...(published ? [resolve(published)] : []), ...further]
  for (const folder of folders) await mustExist(folder, published)

  const found = await findCases(folders)
  if (only.length > 0) {
    const cases = found.filter(({ name, family }) => only.includes(name) || only.includes(family))
    if (cases.length > 0) return { cases, outside: [], folders }
    throw new UserError(
      'no-such-case',
      `no case and no family is named ${only.join(', ')}`,
      `look in ${folders.join(', ')}; names are like TL-M-3-14, families like TL-M`,
      { exitStatus: exitStatus.usage },
    )
  }
  const runs = ({ name }: CaseFile): boolean => !pending.has(name)
  return {
    cases: found.filter(runs),
    outside: found.filter((file) => !runs(file)),
    folders,
  }
}

async function mustExist(folder: string, published: string | undefined): Promise<void> {
  try {
    await access(folder)
  } catch (cause) {
    const named = published !== undefined && resolve(published) === folder
    throw new UserError(
      'no-such-folder',
      `${named ? `${folderVariable} names ${folder}, which` : folder} is not there`,
      named ? `unset ${folderVariable} to run only our own cases` : 'name a folder of cases',
      { exitStatus: exitStatus.usage, cause },
    )
  }
}
