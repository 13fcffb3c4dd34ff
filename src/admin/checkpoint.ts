// Checkpoints: the heads of the audit chains, signed by the server and kept in a file outside the data
// directory. With them a start or a verification notices that the whole store was put back to an earlier
// day, or its end cut off; and whoever keeps one can show that the server has said so.
import { readFile, stat } from 'node:fs/promises'
import { z } from 'zod'
import type { Certificate } from '../crypto/certificates.ts'
import { hasSigned, type Signer } from '../crypto/detached-signatures.ts'
import { replaceFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'

const checkpointFile = z.object({
  /** Identity of the store the heads belong to. */
  store: z.string(),
  /** Seconds since 1970. */
  time: z.number(),
  chains: z.array(z.object({ chain: z.string(), number: z.number(), mac: z.string() })),
  /** SHA-256 of the signer's SubjectPublicKeyInfo; absent in files of older releases, with the signature. */
  signer: z.string().optional(),
  /** Over {@link checkpointText}, base64. */
  signature: z.string().optional(),
})

/** What a checkpoint file holds. */
export type CheckpointFile = z.output<typeof checkpointFile>

/** What of a checkpoint is signed. */
export type CheckpointHeads = Pick<CheckpointFile, 'store' | 'time' | 'chains'>

/** The text that is signed: one line each for what it is, the store, the time and every chain, by name. */
export function checkpointText({ store, time, chains }: CheckpointHeads): string {
  const inOrder = chains.toSorted((a, b) => (a.chain < b.chain ? -1 : 1))
  const lines = inOrder.map(
    ({ chain, number, mac }) => `chain ${JSON.stringify(chain)} ${number} ${mac}`,
  )
  return ['keyreel checkpoint 1', `store ${store}`, `time ${time}`, ...lines, ''].join('\n')
}

/** The checkpoint with its signature. */
export function signCheckpoint(heads: CheckpointHeads, { pin, sign }: Signer): CheckpointFile {
  const signature = Buffer.from(sign(checkpointText(heads))).toString('base64')
  return { ...heads, signer: pin, signature }
}

/**
 * Reads a checkpoint file; undefined when there is none yet. With the server's identity a signature that
 * does not fit is refused.
 * @throws UserError when it is no checkpoint, that of another store, or one that was changed
 */
export async function readCheckpoint(
  path: string,
  store: string,
  identity: Certificate | undefined,
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
      'name the file that an earlier  keyreel audit verify --checkpoint FILE  or the server has written',
    )
  }
  if (checkpoint.store !== store) {
    throw new UserError(
      'other-checkpoint',
      `${path} is the checkpoint of another keystore (${checkpoint.store})`,
      'keep one checkpoint file for each data directory',
    )
  }
  const { signature } = checkpoint
  const isWhole =
    signature === undefined ||
    identity === undefined ||
    hasSigned(identity, checkpointText(checkpoint), Buffer.from(signature, 'base64'))
  if (isWhole) return checkpoint
  throw new UserError(
    'checkpoint-changed',
    `${path} was changed since this server signed it`,
    'find out who may write there; move the file away to begin a new one',
  )
}

/** Writes a checkpoint, whole or not at all, and on the disk when it returns. */
export async function writeCheckpoint(path: string, checkpoint: CheckpointFile): Promise<void> {
  await replaceFile(path, `${JSON.stringify(checkpoint, undefined, 2)}\n`)
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
