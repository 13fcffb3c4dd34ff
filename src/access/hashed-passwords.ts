/**
 * The Hashed Password credential and the server's answer to it (KMIP 2.1 §9.11, §8.5). What proves it
 * can be computed from two hashes of user name and password, so these are kept, sealed, for users that an
 * administrator lets use it.
 */
import { z } from 'zod'
import { hash, hashRow } from '../crypto/hashes.ts'
import { equalBytes } from '../crypto/primitives/mac.ts'
import type { Work } from '../keystore/work.ts'
import { bodyOf, putBody } from './documents.ts'

/** Hashing Algorithms that are taken, in the order in which their hashes are kept. Append only. */
const algorithms = ['SHA_256', 'SHA_384', 'SHA_512', 'SHA3_256', 'SHA3_384', 'SHA3_512'] as const
type Algorithm = (typeof algorithms)[number]

const kind = 'hashed-password'

/** Seconds that the clock of a client may be ahead: a wild one must not lock its user out for good. */
const mostAhead = 3600n
const microseconds = 1_000_000n

/** The latest Timestamp of a user: kept for good, so that what was sent once is worth nothing again. */
const latestShape = z.strictObject({ latest: z.number().int() })
const forGood = 3_155_760_000n

/** What a client presents. */
export interface HashedPassword {
  username: string
  /** Microseconds since 1970. */
  timestamp: bigint
  algorithm: string | number
  hashed: Uint8Array
}

/** Keeps what proves the password from now on. */
export async function keepHashes(
  work: Work,
  client: string,
  { username, password }: { username: string; password: string },
): Promise<void> {
  const hashes = Buffer.concat(
    algorithms.flatMap((algorithm) => [
      hash(algorithm, Buffer.from(username + password)),
      hash(algorithm, Buffer.from(password + username)),
    ]),
  )
  try {
    const body = { added: Number(work.now) }
    await putBody(work, kind, nameOf(client, username), body, hashes)
  } finally {
    hashes.fill(0)
  }
}

/** Forgets what was kept for the user; nothing when nothing was. */
export async function forgetHashes(work: Work, client: string, username: string): Promise<void> {
  await work.deleteDocument(kind, nameOf(client, username))
}

/**
 * The Server Hashed Password for a credential that is right; undefined for one that is not. Its
 * Timestamp is noted: only a later one is right from then on.
 */
export async function acceptHashed(
  work: Work,
  client: string,
  { username, timestamp, algorithm, hashed }: HashedPassword,
): Promise<Uint8Array | undefined> {
  const name = nameOf(client, username)
  const known = await bodyOf(work, kind, name)
  if (known === undefined || !isTaken(algorithm)) return undefined
  const before = await work.transient(kind, name)
  const { latest } = before === undefined ? { latest: 0 } : latestShape.parse(before.body)
  if (timestamp <= BigInt(latest)) return undefined
  if (timestamp > (work.now + mostAhead) * microseconds) return undefined
  const secret = await work.documentSecret(kind, name)
  try {
    const [first, second] = hashesOf(secret.bytes, algorithm)
    const time = Buffer.alloc(8)
    time.writeBigInt64BE(timestamp)
    const expected = Buffer.concat([hash(algorithm, Buffer.concat([first, time])), second])
    const isRight = equalBytes(expected, hashed)
    expected.fill(0)
    if (!isRight) return undefined
    await work.putTransient({
      kind,
      name,
      owner: client,
      expires: work.now + forGood,
      body: { latest: Number(timestamp) },
    })
    return hash(algorithm, Buffer.concat([time, first, hash(algorithm, second)]))
  } finally {
    secret.wipe()
  }
}

function isTaken(algorithm: string | number): algorithm is Algorithm {
  return (algorithms as readonly (string | number)[]).includes(algorithm)
}

function hashesOf(kept: Uint8Array, wanted: Algorithm): [Uint8Array, Uint8Array] {
  const before = algorithms.slice(0, algorithms.indexOf(wanted))
  const start = before.reduce((sum, algorithm) => sum + 2 * hashRow(algorithm).length, 0)
  const { length } = hashRow(wanted)
  return [kept.subarray(start, start + length), kept.subarray(start + length, start + 2 * length)]
}

function nameOf(client: string, username: string): string {
  return `${client}/${username}`
}
