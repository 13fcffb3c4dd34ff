/** Groups of clients and their policies: for `group list`, `group show` and `group set`. */
import { exitStatus, UserError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { shellWord } from '../shell-word.ts'
import { copiesWanted, type Copies } from '../keystore/ready.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import {
  administrator,
  allOf,
  bodyOf,
  clientOf,
  putBody,
  type ActingStore,
  type Documents,
} from './documents.ts'
import { parseGroupSettings, policyOf, type GroupPolicy } from './policy.ts'

export interface Group {
  name: string
  /** Seconds since 1970. */
  created: bigint
  policy: GroupPolicy
  /** Names of its clients that are not revoked. */
  clients: string[]
}

/** Every group by name. */
export async function groups(work: Documents): Promise<Group[]> {
  const clients = await allOf(work, 'client')
  return (await allOf(work, 'group')).map(({ name, body }) => ({
    name,
    created: BigInt(body.created),
    policy: policyOf(body),
    clients: clients
      .filter((client) => client.body.group === name && client.body.revoked === undefined)
      .map((client) => client.name),
  }))
}

/** One group; `UserError` 'no-such-group' when there is none of that name. */
export async function groupOf(work: Documents, name: string): Promise<Group> {
  const group = (await groups(work)).find((one) => one.name === name)
  if (group === undefined) throw noSuchGroup(name)
  return group
}

/**
 * Throws UserError 'no-such-group' or 'no-such-library' when a list asks for one that is not there: an empty list
 * would pass for an answer.
 */
export async function demandKnown(
  work: Documents,
  { group, library }: { group: string; library?: string | undefined },
): Promise<void> {
  await groupOf(work, group)
  if (library !== undefined) await clientOf(work, library)
}

/** Who changes policies, and how it is known on how many copies new objects are. */
export interface PolicyChange {
  readonly actor?: AuditActor
  /** What is asked where a group shall want more than one copy; as the store itself says by default. */
  readonly copies?: (work: Work) => Promise<Copies>
  /** Names of the peers that `export=` may name; absent: any. */
  readonly peers?: (work: Work) => Promise<readonly string[]>
}

/**
 * Changes the policies that the `key=value` words name; the others stay. `UserError` 'copies-missing' when a
 * group shall want more copies than there are: its libraries would be refused from then on; 'no-such-peer' when
 * its keys shall go to a peer that is not known.
 */
export async function setGroupPolicy(
  store: ActingStore,
  name: string,
  words: readonly string[],
  { actor = administrator, copies = (work) => work.copies(), peers }: PolicyChange = {},
): Promise<Group> {
  const settings = parseGroupSettings(words)
  const wanted = copiesWanted(settings.ready)
  return store.act(async (work) => {
    const body = await bodyOf(work, 'group', name)
    if (body === undefined) throw noSuchGroup(name)
    if (wanted > 1) refuseMissing(wanted, await copies(work))
    if (peers !== undefined) refuseUnknownPeers(name, settings.export, await peers(work))
    await putBody(work, 'group', name, { ...body, ...settings })
    const details = { ...settings }
    work.audit({ actor, operation: 'group set', group: name, outcome: 'Success', details })
    return groupOf(work, name)
  })
}

/**
 * Throws UserError 'copies-missing' when the group wants its new objects on more copies than there are: none would
 * be kept. For whoever brings many.
 */
export async function demandGroupReady(
  store: Pick<Store, 'read' | 'dialect'>,
  name: string,
): Promise<void> {
  const { wanted, copies } = await store.read(async (work) => {
    const wanted = (await groupOf(work, name)).policy.ready
    return { wanted, copies: wanted === 1 ? undefined : await work.copies() }
  })
  if (copies === undefined || copies.count >= wanted) return
  const { count, missing } = copies
  throw new UserError(
    'copies-missing',
    `group ${name} wants every new key on ${wanted} copies, and there ${count === 1 ? 'is 1' : `are ${count}`}: ${missing}`,
    store.dialect === 'sqlite'
      ? 'keyreel serve --journal DIR  begins a journal, which this command then finds by itself; its disk has to be mounted'
      : 'bring the synchronous standby back (synchronous_standby_names in postgresql.conf)',
    { exitStatus: exitStatus.policy },
  )
}

function refuseUnknownPeers(group: string, word = 'allow', known: readonly string[] = []): void {
  if (word === 'allow' || word === 'refuse') return
  const names = word.split(',')
  const unknown = names.find((name) => !known.includes(name))
  if (unknown === undefined) return
  const words = names.length === 1 ? [...known, 'allow', 'refuse'] : known
  const meant = nearest(unknown, words)
  const meantWord = names.map((name) => (name === unknown ? meant : name)).join(',')
  throw new UserError(
    'no-such-peer',
    `export=${word}: there is no peer named ${JSON.stringify(unknown)}`,
    meant === undefined
      ? 'export takes allow, refuse, or peers whose certificate was imported; list them:  keyreel exchange certificate list'
      : `if you mean ${meant}:  keyreel group set ${shellWord(group)} export=${shellWord(meantWord)}`,
  )
}

function refuseMissing(wanted: number, { count, missing }: Copies): void {
  if (count >= wanted) return
  throw new UserError(
    'copies-missing',
    `ready=${wanted} wants every new key on ${wanted} copies, and there ${count === 1 ? 'is 1' : `are ${count}`}: ${missing}`,
    'a keystore in a file: keyreel serve --journal DIR; on PostgreSQL: synchronous_standby_names (docs/how-to/have-every-key-twice.md)',
    { exitStatus: exitStatus.policy },
  )
}

function noSuchGroup(name: string): UserError {
  return new UserError(
    'no-such-group',
    `there is no group named ${JSON.stringify(name)}`,
    'list those there are:  keyreel group list; a group is made with its first library',
  )
}
