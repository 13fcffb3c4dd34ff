// Private keys that people sign with: what is taken, and how the rest is refused.
import { generateKeyPairSync } from 'node:crypto'
import { expect, test } from 'vitest'
import { openSigner } from '../../src/crypto/detached-signatures.ts'
import { Secret } from '../../src/crypto/secret.ts'

const secret = (pem: string): Secret => new Secret(Buffer.from(pem))
const pemOf = (passphrase?: string): string => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const form = { type: 'pkcs8', format: 'pem' } as const
  return privateKey.export(
    passphrase === undefined ? form : { ...form, cipher: 'aes-256-cbc', passphrase },
  )
}

test('a key in the clear signs, and is known by the SHA-256 of its public key', () => {
  const { pin, sign } = openSigner(secret(pemOf()), 'carol.key')
  expect(pin).toMatch(/^[0-9a-f]{64}$/)
  expect(sign('text').length).toBeGreaterThan(60)
})

test.each([
  [
    'a key under a passphrase',
    pemOf('secret'),
    'the private key in carol.key is encrypted under a passphrase',
  ],
  ['anything else', 'no key at all', 'carol.key holds no private key in PEM'],
])('%s is refused, with what to do', (_, pem, message) => {
  expect(() => openSigner(secret(pem), 'carol.key')).toThrow(
    expect.objectContaining({ code: 'not-a-private-key', message }),
  )
})
