// Type-level tests of the client: what the compiler knows of operations, and what it must refuse.
import { describe, expectTypeOf, test } from 'vitest'
import type { BatchItem, Client, OperationName, Payload } from '../../../src/kmip/client/client.ts'
import type { payloads } from '../../../src/kmip/model/payloads/index.ts'

declare const client: Client

/** Checked by the compiler, never called: there is no server here. */
const compiled = (_calls: () => Promise<unknown>): void => undefined

describe('the compiler', () => {
  test('knows every operation of the payload table, and no other', () => {
    expectTypeOf<OperationName>().toEqualTypeOf<keyof typeof payloads>()
    expectTypeOf<BatchItem['operation']>().toEqualTypeOf<OperationName>()
    // @ts-expect-error no such operation
    compiled(() => client.call('Invent', {}))
  })

  test('knows what an operation answers', () => {
    compiled(async () => {
      const { UniqueIdentifier } = await client.call('Locate', { Attributes: [] })
      expectTypeOf(UniqueIdentifier).toEqualTypeOf<string[]>()
      const created = await client.call('Create', { ObjectType: 'SymmetricKey', Attributes: [] })
      expectTypeOf(created.UniqueIdentifier).toEqualTypeOf<string>()
      // @ts-expect-error Create answers no key
      return created.SymmetricKey as unknown
    })
  })

  test('refuses payloads that are none', () => {
    const create: Payload<'Create'> = { ObjectType: 'SymmetricKey', Attributes: [] }
    expectTypeOf(create.ObjectType).toEqualTypeOf<Payload<'Create'>['ObjectType']>()
    // @ts-expect-error a name that the standard does not have
    compiled(() => client.call('Create', { ObjectType: 'TapeKey', Attributes: [] }))
    // @ts-expect-error a field that Get does not have
    compiled(() => client.call('Get', { Identifier: 'x' }))
    // @ts-expect-error Create cannot go without an object type
    compiled(() => client.call('Create', { Attributes: [] }))
  })

  test('gives each result of a batch the type of its item', () => {
    compiled(async () => {
      const [created, got] = await client.batch([
        { operation: 'Create', payload: { ObjectType: 'SymmetricKey', Attributes: [] } },
        { operation: 'Get', payload: {} },
      ])
      // @ts-expect-error not before the status is looked at
      void created.payload
      if (created.status === 'Success')
        expectTypeOf(created.payload.UniqueIdentifier).toEqualTypeOf<string>()
      if (got.status === 'Failed') expectTypeOf(got.error.message).toEqualTypeOf<string>()
    })
  })
})
