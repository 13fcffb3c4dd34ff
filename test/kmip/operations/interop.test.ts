// Interop, Log, Set Endpoint Role, PKCS#11: what exists for tests alone, what a client leaves in the audit
// record, and what is not here.
import { describe, expect, test } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  answerOf,
  principal,
  requestBytes,
  started,
  testEngine,
  type Ask,
  type TestEngine,
} from './engine.ts'
import { respond } from '../../../src/kmip/server/respond.ts'

const late: VersionText[] = ['2.0', '2.1']

async function underTest(): Promise<TestEngine> {
  const engine = await testEngine()
  engine.responder.facts.testingSince = started
  return engine
}

const visible = async (engine: TestEngine, as: VersionText, who = principal()) =>
  (await engine.call(as, 'Locate', { Attributes: [] }, who)).UniqueIdentifier

describe.each(late)('KMIP %s: Interop', (as) => {
  test('does not exist outside test mode, and Query does not name it', async () => {
    const engine = await testEngine()
    const request = { InteropFunction: 'Reset', InteropIdentifier: 'all' } as const
    expect(await engine.refused(as, 'Interop', request)).toBe('OperationNotSupported')
    const { Operation } = await engine.call(as, 'Query', { QueryFunction: ['QueryOperations'] })
    expect(Operation).not.toContain('Interop')
  })

  test('marks the beginning and the end of a test in the audit record', async () => {
    const engine = await underTest()
    for (const InteropFunction of ['Begin', 'End'] as const) {
      const answer = await engine.call(as, 'Interop', { InteropFunction, InteropIdentifier: 'one' })
      expect(answer).toEqual({})
    }
    const details = (await engine.audited()).map((entry) => entry.details)
    expect(details).toEqual([
      { function: 'Begin', test: 'one' },
      { function: 'End', test: 'one' },
    ])
    const { Operation } = await engine.call(as, 'Query', { QueryFunction: ['QueryOperations'] })
    expect(Operation).toContain('Interop')
  })

  test('Reset destroys what the client made, in whatever state, and nobody else’s', async () => {
    const engine = await underTest()
    const other = principal({ name: 'beta' })
    const own = await engine.key(as, 'own')
    await engine.call(as, 'Activate', { UniqueIdentifier: own })
    const { UniqueIdentifier: foreign } = await engine.call(
      as,
      'Create',
      { ObjectType: 'SymmetricKey', Attributes: [{ tag: 'CryptographicAlgorithm', value: 'AES' }] },
      other,
    )
    await engine.call(as, 'Interop', { InteropFunction: 'Reset', InteropIdentifier: 'all' })
    expect(await visible(engine, as)).toEqual([foreign])
    expect(await engine.refused(as, 'Get', { UniqueIdentifier: own })).toBe('ObjectDestroyed')
    expect(await engine.tamper('SELECT count(*) FROM objects WHERE sealed IS NULL')).toEqual([[1n]])
    await engine.key(as, 'own')
  })

  test('Reset leaves alone what was made before the server was started for tests', async () => {
    const engine = await testEngine()
    const before = await engine.key(as, 'a real tape')
    engine.time.seconds += 60n
    engine.responder.facts.testingSince = engine.time.seconds
    await engine.call(as, 'Interop', { InteropFunction: 'Reset', InteropIdentifier: 'all' })
    expect(await visible(engine, as)).toEqual([before])
  })

  test('Reset is refused where the group refuses Destroy', async () => {
    const engine = await underTest()
    await engine.policy('destroy=refuse')
    const request = { InteropFunction: 'Reset', InteropIdentifier: 'all' } as const
    expect(await engine.refused(as, 'Interop', request)).toBe('PermissionDenied')
  })
})

describe.each(late)('KMIP %s: Log', (as) => {
  test('a message stands in the audit record, made printable', async () => {
    const engine = await testEngine()
    expect(await engine.call(as, 'Log', { LogMessage: 'bay 3\nopened' })).toEqual({})
    const [entry] = await engine.audited()
    expect(entry).toMatchObject({ operation: 'Log', details: { message: 'bay 3?opened' } })
  })

  test('a message that is a store in disguise is refused', async () => {
    const engine = await testEngine()
    const LogMessage = 'x'.repeat(4097)
    expect(await engine.refused(as, 'Log', { LogMessage })).toBe('InvalidField')
  })
})

