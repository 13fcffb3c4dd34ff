// Operations in parts: the parts make the whole, and nobody else can go on with them.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload, ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import { Streams } from '../../../src/kmip/operations/streams.ts'
import { isLate, principal, tapeKey, testEngine, type Ask, type TestEngine } from './engine.ts'
import { active, bytes, hex, pair, streamVersions, symmetric, usage } from './keys.ts'

const material = '000102030405060708090a0b0c0d0e0f'
const key = (engine: TestEngine, as: VersionText) =>
  symmetric(engine, as, material, [usage('Encrypt', 'Decrypt'), active])
const parameters = { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' } as const
const IVCounterNonce = new Uint8Array(16)
const begin = { CryptographicParameters: parameters, IVCounterNonce, InitIndicator: true }
type Encrypt = Partial<RequestPayload<'Encrypt'>>

/** Sends data in parts of that size; answers what came back, and the last answer. */
async function inParts(
  engine: TestEngine,
  as: VersionText,
  way: 'Encrypt' | 'Decrypt',
  first: Encrypt,
  data: Uint8Array,
  size: number,
) {
  const out: Uint8Array[] = []
  const UniqueIdentifier = first.UniqueIdentifier!
  let CorrelationValue: Uint8Array | undefined
  let answer: ResponsePayload<'Encrypt'> | undefined
  for (let at = 0; at < data.length || answer === undefined; at += size) {
    const isLast = at + size >= data.length
    const part = { Data: data.subarray(at, at + size), ...(isLast && { FinalIndicator: true }) }
    const asked = CorrelationValue ? { UniqueIdentifier, CorrelationValue } : first
    answer = (await engine.call(as, way, { ...asked, ...part })) as ResponsePayload<'Encrypt'>
    CorrelationValue = answer.CorrelationValue
    if (answer.Data) out.push(answer.Data)
  }
  return { data: Buffer.concat(out), answer }
}

interface Parted {
  UniqueIdentifier?: string
  CryptographicParameters?: object
  CorrelationValue?: Uint8Array
  Data?: Uint8Array
  MACData?: Uint8Array
  SignatureData?: Uint8Array
}

/** The first request of an operation in parts, for an engine without keys. */
async function begun(engine: TestEngine, as: VersionText, name: string): Promise<object> {
  const hashing = { CryptographicParameters: { HashingAlgorithm: 'SHA_256' } }
  switch (name) {
    case 'Hash':
      return hashing
    case 'MAC': {
      const UniqueIdentifier = await symmetric(engine, as, material, [usage('MACGenerate'), active])
      return {
        UniqueIdentifier,
        CryptographicParameters: { CryptographicAlgorithm: 'HMAC_SHA256' },
      }
    }
    case 'Sign': {
      const uses = { private: [usage('Sign')], public: [usage('Verify')] }
      const { privateId } = await pair(engine, as, 'rsa', uses)
      const CryptographicParameters = {
        CryptographicAlgorithm: 'RSA',
        HashingAlgorithm: 'SHA_256',
        PaddingMethod: 'PKCS1V1_5',
      }
      return { UniqueIdentifier: privateId, CryptographicParameters }
    }
    default: {
      const CryptographicParameters = { BlockCipherMode: 'CTR' }
      return { UniqueIdentifier: await key(engine, as), CryptographicParameters, IVCounterNonce }
    }
  }
}

/** An act that the store cannot keep, after everything in it was done. */
const failingAct =
  (store: TestEngine['store']): TestEngine['store']['act'] =>
  (fn) =>
    store.act(async (work) => {
      await fn(work)
      throw new Error('the disk is full')
    })

const unknown = (as: VersionText) => (isLate(as) ? 'InvalidCorrelationValue' : 'ItemNotFound')

describe.each(streamVersions)('KMIP %s', (as) => {
  test.each([1, 7, 16, 33, 100])('parts of %i bytes make the whole', async (size) => {
    const engine = await testEngine()
    const first = { UniqueIdentifier: await key(engine, as), ...begin }
    const data = Uint8Array.from({ length: 70 }, (_, at) => at)
    const whole = await engine.call(as, 'Encrypt', { ...first, InitIndicator: false, Data: data })
    const made = await inParts(engine, as, 'Encrypt', first, data, size)
    expect(hex(made.data)).toBe(hex(whole.Data))
    expect(made.answer.CorrelationValue).toBeUndefined()
    const back = await inParts(engine, as, 'Decrypt', first, made.data, size)
    expect(hex(back.data)).toBe(hex(data))
  })

  test('a stream is unknown to other clients, operations and keys, and once it has ended', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const other = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: new Uint8Array(16) }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const next = { UniqueIdentifier, CorrelationValue: CorrelationValue!, Data: bytes('00') }
    const colleague = principal({ name: 'beta' })
    expect(await engine.refused(as, 'Encrypt', next, colleague)).toBe(unknown(as))
    expect(await engine.refused(as, 'Decrypt', next)).toBe(unknown(as))
    expect(await engine.refused(as, 'Encrypt', { ...next, UniqueIdentifier: other })).toBe(
      unknown(as),
    )
    const wrong = { ...next, CorrelationValue: new Uint8Array(16) }
    expect(await engine.refused(as, 'Encrypt', wrong)).toBe(unknown(as))
    await engine.call(as, 'Encrypt', { ...next, FinalIndicator: true })
    expect(await engine.refused(as, 'Encrypt', next)).toBe(unknown(as))
  })

  test('the key is judged again at every part', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: new Uint8Array(16) }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    await engine.call(as, 'Revoke', {
      UniqueIdentifier,
      RevocationReason: { RevocationReasonCode: 'Unspecified' },
    })
    const next = { UniqueIdentifier, CorrelationValue: CorrelationValue!, Data: bytes('00') }
    expect(await engine.refused(as, 'Encrypt', next)).toBe(
      isLate(as) ? 'WrongKeyLifecycleState' : 'PermissionDenied',
    )
  })

  test('a first part with a Correlation Value is refused', async () => {
    const engine = await testEngine()
    const request = {
      UniqueIdentifier: await key(engine, as),
      ...begin,
      CorrelationValue: bytes('01'),
      Data: bytes('01'),
    }
    expect(await engine.refused(as, 'Encrypt', request)).toBe('InvalidField')
  })

  test('a client has so many streams and no more; others still begin theirs', async () => {
    const engine = await testEngine()
    const first = { UniqueIdentifier: await key(engine, as), ...begin, Data: bytes('01') }
    for (let count = 0; count < 4; count++) await engine.call(as, 'Encrypt', first)
    expect(await engine.refused(as, 'Encrypt', first)).toBe(
      isLate(as) ? 'ServerLimitExceeded' : 'IndexOutOfBounds',
    )
    await engine.call(as, 'Encrypt', first, principal({ name: 'beta' }))
  })

  test('a stream that nobody goes on with is given up', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: bytes('01') }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const next = { UniqueIdentifier, CorrelationValue: CorrelationValue!, Data: bytes('00') }
    engine.time.seconds += 60n
    await engine.call(as, 'Encrypt', next)
    engine.time.seconds += 61n
    expect(await engine.refused(as, 'Encrypt', next)).toBe(unknown(as))
  })

  test('a stream takes so many bytes and no more', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: new Uint8Array(4000) }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const next = { UniqueIdentifier, CorrelationValue: CorrelationValue! }
    expect(await engine.refused(as, 'Encrypt', { ...next, Data: new Uint8Array(97) })).toBe(
      isLate(as) ? 'ServerLimitExceeded' : 'IndexOutOfBounds',
    )
    expect(await engine.refused(as, 'Encrypt', { ...next, Data: bytes('00') })).toBe(unknown(as))
  })

  test('Usage Limits are taken off part by part; as an object a stream counts once', async () => {
    const engine = await testEngine()
    for (const [UsageLimitsUnit, left] of [
      ['Byte', 100n - 70n],
      ['Object', 100n - 1n],
    ] as const) {
      const limits = { UsageLimitsTotal: 100n, UsageLimitsUnit }
      const UniqueIdentifier = await symmetric(engine, as, material, [
        usage('Encrypt'),
        active,
        { tag: 'UsageLimits', value: limits },
      ])
      const first = { UniqueIdentifier, ...begin }
      await inParts(engine, as, 'Encrypt', first, new Uint8Array(70), 16)
      expect(await engine.attribute(as, UniqueIdentifier, 'UsageLimits')).toEqual([
        { ...limits, UsageLimitsCount: left },
      ])
    }
  })

  const undo = { BatchErrorContinuationOption: 'Undo' as const }
  const failing: Ask = ['Get', { UniqueIdentifier: 'none' }]

  test('a part that was undone was not taken: it is sent again, and the parts make the whole', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: bytes('01') }
    const whole = { ...first, InitIndicator: false, Data: bytes('01020304') }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const part = (data: string): Encrypt => ({
      UniqueIdentifier,
      CorrelationValue: CorrelationValue!,
      Data: bytes(data),
    })
    const last = { ...part('04'), FinalIndicator: true }
    const asks: Ask[] = [
      ['Encrypt', part('02')],
      ['Encrypt', part('03')],
      ['Encrypt', last],
    ]
    const items = await engine.batch(as, [...asks, failing], undo)
    expect(items[2]!.ResultStatus).toBe('OperationUndone')
    await engine.call(as, 'Encrypt', part('02'))
    await engine.batch(as, [['Encrypt', part('03')], failing], undo)
    await engine.call(as, 'Encrypt', part('03'))
    const { Data } = await engine.call(as, 'Encrypt', last)
    expect(hex(Data)).toBe(hex((await engine.call(as, 'Encrypt', whole)).Data))
    expect(await engine.refused(as, 'Encrypt', last)).toBe(unknown(as))
  })

  test('another part in the place of one that was undone ends the stream', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: bytes('01') }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const next = { UniqueIdentifier, CorrelationValue: CorrelationValue!, Data: bytes('00') }
    await engine.batch(as, [['Encrypt', next], failing], undo)
    const other = { ...next, Data: bytes('01') }
    expect(await engine.refused(as, 'Encrypt', other)).toBe(unknown(as))
    expect(await engine.refused(as, 'Encrypt', next)).toBe(unknown(as))
  })

  test('a first part that was undone leaves no stream behind', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: bytes('01') }
    for (let count = 0; count < 6; count++)
      await engine.batch(as, [['Encrypt', first], failing], undo)
    await engine.call(as, 'Encrypt', first)
  })

  test.each(['Encrypt', 'Decrypt', 'MAC', 'Sign', 'Hash'] as const)(
    '%s in parts goes on where it was when the store failed to keep a part',
    async (name) => {
      const engine = await testEngine()
      const { store, responder } = engine
      const first = await begun(engine, as, name)
      const data = Uint8Array.from({ length: 48 }, (_, at) => at)
      const parts = [data.subarray(0, 16), data.subarray(16, 32), data.subarray(32)]
      const Attributes = tapeKey('beside')
      const answers: Parted[] = []
      let which: object = { InitIndicator: true }
      for (const [at, Data] of parts.entries()) {
        const request = {
          ...first,
          ...which,
          Data,
          ...(at === 2 && { FinalIndicator: true }),
        } as never
        // Hash alone needs no act.
        const asks: Ask[] = [
          [name, request],
          ['Create', { ObjectType: 'SymmetricKey', Attributes }],
        ]
        responder.store = { read: (fn) => store.read(fn), act: failingAct(store) }
        const refused = await engine.batch(as, asks)
        expect(refused[0]!.ResultReason).toBe('GeneralFailure')
        responder.store = store
        const answer = (await engine.call(as, name, request)) as Parted
        if (answer.CorrelationValue) which = { CorrelationValue: answer.CorrelationValue }
        answers.push(answer)
      }
      const whole = (await engine.call(as, name, { ...first, Data: data } as never)) as Parted
      for (const field of ['Data', 'MACData', 'SignatureData'] as const) {
        const made = Buffer.concat(answers.map((answer) => answer[field] ?? new Uint8Array(0)))
        expect(hex(made)).toBe(hex(whole[field] ?? new Uint8Array(0)))
      }
    },
  )

  test('all parts in one batch are taken once each, in order', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = { UniqueIdentifier, ...begin, Data: bytes('0102') }
    const whole = { ...first, InitIndicator: false, Data: bytes('01020304') }
    const { CorrelationValue } = await engine.call(as, 'Encrypt', first)
    const part = (data: string): Encrypt => ({
      UniqueIdentifier,
      CorrelationValue: CorrelationValue!,
      Data: bytes(data),
    })
    const items = await engine.batch(
      as,
      [
        ['Encrypt', part('03')],
        [
          'ModifyAttribute',
          { UniqueIdentifier, NewAttribute: { tag: 'ContactInformation', value: 'x' } },
        ],
        ['Encrypt', { ...part('04'), FinalIndicator: true }],
      ],
      { BatchErrorContinuationOption: 'Continue' },
    )
    const { Data } = items[2]!.ResponsePayload as ResponsePayload<'Encrypt'>
    expect(hex(Data)).toBe(hex((await engine.call(as, 'Encrypt', whole)).Data))
  })
})

