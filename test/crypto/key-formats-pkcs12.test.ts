/** PKCS#12 as a Key Format Type: the published file, openssl's old and new ones, and hostile ones. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readPkcs12, writePkcs12Entry } from '../../src/crypto/key-formats/pkcs12.ts'
import { writePrivateKey } from '../../src/crypto/key-formats.ts'
import { opensslDirectory } from './openssl.ts'
import { publishedTest, publishedValues } from './published-values.ts'

const password = Buffer.from('password')
const refusal = (code: string) => expect.objectContaining({ name: 'CryptoRefusal', code })

/** A key, its certificate and the authority that signed it, as openssl puts them into a file. */
function fileOf(...options: string[]) {
  const openssl = opensslDirectory()
  const newKey = ['-newkey', 'rsa:1024', '-nodes', '-keyout']
  openssl.run('req', '-x509', ...newKey, 'ca.key', '-subj', '/CN=authority', '-out', 'ca.pem')
  openssl.run('req', ...newKey, 'key.pem', '-subj', '/CN=entity', '-out', 'request.pem')
  const issuer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial']
  openssl.run('x509', '-req', '-in', 'request.pem', ...issuer, '-out', 'entity.pem')
  const content = ['-inkey', 'key.pem', '-in', 'entity.pem', '-certfile', 'ca.pem']
  const names = ['-name', 'Tape Key', '-passout', 'pass:password', '-out', 'file.p12']
  openssl.run('pkcs12', '-export', ...content, ...names, ...options)
  openssl.run('pkey', '-in', 'key.pem', '-outform', 'DER', '-out', 'key.der')
  return { openssl, file: readFileSync(openssl.path('file.p12')) }
}

publishedTest('the published file gives the published PKCS#8 key', () => {
  const [file] = publishedValues('TC-PKCS12-2-14', 'KeyValue')
  const entry = readPkcs12(file!, password, { friendlyName: 'ALIAS' })
  expect(entry).toMatchObject({ friendlyName: 'alias', key: { algorithm: 'RSA', length: 4096 } })
  const material = writePrivateKey(entry.key, 'PKCS_8') as Uint8Array
  expect(createHash('sha256').update(material).digest('hex')).toBe(
    '67ec992a2a40af7e75b40442a55e3a026a71018eea7201de523a43df036024ac',
  )
  expect(entry.certificates.map((der) => createHash('sha256').update(der).digest('hex'))).toEqual([
    'ddad0c0aafd8891c962afa2900ed9c2c17222550e2d769176f0b04872bdc5570',
  ])
})

test.each([
  ['AES and PBKDF2', []],
  ['RC2 and 3DES', ['-legacy']],
  ['no encryption of certificates and no integrity', ['-certpbe', 'NONE', '-nomac']],
  ['nothing encrypted', ['-certpbe', 'NONE', '-keypbe', 'NONE']],
])('a file of openssl with %s is read: key, name and chain', (_, options) => {
  const { openssl, file } = fileOf(...options)
  const { key, friendlyName, certificates } = readPkcs12(file, password)
  const material = Buffer.from(writePrivateKey(key, 'PKCS_1') as Uint8Array)
  openssl.run('rsa', '-in', 'key.pem', '-traditional', '-outform', 'DER', '-out', 'pkcs1.der')
  expect(material).toEqual(readFileSync(openssl.path('pkcs1.der')))
  expect(friendlyName).toBe('Tape Key')
  expect(certificates).toHaveLength(2)
})

test('what we write is what openssl reads and we read again', () => {
  const { openssl, file } = fileOf()
  const entry = readPkcs12(file, password)
  for (const form of ['modern', 'legacy'] as const) {
    const written = writePkcs12Entry({ ...entry, friendlyName: 'alias' }, password, form)
    const again = readPkcs12(written, password, { friendlyName: 'Alias', trusted: true })
    expect(again.key.privateKey.equals(entry.key.privateKey)).toBe(true)
    expect(again.certificates).toEqual(entry.certificates)
    openssl.write('ours.p12', written)
    const shown = openssl.run('pkcs12', '-in', 'ours.p12', '-nodes', '-passin', 'pass:password')
    expect(shown).toContain('friendlyName: alias')
  }
})

describe('refusals', () => {
  test('a wrong password, an absent name and no file are told apart only as far as needed', () => {
    const { file } = fileOf()
    expect(() => readPkcs12(file, Buffer.from('wrong'))).toThrow(refusal('failure'))
    const options = { friendlyName: 'another' }
    expect(() => readPkcs12(file, password, options)).toThrow(refusal('parameters'))
    expect(() => readPkcs12(Buffer.from('3000', 'hex'), password)).toThrow(refusal('parameters'))
    expect(() => readPkcs12(file, Buffer.from('ff', 'hex'))).toThrow(refusal('parameters'))
  })

  test('more iterations than there is work for are refused before they are done', () => {
    const { file } = fileOf('-nomac', '-iter', '2100000')
    expect(() => readPkcs12(file, password)).toThrow(refusal('parameters'))
  })

  test('changed files are refused or read, and nothing else is thrown', () => {
    const { file } = fileOf('-nomac')
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.nat(255), (at, byte) => {
        const bytes = Uint8Array.from(file)
        bytes[at] = byte
        try {
          readPkcs12(bytes, password)
        } catch (error) {
          expect(error).toMatchObject({ name: 'CryptoRefusal' })
        }
      }),
      { numRuns: 150, seed: 11 },
    )
  })

  test('a file is not written without a certificate or under a password that is no text', () => {
    const entry = readPkcs12(fileOf().file, password)
    expect(() => writePkcs12Entry({ ...entry, certificates: [] }, password)).toThrow(
      refusal('parameters'),
    )
    expect(() => writePkcs12Entry(entry, Buffer.from('ä'))).toThrow(refusal('parameters'))
  })
})
