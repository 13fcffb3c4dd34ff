// Many clients at once on one object: whatever order the server has run their requests in, there is one that
// explains every answer and the state at the end. Checked against a model of the object.
import { createStore } from '../../src/keystore/create-store.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore, type Store } from '../../src/keystore/store.ts'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import { startPostgres } from '../fixtures/postgres.ts'
import { chance, openDirectory, openMasterKey, type Outcome, type Plan } from './ground.ts'
import { onNewPlace } from './kills.ts'

const clients = 64
const quiet = (): void => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

type State =
  'PreActive' | 'Active' | 'Deactivated' | 'Compromised' | 'Destroyed' | 'DestroyedCompromised'

/** What a client asks for. */
const kinds = ['activate', 'stop', 'compromise', 'destroy', 'modify'] as const
type Kind = (typeof kinds)[number]

/** The model: the state after it, or undefined where it is refused (KMIP 2.1 §4.57). */
function next(state: State, kind: Kind): State | undefined {
  const isDestroyed = state === 'Destroyed' || state === 'DestroyedCompromised'
  if (kind === 'modify') return isDestroyed ? undefined : state
  if (kind === 'activate') return state === 'PreActive' ? 'Active' : undefined
  if (kind === 'stop') return state === 'Active' ? 'Deactivated' : undefined
  if (kind === 'compromise') {
    if (state === 'Compromised' || state === 'DestroyedCompromised') return undefined
    return isDestroyed ? 'DestroyedCompromised' : 'Compromised'
  }
  if (isDestroyed || state === 'Active') return undefined
  return state === 'Compromised' ? 'DestroyedCompromised' : 'Destroyed'
}

interface Answered {
  readonly kind: Kind
  readonly isDone: boolean
}

/**
 * Whether some order of these requests, all under way at once, explains their answers and the end. Requests
 * of a kind with the same answer stand for one another, so an order is a path through their counts.
 */
function isExplained(start: State, answers: readonly Answered[], end: State): boolean {
  const groups = kinds.flatMap((kind) =>
    [true, false].map((isDone) => ({
      kind,
      isDone,
      count: answers.filter((one) => one.kind === kind && one.isDone === isDone).length,
    })),
  )
  const seen = new Set<string>()
  const search = (state: State, left: readonly number[]): boolean => {
    if (left.every((count) => count === 0)) return state === end
    const key = `${state} ${left.join(',')}`
    if (seen.has(key)) return false
    seen.add(key)
    return groups.some(({ kind, isDone }, at) => {
      if (left[at] === 0) return false
      const after = next(state, kind)
      if ((after !== undefined) !== isDone) return false
      // What changes nothing may as well be taken all at once.
      const taken = after === undefined || after === state ? left[at]! : 1
      const rest = left.map((count, place) => (place === at ? count - taken : count))
      return search(after ?? state, rest)
    })
  }
  return search(
    start,
    groups.map(({ count }) => count),
  )
}

const reasonOf = {
  stop: { RevocationReasonCode: 'CessationOfOperation' },
  compromise: { RevocationReasonCode: 'KeyCompromise' },
} as const

function asking(kind: Kind, UniqueIdentifier: string, value: string): Ask {
  if (kind === 'activate') return ['Activate', { UniqueIdentifier }]
  if (kind === 'destroy') return ['Destroy', { UniqueIdentifier }]
  if (kind === 'modify') {
    const NewAttribute = { tag: 'ContactInformation' as const, value }
    return ['ModifyAttribute', { UniqueIdentifier, NewAttribute }]
  }
  const RevocationReason = reasonOf[kind]
  return [
    'Revoke',
    {
      UniqueIdentifier,
      RevocationReason,
      ...(kind === 'compromise' && { CompromiseOccurrenceDate: 1n }),
    },
  ]
}

/** Asks a server; there may be several over one keystore. */
type AskOne = (one: Ask) => Promise<ResponseBatchItem>