describe.each<VersionText>(['1.4', '2.0', '2.1'])('KMIP %s', (as) => {
  test('authenticated data comes out of parts only once its tag was right', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await key(engine, as)
    const first = {
      UniqueIdentifier,
      CryptographicParameters: { BlockCipherMode: 'GCM', TagLength: 16 },
      IVCounterNonce: new Uint8Array(12),
      AuthenticatedEncryptionAdditionalData: bytes('aa'),
      InitIndicator: true,
    } as const
    const data = Uint8Array.from({ length: 50 }, (_, at) => at)
    const made = await inParts(engine, as, 'Encrypt', first, data, 20)
    const AuthenticatedEncryptionTag = made.answer.AuthenticatedEncryptionTag!
    const sealed = { ...first, AuthenticatedEncryptionTag }
    const back = await inParts(engine, as, 'Decrypt', sealed, made.data, 20)
    expect(hex(back.data)).toBe(hex(data))
    const wrong = await engine.call(as, 'Decrypt', {
      ...sealed,
      AuthenticatedEncryptionTag: new Uint8Array(16),
      Data: made.data,
    })
    expect(wrong.Data).toBeUndefined()
    const { CorrelationValue } = wrong
    const last = { UniqueIdentifier, CorrelationValue: CorrelationValue!, FinalIndicator: true }
    expect(await engine.refused(as, 'Decrypt', last)).toBe('CryptographicFailure')
    expect(await engine.refused(as, 'Decrypt', last)).toBe(unknown(as))
  })
})

