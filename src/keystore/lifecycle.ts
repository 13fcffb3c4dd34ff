/**
 * State of an object, from its dates – KMIP 2.1 §4.57 and the transitions of NIST SP 800-57.
 * Nothing runs when a date passes: the state is computed when read. A transition that time brought
 * about and a client has seen is recorded (`ShownState`), so a clock set back never revives a key.
 */
import type { Vitals } from './managed-object.ts'

/** State enumeration, by name. */
export type State =
  'PreActive' | 'Active' | 'Deactivated' | 'Compromised' | 'Destroyed' | 'DestroyedCompromised'

/**
 * The state at `now` (seconds since 1970). There is no way from Pre-Active to Deactivated: a
 * Deactivation Date counts once the object has become Active.
 */
export function stateOf(vitals: Vitals, now: bigint): State {
  const { DestroyDate, CompromiseDate, DeactivationDate, ActivationDate, ShownState } = vitals
  if (DestroyDate !== undefined) {
    return CompromiseDate === undefined ? 'Destroyed' : 'DestroyedCompromised'
  }
  if (CompromiseDate !== undefined) return 'Compromised'
  const reached = (date: bigint | undefined) => date !== undefined && date <= now
  if (ShownState === undefined && !reached(ActivationDate)) return 'PreActive'
  return ShownState === 'Deactivated' || reached(DeactivationDate) ? 'Deactivated' : 'Active'
}

/** The state that must be recorded before it is shown: one that time brought about, not recorded yet. */
export function unrecordedState(vitals: Vitals, now: bigint): 'Active' | 'Deactivated' | undefined {
  const state = stateOf(vitals, now)
  if (state !== 'Active' && state !== 'Deactivated') return undefined
  return state === vitals.ShownState ? undefined : state
}

/** An event that may change the state. */
export type LifecycleEvent = 'activate' | 'deactivate' | 'compromise' | 'destroy'

/** The transition table: state after an event; an event without an entry is refused. */
const transitions: Record<State, Partial<Record<LifecycleEvent, State>>> = {
  PreActive: { activate: 'Active', compromise: 'Compromised', destroy: 'Destroyed' },
  Active: { deactivate: 'Deactivated', compromise: 'Compromised' },
  Deactivated: { compromise: 'Compromised', destroy: 'Destroyed' },
  Compromised: { destroy: 'DestroyedCompromised' },
  Destroyed: { compromise: 'DestroyedCompromised' },
  DestroyedCompromised: {},
}

/** The state that `event` leads to, or undefined where it may not happen. */
export function transition(state: State, event: LifecycleEvent): State | undefined {
  return transitions[state][event]
}
