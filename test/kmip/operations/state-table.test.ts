// What each operation of the life cycle does in each state, in every version: transcribed from KMIP 1.4 §4.10
// to §4.23, §3.22 and §11, and from the Error Handling tables of KMIP 2.1 §6.1. One line per operation.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../../../src/kmip/model/masks.ts'
import { everyVersion, isLate, started, testEngine, type Ask, type TestEngine } from './engine.ts'

const states = [
  'PreActive',
  'Active',
  'Deactivated',
  'Compromised',
  'Destroyed',
  'DestroyedCompromised',
] as const
type State = (typeof states)[number]

const { bits } = CryptographicUsageMask
const limits: AttributeInstance = {
  tag: 'UsageLimits',
  value: { UsageLimitsTotal: 9n, UsageLimitsUnit: 'Object' },
}

/** A key in that state, with Usage Limits. */
async function keyIn(engine: TestEngine, as: VersionText, state: State): Promise<string> {
  const UniqueIdentifier = await engine.key(as, 'A', [limits])
  const revoke = (RevocationReasonCode: 'Superseded' | 'KeyCompromise') =>
    engine.call(as, 'Revoke', { UniqueIdentifier, RevocationReason: { RevocationReasonCode } })
  if (state === 'Active' || state === 'Deactivated')
    await engine.call(as, 'Activate', { UniqueIdentifier })
  if (state === 'Deactivated') await revoke('Superseded')
  if (state === 'Compromised' || state === 'DestroyedCompromised') await revoke('KeyCompromise')
  if (state === 'Destroyed' || state === 'DestroyedCompromised')
    await engine.call(as, 'Destroy', { UniqueIdentifier })
  return UniqueIdentifier
}

type Operation = (UniqueIdentifier: string) => Ask

const revoke =
  (RevocationReasonCode: 'CessationOfOperation' | 'CACompromise'): Operation =>
  (UniqueIdentifier) => ['Revoke', { UniqueIdentifier, RevocationReason: { RevocationReasonCode } }]
const check =
  (mask: number): Operation =>
  (UniqueIdentifier) => ['Check', { UniqueIdentifier, CryptographicUsageMask: mask }]

/** Reasons by their letter: before 2.0, and since. */
const reasons = {
  s: ['PermissionDenied', 'WrongKeyLifecycleState'],
  p: ['PermissionDenied', 'PermissionDenied'],
  d: ['PermissionDenied', 'ObjectDestroyed'],
  n: ['ItemNotFound', 'ObjectDestroyed'],
  m: ['PermissionDenied', 'IncompatibleCryptographicUsageMask'],
} as const

/**
 * Outcome in each state, in their order: `+` succeeds and leaves the state, a capital leads to the state
 * that begins so (D Deactivated, C Compromised, X Destroyed, Y Destroyed Compromised), others refuse.
 */
const lines: [name: string, outcomes: string, ask: Operation][] = [
  ['Activate', 'A s s s s s', (UniqueIdentifier) => ['Activate', { UniqueIdentifier }]],
  ['Revoke for a cessation', 's D s s s s', revoke('CessationOfOperation')],
  ['Revoke for a compromise', 'C C C s Y s', revoke('CACompromise')],
  ['Destroy', 'X s X Y d d', (UniqueIdentifier) => ['Destroy', { UniqueIdentifier }]],
  ['Get', '+ + + + n n', (UniqueIdentifier) => ['Get', { UniqueIdentifier }]],
  ['Get Attributes', '+ + + + + +', (UniqueIdentifier) => ['GetAttributes', { UniqueIdentifier }]],
  [
    'Get Attribute List',
    '+ + + + + +',
    (UniqueIdentifier) => ['GetAttributeList', { UniqueIdentifier }],
  ],
  ['Check for Encrypt', '+ + p p d d', check(bits.Encrypt)],
  ['Check for Decrypt', '+ + + + d d', check(bits.Decrypt)],
  ['Check for Sign, which the key has not', 'm m m m d d', check(bits.Sign)],
  [
    'Check for a lease',
    '+ + p p d d',
    (UniqueIdentifier) => ['Check', { UniqueIdentifier, LeaseTime: 60 }],
  ],
  ['Obtain Lease', '+ + p p p p', (UniqueIdentifier) => ['ObtainLease', { UniqueIdentifier }]],
  [
    'Get Usage Allocation',
    'p + p p p p',
    (UniqueIdentifier) => ['GetUsageAllocation', { UniqueIdentifier, UsageLimitsCount: 1n }],
  ],
  ['Re-key', '+ + + + p p', (UniqueIdentifier) => ['ReKey', { UniqueIdentifier }]],
]

const leadsTo: Record<string, State> = {
  A: 'Active',
  D: 'Deactivated',
  C: 'Compromised',
  X: 'Destroyed',
  Y: 'DestroyedCompromised',
}

describe.each(everyVersion)('KMIP %s', (as) => {
  test.each(lines)('%s: %s', async (_, outcomes, ask) => {
    const letters = outcomes.split(' ')
    for (const [at, state] of states.entries()) {
      const engine = await testEngine()
      const id = await keyIn(engine, as, state)
      const letter = letters[at]!
      const [item] = await engine.batch(as, [ask(id)])
      const reason = reasons[letter as keyof typeof reasons]?.[isLate(as) ? 1 : 0]
      expect(item!.ResultReason ?? 'Success', state).toBe(reason ?? 'Success')
      expect(await engine.attribute(as, id, 'State'), state).toEqual([leadsTo[letter] ?? state])
    }
  })

  test('Archive and Recover are possible in every state, and leave it', async () => {
    for (const state of states) {
      const engine = await testEngine()
      const UniqueIdentifier = await keyIn(engine, as, state)
      await engine.call(as, 'Archive', { UniqueIdentifier })
      await engine.call(as, 'Recover', { UniqueIdentifier })
      expect(await engine.attribute(as, UniqueIdentifier, 'State')).toEqual([state])
    }
  })

  test('after its Protect Stop Date an active key is for processing only', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [
      { tag: 'ActivationDate', value: started - 9n },
      { tag: 'ProtectStopDate', value: started + 10n },
    ])
    await engine.batch(as, [check(bits.Encrypt)(id)])
    engine.time.seconds += 10n
    const [encrypt] = await engine.batch(as, [check(bits.Encrypt | bits.Decrypt)(id)])
    expect(encrypt!.ResultReason).toBe('PermissionDenied')
    const [decrypt] = await engine.batch(as, [check(bits.Decrypt)(id)])
    expect(decrypt!.ResultStatus).toBe('Success')
  })
})
