// Wrapping with keys of pairs: RSA that encrypts, keys that sign, private keys that open; and what limits them.
import { constants, privateDecrypt, publicEncrypt, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { PrivateHalf } from '../../../src/crypto/key-formats/asymmetric-key.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import { testEngine, type TestEngine } from './engine.ts'
import { half, pairOf } from './objects.ts'
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
  unwrapped,
  usage,
  wrappedBlock,
  wrappedHex,
  wrappedValue,
  wrappingKey,
} from './wrapped.ts'

const as = '2.1'
const rsa = () => pairOf({ algorithm: 'RSA', length: 2048 })
const unencoded = { EncodingOption: 'NoEncoding' } as const
const sign = 0x01

/** Registers one half, active, with a mask and parameters of its own. */
async function registeredHalf(
  engine: TestEngine,
  key: PrivateHalf,
  objectType: 'PrivateKey' | 'PublicKey',
  mask: number,
  given: object,
  ...more: AttributeInstance[]
): Promise<string> {
  const request = half(key, objectType, objectType === 'PublicKey' ? 'PKCS_1' : 'PKCS_8')
  const Attributes = [usage(mask), parameters(given), active, ...more]
  return (await engine.call(as, 'Register', { ...request, Attributes })).UniqueIdentifier
}

const got = async (engine: TestEngine, request: object): Promise<KeyBlock> =>
  (await engine.call(as, 'Get', request)).SymmetricKey!.KeyBlock

const clear = ({ KeyValue }: KeyBlock) =>
  KeyValue?.type === 'Structure' ? hex(KeyValue.value.KeyMaterial as Uint8Array) : undefined

test.each([
  ['SHA_1', 'sha1'],
  ['SHA_256', 'sha256'],
  ['SHA_384', 'sha384'],
  ['SHA_512', 'sha512'],
])('a public RSA key wraps with OAEP and %s', async (HashingAlgorithm, oaepHash) => {
  const engine = await testEngine()
  const key = await rsa()
  const oaep = { PaddingMethod: 'OAEP', HashingAlgorithm }
  const kek = await registeredHalf(engine, key, 'PublicKey', masks.wrap, oaep)
  const UniqueIdentifier = await plainKey(engine, as)
  const opened = async (more: object) => {
    const KeyWrappingSpecification = encryption(kek, more, oaep)
    const block = await got(engine, { UniqueIdentifier, KeyWrappingSpecification })
    return hex(privateDecrypt({ key: key.privateKey, oaepHash }, wrappedValue(block)))
  }
  expect(await opened(unencoded)).toBe(keyHex)
  expect(await opened({})).toBe(keyValueHex)
})

/** A key wrapped by RSA as another program does it. */
const foreign = (kek: string, key: PrivateHalf, options: object, given: object): KeyBlock =>
  clearBlock(keyHex, {
    KeyValue: {
      type: 'ByteString',
      value: Uint8Array.from(publicEncrypt({ key: key.publicKey, ...options }, bytes(keyHex))),
    },
    KeyWrappingData: {
      WrappingMethod: 'Encrypt',
      EncryptionKeyInformation: { UniqueIdentifier: kek, CryptographicParameters: given },
      ...unencoded,
    },
  } as Partial<KeyBlock>)

