// Get with a Key Wrapping Specification: what comes out of the wrap, and what the answer says about it.
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { everyVersion, isLate, principal, testEngine, type Ask } from './engine.ts'
import {
  active,
  bytes,
  clearBlock,
  encryption,
  hex,
  kekHex,
  keyHex,
  keyValueHex,
  keyWrap,
  masks,
  parameters,
  plainKey,
  registered,
  registration,
  unwrapped,
  usage,
  wrappedHex,
  wrappedValue,
  wrappingKey,
} from './wrapped.ts'

describe.each(everyVersion)('KMIP %s', (as) => {
  test('AES key wrap hides the Key Value in TTLV, and the answer says how', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as)
    const UniqueIdentifier = await plainKey(engine, as)
    const KeyWrappingSpecification = encryption(kek, {}, keyWrap)
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const block = got.SymmetricKey!.KeyBlock
    expect(block).toEqual({
      KeyFormatType: 'Raw',
      KeyValue: { type: 'ByteString', value: expect.any(Uint8Array) as Uint8Array },
      CryptographicAlgorithm: 'AES',
      CryptographicLength: 128,
      KeyWrappingData: {
        WrappingMethod: 'Encrypt',
        EncryptionKeyInformation: { UniqueIdentifier: kek, CryptographicParameters: keyWrap },
      },
    })
    expect(hex(unwrapped(wrappedValue(block)))).toBe(keyValueHex)
  })

  test('attributes that are named are wrapped along, in the form of the version', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as)
    const UniqueIdentifier = await plainKey(engine, as)
    const AttributeName = ['Cryptographic Usage Mask', 'Contact Information']
    const KeyWrappingSpecification = encryption(kek, { AttributeName })
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const plain = hex(unwrapped(wrappedValue(got.SymmetricKey!.KeyBlock)))
    const mask = isLate(as)
      ? '420125' + '0100000010' + '42002c' + '02000000040000000c00000000'
      : '420008' +
        '0100000030' +
        '42000a' +
        `0700000018${Buffer.from('Cryptographic Usage Mask').toString('hex')}` +
        '42000b' +
        '02000000040000000c00000000'
    expect(plain).toBe(`42004501000000${isLate(as) ? '30' : '50'}${keyValueHex.slice(16)}${mask}`)
  })
})

describe.each(everyVersion.filter((as) => as >= '1.1'))('KMIP %s', (as) => {
  test('No Encoding wraps the Key Material alone: the bytes of the published cases', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as)
    const UniqueIdentifier = await plainKey(engine, as)
    const KeyWrappingSpecification = encryption(kek, { EncodingOption: 'NoEncoding' })
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const block = got.SymmetricKey!.KeyBlock
    expect(hex(wrappedValue(block))).toBe(wrappedHex)
    expect(block.KeyWrappingData).toEqual({
      WrappingMethod: 'Encrypt',
      EncryptionKeyInformation: { UniqueIdentifier: kek },
      EncodingOption: 'NoEncoding',
    })
  })

  test('TTLV Encoding may be asked for by name', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as)
    const UniqueIdentifier = await plainKey(engine, as)
    const KeyWrappingSpecification = encryption(kek, { EncodingOption: 'TTLVEncoding' })
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const block = got.SymmetricKey!.KeyBlock
    expect(hex(unwrapped(wrappedValue(block)))).toBe(keyValueHex)
    expect(block.KeyWrappingData!.EncodingOption).toBe('TTLVEncoding')
  })
})

const hmacKey = '2b'.repeat(32)
const hmac = (data: Uint8Array) => createHmac('sha256', bytes(hmacKey)).update(data).digest('hex')

