// Adjust Attribute of 2.x: numbers and dates counted up and down.
import { describe, expect, test } from 'vitest'
import type { TypedValue } from 'ttlv-codec'
import type {
  AttributeInstance,
  AttributeReference,
} from '../../../src/kmip/model/attribute-forms.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import { started, testEngine, type TestEngine } from './engine.ts'

const late = ['2.0', '2.1'] as const
type Adjust = Partial<RequestPayload<'AdjustAttribute'>>

const counter: AttributeReference = { tag: 'Attribute', vendor: 'acme', name: 'counter' }
const holding = (AttributeValue: TypedValue): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: 'acme', AttributeName: 'counter', AttributeValue },
})
const future = started + 1000n

const adjust = async (engine: TestEngine, as: (typeof late)[number], id: string, how: Adjust) =>
  engine.call(as, 'AdjustAttribute', { UniqueIdentifier: id, ...how })

describe.each(late)('KMIP %s', (as) => {
  test.each<[TypedValue, Adjust, TypedValue]>([
    [{ type: 'Integer', value: 5 }, { AdjustmentType: 'Increment' }, { type: 'Integer', value: 6 }],
    [{ type: 'Integer', value: 5 }, { AdjustmentType: 'Decrement' }, { type: 'Integer', value: 4 }],
    [{ type: 'Integer', value: 5 }, { AdjustmentType: 'Negate' }, { type: 'Integer', value: -5 }],
    [
      { type: 'LongInteger', value: 5n },
      { AdjustmentType: 'Decrement', AdjustmentValue: { type: 'LongInteger', value: 7n } },
      { type: 'LongInteger', value: -2n },
    ],
    [
      { type: 'BigInteger', value: 2n ** 70n },
      { AdjustmentType: 'Increment', AdjustmentValue: { type: 'Integer', value: 1 } },
      { type: 'BigInteger', value: 2n ** 70n + 1n },
    ],
    [
      { type: 'Interval', value: 10 },
      { AdjustmentType: 'Increment', AdjustmentValue: { type: 'Interval', value: 90 } },
      { type: 'Interval', value: 100 },
    ],
    [
      { type: 'DateTime', value: 100n },
      { AdjustmentType: 'Decrement' },
      { type: 'DateTime', value: 99n },
    ],
    [
      { type: 'Boolean', value: true },
      { AdjustmentType: 'Negate' },
      { type: 'Boolean', value: false },
    ],
  ])('%o adjusted by %o is %o', async (before, how, after) => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [holding(before)])
    engine.time.seconds += 5n
    const answer = await adjust(engine, as, id, { AttributeReference: counter, ...how })
    expect(answer).toEqual({ UniqueIdentifier: id })
    const { Attributes } = await engine.call(as, 'GetAttributes', {
      UniqueIdentifier: id,
      AttributeReference: [counter],
    })
    expect(Attributes).toEqual([holding(after)])
    expect(await engine.attribute(as, id, 'LastChangeDate')).toEqual([started + 5n])
  })

  test('a missing number counts as 0, a missing Boolean as false', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    await adjust(engine, as, id, { AttributeReference: counter, AdjustmentType: 'Increment' })
    await adjust(engine, as, id, {
      AttributeReference: { tag: 'ProtectionPeriod' },
      AdjustmentType: 'Increment',
      AdjustmentValue: { type: 'Interval', value: 60 },
    })
    await adjust(engine, as, id, {
      AttributeReference: { tag: 'QuantumSafe' },
      AdjustmentType: 'Negate',
    })
    const { Attributes } = await engine.call(as, 'GetAttributes', {
      UniqueIdentifier: id,
      AttributeReference: [counter, { tag: 'ProtectionPeriod' }, { tag: 'QuantumSafe' }],
    })
    expect(Attributes).toEqual([
      holding({ type: 'Integer', value: 1 }),
      { tag: 'ProtectionPeriod', value: 60 },
      { tag: 'QuantumSafe', value: true },
    ])
  })

  test('a date of the object moves by seconds, and a flag that is turned is remembered', async () => {
    const engine = await testEngine()
    const dates: AttributeInstance[] = [
      { tag: 'ActivationDate', value: future },
      { tag: 'Sensitive', value: true },
    ]
    const id = await engine.key(as, 'A', dates)
    await adjust(engine, as, id, {
      AttributeReference: { tag: 'ActivationDate' },
      AdjustmentType: 'Increment',
      AdjustmentValue: { type: 'Interval', value: 60 },
    })
    await adjust(engine, as, id, {
      AttributeReference: { tag: 'Sensitive' },
      AdjustmentType: 'Negate',
    })
    expect(await engine.attribute(as, id, 'ActivationDate')).toEqual([future + 60n])
    expect(await engine.attribute(as, id, 'Sensitive')).toEqual([false])
    expect(await engine.attribute(as, id, 'AlwaysSensitive')).toEqual([false])
  })

  test.each<[string, AttributeReference, Adjust, string]>([
    ['a text', { tag: 'ContactInformation' }, { AdjustmentType: 'Increment' }, 'InvalidDataType'],
    [
      'a date that is not there',
      { tag: 'ActivationDate' },
      { AdjustmentType: 'Increment' },
      'InvalidDataType',
    ],
    ['a structure', { tag: 'UsageLimits' }, { AdjustmentType: 'Decrement' }, 'InvalidDataType'],
    [
      'the sign of an interval',
      { tag: 'ProtectionPeriod' },
      { AdjustmentType: 'Negate' },
      'InvalidDataType',
    ],
    [
      'below the smallest value',
      { tag: 'ProtectionPeriod' },
      { AdjustmentType: 'Decrement' },
      'NumericRange',
    ],
    [
      'above the largest value',
      counter,
      { AdjustmentType: 'Increment', AdjustmentValue: { type: 'Integer', value: 2 ** 31 - 1 } },
      'NumericRange',
    ],
    [
      'by a text',
      counter,
      { AdjustmentType: 'Increment', AdjustmentValue: { type: 'TextString', value: '1' } },
      'InvalidDataType',
    ],
    ['in a way nobody knows', counter, { AdjustmentType: 9 }, 'UnknownEnumeration'],
    [
      'what the server sets',
      { tag: 'CryptographicLength' },
      { AdjustmentType: 'Increment' },
      'ReadOnlyAttribute',
    ],
    [
      'what the server keeps',
      { tag: 'LeaseTime' },
      { AdjustmentType: 'Increment' },
      'ReadOnlyAttribute',
    ],
    [
      'what the object type has not',
      { tag: 'CertificateLength' },
      { AdjustmentType: 'Increment' },
      'UnsupportedAttribute',
    ],
  ])('refuses to adjust %s', async (_, AttributeReference, how, reason) => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A', [holding({ type: 'Integer', value: 1 })])
    const request = { UniqueIdentifier: id, AttributeReference, ...how }
    expect(await engine.refused(as, 'AdjustAttribute', request)).toBe(reason)
  })

  test('refuses an attribute with several instances', async () => {
    const engine = await testEngine()
    const one = holding({ type: 'Integer', value: 1 })
    const id = await engine.key(as, 'A', [one, holding({ type: 'Integer', value: 2 })])
    const request = {
      UniqueIdentifier: id,
      AttributeReference: counter,
      AdjustmentType: 'Increment',
    } as const
    expect(await engine.refused(as, 'AdjustAttribute', request)).toBe('MultiValuedAttribute')
  })

  test('refuses to move the Activation Date of an active key, and any date of one that is not there', async () => {
    const engine = await testEngine()
    const id = await engine.key(as, 'A')
    await engine.call(as, 'Activate', { UniqueIdentifier: id })
    const how = {
      AttributeReference: { tag: 'ActivationDate' },
      AdjustmentType: 'Increment',
    } as const
    expect(await engine.refused(as, 'AdjustAttribute', { UniqueIdentifier: id, ...how })).toBe(
      'WrongKeyLifecycleState',
    )
    expect(await engine.refused(as, 'AdjustAttribute', { UniqueIdentifier: 'none', ...how })).toBe(
      'ItemNotFound',
    )
  })
})
