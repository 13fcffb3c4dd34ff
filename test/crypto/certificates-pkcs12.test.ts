import { createSecureContext } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { pkcs12Forms, writePkcs12 } from '../../src/crypto/certificates-pkcs12.ts'
import { parseCertificateChain } from '../../src/crypto/certificates.ts'
import { privateKeyPem } from '../../src/crypto/key-pairs.ts'
import { opensslDirectory } from './openssl.ts'

const pki = await makeCertificates(1_800_000_000n)
const password = 'Kw7dTz 9Xa-x+4Hq'

const write = (name: 'alpha' | 'beta', form: 'modern' | 'legacy') =>
  writePkcs12(
    { friendlyName: name, ...pki[name], authorities: [pki.ca.certificate] },
    password,
    form,
  )

function open(file: Uint8Array, form: 'modern' | 'legacy', pass = password): string {
  const openssl = opensslDirectory()
  openssl.write('client.p12', file)
  const legacy = form === 'legacy' ? ['-legacy'] : []
  return openssl.run('pkcs12', '-in', 'client.p12', '-nodes', '-passin', `pass:${pass}`, ...legacy)
}

describe.each(pkcs12Forms)('a %s PKCS#12 file', (form) => {
  test.each(['alpha', 'beta'] as const)('gives openssl the key and chain of %s', (name) => {
    const opened = open(write(name, form), form)
    expect(opened).toContain(privateKeyPem(pki[name].privateKey).trim())
    expect(parseCertificateChain(opened).map(({ fingerprint }) => fingerprint)).toEqual([
      pki[name].certificate.fingerprint,
      pki.ca.certificate.fingerprint,
    ])
    expect(opened).toContain(`friendlyName: ${name}`)
    expect(opened.match(/localKeyID/g)).toHaveLength(2)
  })

  test('does not open with another password', () => {
    expect(() => open(write('beta', form), form, 'wrong')).toThrow()
  })

  test('is noticed when a byte of it is changed', () => {
    const file = Uint8Array.from(write('beta', form))
    const middle = Math.floor(file.length / 2)
    file[middle] = (file[middle] ?? 0) ^ 1
    expect(() => open(file, form)).toThrow()
  })

  test('is written anew each time: nothing of it repeats', () => {
    expect(Buffer.compare(write('beta', form), write('beta', form))).not.toBe(0)
  })
})

test('the attributes of key and certificate stand in the order of DER: the shorter first', () => {
  const named = (friendlyName: string) =>
    writePkcs12({ friendlyName, ...pki.beta, authorities: [] }, password)
  const order = (opened: string) => opened.match(/friendlyName|localKeyID/g)?.slice(0, 2)
  expect(order(open(named('b'), 'modern'))).toEqual(['friendlyName', 'localKeyID'])
  const long = order(open(named('a name of many letters'), 'modern'))
  expect(long).toEqual(['localKeyID', 'friendlyName'])
})

test('the modern form is what a TLS library of today loads', () => {
  const pfx = Buffer.from(write('alpha', 'modern'))
  expect(() => createSecureContext({ pfx, passphrase: password })).not.toThrow()
})

test('the modern form uses AES-256 and SHA-256, the legacy form 3DES and SHA-1', () => {
  const describeFile = (form: 'modern' | 'legacy') => {
    const file = Buffer.from(write('beta', form)).toString('hex')
    return {
      hasAes: file.includes('60864801650304012a'),
      has3Des: file.includes('2a864886f70d010c0103'),
    }
  }
  expect(describeFile('modern')).toEqual({ hasAes: true, has3Des: false })
  expect(describeFile('legacy')).toEqual({ hasAes: false, has3Des: true })
})

test.each(['', 'pässword', 'tab\t'])(
  'the password %j is refused, importers disagree about it',
  (bad) => {
    const content = { friendlyName: 'beta', ...pki.beta, authorities: [] }
    expect(() => writePkcs12(content, bad)).toThrow(TypeError)
  },
)