/** Rounds of 64 requests at once on one object, from each state that it may be in. */
export async function races(plan: Plan): Promise<Outcome> {
  const now = () => 1_800_000_000n
  const driver = await openSqlite({ file: ':memory:' })
  await createStore({ driver, masterKey: openMasterKey, now, chain: 'serve' })
  const store = await openStore({ driver, masterKey: openMasterKey, writer: 'serve', now })
  await store.act(async (work) => {
    await work.putDocument('group', 'default', { created: 0 })
    work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  return await racesOn([store], plan, plan.form === 'short' ? 12 : 500)
}

/** The same, half of the clients at another node on the same database. */
export async function racesOnNodes(plan: Plan): Promise<Outcome> {
  const server = await startPostgres()
  try {
    const database = [await server.fresh()]
    return await onNewPlace(database, async ({ directory }) => {
      const one = await openDirectory(directory, { database, writer: 'serve', node: 'kms-a' })
      const two = await openDirectory(directory, { database, writer: 'cli', node: 'kms-b' })
      return await racesOn([one, two], plan, plan.form === 'short' ? 4 : 100)
    })
  } finally {
    await server.stop()
  }
}

async function racesOn(
  stores: readonly Store[],
  { seed, say }: Plan,
  objects: number,
): Promise<Outcome> {
  const roundsPerObject = 4
  const random = chance(seed)
  const responders = stores.map((store) => responderOver(store, log, () => 0))
  const asks = responders.map((responder): AskOne => async (one) => {
    const { bytes } = await respond(responder, requestBytes('2.1', [one]), principal())
    return answerOf(bytes, '2.1').BatchItem[0]!
  })
  const ask = asks[0]!
  const failures: string[] = []
  const count = { done: 0, refused: 0 }
  for (let object = 0; object < objects; object++) {
    const contact = { tag: 'ContactInformation' as const, value: 'first' }
    const Attributes = [...tapeKey(`${object}`), contact]
    const made = await ask(['Create', { ObjectType: 'SymmetricKey', Attributes }])
    const { UniqueIdentifier } = made.ResponsePayload as { UniqueIdentifier: string }
    const look = async () => {
      const AttributeReference = [{ tag: 'State' as const }, { tag: 'ContactInformation' as const }]
      const item = await ask(['GetAttributes', { UniqueIdentifier, AttributeReference }])
      const { Attributes: found } = item.ResponsePayload as {
        Attributes: { tag: string; value: string }[]
      }
      const valueOf = (tag: string) => found.find((one) => one.tag === tag)?.value
      return { state: valueOf('State') as State, contact: valueOf('ContactInformation') }
    }
    let before = await look()
    for (let round = 0; round < roundsPerObject; round++) {
      // Only some kinds in most rounds, or every object would be destroyed in the first.
      const some = kinds.filter((kind) => kind === 'modify' || random(3) === 0)
      const asked = Array.from({ length: clients }, (_, client) => {
        const kind = some[random(some.length)]!
        return { kind, value: `${round}-${client}` }
      })
      const items = await Promise.all(
        asked.map(({ kind, value }, client) =>
          asks[client % asks.length]!(asking(kind, UniqueIdentifier, value)),
        ),
      )
      const answers = items.map((item, at) => ({
        ...asked[at]!,
        isDone: item.ResultStatus === 'Success',
      }))
      const after = await look()
      for (const { isDone } of answers) count[isDone ? 'done' : 'refused']++
      const place = `object ${object}, round ${round}, ${before.state} to ${after.state}`
      if (!isExplained(before.state, answers, after.state)) {
        const done = answers.filter(({ isDone }) => isDone).map(({ kind }) => kind)
        failures.push(`${place}: no order explains ${done.toSorted().join(' ')}`)
      }
      const values = answers.flatMap(({ kind, isDone, value }) =>
        kind === 'modify' && isDone ? [value] : [],
      )
      const possible = values.length === 0 ? [before.contact] : values
      if (!possible.includes(after.contact))
        failures.push(`${place}: the value ${after.contact} is nobody's`)
      before = after
    }
    if ((object + 1) % 100 === 0) say(`${object + 1} objects`)
  }
  const { problems } = await stores[0]!.auditVerify()
  for (const { subject, message } of problems) failures.push(`${subject}: ${message}`)
  for (const responder of responders) await responder.requests.close()
  for (const store of stores) await store.close()
  return { figures: { rounds: objects * roundsPerObject, clients, ...count }, failures }
}
