// Letters to people: openssl opens what we seal, only the right key does, and signing certificates get none.
import { expect, test } from 'vitest'
import { parseCertificate } from '../../src/crypto/certificates.ts'
import { demandReader, openLetter, sealLetter } from '../../src/crypto/sealed-letters.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { person } from '../exchange/people.ts'
import { opensslDirectory } from './openssl.ts'

const now = 1_800_000_000n
const text = Buffer.from('  1)  the share\n')
const secretOf = (pem: string) => new Secret(Buffer.from(pem))

test.each(['RSA-2048', 'P-256', 'P-384', 'P-521'] as const)(
  'a letter to a %s key is opened by openssl and by us, with that key only',
  (kind) => {
    const openssl = opensslDirectory()
    const carol = person('Carol', now, { kind })
    const dan = person('Dan', now, { kind })
    const certificate = parseCertificate(carol.certificate)
    const letter = sealLetter(text, certificate)
    openssl.write('letter.p7m', letter)
    openssl.write('carol.pem', carol.certificate)
    openssl.write('carol.key', carol.key)
    const words = [
      '-inform',
      'DER',
      '-in',
      'letter.p7m',
      '-recip',
      'carol.pem',
      '-inkey',
      'carol.key',
    ]
    expect(openssl.run('cms', '-decrypt', ...words)).toBe(text.toString())
    expect(Buffer.from(openLetter(letter, certificate, secretOf(carol.key)))).toEqual(text)
    expect(() => openLetter(letter, parseCertificate(dan.certificate), secretOf(dan.key))).toThrow(
      /not for/,
    )
    expect(() => openLetter(letter, certificate, secretOf(dan.key))).toThrow(/private key is not/)
    const changed = Uint8Array.from(letter)
    changed[changed.length - 1]! ^= 1
    expect(() => openLetter(changed, certificate, secretOf(carol.key))).toThrow(/was changed/)
  },
)

test('every cut of a letter is refused', () => {
  const carol = person('Carol', now)
  const certificate = parseCertificate(carol.certificate)
  const letter = sealLetter(text, certificate)
  for (let length = 0; length < letter.length; length++) {
    const cut = letter.subarray(0, length)
    expect(() => openLetter(cut, certificate, secretOf(carol.key))).toThrow()
  }
})

test.each(['Ed25519', 'RSA-1024', 'secp256k1'] as const)('nothing is sealed to %s', (kind) => {
  const { certificate } = person('Carol', now, { kind })
  expect(() => demandReader(parseCertificate(certificate), 'carol.pem')).toThrow(/carol.pem/)
})

test('a certificate for signing is refused, one for encryption is not', () => {
  const signing = parseCertificate(person('Carol', now).certificate)
  expect(() => demandReader(signing, 'carol.pem')).toThrow(/for signing/)
  const reading = parseCertificate(person('Carol', now, { use: 'encryption' }).certificate)
  demandReader(reading, 'carol.pem')
  const rsa = parseCertificate(person('Carol', now, { kind: 'RSA-2048' }).certificate)
  demandReader(rsa, 'carol.pem')
})

test('a private key that is none is said to be none', () => {
  const { certificate } = person('Carol', now)
  const letter = sealLetter(text, parseCertificate(certificate))
  expect(() =>
    openLetter(letter, parseCertificate(certificate), new Secret(Buffer.from('no key'))),
  ).toThrow(/no private key/)
})
