import { argon2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  hashPassword,
  privateDigest,
  randomPassword,
  verifyPassword,
} from '../../src/crypto/password-hash.ts'

test('a password fits its own hash and no other does', async () => {
  const hash = await hashPassword('correct horse')
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=65536,t=3,p=4\$/)
  expect(await verifyPassword('correct horse', hash)).toBe(true)
  expect(await verifyPassword('correct horsf', hash)).toBe(false)
  expect(await verifyPassword('', hash)).toBe(false)
})

test('two hashes of one password differ', async () => {
  expect(await hashPassword('same')).not.toBe(await hashPassword('same'))
})

test('a hash made with other costs is still verified', async () => {
  const nonce = Buffer.alloc(16, 7)
  const cost = { memory: 8192, passes: 1, parallelism: 2, tagLength: 32 }
  const hash = argon2Sync('argon2id', { message: Buffer.from('old'), nonce, ...cost })
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
  const phc = `$argon2id$v=19$m=8192,t=1,p=2$${text(nonce)}$${text(hash)}`
  expect(await verifyPassword('old', phc)).toBe(true)
})

test.each([
  'plain',
  '',
  '$argon2i$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
  '$argon2id$v=19$m=9999999,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
])('a stored hash %j is an error and not a wrong password', async (phc) => {
  await expect(verifyPassword('any', phc)).rejects.toThrow(TypeError)
})

test('random passwords are long, plain and never the same', () => {
  const made = new Set(Array.from({ length: 100 }, randomPassword))
  expect(made.size).toBe(100)
  for (const password of made) expect(password).toMatch(/^[2-9A-HJ-NP-Za-km-z]{20}$/)
})

test('digests are equal for equal texts, differ between keys, and keep texts apart', () => {
  const [digest, other] = [privateDigest(), privateDigest()]
  expect(digest('a', 'b')).toBe(digest('a', 'b'))
  expect(digest('a', 'b')).not.toBe(other('a', 'b'))
  expect(digest('a', 'b')).not.toBe(digest('ab', ''))
})
