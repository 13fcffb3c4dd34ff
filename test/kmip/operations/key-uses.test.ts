// Every use of a key in every state, with and without its bit of the usage mask: KMIP 2.1 §4.57 and §4.17 as a
// table, and the reasons of KMIP 2.1 §6.1 and KMIP 1.4 §11.
import { describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import type { AttributeInstance } from '../../../src/kmip/model/attribute-forms.ts'
import { isLate, testEngine, type Ask, type TestEngine } from './engine.ts'
import { active, pair, symmetric, usage } from './keys.ts'

type Bit = Parameters<typeof usage>[0]
type Kind = 'symmetric' | 'private' | 'public'

/** Use, bit of the mask, whether it protects, kind of key, reason before 2.0. */
const uses: [Ask[0], Bit, boolean, Kind, string?][] = [
  ['Encrypt', 'Encrypt', true, 'symmetric'],
  ['Decrypt', 'Decrypt', false, 'symmetric'],
  ['MAC', 'MACGenerate', true, 'symmetric'],
  ['MACVerify', 'MACVerify', false, 'symmetric'],
  ['Sign', 'Sign', true, 'private'],
  ['SignatureVerify', 'Verify', false, 'public'],
  ['DeriveKey', 'DeriveKey', true, 'symmetric', 'InvalidField'],
]

/** State, how a key comes into it, whether it protects and processes then. */
const states: [string, AttributeInstance[], string[], boolean, boolean][] = [
  ['Pre-Active', [], [], false, false],
  ['Active', [active], [], true, true],
  ['Deactivated', [active], ['Unspecified'], false, true],
  ['Compromised', [active], ['KeyCompromise'], false, true],
  ['Destroyed', [], ['Destroy'], false, false],
  ['Destroyed Compromised', [], ['KeyCompromise', 'Destroy'], false, false],
]

const data = new Uint8Array(16)
const hashed = { HashingAlgorithm: 'SHA_256' } as const

function request(use: Ask[0], UniqueIdentifier: string): object {
  const key = { UniqueIdentifier, Data: data }
  switch (use) {
    case 'Encrypt':
    case 'Decrypt':
      return { ...key, CryptographicParameters: { BlockCipherMode: 'ECB' } }
    case 'MACVerify':
      return { ...key, MACData: data }
    case 'Sign':
      return { ...key, CryptographicParameters: hashed }
    case 'SignatureVerify':
      return { ...key, CryptographicParameters: hashed, SignatureData: data }
    case 'DeriveKey':
      return {
        ObjectType: 'SymmetricKey',
        UniqueIdentifier: [UniqueIdentifier],
        DerivationMethod: 'HASH',
        DerivationParameters: { CryptographicParameters: hashed, DerivationData: [] },
        Attributes: [
          { tag: 'CryptographicAlgorithm', value: 'AES' },
          { tag: 'CryptographicLength', value: 128 },
          usage('Encrypt'),
        ],
      }
    default:
      return key
  }
}

async function made(
  engine: TestEngine,
  as: VersionText,
  kind: Kind,
  attributes: AttributeInstance[],
): Promise<string> {
  if (kind === 'symmetric') return symmetric(engine, as, '00'.repeat(16), attributes)
  const { privateId, publicId } = await pair(
    engine,
    as,
    'P-256',
    { private: attributes, public: attributes },
    [],
  )
  return kind === 'private' ? privateId : publicId
}

async function bring(engine: TestEngine, as: VersionText, id: string, steps: string[]) {
  for (const step of steps) {
    const UniqueIdentifier = id
    if (step === 'Destroy') await engine.call(as, 'Destroy', { UniqueIdentifier })
    else {
      const RevocationReason = { RevocationReasonCode: step }
      await engine.call(as, 'Revoke', { UniqueIdentifier, RevocationReason } as never)
    }
  }
}

async function outcome(engine: TestEngine, as: VersionText, use: Ask[0], id: string) {
  const [item] = await engine.batch(as, [[use, request(use, id)] as unknown as Ask])
  return item!.ResultStatus === 'Success' ? 'Success' : String(item!.ResultReason)
}

describe.each<VersionText>(['1.2', '1.4', '2.0', '2.1'])('KMIP %s', (as) => {
  describe.each(uses)('%s', (use, bit, protects, kind, before20 = 'PermissionDenied') => {
    test.each(states)('with a key that is %s', async (_, dates, steps, mayProtect, mayProcess) => {
      const engine = await testEngine()
      const id = await made(engine, as, kind, [usage(bit), ...dates])
      await bring(engine, as, id, steps)
      const refused = isLate(as) ? 'WrongKeyLifecycleState' : before20
      const expected = (protects ? mayProtect : mayProcess) ? 'Success' : refused
      expect(await outcome(engine, as, use, id)).toBe(expected)
    })

    test('with a key whose mask has every bit but the one it takes', async () => {
      const engine = await testEngine()
      const others = uses.map(([, other]) => other).filter((other) => other !== bit)
      const id = await made(engine, as, kind, [usage(...others), active])
      expect(await outcome(engine, as, use, id)).toBe(
        isLate(as) ? 'IncompatibleCryptographicUsageMask' : before20,
      )
    })
  })
})
