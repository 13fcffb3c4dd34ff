// Any sequence of Activate, Revoke, Destroy, Get and clock changes, over the wire, against a model of
// the states (KMIP 2.1 §4.57).
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Ask } from './engine.ts'
import { principal, started, tapeKey, testEngine } from './engine.ts'

type State =
  'PreActive' | 'Active' | 'Deactivated' | 'Compromised' | 'Destroyed' | 'DestroyedCompromised'

/** The model: where each operation leads; nowhere when it is not there. */
const leads: Record<string, Partial<Record<State, State>>> = {
  Activate: { PreActive: 'Active' },
  Deactivate: { Active: 'Deactivated' },
  Compromise: {
    PreActive: 'Compromised',
    Active: 'Compromised',
    Deactivated: 'Compromised',
    Destroyed: 'DestroyedCompromised',
  },
  Destroy: {
    PreActive: 'Destroyed',
    Deactivated: 'Destroyed',
    Compromised: 'DestroyedCompromised',
  },
}

const asks = (UniqueIdentifier: string): Record<string, Ask> => ({
  Activate: ['Activate', { UniqueIdentifier }],
  Deactivate: [
    'Revoke',
    { UniqueIdentifier, RevocationReason: { RevocationReasonCode: 'Superseded' } },
  ],
  Compromise: [
    'Revoke',
    { UniqueIdentifier, RevocationReason: { RevocationReasonCode: 'KeyCompromise' } },
  ],
  Destroy: ['Destroy', { UniqueIdentifier }],
})

const date = fc.option(fc.integer({ min: -30, max: 90 }), { nil: undefined })
const step = fc.oneof(
  fc.constantFrom('Activate', 'Deactivate', 'Compromise', 'Destroy', 'Get', 'State'),
  fc.integer({ min: -60, max: 60 }),
)

test('every sequence leads where the model leads', { timeout: 60_000 }, async () => {
  const engine = await testEngine()
  let run = 0
  await fc.assert(
    fc.asyncProperty(date, date, fc.array(step, { maxLength: 15 }), async (on, off, steps) => {
      fc.pre(on === undefined || off === undefined || on <= off)
      const who = principal({ group: `g${run++}` })
      const as = run % 2 === 0 ? '1.4' : '2.1'
      engine.time.seconds = started
      let activation = on === undefined ? undefined : started + BigInt(on)
      const deactivation = off === undefined ? undefined : started + BigInt(off)
      const given = [
        ...(activation === undefined
          ? []
          : [{ tag: 'ActivationDate' as const, value: activation }]),
        ...(deactivation === undefined
          ? []
          : [{ tag: 'DeactivationDate' as const, value: deactivation }]),
      ]
      const Attributes = [...tapeKey('A'), ...given]
      const { UniqueIdentifier } = await engine.call(
        as,
        'Create',
        { ObjectType: 'SymmetricKey', Attributes },
        who,
      )
      let model: State = 'PreActive'
      const reached = (at: bigint | undefined) => at !== undefined && at <= engine.time.seconds
      /** Time passes in the model whenever somebody looks. */
      const look = () => {
        if (model === 'PreActive' && reached(activation)) model = 'Active'
        if (model === 'Active' && reached(deactivation)) model = 'Deactivated'
      }
      look()
      for (const one of [...steps, 'State' as const]) {
        if (typeof one === 'number') {
          engine.time.seconds += BigInt(one)
          continue
        }
        look()
        const ask: Ask =
          one === 'Get'
            ? ['Get', { UniqueIdentifier }]
            : (asks(UniqueIdentifier)[one] ?? [
                'GetAttributes',
                { UniqueIdentifier, AttributeReference: [{ tag: 'State' }] },
              ])
        const [item] = await engine.batch(as, [ask], {}, who)
        const done = item!.ResultStatus === 'Success'
        if (one === 'Get') expect(done).toBe(!model.startsWith('Destroyed'))
        else if (one === 'State') {
          const { Attributes: shown } = item!.ResponsePayload as { Attributes: { value: State }[] }
          expect(shown[0]!.value).toBe(model)
        } else {
          const next: State | undefined =
            one === 'Activate' && reached(deactivation) ? undefined : leads[one]![model]
          expect(done, `${one} in ${model}`).toBe(next !== undefined)
          if (next === undefined) continue
          if (one === 'Activate') activation = engine.time.seconds
          model = next
        }
      }
    }),
    { numRuns: 150 },
  )
})
