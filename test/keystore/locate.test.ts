// Locate against a naive filter: whatever goes through indexes and columns finds what looking at every
// object would find, in the same order.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TypedValue } from 'ttlv-codec'
import type { AttributeInstance } from '../../src/kmip/model/attribute-forms.ts'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject } from '../../src/keystore/keystore.ts'
import { locate } from '../../src/keystore/locate.ts'
import { ManagedObject, type Vitals } from '../../src/keystore/managed-object.ts'
import { actor, idOf, newStore } from './sample.ts'

interface Asi {
  ApplicationNamespace: string
  ApplicationData: string
}

/** An object as the naive filter sees it. */
interface Model {
  type: 'SymmetricKey' | 'SecretData'
  made: bigint
  fresh: boolean
  storage: 'online' | 'archived' | 'destroyed'
  activation: bigint | undefined
  start: bigint | undefined
  mask: number
  length: number
  groups: string[]
  contact: string | undefined
  asi: Asi[]
  vendor: TypedValue[]
}

const letter = fc.constantFrom('a', 'b', 'c')
const day = fc.bigInt(0n, 3n)
const asi = fc.record({
  ApplicationNamespace: fc.constantFrom('LIBRARY-LTO', 'ACME-LIBRARY-LTO', 'LIBRARY-LTO5', 'ssl'),
  ApplicationData: letter,
})
const vendorValue: fc.Arbitrary<TypedValue> = fc.oneof(
  letter.map((value): TypedValue => ({ type: 'TextString', value })),
  fc.integer({ min: 0, max: 2 }).map((value): TypedValue => ({ type: 'Integer', value })),
)
const model: fc.Arbitrary<Model> = fc.record({
  type: fc.constantFrom('SymmetricKey', 'SecretData'),
  made: day,
  fresh: fc.boolean(),
  storage: fc.constantFrom('online', 'online', 'archived', 'destroyed'),
  activation: fc.option(day, { nil: undefined }),
  start: fc.option(day, { nil: undefined }),
  mask: fc.integer({ min: 0, max: 7 }),
  length: fc.constantFrom(128, 256),
  groups: fc.uniqueArray(letter),
  contact: fc.option(letter, { nil: undefined }),
  asi: fc.array(asi, { maxLength: 2 }),
  vendor: fc.uniqueArray(vendorValue, { maxLength: 2, selector: JSON.stringify }),
})

const comparable = (namespace: string) => namespace.replace(/^.*?-(?=LIBRARY-LTO)/u, '')
const maximal = 2n ** 63n - 1n

/** A condition: what is sent, and what it means. */
interface Condition {
  sent: AttributeInstance[]
  meant: (one: Model) => boolean
}

const vendor = (AttributeValue: TypedValue): AttributeInstance => ({
  tag: 'Attribute',
  value: { VendorIdentification: 'x', AttributeName: 'n', AttributeValue },
})
const dateOf = (
  tag: 'ActivationDate' | 'ProcessStartDate',
  value: (one: Model) => bigint | undefined,
) =>
  fc
    .oneof(fc.tuple(day), fc.tuple(day, day), fc.constant([maximal] as const))
    .map((ends): Condition => {
      const [low, high] = [ends[0], ends.at(-1)!].sort((a, b) => (a < b ? -1 : 1))
      return {
        sent: ends.map((value) => ({ tag, value })),
        meant: (one) => {
          const held = value(one)
          if (ends.length === 1 && ends[0] === maximal) return held === undefined
          return held !== undefined && low! <= held && held <= high!
        },
      }
    })

const condition: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom('SymmetricKey' as const, 'SecretData' as const).map((value) => ({
    sent: [{ tag: 'ObjectType' as const, value }],
    meant: (one: Model) => one.type === value,
  })),
  fc.integer({ min: 0, max: 7 }).map((value) => ({
    sent: [{ tag: 'CryptographicUsageMask' as const, value }],
    meant: (one: Model) => (one.mask & value) === value,
  })),
  fc.constantFrom(128, 192, 256).map((value) => ({
    sent: [{ tag: 'CryptographicLength' as const, value }],
    meant: (one: Model) => one.length === value,
  })),
  letter.map((value) => ({
    sent: [{ tag: 'ObjectGroup' as const, value }],
    meant: (one: Model) => one.groups.includes(value),
  })),
  letter.map((value) => ({
    sent: [{ tag: 'ContactInformation' as const, value }],
    meant: (one: Model) => one.contact === value,
  })),
  vendorValue.map((value) => ({
    sent: [vendor(value)],
    meant: (one: Model) => one.vendor.some((v) => JSON.stringify(v) === JSON.stringify(value)),
  })),
  fc.tuple(asi, fc.constantFrom('both', 'namespace', 'data')).map(([value, part]) => {
    const { ApplicationNamespace, ApplicationData } = value
    return {
      sent: [
        {
          tag: 'ApplicationSpecificInformation' as const,
          value: {
            ...(part !== 'data' && { ApplicationNamespace }),
            ...(part !== 'namespace' && { ApplicationData }),
          },
        },
      ],
      meant: (one: Model) =>
        one.asi.some(
          (held) =>
            (part === 'data' ||
              comparable(held.ApplicationNamespace) === comparable(ApplicationNamespace)) &&
            (part === 'namespace' || held.ApplicationData === ApplicationData),
        ),
    }
  }),
  dateOf('ActivationDate', ({ activation }) => activation),
  dateOf('ProcessStartDate', ({ start }) => start),
)

