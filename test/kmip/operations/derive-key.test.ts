// Derive Key: published values through every method, links, and what is refused with bounded work.
import { createCipheriv, createHash, createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { everyVersion, isLate, principal, testEngine, type TestEngine } from './engine.ts'
import { active, bytes, hex, pair, secretData, symmetric, usage } from './keys.ts'

type Request = RequestPayload<'DeriveKey'>
type Parameters = Request['DerivationParameters']
const derives = [usage('DeriveKey'), active]
const aes = (bits = 128): AttributeInstance[] => [
  { tag: 'CryptographicAlgorithm', value: 'AES' },
  { tag: 'CryptographicLength', value: bits },
  usage('Encrypt', 'Decrypt'),
]
const with256 = { CryptographicParameters: { HashingAlgorithm: 'SHA_256' } } as const

function request(
  method: Request['DerivationMethod'],
  ids: string[],
  parameters: Partial<Parameters>,
  Attributes = aes(),
): Request {
  return {
    ObjectType: 'SymmetricKey',
    UniqueIdentifier: ids,
    DerivationMethod: method,
    DerivationParameters: { DerivationData: [], ...parameters },
    Attributes,
  }
}

/** The material of what was derived. */
async function derived(engine: TestEngine, as: VersionText, asked: Request) {
  const { UniqueIdentifier } = await engine.call(as, 'DeriveKey', asked)
  const got = await engine.call(as, 'Get', { UniqueIdentifier })
  const { KeyValue } = (got.SymmetricKey ?? got.SecretData)!.KeyBlock
  const material = (KeyValue as { value: { KeyMaterial: Uint8Array } }).value.KeyMaterial
  return { id: UniqueIdentifier, material: hex(material), got }
}

const key = '00112233445566778899aabbccddeeff'
const hmac = (data: Uint8Array) => createHmac('sha256', bytes(key)).update(data).digest()
const cut = (whole: Uint8Array) => hex(whole.subarray(0, 16))

describe.each(everyVersion)('KMIP %s', (as) => {
  test('PBKDF2 gives what RFC 6070 says', async () => {
    const engine = await testEngine()
    const id = await secretData(engine, as, '70617373776f7264', derives)
    const asked = request('PBKDF2', [id], { Salt: bytes('73616c74'), IterationCount: 2 })
    expect((await derived(engine, as, asked)).material).toBe('ea6c014dc72d6f8ccd1ed92ace1d41f0')
  })

  test('HASH, HMAC and ENCRYPT give the hash, the HMAC and the ciphertext', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, key, derives)
    const hash = createHash('sha256').update(bytes(key)).digest()
    expect((await derived(engine, as, request('HASH', [id], with256))).material).toBe(cut(hash))
    const DerivationData = [bytes('0102')]
    const byHmac = request('HMAC', [id], { ...with256, DerivationData })
    expect((await derived(engine, as, byHmac)).material).toBe(cut(hmac(bytes('0102'))))
    const byEcb = request('ENCRYPT', [id], {
      CryptographicParameters: { BlockCipherMode: 'ECB' },
      DerivationData: [bytes('00'.repeat(16))],
    })
    const cipher = createCipheriv('aes-128-ecb', bytes(key), null).update(new Uint8Array(16))
    expect((await derived(engine, as, byEcb)).material).toBe(hex(cipher))
  })

  test('the methods of NIST SP 800-108 give three keys, the same each time', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, key, derives)
    const found = new Set<string | undefined>()
    const CryptographicParameters = { HashingAlgorithm: 'SHA_1' } as const
    for (const method of ['NIST800_108_C', 'NIST800_108_F', 'NIST800_108_DPI'] as const) {
      const DerivationData = [bytes('6c6162656c')]
      const asked = request(method, [id], { CryptographicParameters, DerivationData }, aes(256))
      const { material } = await derived(engine, as, asked)
      expect((await derived(engine, as, asked)).material).toBe(material)
      found.add(material)
    }
    expect(found.size).toBe(3)
    const block = (counter: string) =>
      createHmac('sha1', bytes(key))
        .update(bytes(`${counter}6c6162656c`))
        .digest()
    const counted = Buffer.concat([block('00000001'), block('00000002')])
    expect(found).toContain(hex(counted.subarray(0, 32)))
  })

  test('the data may be a Secret Data object, and stands in one place only', async () => {
    const engine = await testEngine()
    const id = await symmetric(engine, as, key, derives)
    const data = await secretData(engine, as, '0102', derives)
    for (const ids of [
      [id, data],
      [data, id],
    ])
      expect((await derived(engine, as, request('HMAC', ids, with256))).material).toBe(
        cut(hmac(bytes('0102'))),
      )
    const both = request('HMAC', [id, data], { ...with256, DerivationData: [bytes('0102')] })
    expect(await engine.refused(as, 'DeriveKey', both)).toBe('InvalidMessage')
  })

  test('what is derived and what it comes from are linked both ways', async () => {
    const engine = await testEngine()
    const base = await symmetric(engine, as, key, derives)
    const { id } = await derived(engine, as, request('HASH', [base], with256))
    expect(await engine.attribute(as, id, 'Link')).toEqual([
      { LinkType: 'DerivationBaseObjectLink', LinkedObjectIdentifier: base },
    ])
    expect(await engine.attribute(as, base, 'Link')).toEqual([
      { LinkType: 'DerivedKeyLink', LinkedObjectIdentifier: id },
    ])
  })

  test('secret data of any length is derived as well', async () => {
    const engine = await testEngine()
    const id = await secretData(engine, as, '70617373776f7264', derives)
    const asked = {
      ...request('PBKDF2', [id], { Salt: bytes('73616c74'), IterationCount: 1 }),
      ObjectType: 'SecretData' as const,
      Attributes: [{ tag: 'CryptographicLength' as const, value: 328 }, usage('DeriveKey')],
    }
    const { got, material } = await derived(engine, as, asked)
    expect(got.ObjectType).toBe('SecretData')
    expect(material).toHaveLength(82)
  })

  const refusals: [string, (engine: TestEngine) => Promise<Request>, string, string][] = [
    [
      'an unknown object',
      async () => Promise.resolve(request('HASH', ['none'], with256)),
      'ItemNotFound',
      'ObjectNotFound',
    ],
    [
      'a key without Derive Key',
      async (engine) =>
        request('HASH', [await symmetric(engine, as, key, [usage('Encrypt'), active])], with256),
      'InvalidField',
      'IncompatibleCryptographicUsageMask',
    ],
    [
      'a key that is not Active',
      async (engine) =>
        request('HASH', [await symmetric(engine, as, key, [usage('DeriveKey')])], with256),
      'InvalidField',
      'WrongKeyLifecycleState',
    ],
    [
      'an object named twice',
      async (engine) => {
        const id = await symmetric(engine, as, key, derives)
        return request('HMAC', [id, id], with256)
      },
      'InvalidField',
      'InvalidField',
    ],
    [
      'three objects',
      async () => Promise.resolve(request('HMAC', ['one', 'two', 'three'], with256)),
      'InvalidField',
      'InvalidField',
    ],
    [
      'two keys',
      async (engine) =>
        request(
          'HMAC',
          [await symmetric(engine, as, key, derives), await symmetric(engine, as, key, derives)],
          with256,
        ),
      'InvalidField',
      'InvalidObjectType',
    ],
    [
      'more than the method gives',
      async (engine) =>
        request(
          'HASH',
          [await symmetric(engine, as, key, derives)],
          { CryptographicParameters: { HashingAlgorithm: 'SHA_1' } },
          aes(256),
        ),
      'CryptographicFailure',
      'CryptographicFailure',
    ],
    [
      'HASH without a hash',
      async (engine) => request('HASH', [await symmetric(engine, as, key, derives)], {}),
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'PBKDF2 without a salt',
      async (engine) =>
        request('PBKDF2', [await secretData(engine, as, '00', derives)], { IterationCount: 1 }),
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'PBKDF2 of 10^9 rounds',
      async (engine) =>
        request('PBKDF2', [await secretData(engine, as, '00', derives)], {
          Salt: bytes('00'),
          IterationCount: 1e9,
        }),
      'InvalidField',
      'BadCryptographicParameters',
    ],
    [
      'a method that is none',
      async (engine) => request(99, [await symmetric(engine, as, key, derives)], {}),
      'InvalidField',
      'UnsupportedCryptographicParameters',
    ],
    [
      'a result without a length',
      async (engine) =>
        request('HASH', [await symmetric(engine, as, key, derives)], with256, [
          aes()[0]!,
          usage('Encrypt'),
        ]),
      'InvalidField',
      'InvalidField',
    ],
    [
      'a length that the algorithm has not',
      async (engine) =>
        request('HASH', [await symmetric(engine, as, key, derives)], with256, aes(120)),
      'InvalidField',
      'InvalidAttributeValue',
    ],
    [
      'another type of object',
      async (engine) => ({
        ...request('HASH', [await symmetric(engine, as, key, derives)], with256),
        ObjectType: 'OpaqueObject',
      }),
      'InvalidField',
      'InvalidObjectType',
    ],
  ]
  test.each(refusals)('%s is refused', async (_, ask, early, late) => {
    const engine = await testEngine()
    const asked = await ask(engine)
    expect(await engine.refused(as, 'DeriveKey', asked)).toBe(isLate(as) ? late : early)
  })

  test('a Name that is taken derives nothing and links nothing', async () => {
    const engine = await testEngine()
    const base = await symmetric(engine, as, key, derives)
    const name: AttributeInstance = {
      tag: 'Name',
      value: { NameValue: 'one', NameType: 'UninterpretedTextString' },
    }
    const asked = request('HASH', [base], with256, [...aes(), name])
    await engine.call(as, 'DeriveKey', asked)
    expect(await engine.refused(as, 'DeriveKey', asked)).toBe(
      isLate(as) ? 'NonUniqueNameAttribute' : 'InvalidField',
    )
    expect(await engine.attribute(as, base, 'Link')).toHaveLength(1)
  })
})

