// Asynchronous requests: handed in, polled, canceled; whose they are, how many, and what a stop leaves.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import { putBody } from '../../../src/access/documents.ts'
import { addCredential } from '../../../src/access/credential-add.ts'
import { generateKeyPair } from '../../../src/crypto/key-pairs.ts'
import { issueCertificate, validityFrom } from '../../../src/crypto/certificates-issue.ts'
import { messageOf, unfinishedJobs } from '../../../src/kmip/operations/asynchronous-records.ts'
import type { Principal } from '../../../src/access/identity.ts'
import { AsynchronousRequests } from '../../../src/kmip/operations/asynchronous-requests.ts'
import { RunningJobs } from '../../../src/kmip/operations/running-jobs.ts'
import {
  everyVersion,
  isLate,
  principal,
  started,
  tapeKey,
  testEngine,
  type Ask,
  type Header,
  type TestEngine,
} from './engine.ts'

const late: VersionText[] = ['2.0', '2.1']
const able: Header = { AsynchronousIndicator: 'Optional' }
const must: Header = { AsynchronousIndicator: 'Mandatory' }

const { publicKey, privateKey } = await generateKeyPair('p256')
const certificate = issueCertificate(
  {
    subject: { commonName: 'alpha' },
    publicKey,
    use: 'client',
    ...validityFrom(started, 'client'),
  },
  { privateKey },
)
const me = principal({ fingerprint: certificate.fingerprint })

/** An engine whose client is enrolled, as it must be when the server looks again. */
async function enrolledEngine(): Promise<TestEngine> {
  const engine = await testEngine()
  const created = Number(started)
  await engine.store.act(async (work) => {
    await putBody(work, 'client', 'alpha', {
      kind: 'library',
      group: 'default',
      profile: 'general',
      allow: [],
      created,
    })
    await putBody(work, 'certificate', certificate.fingerprint, {
      client: 'alpha',
      pem: certificate.pem,
      origin: 'given',
      enrolled: created,
    })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'group', outcome: 'Success' })
  })
  return engine
}

const submit = async (
  engine: TestEngine,
  as: VersionText,
  asks: readonly Ask[],
  header: Header = must,
  who: Principal = me,
): Promise<ResponseBatchItem[]> => engine.batch(as, asks, header, who)

const valueOf = (item: ResponseBatchItem | undefined): Uint8Array => {
  expect(item?.ResultStatus).toBe('OperationPending')
  return item!.AsynchronousCorrelationValue!
}

const poll = async (
  engine: TestEngine,
  as: VersionText,
  AsynchronousCorrelationValue: Uint8Array,
  who: Principal = me,
): Promise<ResponseBatchItem> =>
  (await engine.batch(as, [['Poll', { AsynchronousCorrelationValue }]], {}, who))[0]!

const create: Ask = ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('one') }]

describe.each(everyVersion)('KMIP %s: a Locate of a client that can wait', (as) => {
  test('is pending, and a Poll brings the answer that it would have had', async () => {
    const engine = await enrolledEngine()
    const id = await engine.key(as, 'one')
    const [item] = await submit(engine, as, [['Locate', { Attributes: [] }]], able)
    expect(item).toMatchObject({ Operation: 'Locate' })
    const answer = await poll(engine, as, valueOf(item))
    expect(answer).toMatchObject({
      Operation: 'Locate',
      ResultStatus: 'Success',
      ResponsePayload: { UniqueIdentifier: [id] },
    })
    expect(answer.AsynchronousCorrelationValue).toBeUndefined()
  })

  test('a correlation value that names nothing, or another client’s request, is refused alike', async () => {
    const engine = await enrolledEngine()
    const [item] = await submit(engine, as, [['Locate', { Attributes: [] }]], able)
    const reason = isLate(as) ? 'InvalidAsynchronousCorrelationValue' : 'ItemNotFound'
    const other = { ...me, name: 'beta', owner: 'beta' }
    const foreign = await poll(engine, as, valueOf(item), other)
    const unknown = await poll(engine, as, new Uint8Array(16))
    for (const { ResultReason, ResultMessage } of [foreign, unknown]) {
      expect(ResultReason).toBe(reason)
      expect(ResultMessage).toBe(unknown.ResultMessage)
    }
  })

  test('whatever else it asks is answered at once, a Locate among others too', async () => {
    const engine = await enrolledEngine()
    const [made] = await submit(engine, as, [create], able)
    expect(made?.ResultStatus).toBe('Success')
    const asks: Ask[] = [
      ['Locate', { Attributes: [] }],
      ['Get', {}],
    ]
    const items = await submit(engine, as, asks, able)
    expect(items.map(({ ResultStatus }) => ResultStatus)).toEqual(['Success', 'Success'])
  })

  test('Cancel says what became of a request', async () => {
    const engine = await enrolledEngine()
    const [item] = await submit(engine, as, [['Locate', { Attributes: [] }]], able)
    const AsynchronousCorrelationValue = valueOf(item)
    await poll(engine, as, AsynchronousCorrelationValue)
    const done = await engine.call(as, 'Cancel', { AsynchronousCorrelationValue }, me)
    expect(done).toEqual({ AsynchronousCorrelationValue, CancellationResult: 'Completed' })
    const nothing = { AsynchronousCorrelationValue: new Uint8Array(16) }
    expect(await engine.call(as, 'Cancel', nothing, me)).toMatchObject({
      CancellationResult: 'Unavailable',
    })
  })
})

