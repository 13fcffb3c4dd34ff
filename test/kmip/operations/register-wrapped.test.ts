// Register of wrapped keys: kept as given, handed out as registered, unwrapped or wrapped anew.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import { everyVersion, isLate, principal, testEngine, type TestEngine } from './engine.ts'
import {
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
  wrappedBlock,
  wrappedHex,
  wrappedValue,
  wrappingKey,
} from './wrapped.ts'

const unencoded = { EncodingOption: 'NoEncoding' } as const

const block = async (engine: TestEngine, as: VersionText, request: object) =>
  (await engine.call(as, 'Get', request)).SymmetricKey!.KeyBlock

const material = ({ KeyValue }: KeyBlock) =>
  KeyValue?.type === 'Structure' ? hex(KeyValue.value.KeyMaterial as Uint8Array) : undefined

describe.each(everyVersion.filter((as) => as >= '1.1'))('KMIP %s', (as) => {
  test.each([
    ['in bytes', false],
    ['in a structure, as published cases have it', true],
  ])('a wrapped key %s comes back as it was registered', async (_, inStructure) => {
    const engine = await testEngine()
    const given = wrappedBlock('a key elsewhere', {}, inStructure)
    const UniqueIdentifier = await registered(engine, as, given, usage(masks.use))
    const got = await block(engine, as, { UniqueIdentifier })
    expect(got.KeyWrappingData).toEqual(given.KeyWrappingData)
    expect(inStructure ? material(got) : hex(wrappedValue(got))).toBe(wrappedHex)
    expect(await engine.attribute(as, UniqueIdentifier, 'CryptographicLength')).toEqual([128])
    expect(await engine.attribute(as, UniqueIdentifier, 'Digest')).toEqual([])
    const links = await engine.attribute(as, UniqueIdentifier, 'Link')
    expect(links).toEqual(
      isLate(as)
        ? [{ LinkType: 'WrappingKeyLink', LinkedObjectIdentifier: 'a key elsewhere' }]
        : [],
    )
  })

  test('wrapped anew it is under the other key, in the form it was registered in', async () => {
    const engine = await testEngine()
    const [one, other] = [await wrappingKey(engine, as), await wrappingKey(engine, as)]
    for (const inStructure of [false, true]) {
      const given = wrappedBlock(one, {}, inStructure)
      const UniqueIdentifier = await registered(engine, as, given, usage(masks.use))
      const KeyWrappingSpecification = encryption(other, unencoded)
      const got = await block(engine, as, { UniqueIdentifier, KeyWrappingSpecification })
      expect(inStructure ? material(got) : hex(wrappedValue(got))).toBe(wrappedHex)
      expect(got.KeyWrappingData!.EncryptionKeyInformation!.UniqueIdentifier).toBe(other)
    }
  })

  test('a library of the tape profile gets it in the clear, from the key it is wrapped by', async () => {
    const engine = await testEngine()
    const tape = principal({ profile: 'tape-library' })
    const given = wrappedBlock(await wrappingKey(engine, as))
    const UniqueIdentifier = await registered(engine, as, given, usage(masks.use))
    const got = await engine.call(as, 'Get', { UniqueIdentifier }, tape)
    expect(material(got.SymmetricKey!.KeyBlock)).toBe(keyHex)
    expect(got.SymmetricKey!.KeyBlock.KeyWrappingData).toBeUndefined()
  })
})

describe.each(everyVersion.filter((as) => as >= '1.4'))('KMIP %s', (as) => {
  test('Key Wrap Type says whether it leaves unwrapped', async () => {
    const engine = await testEngine()
    const given = wrappedBlock(await wrappingKey(engine, as))
    const UniqueIdentifier = await registered(engine, as, given, usage(masks.use))
    const kept = await block(engine, as, { UniqueIdentifier, KeyWrapType: 'AsRegistered' })
    expect(hex(wrappedValue(kept))).toBe(wrappedHex)
    const clear = await block(engine, as, { UniqueIdentifier, KeyWrapType: 'NotWrapped' })
    expect(clear).toEqual({
      ...clearBlock(keyHex),
      KeyValue: {
        type: 'Structure',
        value: { KeyMaterial: bytes(keyHex), ...(!isLate(as) && { Attributes: [] }) },
      },
    })
    const plain = await plainKey(engine, as)
    for (const KeyWrapType of ['AsRegistered', 'NotWrapped'] as const) {
      const got = await block(engine, as, { UniqueIdentifier: plain, KeyWrapType })
      expect(material(got)).toBe(keyHex)
    }
  })
})

