// Which node of which keystore a data directory belongs to, where several share one database. The
// node's name ends up in the names of its audit chains and in `status`.
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFileSync } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import { isThere } from '../presence.ts'
import { databaseFile, nodeFile } from './data-directory.ts'

const identity = z.object({ node: z.string(), store: z.string() })

/** What a data directory says of its node. */
export type NodeIdentity = z.output<typeof identity>

/** This machine's name, as far as it may be in the name of a node. */
export function machineName(): string {
  return (
    hostname()
      .split('.')[0]
      ?.replaceAll(/[^\w-]/g, '-') || 'node'
  )
}

/** Writes it, once, when the directory is made. */
export function writeNodeIdentity(directory: string, { node, store }: NodeIdentity): void {
  replaceFileSync(join(directory, nodeFile), `${JSON.stringify({ node, store })}\n`)
}

/** What the directory says; undefined when it belongs to no node. */
export function readNodeIdentity(directory: string): NodeIdentity | undefined {
  const file = join(directory, nodeFile)
  if (!isThere(file)) return undefined
  try {
    return identity.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (cause) {
    throw new UserError(
      'node-identity',
      `${file} is not what keyreel wrote there`,
      'bring the file back from a copy, or make the data directory anew:  keyreel init --database URL --master-key-file FILE',
      { cause },
    )
  }
}

/** Throws UserError when the directory belongs to another keystore than the database holds. */
export function demandSameStore(directory: string, store: string, where: string): void {
  const known = readNodeIdentity(directory)?.store
  if (known !== undefined && known !== store) {
    throw new UserError(
      'other-keystore',
      `${where} holds keystore ${store}, but ${directory} belongs to ${known}`,
      'name the database of that keystore with --database, or another data directory with --data',
    )
  }
}

/** Throws UserError when a keystore lies in the directory beside the database that is named. */
export function refuseTwoKeystores(directory: string): void {
  const file = join(directory, databaseFile)
  if (!isThere(file)) return
  throw new UserError(
    'two-keystores',
    `a database is named, but ${file} holds a keystore as well`,
    'leave --database out, or move what is there:  keyreel database move --to URL',
  )
}