describe.each(late)('KMIP %s: Mandatory', (as) => {
  test('every item is pending under a value of its own, and they run in order', async () => {
    const engine = await enrolledEngine()
    const items = await submit(engine, as, [create, ['Get', {}]])
    const [first, second] = items.map(valueOf)
    expect(first).not.toEqual(second)
    expect(await poll(engine, as, first!)).toMatchObject({
      Operation: 'Create',
      ResultStatus: 'Success',
    })
    const got = await poll(engine, as, second!)
    expect(got).toMatchObject({ Operation: 'Get', ResultStatus: 'Success' })
    const operations = (await engine.audited()).map(({ operation }) => operation)
    expect(operations).toEqual(['Create', 'Get', 'Poll', 'Poll'])
  })

  test('an item behind a failed one is not done, and says so', async () => {
    const engine = await enrolledEngine()
    const asks: Ask[] = [['Get', { UniqueIdentifier: 'none' }], create]
    const [first, second] = (await submit(engine, as, asks)).map(valueOf)
    expect((await poll(engine, as, first!)).ResultReason).toBe('ObjectNotFound')
    expect(await poll(engine, as, second!)).toMatchObject({
      ResultStatus: 'OperationFailed',
      ResultReason: 'GeneralFailure',
    })
  })

  test('an undone batch gives no key away', async () => {
    const engine = await enrolledEngine()
    const asks: Ask[] = [create, ['Get', {}], ['Get', { UniqueIdentifier: 'none' }]]
    const header = { ...must, BatchErrorContinuationOption: 'Undo' } as const
    const values = (await submit(engine, as, asks, header)).map(valueOf)
    const answers = await Promise.all(values.map((value) => poll(engine, as, value)))
    expect(answers.map(({ ResultStatus }) => ResultStatus)).toEqual([
      'OperationUndone',
      'OperationUndone',
      'OperationFailed',
    ])
    expect(answers[1]?.ResponsePayload).not.toHaveProperty('SymmetricKey')
  })

  test('a Poll is answered at once all the same', async () => {
    const engine = await enrolledEngine()
    const request = { AsynchronousCorrelationValue: new Uint8Array(16) }
    const [item] = await submit(engine, as, [['Poll', request]])
    expect(item?.ResultReason).toBe('InvalidAsynchronousCorrelationValue')
    const mixed = await submit(engine, as, [create, ['Poll', request]])
    const second = await poll(engine, as, valueOf(mixed[1]))
    expect(second.ResultReason).toBe('FeatureNotSupported')
  })

  test('a client whose profile has no Poll is refused', async () => {
    const engine = await enrolledEngine()
    const [item] = await submit(engine, as, [create], must, { ...me, profile: 'tape-library' })
    expect(item?.ResultReason).toBe('FeatureNotSupported')
  })

  test('no more than a bounded number waits', async () => {
    const engine = await enrolledEngine()
    const asks = Array.from({ length: 60 }, (): Ask => ['DiscoverVersions', {}])
    expect((await submit(engine, as, asks))[0]?.ResultStatus).toBe('OperationPending')
    const [refused] = await submit(engine, as, asks)
    expect(refused?.ResultReason).toBe('ServerLimitExceeded')
  })

  test('an answer larger than the Maximum Response Size is not promised', async () => {
    const engine = await enrolledEngine()
    const [item] = await submit(engine, as, [create], { ...must, MaximumResponseSize: 100 })
    expect(item?.ResultReason).toBe('ResponseTooLarge')
    expect(await engine.audited()).toMatchObject([{ operation: 'Message' }])
  })

  test('request and answer are forgotten after their time', async () => {
    const engine = await enrolledEngine()
    const value = valueOf((await submit(engine, as, [create]))[0])
    await poll(engine, as, value)
    await poll(engine, as, value)
    engine.time.seconds += 601n
    expect((await poll(engine, as, value)).ResultReason).toBe('InvalidAsynchronousCorrelationValue')
  })
})

