// The primitives against published vectors, and what they refuse.
import { expect, test } from 'vitest'
import { seal, sealOverhead, unseal } from '../../src/crypto/primitives/aead.ts'
import { sha256, toHex } from '../../src/crypto/primitives/hash.ts'
import { argon2id, deriveKey } from '../../src/crypto/primitives/kdf.ts'
import { equalBytes, mac } from '../../src/crypto/primitives/mac.ts'
import { randomBytes, randomUuid } from '../../src/crypto/primitives/random.ts'
import { symmetricKey } from '../../src/crypto/primitives/symmetric-key.ts'

const text = (value: string) => Buffer.from(value)
const key = symmetricKey(new Uint8Array(32).fill(1))

test('HMAC-SHA-256 as in RFC 4231 test case 1, whole or in parts', () => {
  const published = 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'
  const rfc = symmetricKey(new Uint8Array(20).fill(0x0b))
  expect(toHex(mac(rfc, 'Hi There'))).toBe(published)
  expect(toHex(mac(rfc, 'Hi', text(' There')))).toBe(published)
})

test('SHA-256 as in FIPS 180-4', () => {
  const published = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(toHex(sha256('abc'))).toBe(published)
  expect(toHex(sha256('a', text('bc')))).toBe(published)
})

test('HKDF-SHA-256 as in RFC 5869 test case 3, first 32 bytes', () => {
  const derived = deriveKey(new Uint8Array(22).fill(0x0b), new Uint8Array(0), '')
  const published = '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d'
  expect(derived.export().toString('hex')).toBe(published)
})

test('derived keys differ by secret, salt and label', () => {
  const derive = (secret: string, salt: string, label: string) =>
    deriveKey(text(secret), text(salt), label).export().toString('hex')
  const keys = [
    derive('a', 'b', 'c'),
    derive('x', 'b', 'c'),
    derive('a', 'x', 'c'),
    derive('a', 'b', 'x'),
  ]
  expect(new Set(keys).size).toBe(4)
})

test('argon2id depends on passphrase, salt and cost, and on nothing else', async () => {
  const cost = { memory: 64, passes: 1, lanes: 1 }
  const salt = new Uint8Array(16)
  const derive = async (passphrase: string, cheap = cost) =>
    toHex((await argon2id(text(passphrase), salt, cheap)).bytes)
  expect(await derive('one')).toBe(await derive('one'))
  const others = [derive('one'), derive('two'), derive('one', { ...cost, passes: 2 })]
  expect(new Set(await Promise.all(others)).size).toBe(3)
})

test('what was sealed opens with the same key and additional data, into bytes of its own', () => {
  for (const length of [0, 1, 32, 100_000]) {
    const plain = randomBytes(length)
    const sealed = seal(key, plain, text('row 1'))
    expect(sealed.length).toBe(length + sealOverhead)
    const opened = unseal(key, sealed, text('row 1'))
    expect(equalBytes(opened, plain)).toBe(true)
    expect(opened.buffer).not.toBe(sealed.buffer)
  }
})

test('a seal opens for no other key, place, or after any change of a bit', () => {
  const sealed = seal(key, text('thirty-two bytes of key material'), text('row 1'))
  const broken = expect.objectContaining({ code: 'seal-broken' }) as Error
  expect(() => unseal(key, sealed, text('row 2'))).toThrow(broken)
  expect(() => unseal(symmetricKey(new Uint8Array(32)), sealed, text('row 1'))).toThrow(broken)
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed)
    changed[at]! ^= 1
    expect(() => unseal(key, changed, text('row 1'))).toThrow(broken)
  }
  for (let length = 0; length < sealed.length; length++) {
    expect(() => unseal(key, sealed.subarray(0, length), text('row 1'))).toThrow(broken)
  }
})

test('two seals of the same bytes never look alike', () => {
  const seals = Array.from({ length: 100 }, () => toHex(seal(key, text('same'), text('row'))))
  expect(new Set(seals).size).toBe(100)
})

test('bytes of different length are unequal, not an error', () => {
  expect(equalBytes(new Uint8Array(3), new Uint8Array(4))).toBe(false)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
})

test('a random UUID is one of version 4 in lower case', () => {
  expect(randomUuid()).toMatch(
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
})