describe('integrity', () => {
  const start = async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, '2.1')
    const mac = await registered(
      engine,
      '2.1',
      clearBlock(hmacKey, { CryptographicAlgorithm: 'HMAC_SHA256' }),
      usage(masks.macGenerate),
      parameters({ CryptographicAlgorithm: 'HMAC_SHA256' }),
      active,
    )
    const UniqueIdentifier = await plainKey(engine, '2.1')
    const get = async (specification: object) => {
      const KeyWrappingSpecification = {
        ...encryption(kek),
        MACSignatureKeyInformation: { UniqueIdentifier: mac },
        ...specification,
      }
      const got = await engine.call('2.1', 'Get', { UniqueIdentifier, KeyWrappingSpecification })
      return got.SymmetricKey!.KeyBlock
    }
    return { engine, kek, mac, get, UniqueIdentifier }
  }

  test('Encrypt then MAC/sign authenticates what is sent', async () => {
    const { get, mac } = await start()
    const block = await get({ WrappingMethod: 'EncryptThenMACSign' })
    expect(hex(unwrapped(wrappedValue(block)))).toBe(keyValueHex)
    expect(hex(block.KeyWrappingData!.MACSignature!)).toBe(hmac(wrappedValue(block)))
    expect(block.KeyWrappingData!.MACSignatureKeyInformation).toEqual({
      UniqueIdentifier: mac,
      CryptographicParameters: { CryptographicAlgorithm: 'HMAC_SHA256' },
    })
  })

  test('MAC/sign then Encrypt authenticates the Key Value', async () => {
    const { get } = await start()
    const block = await get({ WrappingMethod: 'MACSignThenEncrypt' })
    expect(hex(unwrapped(wrappedValue(block)))).toBe(keyValueHex)
    expect(hex(block.KeyWrappingData!.MACSignature!)).toBe(hmac(bytes(keyValueHex)))
  })

  test('MAC/sign alone leaves the Key Value readable, so a sensitive key does not go so', async () => {
    const { engine, get, UniqueIdentifier } = await start()
    const only = { WrappingMethod: 'MACSign', EncryptionKeyInformation: undefined }
    const block = await get(only)
    expect(hex(wrappedValue(block))).toBe(keyValueHex)
    expect(hex(block.KeyWrappingData!.MACSignature!)).toBe(hmac(bytes(keyValueHex)))
    const NewAttribute = { tag: 'Sensitive' as const, value: true }
    await engine.call('2.1', 'ModifyAttribute', { UniqueIdentifier, NewAttribute })
    await expect(get(only)).rejects.toThrow(/Sensitive/)
    await get({ WrappingMethod: 'EncryptThenMACSign' })
  })
})

test('without Cryptographic Parameters in the request the key’s first are used', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(
    engine,
    '1.4',
    parameters({ BlockCipherMode: 'GCM' }),
    parameters(keyWrap),
  )
  const UniqueIdentifier = await plainKey(engine, '1.4')
  const get = async (given?: object) => {
    const KeyWrappingSpecification = encryption(kek, {}, given)
    const got = await engine.call('1.4', 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    return got.SymmetricKey!.KeyBlock
  }
  const gcm = await get()
  expect(gcm.KeyWrappingData!.IVCounterNonce).toHaveLength(12)
  expect(wrappedValue(gcm)).toHaveLength(keyValueHex.length / 2 + 16)
  expect(hex(unwrapped(wrappedValue(await get(keyWrap))))).toBe(keyValueHex)
})

test('what the parameters given leave out is completed from the key’s, and told', async () => {
  const engine = await testEngine()
  const own = { BlockCipherMode: 'GCM', TagLength: 12 }
  const kek = await wrappingKey(engine, '2.1', parameters(own), usage(masks.wrap | masks.unwrap))
  const UniqueIdentifier = await plainKey(engine, '2.1')
  const KeyWrappingSpecification = encryption(kek, {}, { BlockCipherMode: 'GCM' })
  const got = await engine.call('2.1', 'Get', { UniqueIdentifier, KeyWrappingSpecification })
  const block = got.SymmetricKey!.KeyBlock
  expect(wrappedValue(block)).toHaveLength(keyValueHex.length / 2 + 12)
  const information = block.KeyWrappingData!.EncryptionKeyInformation!
  expect(information.CryptographicParameters).toEqual(own)
  const copy = await registered(engine, '2.1', block, usage(masks.use))
  const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
  const opened = (await engine.call('2.1', 'Get', request)).SymmetricKey!.KeyBlock.KeyValue!
  expect(opened.type === 'Structure' && hex(opened.value.KeyMaterial as Uint8Array)).toBe(keyHex)
})