test('a private RSA key opens what is wrapped for it, named itself or by its public half', async () => {
  const engine = await testEngine()
  const key = await rsa()
  const oaep = { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' }
  const id = await registeredHalf(engine, key, 'PrivateKey', masks.unwrap, oaep)
  const link = { LinkType: 'PrivateKeyLink', LinkedObjectIdentifier: id }
  const link1 = { tag: 'Link' as const, value: link }
  const other = await registeredHalf(engine, key, 'PublicKey', masks.wrap, oaep, link1)
  for (const kek of [id, other]) {
    const block = foreign(kek, key, { oaepHash: 'sha256' }, oaep)
    const UniqueIdentifier = await registered(engine, as, block, usage(masks.use))
    const request = { UniqueIdentifier, KeyWrapType: 'NotWrapped' as const }
    expect(clear(await got(engine, request))).toBe(keyHex)
    await engine.call(as, 'Import', {
      UniqueIdentifier: `by ${kek}`,
      ObjectType: 'SymmetricKey',
      KeyWrapType: 'NotWrapped',
      Attributes: [usage(masks.use)],
      SymmetricKey: { KeyBlock: block },
    })
    expect(clear(await got(engine, { UniqueIdentifier: `by ${kek}` }))).toBe(keyHex)
  }
})

test('a transport key wrapped by RSA opens the keys that are wrapped by it', async () => {
  const engine = await testEngine()
  const key = await rsa()
  const oaep = { PaddingMethod: 'OAEP', HashingAlgorithm: 'SHA_256' }
  const own = await registeredHalf(engine, key, 'PrivateKey', masks.unwrap, oaep, {
    tag: 'Extractable',
    value: false,
  })
  // The bytes of the transport key are those of the key of the published cases.
  const transport = await registered(
    engine,
    as,
    foreign(own, key, { oaepHash: 'sha256' }, oaep),
    usage(masks.unwrap | masks.wrap),
    parameters(keyWrap),
    active,
  )
  const UniqueIdentifier = await plainKey(engine, as)
  const KeyWrappingSpecification = encryption(transport)
  const wrapped = await got(engine, { UniqueIdentifier, KeyWrappingSpecification })
  expect(hex(unwrapped(wrappedValue(wrapped), keyHex))).toBe(keyValueHex)
  const copy = await registered(engine, as, wrapped, usage(masks.use))
  const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
  expect(clear(await got(engine, request))).toBe(keyHex)
})

test('PKCS#1 v1.5 padding is for groups that say so', async () => {
  const engine = await testEngine()
  const key = await rsa()
  const legacy = { PaddingMethod: 'PKCS1V1_5' }
  const kek = await registeredHalf(engine, key, 'PublicKey', masks.wrap, legacy)
  const own = await registeredHalf(engine, key, 'PrivateKey', masks.unwrap, legacy)
  const padding = constants.RSA_PKCS1_PADDING
  const block = foreign(own, key, { padding }, legacy)
  const copy = await registered(engine, as, block, usage(masks.use))
  const wrapping = {
    UniqueIdentifier: await plainKey(engine, as),
    KeyWrappingSpecification: encryption(kek, unencoded),
  }
  const unwrapping = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
  const reason = 'UnsupportedCryptographicParameters'
  expect(await engine.refused(as, 'Get', wrapping)).toBe(reason)
  expect(await engine.refused(as, 'Get', unwrapping)).toBe(reason)
  await engine.policy('padding=pkcs1')
  const sent = wrappedValue(await got(engine, wrapping))
  expect(hex(privateDecrypt({ key: key.privateKey, padding }, sent))).toBe(keyHex)
  expect(clear(await got(engine, unwrapping))).toBe(keyHex)
})

describe('a key that signs', () => {
  test('what is encrypted is signed, by the private key that the public one is linked to', async () => {
    const engine = await testEngine()
    const key = await rsa()
    const pss = { PaddingMethod: 'PSS', HashingAlgorithm: 'SHA_256' }
    const kek = await wrappingKey(engine, as)
    const signer = await registeredHalf(engine, key, 'PrivateKey', sign, pss)
    const link = { LinkType: 'PrivateKeyLink', LinkedObjectIdentifier: signer }
    const shown = await registeredHalf(engine, key, 'PublicKey', 2, pss, {
      tag: 'Link',
      value: link,
    })
    const UniqueIdentifier = await plainKey(engine, as)
    for (const id of [signer, shown]) {
      const KeyWrappingSpecification = encryption(kek, {
        WrappingMethod: 'EncryptThenMACSign',
        MACSignatureKeyInformation: { UniqueIdentifier: id },
      })
      const block = await got(engine, { UniqueIdentifier, KeyWrappingSpecification })
      const signature = block.KeyWrappingData!.MACSignature!
      const options = { key: key.publicKey, padding: constants.RSA_PKCS1_PSS_PADDING }
      expect(verify('sha256', wrappedValue(block), options, signature)).toBe(true)
      expect(hex(unwrapped(wrappedValue(block)))).toBe(keyValueHex)
      const copy = await registered(engine, as, block, usage(masks.use))
      const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
      expect(clear(await got(engine, request))).toBe(keyHex)
      const MACSignature = Uint8Array.from(signature)
      MACSignature[7]! ^= 1
      const KeyWrappingData = { ...block.KeyWrappingData!, MACSignature }
      const forged = await registered(engine, as, { ...block, KeyWrappingData }, usage(masks.use))
      const asked = { UniqueIdentifier: forged, KeyWrapType: 'NotWrapped' as const }
      expect(await engine.refused(as, 'Get', asked)).toBe('CryptographicFailure')
    }
  })
})

test('Usage Limits of a wrapping key count what it wraps', async () => {
  const engine = await testEngine()
  const limits = { UsageLimitsTotal: 2n, UsageLimitsUnit: 'Object' }
  const kek = await wrappingKey(engine, as, { tag: 'UsageLimits', value: limits })
  const request = {
    UniqueIdentifier: await plainKey(engine, as),
    KeyWrappingSpecification: encryption(kek),
  }
  await got(engine, request)
  await got(engine, { ...request, UniqueIdentifier: kek })
  expect(await engine.refused(as, 'Get', request)).toBe('UsageLimitExceeded')
  expect(await engine.attribute(as, kek, 'UsageLimits')).toEqual([
    { ...limits, UsageLimitsCount: 0n },
  ])
})

test('a group may forbid that retired keys unwrap', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, as)
  const copy = await registered(engine, as, wrappedBlock(kek), usage(masks.use))
  const RevocationReason = { RevocationReasonCode: 'CessationOfOperation' as const }
  await engine.call(as, 'Revoke', { UniqueIdentifier: kek, RevocationReason })
  const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
  expect(clear(await got(engine, request))).toBe(keyHex)
  await engine.policy('retired=refuse')
  expect(await engine.refused(as, 'Get', request)).toBe('WrongKeyLifecycleState')
})

