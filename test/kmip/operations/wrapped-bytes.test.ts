// Wrapped bytes from elsewhere: every kind of key wraps and opens again, and bytes that were changed or cut are
// refused or open to something else, but never harm the server.
import { describe, expect, test } from 'vitest'
import type { RequestPayload, ResponsePayload } from '../../../src/kmip/model/payloads/index.ts'
import type { KeyBlock } from '../../../src/kmip/model/objects.ts'
import { testEngine } from './engine.ts'
import { half, pairOf, plain } from './objects.ts'
import {
  active,
  clearBlock,
  encryption,
  hex,
  kekHex,
  masks,
  parameters,
  plainKey,
  registered,
  usage,
  wrappedValue,
  wrappingKey,
} from './wrapped.ts'

const as = '2.1'
const padded = { BlockCipherMode: 'AESKeyWrapPadding' }

type Kind = 'PrivateKey' | 'PublicKey' | 'SecretData' | 'SplitKey' | 'SymmetricKey'
type Registration = Partial<RequestPayload<'Register'>>

const objects: [string, Kind, () => Promise<Registration> | Registration][] = [
  [
    'a private key in PKCS#8',
    'PrivateKey',
    async () => half(await pairOf({ algorithm: 'RSA', length: 1024 }), 'PrivateKey', 'PKCS_8'),
  ],
  [
    'a private key in numbers',
    'PrivateKey',
    async () =>
      half(
        await pairOf({ algorithm: 'RSA', length: 1024 }),
        'PrivateKey',
        'TransparentRSAPrivateKey',
      ),
  ],
  [
    'a public key',
    'PublicKey',
    async () => half(await pairOf({ algorithm: 'RSA', length: 1024 }), 'PublicKey', 'PKCS_1'),
  ],
  [
    'a password of seven bytes',
    'SecretData',
    () => ({
      ObjectType: 'SecretData',
      SecretData: {
        SecretDataType: 'Password',
        KeyBlock: { ...clearBlock('61'.repeat(7)), KeyFormatType: 'Opaque' as const },
      },
      Attributes: [],
    }),
  ],
  [
    'a part of a split key',
    'SplitKey',
    () => ({
      ObjectType: 'SplitKey',
      SplitKey: {
        SplitKeyParts: 3,
        KeyPartIdentifier: 1,
        SplitKeyThreshold: 2,
        SplitKeyMethod: 'PolynomialSharingGF2_8',
        KeyBlock: clearBlock('5a'.repeat(16)),
      } as never,
      Attributes: [usage(masks.use)],
    }),
  ],
  [
    'a transparent symmetric key',
    'SymmetricKey',
    () => ({
      ObjectType: 'SymmetricKey',
      SymmetricKey: {
        KeyBlock: {
          ...clearBlock('5a'.repeat(16)),
          KeyFormatType: 'TransparentSymmetricKey',
          KeyValue: {
            type: 'Structure',
            value: { KeyMaterial: { Key: new Uint8Array(16).fill(0x5a) }, Attributes: undefined },
          },
        },
      },
      Attributes: [usage(masks.use)],
    }),
  ],
]

test.each(objects)(
  '%s is wrapped, registered so, and opened again',
  async (_, kind, registration) => {
    const engine = await testEngine()
    const kek = await wrappingKey(engine, as, parameters(padded))
    const object = await registration()
    const { UniqueIdentifier } = await engine.call(as, 'Register', object)
    const KeyWrappingSpecification = encryption(kek)
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const ObjectType = kind
    const copy = await engine.call(as, 'Register', {
      ...object,
      ObjectType,
      [kind]: (got as ResponsePayload<'Get'> & Record<string, unknown>)[kind],
    })
    const open = await engine.call(as, 'Get', { ...copy, KeyWrapType: 'NotWrapped' })
    const first = await engine.call(as, 'Get', { UniqueIdentifier })
    expect(plain(open[kind])).toEqual(plain(first[kind]))
  },
)

describe('bytes without integrity', () => {
  const cbc = { BlockCipherMode: 'CBC', PaddingMethod: 'PKCS5' }

  /** A key wrapped by AES-CBC with attributes along, ready to be damaged. */
  const start = async () => {
    const engine = await testEngine()
    const kek = await registered(
      engine,
      as,
      clearBlock(kekHex),
      usage(masks.wrap | masks.unwrap),
      parameters(cbc),
      active,
    )
    const UniqueIdentifier = await plainKey(engine, as, {
      tag: 'Name',
      value: { NameValue: 'the name', NameType: 'UninterpretedTextString' },
    })
    const AttributeName = ['Name', 'Cryptographic Usage Mask', 'Digest', 'State']
    const KeyWrappingSpecification = encryption(kek, { AttributeName })
    const got = await engine.call(as, 'Get', { UniqueIdentifier, KeyWrappingSpecification })
    const block = got.SymmetricKey!.KeyBlock
    const opened = async (value: Uint8Array) => {
      const KeyValue: KeyBlock['KeyValue'] = { type: 'ByteString', value }
      const copy = await registered(engine, as, { ...block, KeyValue }, usage(masks.use))
      const request = { UniqueIdentifier: copy, KeyWrapType: 'NotWrapped' as const }
      const [item] = await engine.batch(as, [['Get', request]])
      return item!.ResultReason ?? 'Success'
    }
    return { engine, opened, value: wrappedValue(block) }
  }

  test('cut anywhere they are a cryptographic failure', async () => {
    const { opened, value } = await start()
    for (let length = 1; length < value.length; length++)
      expect(await opened(value.slice(0, length)), `${length} bytes`).toBe('CryptographicFailure')
  })

  test('changed anywhere they open to something else, or are a cryptographic failure', async () => {
    const { engine, opened, value } = await start()
    const reasons = new Set<string>()
    let seed = 12_345
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    for (let round = 0; round < 400; round++) {
      const changed = Uint8Array.from(value)
      changed[random(changed.length)]! ^= 1 << random(8)
      reasons.add(String(await opened(changed)))
    }
    expect([...reasons].sort()).toEqual(['CryptographicFailure', 'Success'])
    expect(engine.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(hex(value)).not.toContain(kekHex)
  })
})