const isDate = ({ sent: [first] }: Condition) => /Date$/u.test(first!.tag)

/** One condition per date: two of the same would be one range. */
const conditions = fc.array(condition, { maxLength: 4 }).filter((all) => {
  const dates = all.filter(isDate).map(({ sent }) => sent[0]!.tag)
  return new Set(dates).size === dates.length
})

function objectOf(one: Model, at: number): ManagedObject {
  const vitals: Vitals = {
    Owner: 'alpha',
    Fresh: one.fresh,
    Sensitive: false,
    Extractable: true,
    InitialDate: one.made,
    LastChangeDate: one.made,
    LeaseTime: 0,
    ...(one.activation !== undefined && { ActivationDate: one.activation }),
    ...(one.storage === 'archived' && { ArchiveDate: 1n }),
    ...(one.storage === 'destroyed' && { DestroyDate: 1n }),
  }
  const attributes = new AttributeSet()
  attributes.set('CryptographicUsageMask', one.mask)
  attributes.set('CryptographicLength', one.length)
  if (one.start !== undefined) attributes.set('ProcessStartDate', one.start)
  if (one.contact !== undefined) attributes.set('ContactInformation', one.contact)
  for (const value of one.groups) attributes.add({ tag: 'ObjectGroup', value })
  for (const value of one.asi) attributes.add({ tag: 'ApplicationSpecificInformation', value })
  for (const value of one.vendor) attributes.add(vendor(value))
  return new ManagedObject(
    { id: idOf(at), group: 'default', objectType: one.type },
    vitals,
    attributes,
  )
}

const bits = { online: 1, archived: 2, destroyed: 4 }

test(
  'what is located is what a look at every object finds, newest first',
  { timeout: 120_000 },
  async () => {
    const store = await newStore()
    let run = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(model, { maxLength: 12 }),
        fc.array(
          fc.record({
            conditions,
            status: fc.option(fc.integer({ min: 0, max: 7 }), { nil: undefined }),
            fresh: fc.boolean(),
            offset: fc.integer({ min: 0, max: 3 }),
            maximum: fc.integer({ min: 0, max: 12 }),
          }),
          { minLength: 5, maxLength: 5 },
        ),
        async (models, searches) => {
          const group = `g${run++}`
          const made = models.map((one, at) => ({ one, at: run * 100 + at }))
          await store.act(async (work) => {
            // Doubled application information is allowed here: searching is what is tested.
            await work.putDocument('group', group, { created: 0, duplicates: 'allow' })
            work.audit({ actor, operation: 'made', outcome: 'Success' })
            for (const { one, at } of made) {
              const { id, objectType, vitals, attributes } = objectOf(one, at)
              const object = new ManagedObject({ id, group, objectType }, vitals, attributes)
              expect(await insertObject(work, object, undefined)).toBeUndefined()
            }
          })
          for (const { conditions, status = 1, fresh, offset, maximum } of searches) {
            const expected = made
              .filter(({ one }) => (status & bits[one.storage]) !== 0 && (!fresh || one.fresh))
              .filter(({ one }) => conditions.every(({ meant }) => meant(one)))
              .sort((a, b) =>
                a.one.made === b.one.made ? b.at - a.at : Number(b.one.made - a.one.made),
              )
              .map(({ at }) => idOf(at))
            const found = await store.read((work) =>
              locate(
                work,
                {
                  group,
                  attributes: conditions.flatMap(({ sent }) => sent),
                  storageStatus: status,
                  member: fresh ? 'GroupMemberFresh' : undefined,
                  offset,
                  maximum,
                  objectTypes: new Set(['SymmetricKey', 'SecretData']),
                  damaged: (error) => expect.fail(error.message),
                },
                { maximumItems: 100, maximumScanned: 100, maximumTime: 60_000 },
              ),
            )
            expect(found.ids).toEqual(expected.slice(offset, offset + maximum))
            expect(found.total).toBe(expected.length)
          }
        },
      ),
      { numRuns: 150 },
    )
  },
)