test('what Get has wrapped can be registered, with attributes and by any version', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, '2.1')
  const UniqueIdentifier = await plainKey(engine, '2.1')
  for (const as of everyVersion) {
    const KeyWrappingSpecification = encryption(kek, {
      AttributeName: ['Cryptographic Algorithm'],
    })
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const copy = await registered(engine, as, got.SymmetricKey!.KeyBlock, usage(masks.use))
    const clear = await block(engine, '1.4', { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' })
    expect(material(clear)).toBe(keyHex)
    expect(clear.KeyValue!.type === 'Structure' && clear.KeyValue!.value.Attributes).toEqual([
      { tag: 'CryptographicAlgorithm', value: 'AES' },
    ])
  }
})

test('a wrapped key may be wrapped by a wrapped key', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, '2.1')
  const more = [
    usage(masks.wrap),
    parameters(keyWrap),
    { tag: 'ActivationDate', value: 0n },
  ] as const
  const inner = await registered(engine, '2.1', wrappedBlock(kek), ...more)
  const key = await plainKey(engine, '2.1')
  const specification = encryption(inner)
  const got = await block(engine, '2.1', {
    UniqueIdentifier: key,
    KeyWrappingSpecification: specification,
  })
  expect(hex(unwrapped(wrappedValue(got), keyHex))).toBe(keyValueHex)
})

describe('what is not given away', () => {
  test('a Sensitive key that left wrapped is not unwrapped by a wrapping key that hides itself', async () => {
    const engine = await testEngine()
    const hidden = { tag: 'Sensitive' as const, value: true }
    for (const [mask, isOpened] of [
      [masks.wrap, false],
      [masks.wrap | masks.unwrap, true],
    ] as const) {
      const kek = await wrappingKey(engine, '2.1', hidden, usage(mask))
      const UniqueIdentifier = await plainKey(engine, '2.1', hidden)
      const KeyWrappingSpecification = encryption(kek)
      const wrapped = await block(engine, '2.1', { UniqueIdentifier, KeyWrappingSpecification })
      const copy = await registered(engine, '2.1', wrapped, usage(masks.use))
      const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
      if (isOpened) expect(material(await block(engine, '2.1', request))).toBe(keyHex)
      else
        expect(await engine.refused('2.1', 'Get', request)).toBe(
          'IncompatibleCryptographicUsageMask',
        )
    }
  })

  test('a Wrapping Key Link makes no key a wrapped one', async () => {
    const engine = await testEngine()
    const UniqueIdentifier = await plainKey(engine, '2.1', { tag: 'Sensitive', value: true })
    const link = { LinkType: 'WrappingKeyLink', LinkedObjectIdentifier: UniqueIdentifier }
    const NewAttribute = { tag: 'Link' as const, value: link }
    await engine.call('2.1', 'AddAttribute', { UniqueIdentifier, NewAttribute })
    expect(await engine.refused('2.1', 'Get', { UniqueIdentifier })).toBe('Sensitive')
  })

  test('a Sensitive key that is registered wrapped leaves so, and not unwrapped', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, '2.1')
    const hidden = { tag: 'Sensitive' as const, value: true }
    const id = await registered(engine, '2.1', wrappedBlock(kek), usage(masks.use), hidden)
    const request = { UniqueIdentifier: id }
    expect(hex(wrappedValue(await block(engine, '2.1', request)))).toBe(wrappedHex)
    const clear = { ...request, KeyWrapType: 'NotWrapped' as const }
    expect(await engine.refused('2.1', 'Get', clear)).toBe('Sensitive')
    const tape = principal({ profile: 'tape-library' })
    expect(await engine.refused('2.1', 'Get', request, tape)).toBe('Sensitive')
  })

  test('bytes that the wrapping key does not fit are a cryptographic failure and no more', async () => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, '2.1')
    const given = wrappedBlock(kek)
    const KeyValue = { type: 'ByteString' as const, value: bytes(`00${wrappedHex.slice(2)}`) }
    const id = await registered(engine, '2.1', { ...given, KeyValue }, usage(masks.use))
    const request = { UniqueIdentifier: id, KeyWrapType: 'NotWrapped' as const }
    expect(await engine.refused('2.1', 'Get', request)).toBe('CryptographicFailure')
  })
})

test('the wrapping key may be named by its place in the batch', async () => {
  const engine = await testEngine()
  const given = wrappedBlock({ position: 0 } as unknown as string)
  const [first, second] = await engine.batch('2.1', [
    ['Register', registration(clearBlock(kekHex), usage(masks.wrap))],
    ['Register', registration(given, usage(masks.use))],
  ])
  const [kek, id] = [first, second].map(
    (item) => (item!.ResponsePayload as { UniqueIdentifier: string }).UniqueIdentifier,
  )
  const got = await block(engine, '2.1', { UniqueIdentifier: id })
  expect(got.KeyWrappingData!.EncryptionKeyInformation!.UniqueIdentifier).toBe(kek)
})
