// For every attribute of a symmetric key: may a client add, change, set or delete it, in each state?
// The expectations are worked out from the rule tables of the specification; when a client may give a first
// value is only said in prose there, and taken from the rows of the model.
import { describe, expect, test } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import {
  appliesTo,
  attributeNames,
  attributes,
  inVersion,
  type AttributeName,
} from '../../../src/kmip/model/attributes.ts'
import type { While } from '../../../src/kmip/model/attribute-rules.ts'
import type { ResultReasonName } from '../../../src/kmip/model/result.ts'
import { specifiedRules } from '../model/specification-rules.ts'
import type { Principal } from '../../../src/access/identity.ts'
import {
  isLate,
  principal,
  started,
  tapeKey,
  testEngine,
  type Ask,
  type TestEngine,
} from './engine.ts'

const states = ['PreActive', 'Active', 'Deactivated', 'Compromised', 'Destroyed'] as const
type State = (typeof states)[number]

const future = started + 10_000n
const type = 'UninterpretedTextString'

/** Two values of each attribute that is no text. */
const samples: Partial<Record<AttributeName, readonly [unknown, unknown]>> = {
  ActivationDate: [future, future + 1n],
  AlternativeName: [
    { AlternativeNameValue: 'one', AlternativeNameType: type },
    { AlternativeNameValue: 'two', AlternativeNameType: type },
  ],
  AlwaysSensitive: [true, false],
  ApplicationSpecificInformation: [
    { ApplicationNamespace: 'ssl', ApplicationData: 'one' },
    { ApplicationNamespace: 'ssl', ApplicationData: 'two' },
  ],
  ArchiveDate: [1n, 2n],
  CompromiseDate: [1n, 2n],
  CompromiseOccurrenceDate: [1n, 2n],
  CryptographicAlgorithm: ['AES', 'DES'],
  CryptographicLength: [256, 128],
  CryptographicParameters: [{ BlockCipherMode: 'CBC' }, { BlockCipherMode: 'GCM' }],
  CryptographicUsageMask: [4, 8],
  DeactivationDate: [future + 20n, future + 21n],
  DestroyDate: [1n, 2n],
  Digest: [{ HashingAlgorithm: 'SHA_256' }, { HashingAlgorithm: 'SHA_1' }],
  Extractable: [true, false],
  Fresh: [true, false],
  InitialDate: [1n, 2n],
  KeyFormatType: ['Raw', 'Opaque'],
  KeyValueLocation: [
    { KeyValueLocationValue: 'one', KeyValueLocationType: type },
    { KeyValueLocationValue: 'two', KeyValueLocationType: type },
  ],
  KeyValuePresent: [true, false],
  LastChangeDate: [1n, 2n],
  LeaseTime: [1, 2],
  Link: [
    { LinkType: 'DerivedKeyLink', LinkedObjectIdentifier: 'one' },
    { LinkType: 'DerivedKeyLink', LinkedObjectIdentifier: 'two' },
  ],
  Name: [
    { NameValue: 'one', NameType: type },
    { NameValue: 'two', NameType: type },
  ],
  NeverExtractable: [true, false],
  NISTKeyType: ['SymmetricDataEncryptionKey', 'SymmetricMasterKey'],
  ObjectType: ['SymmetricKey', 'SecretData'],
  OriginalCreationDate: [1n, 2n],
  ProcessStartDate: [future + 5n, future + 6n],
  ProtectionLevel: ['High', 'Low'],
  ProtectionPeriod: [1, 2],
  ProtectionStorageMask: [1, 2],
  ProtectStopDate: [future + 5n, future + 6n],
  QuantumSafe: [true, false],
  RandomNumberGenerator: [{ RNGAlgorithm: 'DRBG' }, { RNGAlgorithm: 'NRBG' }],
  RevocationReason: [
    { RevocationReasonCode: 'Superseded' },
    { RevocationReasonCode: 'KeyCompromise' },
  ],
  RotateAutomatic: [true, false],
  RotateDate: [1n, 2n],
  RotateGeneration: [1, 2],
  RotateInterval: [1, 2],
  RotateLatest: [true, false],
  RotateName: [
    { RotateNameValue: 'one', RotateNameType: type },
    { RotateNameValue: 'two', RotateNameType: type },
  ],
  RotateOffset: [1, 2],
  Sensitive: [true, false],
  ShortUniqueIdentifier: [Uint8Array.of(1), Uint8Array.of(2)],
  State: ['Active', 'PreActive'],
  UsageLimits: [
    { UsageLimitsTotal: 5n, UsageLimitsUnit: 'Byte' },
    { UsageLimitsTotal: 6n, UsageLimitsUnit: 'Byte' },
  ],
}
const sample = (name: AttributeName) => samples[name] ?? (['one', 'two'] as const)

/** Dates that hold the key in its state may not be reached meanwhile: they lie in the future. */
function met(condition: While, state: State): boolean {
  const alive = state === 'PreActive' || state === 'Active'
  return {
    always: true,
    never: false,
    'pre-active': state === 'PreActive',
    'pre-active-or-active': alive,
    'pre-active-or-active-and-not-passed': alive,
    'until-first-use': true,
    'when-omitted': true,
  }[condition]
}

