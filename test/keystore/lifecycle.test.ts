// States against a model of ten lines: the operations of clients, and time, in any order.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  stateOf,
  transition,
  unrecordedState,
  type LifecycleEvent,
  type State,
} from '../../src/keystore/lifecycle.ts'
import type { Vitals } from '../../src/keystore/managed-object.ts'

const states: State[] = [
  'PreActive',
  'Active',
  'Deactivated',
  'Compromised',
  'Destroyed',
  'DestroyedCompromised',
]

/** KMIP 2.1 §4.57: the only ways from state to state that an operation brings about. */
const allowed: [State, LifecycleEvent, State][] = [
  ['PreActive', 'activate', 'Active'],
  ['PreActive', 'compromise', 'Compromised'],
  ['PreActive', 'destroy', 'Destroyed'],
  ['Active', 'deactivate', 'Deactivated'],
  ['Active', 'compromise', 'Compromised'],
  ['Deactivated', 'compromise', 'Compromised'],
  ['Deactivated', 'destroy', 'Destroyed'],
  ['Compromised', 'destroy', 'DestroyedCompromised'],
  ['Destroyed', 'compromise', 'DestroyedCompromised'],
]

const events: LifecycleEvent[] = ['activate', 'deactivate', 'compromise', 'destroy']

describe.each(states)('%s', (from) => {
  test.each(events)('%s', (event) => {
    const row = allowed.find(([state, name]) => state === from && name === event)
    expect(transition(from, event)).toBe(row?.[2])
  })
})

const vitals = (dates: Partial<Vitals> = {}): Vitals => ({
  Owner: 'alpha',
  Fresh: true,
  Sensitive: false,
  Extractable: true,
  InitialDate: 0n,
  LastChangeDate: 0n,
  LeaseTime: 0,
  ...dates,
})

/** What each event does to the dates of an object. */
function happen(held: Vitals, event: LifecycleEvent, now: bigint): void {
  if (event === 'activate') Object.assign(held, { ActivationDate: now, ShownState: 'Active' })
  if (event === 'deactivate')
    Object.assign(held, { DeactivationDate: now, ShownState: 'Deactivated' })
  if (event === 'compromise') held.CompromiseDate = now
  if (event === 'destroy') held.DestroyDate = now
}

const step = fc.oneof(
  fc.constantFrom(...events).map((event) => ({ event })),
  fc.integer({ min: -50, max: 50 }).map((pass) => ({ pass })),
  fc.constant({ show: true as const }),
)

test('any sequence of operations and clock changes follows the model', () => {
  fc.assert(
    fc.property(
      fc.option(fc.integer({ min: -20, max: 60 }), { nil: undefined }),
      fc.option(fc.integer({ min: -20, max: 60 }), { nil: undefined }),
      fc.array(step, { maxLength: 40 }),
      (activation, deactivation, steps) => {
        const held = vitals({
          ...(activation !== undefined && { ActivationDate: BigInt(activation) }),
          ...(deactivation !== undefined && { DeactivationDate: BigInt(deactivation) }),
        })
        let now = 0n
        // The model: a state, and the dates at which time may change it.
        let model: State = 'PreActive'
        let [on, off] = [held.ActivationDate, held.DeactivationDate]
        const shownBy = () => {
          if (model === 'PreActive' && on !== undefined && on <= now) model = 'Active'
          if (model === 'Active' && off !== undefined && off <= now) model = 'Deactivated'
        }
        const show = () => {
          const state = unrecordedState(held, now)
          if (state !== undefined) held.ShownState = state
          shownBy()
          expect(stateOf(held, now)).toBe(model)
        }
        for (const one of steps) {
          if ('pass' in one) now += BigInt(one.pass)
          else {
            show()
            if (!('event' in one)) continue
            const next = transition(model, one.event)
            if (next === undefined) continue
            happen(held, one.event, now)
            if (one.event === 'activate') on = now
            if (one.event === 'deactivate') off = now
            model = next
          }
        }
        show()
      },
    ),
    { numRuns: 2000 },
  )
})

test('what was shown never reverts when the clock goes back, whatever the dates', () => {
  fc.assert(
    fc.property(
      fc.bigInt(-9n, 9n),
      fc.bigInt(-9n, 9n),
      fc.array(fc.bigInt(-20n, 20n), { minLength: 2, maxLength: 20 }),
      (ActivationDate, DeactivationDate, clock) => {
        const held = vitals({ ActivationDate, DeactivationDate })
        const order = ['PreActive', 'Active', 'Deactivated']
        let furthest = 0
        for (const now of clock) {
          const state = unrecordedState(held, now)
          if (state !== undefined) held.ShownState = state
          const at = order.indexOf(stateOf(held, now))
          expect(at).toBeGreaterThanOrEqual(furthest)
          furthest = at
        }
      },
    ),
  )
})

test('a Deactivation Date counts from when the object is active', () => {
  const held = vitals({ DeactivationDate: 5n })
  expect(stateOf(held, 10n)).toBe('PreActive')
  expect(stateOf({ ...held, ActivationDate: 5n }, 4n)).toBe('PreActive')
  expect(stateOf({ ...held, ActivationDate: 5n }, 5n)).toBe('Deactivated')
})

test('only states that time brought about need to be recorded', () => {
  expect(unrecordedState(vitals(), 5n)).toBeUndefined()
  expect(unrecordedState(vitals({ ActivationDate: 5n }), 5n)).toBe('Active')
  expect(unrecordedState(vitals({ ActivationDate: 5n, ShownState: 'Active' }), 5n)).toBeUndefined()
  expect(unrecordedState(vitals({ CompromiseDate: 1n, ActivationDate: 0n }), 5n)).toBeUndefined()
  expect(unrecordedState(vitals({ DestroyDate: 1n, ActivationDate: 0n }), 5n)).toBeUndefined()
})