test('what is given up is closed, and the whole server closes all', () => {
  const closed: number[] = []
  const streams = new Streams({ streams: 8, perClient: 8, idleTime: 1000, bytes: 100 }, () => 0)
  const whose = { owner: 'alpha', operation: 'Encrypt', object: 'one' }
  const values = [1, 2, 3].map((n) => streams.begin(whose, { close: () => void closed.push(n) }, 0))
  expect(new Set(values.map(hex)).size).toBe(3)
  streams.end(values[1]!)
  expect(closed).toEqual([2])
  streams.close()
  expect(closed).toEqual([2, 1, 3])
})

test('what nobody goes on with is closed without anybody asking', () => {
  const closed: number[] = []
  let now = 0
  const limits = { streams: 8, perClient: 8, idleTime: 1000, bytes: 100 }
  const streams = new Streams(limits, () => now)
  const whose = { owner: 'alpha', operation: 'Encrypt', object: 'one' }
  streams.begin(whose, { close: () => void closed.push(1) }, 0)
  now = 600
  const later = streams.begin(whose, { close: () => void closed.push(2) }, 0)
  now = 1001
  streams.giveUpIdle()
  expect(closed).toEqual([1])
  streams.next(whose, later, { content: [], bytes: 1, isLast: false }, () => ({}))
  now = 2001
  streams.giveUpIdle()
  expect(closed).toEqual([1])
})

