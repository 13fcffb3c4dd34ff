/** Groups of clients and their policies: for `group list`, `group show` and `group set`. */
import { exitStatus, UserError } from '../errors.ts'
import { copiesWanted, type Copies } from '../keystore/ready.ts'
import type { Store } from '../keystore/store.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import {
  administrator,
  allOf,
  bodyOf,
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

/** Who changes policies, and how it is known on how many copies new objects are. */
export interface PolicyChange {
  readonly actor?: AuditActor
  /** What is asked where a group shall want more than one copy; as the store itself says by default. */
  readonly copies?: (work: Work) => Promise<Copies>
}

/**
 * Changes the policies that the `key=value` words name; the others stay. `UserError` 'copies-missing' when a
 * group shall want more copies than there are: its libraries would be refused from then on.
 */
export async function setGroupPolicy(
  store: ActingStore,
  name: string,
  words: readonly string[],
  { actor = administrator, copies = (work) => work.copies() }: PolicyChange = {},
): Promise<Group> {
  const settings = parseGroupSettings(words)
  const wanted = copiesWanted(settings.ready)
  return store.act(async (work) => {
    const body = await bodyOf(work, 'group', name)
    if (body === undefined) throw noSuchGroup(name)
    if (wanted > 1) refuseMissing(wanted, await copies(work))
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