/** A key in a state, with the attribute where a client may give it when making the key. */
async function keyIn(
  engine: TestEngine,
  as: VersionText,
  state: State,
  who: Principal,
  name?: AttributeName,
) {
  const base = tapeKey('A').filter(({ tag }) => tag !== name)
  const given = name === undefined ? [] : [{ tag: name, value: sample(name)[0] }]
  const Attributes = [...base, ...given]
  const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes }, who)
  const request = { UniqueIdentifier: made.UniqueIdentifier }
  const revoke = (RevocationReasonCode: 'Superseded' | 'KeyCompromise') =>
    engine.call(as, 'Revoke', { ...request, RevocationReason: { RevocationReasonCode } }, who)
  if (state === 'Active' || state === 'Deactivated') await engine.call(as, 'Activate', request, who)
  if (state === 'Deactivated') await revoke('Superseded')
  if (state === 'Compromised') await revoke('KeyCompromise')
  if (state === 'Destroyed') await engine.call(as, 'Destroy', request, who)
  return request
}

type Outcome = 'Success' | ResultReasonName

/** What each reason of 2.x is called before. */
const early: Partial<Record<Outcome, string>> = {
  ReadOnlyAttribute: 'PermissionDenied',
  AttributeReadOnly: 'PermissionDenied',
  WrongKeyLifecycleState: 'PermissionDenied',
  AttributeSingleValued: 'IllegalOperation',
}

/** The first of the conditions that forbids, or success. */
const first = (...conditions: [boolean, Outcome][]): Outcome =>
  conditions.find(([forbids]) => forbids)?.[1] ?? 'Success'

describe.each<VersionText>(['1.0', '1.4', '2.0', '2.1'])('KMIP %s', (as) => {
  const number = version(as)
  const rules = specifiedRules(as)
  const names = attributeNames.filter(
    (name) => inVersion(name, number) && appliesTo(name, 'SymmetricKey', number),
  )

  /** Tries one operation on a key of each state, each in a group of its own. */
  async function inEachState(
    operation: 'AddAttribute' | 'ModifyAttribute' | 'DeleteAttribute' | 'SetAttribute',
    request: object,
    given: AttributeName | undefined,
    expected: (state: State, held: readonly unknown[]) => Outcome,
    after: (values: unknown[]) => void,
    name: AttributeName,
  ): Promise<void> {
    const engine = await testEngine()
    for (const state of states) {
      const who = principal({ group: state })
      const key = await keyIn(engine, as, state, who, given)
      const list = { ...key, AttributeReference: [{ tag: name }] }
      const values = async () => {
        const { Attributes } = await engine.call(as, 'GetAttributes', list, who)
        return Attributes!.map(({ value }) => value)
      }
      const reason = expected(state, await values())
      const ask = [operation, { ...key, ...request }] as unknown as Ask
      const [item] = await engine.batch(as, [ask], {}, who)
      const said = isLate(as) ? reason : (early[reason] ?? reason)
      expect(item!.ResultReason ?? item!.ResultStatus, state).toBe(said)
      if (reason === 'Success') after(await values())
    }
  }

  describe.each(names)('%s', (name) => {
    const rule = rules.get(attributes[name].text)!
    const row = { ...rule, givenByClient: attributes[name].givenByClient }
    const onMaking = row.givenByClient === 'on-making' || row.givenByClient === 'any-time'
    const [one, two] = sample(name)
    const passed = (state: State) =>
      row.changeByClient !== 'never' && !met(row.changeByClient, state)
    const shown = name === 'UsageLimits' ? { ...(two as object), UsageLimitsCount: 6n } : two

    test('added', () =>
      inEachState(
        'AddAttribute',
        { NewAttribute: { tag: name, value: one } },
        undefined,
        (state, held) =>
          first(
            [row.givenByClient !== 'any-time', 'ReadOnlyAttribute'],
            [state === 'Destroyed' || passed(state), 'WrongKeyLifecycleState'],
            [held.length > 0 && !row.multiple, 'AttributeSingleValued'],
          ),
        (values) => expect(values.length).toBeGreaterThan(0),
        name,
      ))

    test('modified', () =>
      inEachState(
        'ModifyAttribute',
        { NewAttribute: { tag: name, value: two } },
        onMaking ? name : undefined,
        (state) =>
          first(
            [row.changeByClient === 'never', 'AttributeReadOnly'],
            [state === 'Destroyed' || passed(state), 'WrongKeyLifecycleState'],
          ),
        (values) => expect(values).toEqual([shown]),
        name,
      ))

    test('deleted', () =>
      inEachState(
        'DeleteAttribute',
        { AttributeReference: { tag: name } },
        onMaking ? name : undefined,
        (state) =>
          first(
            [row.always !== 'no' || row.deleteByClient === 'never', 'AttributeReadOnly'],
            [state === 'Destroyed', 'WrongKeyLifecycleState'],
          ),
        (values) => expect(values).toEqual([]),
        name,
      ))

    if (!isLate(as)) return
    test('set', () =>
      inEachState(
        'SetAttribute',
        { NewAttribute: { tag: name, value: two } },
        undefined,
        (state, held) =>
          first(
            [
              held.length > 0 ? row.changeByClient === 'never' : row.givenByClient !== 'any-time',
              'ReadOnlyAttribute',
            ],
            [state === 'Destroyed' || passed(state), 'WrongKeyLifecycleState'],
          ),
        (values) => expect(values).toEqual([shown]),
        name,
      ))
  })
})
