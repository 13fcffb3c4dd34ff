// Create Split Key and Join Split Key: every method there and back, and what is refused.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { isLate, principal, testEngine, type TestEngine } from './engine.ts'
import { bytes, cipherVersions, hex, secretData, symmetric, usage } from './keys.ts'

type Split = RequestPayload<'CreateSplitKey'>
const material = '0102030405060708090a0b0c0d0e0f10'
const uses = usage('Encrypt', 'Decrypt')
const aes: AttributeInstance[] = [
  { tag: 'CryptographicAlgorithm', value: 'AES' },
  { tag: 'CryptographicLength', value: 128 },
  uses,
]

const splitting = (change: Partial<Split> = {}): Split => ({
  ObjectType: 'SplitKey',
  SplitKeyParts: 4,
  SplitKeyThreshold: 3,
  SplitKeyMethod: 'PolynomialSharingGF2_8',
  Attributes: [],
  ...change,
})

const joining = (ids: string[], Attributes: AttributeInstance[] = aes) => ({
  ObjectType: 'SymmetricKey' as const,
  UniqueIdentifier: ids,
  Attributes,
})

async function materialOf(engine: TestEngine, as: VersionText, UniqueIdentifier: string) {
  const got = await engine.call(as, 'Get', { UniqueIdentifier })
  const { KeyValue } = (got.SymmetricKey ?? got.SplitKey ?? got.SecretData)!.KeyBlock
  return hex((KeyValue as { value: { KeyMaterial: Uint8Array } }).value.KeyMaterial)
}

const methods: [Split['SplitKeyMethod'], number, number][] = [
  ['XOR', 3, 3],
  ['PolynomialSharingGF2_8', 5, 3],
  ['PolynomialSharingGF2_16', 4, 2],
  ['PolynomialSharingPrimeField', 4, 3],
]