describe('a stop of the server', () => {
  const as = '2.1'

  test('leaves what had not begun to the next start', async () => {
    const engine = await enrolledEngine()
    await engine.responder.requests.close()
    const value = valueOf((await submit(engine, as, [create]))[0])
    const pending = await poll(engine, as, value)
    expect(pending).toMatchObject({ Operation: 'Poll', ResultStatus: 'OperationPending' })
    expect(pending.AsynchronousCorrelationValue).toEqual(value)
    await restarted(engine)
    expect(await poll(engine, as, value)).toMatchObject({ ResultStatus: 'Success' })
    expect(await engine.tamper('SELECT count(*) FROM objects')).toEqual([[1n]])
  })

  test('a request that was canceled before it began is not done', async () => {
    const engine = await enrolledEngine()
    await engine.responder.requests.close()
    const AsynchronousCorrelationValue = valueOf((await submit(engine, as, [create]))[0])
    const { CancellationResult } = await engine.call(
      as,
      'Cancel',
      { AsynchronousCorrelationValue },
      me,
    )
    expect(CancellationResult).toBe('Canceled')
    await restarted(engine)
    const answer = await poll(engine, as, AsynchronousCorrelationValue)
    expect(answer.ResultReason).toBe('OperationCanceledByRequester')
    expect(await engine.tamper('SELECT count(*) FROM objects')).toEqual([[0n]])
  })

  test('a client that was revoked meanwhile is not served', async () => {
    const engine = await testEngine()
    const value = valueOf((await submit(engine, as, [create]))[0])
    expect((await poll(engine, as, value)).ResultReason).toBe('PermissionDenied')
  })

  test('Query Asynchronous Requests lists what is outstanding; Process ends the waiting', async () => {
    const engine = await enrolledEngine()
    await engine.responder.requests.close()
    const items = await submit(engine, as, [create, ['Get', {}]])
    const [first, second] = items.map(valueOf)
    const listed = async (request = {}) =>
      (await engine.call(as, 'QueryAsynchronousRequests', request, me)).AsynchronousRequest.map(
        ({ Operation, ProcessingStage }) => [Operation, ProcessingStage],
      )
    expect(await listed()).toEqual([
      ['Create', 'Submitted'],
      ['Get', 'Submitted'],
    ])
    expect(await listed({ Operations: { Operation: ['Get'] } })).toEqual([['Get', 'Submitted']])
    const one = { AsynchronousCorrelationValue: [first!] }
    expect(await listed({ AsynchronousCorrelationValues: one })).toEqual([['Create', 'Submitted']])
    const other = await engine.call(
      as,
      'QueryAsynchronousRequests',
      {},
      { ...me, name: 'beta', owner: 'beta' },
    )
    expect(other.AsynchronousRequest).toEqual([])
    await restarted(engine)
    await engine.call(as, 'Process', { AsynchronousCorrelationValue: second! }, me)
    expect(await poll(engine, as, second!)).toMatchObject({ ResultStatus: 'Success' })
    expect(await listed()).toEqual([['Create', 'Completed']])
    const unknown = { AsynchronousCorrelationValue: new Uint8Array(16) }
    expect(await engine.refused(as, 'Process', unknown, me)).toBe(
      'InvalidAsynchronousCorrelationValue',
    )
  })

  test('a password that came with the request is not kept with it', async () => {
    const engine = await enrolledEngine()
    await addCredential(engine.store, 'alpha', {
      username: 'tapes',
      password: 'correct horse',
      ownOnly: false,
    })
    await engine.responder.requests.close()
    const CredentialValue = { Username: 'tapes', Password: 'correct horse' }
    const Credential = [{ CredentialType: 'UsernameAndPassword', CredentialValue } as const]
    const header: Header = { ...must, Authentication: { Credential } }
    await submit(engine, as, [create], header, { ...me, credentialRequired: true })
    const message = await engine.store.act(async (work) => {
      const [job] = await unfinishedJobs(work)
      const secret = await messageOf(work, job!.name)
      return Buffer.from(secret.bytes).toString('latin1')
    })
    expect(message).toContain('name of one')
    expect(message).not.toContain('correct horse')
  })
})

/** Another process over the same store. */
async function restarted(engine: TestEngine): Promise<void> {
  const { responder } = engine
  responder.jobs = new RunningJobs()
  const decoding = { maxBytes: 1024 * 1024, maxDepth: 32, maxItems: 65_536 }
  const waiting = { requests: 100, bytes: 1024 * 1024, keptFor: 3600 }
  responder.requests = new AsynchronousRequests(responder, decoding, waiting)
  await responder.requests.resume(0)
}
