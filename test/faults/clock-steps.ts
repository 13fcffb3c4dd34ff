// A clock that is stepped by an hour or by ten years, forth and back, under load: no key that was shown as
// Deactivated, Compromised or Destroyed is ever Active again, and the audit chains stay whole.
import { createStore } from '../../src/keystore/create-store.ts'
import { openSqlite } from '../../src/keystore/sqlite-driver.ts'
import { openStore } from '../../src/keystore/store.ts'
import { respond } from '../../src/kmip/server/respond.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
} from '../fixtures/responder.ts'
import { chance, openMasterKey, type Outcome, type Plan } from './ground.ts'

const hour = 3600n
const years = 10n * 365n * 24n * hour
const steps = [hour, -hour, years, -years, 1n, 60n]
const start = 1_800_000_000n
const quiet = (): void => undefined
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet }

/** How far a state is along the life cycle: it never goes back. */
const ranks: Readonly<Record<string, number>> = {
  PreActive: 0,
  Active: 1,
  Deactivated: 2,
  Compromised: 3,
  Destroyed: 4,
  DestroyedCompromised: 5,
}

/** Random requests and random steps. */
export async function clockSteps({ form, seed, say }: Plan): Promise<Outcome> {
  const turns = form === 'short' ? 800 : 50_000
  const random = chance(seed)
  let seconds = start
  const now = () => seconds
  const driver = await openSqlite({ file: ':memory:' })
  await createStore({ driver, masterKey: openMasterKey, now, chain: 'serve' })
  const store = await openStore({ driver, masterKey: openMasterKey, writer: 'serve', now })
  await store.act(async (work) => {
    await work.putDocument('group', 'default', { created: 0 })
    work.audit({ actor: { name: 'x', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  const responder = responderOver(store, log, () => 0)
  const ask = async (one: Ask) => {
    const { bytes } = await respond(responder, requestBytes('2.1', [one]), principal())
    return answerOf(bytes, '2.1').BatchItem[0]!
  }
  const shown = new Map<string, string>()
  const failures: string[] = []
  const count = { steps: 0, looks: 0, keys: 0 }
  const look = async (UniqueIdentifier: string) => {
    const request = { UniqueIdentifier, AttributeReference: [{ tag: 'State' as const }] }
    const item = await ask(['GetAttributes', request])
    const { Attributes } = item.ResponsePayload as { Attributes: { value: string }[] }
    const state = Attributes[0]!.value
    const before = shown.get(UniqueIdentifier) ?? 'PreActive'
    count.looks++
    if (ranks[state]! < ranks[before]!)
      failures.push(`${UniqueIdentifier} went from ${before} to ${state}`)
    shown.set(UniqueIdentifier, state)
    if (state.startsWith('Destroyed')) shown.delete(UniqueIdentifier)
  }
  for (let turn = 1; turn <= turns; turn++) {
    const known = [...shown.keys()]
    const id = known[random(known.length || 1)]
    const what = random(10)
    if (id === undefined || what === 0) {
      const activation = seconds + BigInt(random(7200) - 3600)
      const Attributes = [
        ...tapeKey(`${turn}`),
        { tag: 'ActivationDate' as const, value: activation },
        { tag: 'DeactivationDate' as const, value: activation + BigInt(random(7200)) },
      ]
      const made = await ask(['Create', { ObjectType: 'SymmetricKey', Attributes }])
      if (made.ResultStatus !== 'Success') continue
      count.keys++
      shown.set(
        (made.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier,
        'PreActive',
      )
    } else if (what < 4) {
      seconds += steps[random(steps.length)]!
      count.steps++
    } else if (what === 4) await ask(['Activate', { UniqueIdentifier: id }])
    else if (what === 5 && random(4) === 0) {
      const RevocationReason = { RevocationReasonCode: 'CessationOfOperation' as const }
      await ask(['Revoke', { UniqueIdentifier: id, RevocationReason }])
    } else if (what === 6 && random(8) === 0) await ask(['Destroy', { UniqueIdentifier: id }])
    else await look(id)
    if (turn % 10_000 === 0) say(`${turn} turns`)
  }
  for (const id of shown.keys()) await look(id)
  const { problems } = await store.auditVerify()
  for (const { subject, message } of problems) failures.push(`${subject}: ${message}`)
  await responder.requests.close()
  await store.close()
  return { figures: { turns, ...count }, failures }
}