describe.each(cipherVersions)('KMIP %s', (as) => {
  test.each(methods)('%s: a key comes back from its parts', async (...method) => {
    const [SplitKeyMethod, SplitKeyParts, SplitKeyThreshold] = method
    const engine = await testEngine()
    const id = await symmetric(engine, as, material, [uses])
    const scheme = { SplitKeyMethod, SplitKeyParts, SplitKeyThreshold }
    const asked = splitting({ UniqueIdentifier: id, ...scheme })
    const { UniqueIdentifier: ids } = await engine.call(as, 'CreateSplitKey', asked)
    expect(new Set(ids).size).toBe(SplitKeyParts)
    const { SplitKey } = await engine.call(as, 'Get', { UniqueIdentifier: ids[1]! })
    expect(SplitKey).toMatchObject({
      ...scheme,
      KeyPartIdentifier: 2,
      KeyBlock: { CryptographicAlgorithm: 'AES', CryptographicLength: 128 },
    })
    const last = ids.slice(-SplitKeyThreshold)
    const { UniqueIdentifier } = await engine.call(as, 'JoinSplitKey', joining(last))
    expect(await materialOf(engine, as, UniqueIdentifier)).toBe(material)
    const few = joining(ids.slice(1, SplitKeyThreshold))
    expect(await engine.refused(as, 'JoinSplitKey', few)).toBe('CryptographicFailure')
    const twice = joining([...last.slice(1), last[1]!])
    expect(await engine.refused(as, 'JoinSplitKey', twice)).toBe('CryptographicFailure')
  })

  test('only 1.2 answers the type of what was made', async () => {
    const engine = await testEngine()
    const split = await engine.call(as, 'CreateSplitKey', splitting({ Attributes: aes }))
    const joined = await engine.call(as, 'JoinSplitKey', joining(split.UniqueIdentifier))
    const types = as === '1.2' ? ['SplitKey', 'SymmetricKey'] : [undefined, undefined]
    expect([split.ObjectType, joined.ObjectType]).toEqual(types)
  })

  test('a new key is split at once, and its first part is the placeholder', async () => {
    const engine = await testEngine()
    const items = await engine.batch(
      as,
      [
        ['CreateSplitKey', splitting({ Attributes: aes })],
        ['Get', {}],
      ],
      { BatchOrderOption: true },
    )
    expect(items[1]!.ResponsePayload).toMatchObject({ SplitKey: { KeyPartIdentifier: 1 } })
    const { UniqueIdentifier: ids } = items[0]!.ResponsePayload as { UniqueIdentifier: string[] }
    const three = [ids[0]!, ids[2]!, ids[3]!]
    const one = await engine.call(as, 'JoinSplitKey', joining(three, []))
    const two = await engine.call(as, 'JoinSplitKey', joining(ids.slice(0, 3), []))
    const [first, second] = [one.UniqueIdentifier, two.UniqueIdentifier]
    expect(await materialOf(engine, as, first)).toBe(await materialOf(engine, as, second))
  })

  test('what the key says of itself takes precedence', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, material, [uses])
    const other: AttributeInstance[] = [{ tag: 'CryptographicLength', value: 256 }, usage('Sign')]
    const asked = splitting({ UniqueIdentifier: id, Attributes: other })
    const { UniqueIdentifier: ids } = await engine.call(as, 'CreateSplitKey', asked)
    expect(await engine.attribute(as, ids[0]!, 'CryptographicLength')).toEqual([128])
    expect(await engine.attribute(as, ids[0]!, 'CryptographicUsageMask')).toEqual([uses.value])
  })

  test('secret data is split and joined', async () => {
    const engine = await testEngine()
    const id = await secretData(engine, as, '70617373776f7264', [usage('DeriveKey')])
    const { UniqueIdentifier: ids } = await engine.call(
      as,
      'CreateSplitKey',
      splitting({ UniqueIdentifier: id }),
    )
    const asked = {
      ObjectType: 'SecretData' as const,
      UniqueIdentifier: ids,
      SecretDataType: 'Password' as const,
      Attributes: [{ tag: 'CryptographicLength' as const, value: 64 }, usage('DeriveKey')],
    }
    const { UniqueIdentifier } = await engine.call(as, 'JoinSplitKey', asked)
    expect(await materialOf(engine, as, UniqueIdentifier)).toBe('70617373776f7264')
  })

  const refusals: [string, Partial<Split>, string, string][] = [
    [
      'a threshold above the parts',
      { SplitKeyThreshold: 5 },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    ['a threshold of one', { SplitKeyThreshold: 1 }, 'InvalidField', 'BadCryptographicParameters'],
    [
      'one part',
      { SplitKeyParts: 1, SplitKeyThreshold: 1 },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    ['a million parts', { SplitKeyParts: 1_000_000 }, 'InvalidField', 'BadCryptographicParameters'],
    [
      'XOR with a threshold',
      { SplitKeyMethod: 'XOR' },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a method that is none',
      { SplitKeyMethod: 99 },
      'InvalidField',
      'UnsupportedCryptographicParameters',
    ],
    [
      'a field that is no prime',
      { SplitKeyMethod: 'PolynomialSharingPrimeField', PrimeFieldSize: 1n << 200n },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a field of a million bits',
      { SplitKeyMethod: 'PolynomialSharingPrimeField', PrimeFieldSize: 1n << 100_000n },
      'InvalidField',
      'BadCryptographicParameters',
    ],
    ['a key that is not there', { UniqueIdentifier: 'none' }, 'ItemNotFound', 'ItemNotFound'],
    ['another type of object', { ObjectType: 'SymmetricKey' }, 'InvalidField', 'InvalidObjectType'],
    ['a new key without a length', { Attributes: [aes[0]!] }, 'InvalidField', 'InvalidField'],
    [
      'one Name for all',
      {
        Attributes: [
          ...aes,
          { tag: 'Name', value: { NameValue: 'one', NameType: 'UninterpretedTextString' } },
        ],
      },
      'InvalidField',
      'NonUniqueNameAttribute',
    ],
  ]
  test.each(refusals)('%s is refused and makes nothing', async (_, change, early, late) => {
    const engine = await testEngine()
    const reason = await engine.refused(
      as,
      'CreateSplitKey',
      splitting({ Attributes: aes, ...change }),
    )
    expect(reason).toBe(isLate(as) ? late : early)
    expect((await engine.call(as, 'Locate', { Attributes: [] })).UniqueIdentifier).toEqual([])
  })

  test('parts of two keys, and what is no part, are not joined', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, material, [uses])
    const split = async (SplitKeyThreshold: number) =>
      (
        await engine.call(
          as,
          'CreateSplitKey',
          splitting({ UniqueIdentifier: id, SplitKeyThreshold }),
        )
      ).UniqueIdentifier
    const [one, two] = [await split(3), await split(2)]
    expect(await engine.refused(as, 'JoinSplitKey', joining([...one.slice(0, 3), two[3]!]))).toBe(
      'CryptographicFailure',
    )
    const again = await split(3)
    const mixed = joining([...one.slice(0, 3), again[3]!])
    expect(await engine.refused(as, 'JoinSplitKey', mixed)).toBe('CryptographicFailure')
    expect(await engine.refused(as, 'JoinSplitKey', joining([id]))).toBe(
      isLate(as) ? 'InvalidObjectType' : 'InvalidField',
    )
    const stranger = principal({ name: 'beta', group: 'other' })
    expect(await engine.refused(as, 'JoinSplitKey', joining(one), stranger)).toBe(
      isLate(as) ? 'ObjectNotFound' : 'ItemNotFound',
    )
    await engine.call(as, 'Destroy', { UniqueIdentifier: one[0]! })
    expect(await engine.refused(as, 'JoinSplitKey', joining(one))).toBe(
      isLate(as) ? 'ObjectDestroyed' : 'ItemNotFound',
    )
    const wrong = [aes[0]!, { tag: 'CryptographicLength' as const, value: 256 }, uses]
    expect(await engine.refused(as, 'JoinSplitKey', joining(again, wrong))).toBe(
      isLate(as) ? 'InvalidAttributeValue' : 'InvalidField',
    )
  })
})

test.each<VersionText>(['1.4', '2.0', '2.1'])(
  'KMIP %s: parts and what is joined from them leave no more freely than the key',
  async (as) => {
    const engine = await testEngine()
    const closed: AttributeInstance[] = [
      uses,
      { tag: 'Sensitive', value: true },
      { tag: 'Extractable', value: false },
    ]
    const id = await symmetric(engine, as, material, closed)
    const asked = splitting({ UniqueIdentifier: id })
    const { UniqueIdentifier: ids } = await engine.call(as, 'CreateSplitKey', asked)
    expect(await engine.refused(as, 'Get', { UniqueIdentifier: ids[0]! })).toBe('NotExtractable')
    const { UniqueIdentifier } = await engine.call(as, 'JoinSplitKey', joining(ids))
    expect(await engine.refused(as, 'Get', { UniqueIdentifier })).toBe('NotExtractable')
    expect(await engine.attribute(as, UniqueIdentifier, 'Sensitive')).toEqual([true])
    expect(bytes(material)).toHaveLength(16)
  },
)
