// Checkpoints: the heads of the audit chains, kept in a file outside the data directory. With them a
// verification notices that the whole store was put back to an earlier day, or its end cut off.
import { readFile, rename, stat, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { UserError } from '../errors.ts'

const checkpointFile = z.object({
  /** Identity of the store the heads belong to. */
  store: z.string(),
  /** Seconds since 1970. */
  time: z.number(),
  chains: z.array(z.object({ chain: z.string(), number: z.number(), mac: z.string() })),
})

/** What a checkpoint file holds. */
export type CheckpointFile = z.output<typeof checkpointFile>

/**
 * Reads a checkpoint file; undefined when there is none yet.
 * @throws UserError when it is no checkpoint, or that of another store
 */
export async function readCheckpoint(
  path: string,
  store: string,
): Promise<CheckpointFile | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const checkpoint = parse(text)
  if (checkpoint === undefined) {
    throw new UserError(
      'not-a-checkpoint',
      `${path} is not a checkpoint file`,
      'name the file that an earlier  keyreel audit verify --checkpoint FILE  has written',
    )
  }
  if (checkpoint.store === store) return checkpoint
  throw new UserError(
    'other-checkpoint',
    `${path} is the checkpoint of another keystore (${checkpoint.store})`,
    'keep one checkpoint file for each data directory',
  )
}

/** Writes the heads, whole or not at all. */
export async function writeCheckpoint(path: string, checkpoint: CheckpointFile): Promise<void> {
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, `${JSON.stringify(checkpoint, undefined, 2)}\n`, { mode: 0o600 })
  await rename(temporary, path)
}

/** When a checkpoint file was last written, in seconds since 1970; undefined when it is not there. */
export async function checkpointAge(path: string): Promise<bigint | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return found === undefined ? undefined : BigInt(Math.floor(found.mtimeMs / 1000))
}

function parse(text: string): CheckpointFile | undefined {
  try {
    return checkpointFile.safeParse(JSON.parse(text)).data
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