describe.each(late)('KMIP %s: Set Endpoint Role', (as) => {
  const listener = (engine: TestEngine) =>
    engine.store.act(async (work) => {
      await work.putDocument('listener', 'alpha', { notify: true, put: false, added: 1 })
      work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'set', outcome: 'Success' })
    })

  test('accepts the role that the server has, and for clients that are sent nothing no other', async () => {
    const engine = await testEngine()
    const server = { EndpointRole: 'Server' as const }
    expect(await engine.call(as, 'SetEndpointRole', server)).toEqual(server)
    const refused = (EndpointRole: 'Client' | number, who = principal()) =>
      engine.refused(as, 'SetEndpointRole', { EndpointRole }, who)
    expect(await refused('Client')).toBe('PermissionDenied')
    expect(await refused(9)).toBe('UnknownEnumeration')
    await listener(engine)
    expect(await refused('Client', principal({ name: 'beta' }))).toBe('PermissionDenied')
    // Over HTTPS there is no connection to turn round.
    expect(await refused('Client')).toBe('FeatureNotSupported')
  })

  test('turns round a connection that can be, and nothing that was undone', async () => {
    const engine = await testEngine()
    await listener(engine)
    const turning: Ask = ['SetEndpointRole', { EndpointRole: 'Client' }]
    const asked = (asks: Ask[], header = {}) =>
      respond(engine.responder, requestBytes(as, asks, header), principal(), true)
    const turned = await asked([turning])
    expect(turned.turned).toBe(version(as))
    expect(answerOf(turned.bytes, as).BatchItem[0]).toMatchObject({
      ResponsePayload: { EndpointRole: 'Client' },
    })
    const failing: Ask = ['Get', { UniqueIdentifier: 'none' }]
    const undone = await asked([turning, failing], { BatchErrorContinuationOption: 'Undo' })
    expect(undone.turned).toBeUndefined()
    const server = await asked([['SetEndpointRole', { EndpointRole: 'Server' }]])
    expect(server.turned).toBeUndefined()
  })
})

describe.each(late)('KMIP %s: PKCS#11', (as) => {
  const called = (value: 'C_Initialize' | 'C_MessageVerifyFinal' | number) => ({
    type: 'Enumeration' as const,
    value,
  })

  test('returns for every function that it is not supported', async () => {
    const engine = await testEngine()
    for (const name of ['C_Initialize', 'C_MessageVerifyFinal'] as const) {
      const request = { PKCS_11Function: called(name), PKCS_11InputParameters: new Uint8Array(8) }
      expect(await engine.call(as, 'PKCS_11', request)).toEqual({
        PKCS_11Function: called(name),
        PKCS_11ReturnCode: 'CKR_FUNCTION_NOT_SUPPORTED',
      })
    }
    const named = { PKCS_11Interface: 'PKCS 11', PKCS_11Function: called('C_Initialize') }
    expect(await engine.call(as, 'PKCS_11', named)).toMatchObject(named)
  })

  test('refuses what no interface here has, and parameters without bound', async () => {
    const engine = await testEngine()
    const refused = (change: Partial<RequestPayload<'PKCS_11'>>) =>
      engine.refused(as, 'PKCS_11', { PKCS_11Function: called('C_Initialize'), ...change })
    expect(await refused({ PKCS_11Interface: 'Vendor' })).toBe('PKCS_11InvalidInterface')
    for (const number of [0, 93])
      expect(await refused({ PKCS_11Function: called(number) })).toBe('PKCS_11InvalidFunction')
    const vendors = { type: 'Integer' as const, value: 1 }
    expect(await refused({ PKCS_11Function: vendors })).toBe('PKCS_11InvalidFunction')
    expect(await refused({ CorrelationValue: new Uint8Array(8) })).toBe('InvalidField')
    const much = new Uint8Array(65_537)
    expect(await refused({ PKCS_11InputParameters: much })).toBe('PKCS_11CodecError')
  })
})