test('two servers give other values to the same stream', () => {
  const whose = { owner: 'alpha', operation: 'Encrypt', object: 'one' }
  const limits = { streams: 8, perClient: 8, idleTime: 1000, bytes: 100 }
  const value = () => hex(new Streams(limits).begin(whose, { close: () => undefined }, 0))
  expect(value()).not.toBe(value())
})

test('a part that is kept behind one that was lost ends the stream', () => {
  const streams = new Streams({ streams: 8, perClient: 8, idleTime: 1000, bytes: 100 }, () => 0)
  const whose = { owner: 'alpha', operation: 'Encrypt', object: 'one' }
  const correlation = streams.begin(whose, { close: () => undefined }, 0)
  const part = (said: string) =>
    streams.next(whose, correlation, { content: [said], bytes: 1, isLast: false }, () => ({}))
  const [first, second] = [part('one'), part('two')]
  first.settle(false)
  second.settle(true)
  expect(() => part('one')).toThrow('no operation in parts has this value')
})

test('what came of a last part is answered again until it is kept', () => {
  const streams = new Streams({ streams: 8, perClient: 8, idleTime: 1000, bytes: 100 }, () => 0)
  const whose = { owner: 'alpha', operation: 'Decrypt', object: 'one' }
  const correlation = streams.begin(whose, { close: () => undefined }, 0)
  const part = () =>
    streams.next(whose, correlation, { content: ['one'], bytes: 1, isLast: true }, () => ({
      Data: bytes('0102'),
    }))
  const lost = part()
  lost.fields.Data.fill(0)
  lost.settle(false)
  const again = part()
  expect(hex(again.fields.Data)).toBe('0102')
  again.settle(true)
  expect(part).toThrow('no operation in parts has this value')
})
