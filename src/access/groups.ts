/** Groups of clients and their policies: for `group list`, `group show` and `group set`. */
import { UserError } from '../errors.ts'
import type { AuditActor } from '../keystore/work.ts'
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

/** Changes the policies that the `key=value` words name; the others stay. */
export async function setGroupPolicy(
  store: ActingStore,
  name: string,
  words: readonly string[],
  actor: AuditActor = administrator,
): Promise<Group> {
  const settings = parseGroupSettings(words)
  return store.act(async (work) => {
    const body = await bodyOf(work, 'group', name)
    if (body === undefined) throw noSuchGroup(name)
    await putBody(work, 'group', name, { ...body, ...settings })
    const details = { ...settings }
    work.audit({ actor, operation: 'group set', group: name, outcome: 'Success', details })
    return groupOf(work, name)
  })
}

function noSuchGroup(name: string): UserError {
  return new UserError(
    'no-such-group',
    `there is no group named ${JSON.stringify(name)}`,
    'list those there are:  keyreel group list; a group is made with its first library',
  )
}
