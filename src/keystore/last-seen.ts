// What a node has seen of its database, in a file of its data directory: how far the turns and the audit
// chains had come. A node that starts again refuses a database that has fallen behind that: a standby that
// lacked something and was promoted, or a copy of an earlier day that was put back.
// The file is signed with a MAC of the keystore, over its text without that MAC.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { equalBytes } from '../crypto/primitives/mac.ts'
import { replaceFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import type { Checkpoint } from './audit-chain-walk.ts'
import { auditHeads, compareHeads } from './checkpoints.ts'
import type { Sealing } from './sealing.ts'
import type { Storage, StorageReader } from './storage.ts'

/** Name of the file. */
export const lastSeenFile = 'last-seen.json'

const shape = z.strictObject({
  /** Seconds since 1970. */
  time: z.number(),
  /** What the driver demands of the database, in its own words. */
  standing: z.string(),
  chains: z.array(z.strictObject({ chain: z.string(), number: z.number(), mac: z.string() })),
  /** Epoch of the key that the MAC is made with. */
  epoch: z.number(),
  mac: z.string(),
})

/** What the file says. */
export type LastSeen = z.output<typeof shape>

/** Reads the file, unverified; undefined when there is none. Throws UserError 'last-seen-damaged'. */
export async function readLastSeen(directory: string): Promise<LastSeen | undefined> {
  const path = join(directory, lastSeenFile)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return shape.parse(JSON.parse(text))
  } catch (cause) {
    throw damaged(path, cause)
  }
}

/** Writes down what is seen now: whole or not at all, and on the disk when it returns. */
export async function writeLastSeen(
  directory: string,
  storage: Storage,
  sealing: Sealing,
  time: bigint,
): Promise<void> {
  const chains = await storage.read((rows) => auditHeads(rows, sealing))
  const standing = storage.standing()
  if (standing === undefined) return
  const epoch = sealing.current
  const seen = { time: Number(time), standing, chains, epoch }
  const mac = sealing.noteMac(epoch, textOf(seen))
  const text = `${JSON.stringify({ ...seen, mac: base64url(mac) })}\n`
  await replaceFile(join(directory, lastSeenFile), text)
}

/**
 * Throws UserError 'last-seen-damaged' when somebody else wrote the file, and 'rolled-back' when the database
 * lacks what it tells of.
 */
export async function demandLastSeen(
  directory: string,
  seen: LastSeen,
  rows: StorageReader,
  sealing: Sealing,
  where: string,
): Promise<void> {
  const path = join(directory, lastSeenFile)
  const { mac, ...rest } = seen
  if (seen.epoch > sealing.current)
    throw rolledBack(where, path, seen, `there is no epoch ${seen.epoch} of keys any more`)
  if (!equalBytes(sealing.noteMac(seen.epoch, textOf(rest)), Buffer.from(mac, 'base64url')))
    throw damaged(path)
  const [problem] = await compareHeads(rows, seen.chains)
  if (problem !== undefined)
    throw rolledBack(where, path, seen, `${problem.subject}: ${problem.message}`)
}

function textOf({ time, standing, chains, epoch }: Omit<LastSeen, 'mac'>): string {
  const ends = chains.map(({ chain, number, mac }: Checkpoint) => [chain, number, mac])
  return JSON.stringify([time, standing, ends, epoch])
}

function damaged(path: string, cause?: unknown): UserError {
  return new UserError(
    'last-seen-damaged',
    `${path} is not what this node wrote there`,
    'find out who may write there; move the file away to begin a new one',
    { cause },
  )
}

function rolledBack(where: string, path: string, seen: LastSeen, what: string): UserError {
  const then = new Date(seen.time * 1000).toISOString()
  return new UserError(
    'rolled-back',
    `${where}: it is behind what this node saw at ${then}: ${what}`,
    `an older database was put in its place, or a standby promoted that lacked something: bring the newest back. If this one is meant, move ${path} away on every node`,
  )
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url')
}