test('a key that is kept wrapped encrypts as it does in the clear', async () => {
  const engine = await testEngine()
  const kek = await wrappingKey(engine, as)
  const ecb = parameters({ BlockCipherMode: 'ECB', PaddingMethod: 'None' })
  const more = [usage(masks.use), ecb, active] as const
  const kept = await registered(engine, as, wrappedBlock(kek, {}, true), ...more)
  const plain = await registered(engine, as, clearBlock(keyHex), ...more)
  const [one, other] = await Promise.all(
    [kept, plain].map(async (UniqueIdentifier) => {
      const answer = await engine.call(as, 'Encrypt', { UniqueIdentifier, Data: bytes(kekHex) })
      return hex(answer.Data!)
    }),
  )
  expect(one).toBe(other)
  expect(one).not.toBe(wrappedHex)
})

test('what wraps itself is one object to its Usage Limits and its freshness', async () => {
  const engine = await testEngine()
  const limits = { UsageLimitsTotal: 5n, UsageLimitsUnit: 'Object' }
  const kek = await wrappingKey(engine, as, { tag: 'UsageLimits', value: limits })
  const KeyWrappingSpecification = encryption(kek)
  await got(engine, { UniqueIdentifier: kek, KeyWrappingSpecification })
  expect(await engine.attribute(as, kek, 'Fresh')).toEqual([false])
  expect(await engine.attribute(as, kek, 'UsageLimits')).toEqual([
    { ...limits, UsageLimitsCount: 4n },
  ])
})