test.each<VersionText>(['1.4', '2.0', '2.1'])(
  'KMIP %s: two key pairs agree on one secret, whichever half is here',
  async (as) => {
    const engine = await testEngine()
    const uses = { private: [usage('DeriveKey')], public: [usage('DeriveKey')] }
    const [one, two] = [
      await pair(engine, as, 'P-256', uses),
      await pair(engine, as, 'P-256', uses),
    ]
    const agree = (ids: string[]) =>
      derived(engine, as, request('AsymmetricKey', ids, {}, aes(256)))
    const mine = await agree([one.privateId, two.publicId])
    const theirs = await agree([one.publicId, two.privateId])
    expect(mine.material).toBe(theirs.material)
    expect(
      await engine.refused(as, 'DeriveKey', request('AsymmetricKey', [one.privateId], {})),
    ).toBe(isLate(as) ? 'InvalidObjectType' : 'InvalidField')
  },
)

test('a base that is out of sight derives nothing, and the derivation is audited with its bases', async () => {
  const engine = await testEngine()
  const base = await symmetric(engine, '2.1', key, derives)
  const asked = request('HASH', [base], with256)
  const stranger = principal({ name: 'beta', group: 'other' })
  expect(await engine.refused('2.1', 'DeriveKey', asked, stranger)).toBe('ObjectNotFound')
  const { id } = await derived(engine, '2.1', asked)
  const audited = (await engine.audited()).filter(({ operation }) => operation === 'DeriveKey')
  expect(audited.at(-1)).toMatchObject({ object: id, details: { method: 'HASH', from: [base] } })
})