test('an older version is not told of parameters that it has no words for', async () => {
  const engine = await testEngine()
  const own = { BlockCipherMode: 'GCM', HashingAlgorithm: 'SHA3_256' }
  const kek = await wrappingKey(engine, '2.1', parameters(own))
  const UniqueIdentifier = await plainKey(engine, '2.1')
  const told = async (as: '1.0' | '2.1') => {
    const KeyWrappingSpecification = encryption(kek)
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    return got.SymmetricKey!.KeyBlock.KeyWrappingData!.EncryptionKeyInformation
  }
  expect(await told('2.1')).toEqual({ UniqueIdentifier: kek, CryptographicParameters: own })
  expect(await told('1.0')).toEqual({ UniqueIdentifier: kek })
})

test('a sensitive key leaves encrypted only, one that is not extractable never', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, '2.1')
  const KeyWrappingSpecification = encryption(kek)
  const sensitive = {
    UniqueIdentifier: await plainKey(engine, '2.1', { tag: 'Sensitive', value: true }),
  }
  expect(await engine.refused('2.1', 'Get', sensitive)).toBe('Sensitive')
  const got = await engine.call('2.1', 'Get', { ...sensitive, KeyWrappingSpecification })
  expect(hex(unwrapped(wrappedValue(got.SymmetricKey!.KeyBlock)))).toBe(keyValueHex)
  const kept = {
    UniqueIdentifier: await plainKey(engine, '2.1', { tag: 'Extractable', value: false }),
  }
  expect(await engine.refused('2.1', 'Get', kept)).toBe('NotExtractable')
  expect(await engine.refused('2.1', 'Get', { ...kept, KeyWrappingSpecification })).toBe(
    'NotExtractable',
  )
})

test('the wrapping key may be named by its place in the batch, and is named in full in the answer', async () => {
  const engine = await testEngine()
  const [made, , got] = await engine.batch('2.1', [
    [
      'Register',
      {
        ObjectType: 'SymmetricKey',
        SymmetricKey: { KeyBlock: clearBlock(kekHex) },
        Attributes: [usage(masks.wrap), parameters(keyWrap), active],
      },
    ],
    [
      'Register',
      {
        ObjectType: 'SymmetricKey',
        SymmetricKey: { KeyBlock: clearBlock(keyHex) },
        Attributes: [usage(masks.use)],
      },
    ],
    ['Get', { KeyWrappingSpecification: encryption({ position: 0 } as unknown as string) }],
  ])
  const kek = (made!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier
  expect(got!.ResponsePayload).toMatchObject({
    SymmetricKey: {
      KeyBlock: {
        KeyWrappingData: { EncryptionKeyInformation: { UniqueIdentifier: kek } },
      },
    },
  })
})

test('a wrapping key of another group answers like one that is not there', async () => {
  const engine = await testEngine()
  const stranger = principal({ name: 'beta', group: 'other' })
  const kek = await wrappingKey(engine, '2.1')
  const { UniqueIdentifier } = await engine.call(
    '2.1',
    'Register',
    registration(clearBlock(keyHex), usage(masks.use)),
    stranger,
  )
  const answers = []
  for (const id of [kek, '00000000-0000-4000-8000-000000000000']) {
    const KeyWrappingSpecification = encryption(id)
    const ask: Ask = ['Get', { UniqueIdentifier, KeyWrappingSpecification }]
    const [item] = await engine.batch('2.1', [ask], {}, stranger)
    answers.push([item!.ResultReason, item!.ResultMessage?.replace(id, 'ID')])
  }
  expect(answers[0]).toEqual(['WrappingObjectNotFound', 'no wrapping key ID'])
  expect(answers[1]).toEqual(answers[0])
})

test('a wrapped Get is a Get: it takes the freshness, and is audited with the object', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, '2.1')
  const UniqueIdentifier = await plainKey(engine, '2.1')
  await engine.call('2.1', 'Get', {
    UniqueIdentifier,
    KeyWrappingSpecification: encryption(kek),
  })
  expect(await engine.attribute('2.1', UniqueIdentifier, 'Fresh')).toEqual([false])
  expect(await engine.attribute('2.1', kek, 'Fresh')).toEqual([true])
  const gets = (await engine.audited()).filter(({ operation }) => operation === 'Get')
  expect(gets.map(({ object, details }) => [object, details])).toEqual([
    [UniqueIdentifier, { wrappedBy: [kek] }],
  ])
})
