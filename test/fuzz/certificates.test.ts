/**
 * Changed and cut certificates and requests, as a hostile library or a bad disk would hand them in:
 * they are read, or refused with a `UserError`, and nothing else comes out. The seed is fixed.
 */
import * as asn1js from 'asn1js'
import fc from 'fast-check'
import { createPublicKey, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { makeCertificates } from '../../certs/make-certs.ts'
import { writeDer } from '../../src/crypto/asn1.ts'
import { issueCertificate, type Issuer } from '../../src/crypto/certificates-issue.ts'
import { parseCertificateRequest } from '../../src/crypto/certificates-request.ts'
import {
  certificateNames,
  parseCertificate,
  type Certificate,
} from '../../src/crypto/certificates.ts'
import { algorithmIdentifier, signatureAlgorithmOf } from '../../src/crypto/signature-algorithms.ts'
import { UserError } from '../../src/errors.ts'

const pki = await makeCertificates(1_800_000_000n)
const holders = [pki.alpha, pki.beta]
const cases = { seed: 5696, numRuns: 2500 }

/** One change somewhere in the bytes; `at` is a fraction of their length. */
const change = fc.record({
  kind: fc.constantFrom('flip', 'set', 'insert', 'remove', 'repeat', 'cut'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  length: fc.integer({ min: 1, max: 40 }),
  byte: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0x00, 0x01, 0x05, 0x18, 0x24, 0x30, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xff),
  ),
})
const changes = fc.array(change, { minLength: 1, maxLength: 3 })
type Validity = Pick<Certificate, 'notBefore' | 'notAfter'>
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never

function changed(bytes: Uint8Array, made: readonly Change[]): Uint8Array {
  return made.reduce<Uint8Array>((current, { kind, at, length, byte }) => {
    const start = Math.floor(at * current.length)
    const [before, rest] = [current.subarray(0, start), current.subarray(start)]
    const replaced = (to: number) => Buffer.concat([before, Uint8Array.of(to), rest.subarray(1)])
    switch (kind) {
      case 'flip':
        return replaced((rest[0] ?? 0) ^ byte)
      case 'set':
        return replaced(byte)
      case 'insert':
        return Buffer.concat([before, new Uint8Array(length).fill(byte), rest])
      case 'remove':
        return Buffer.concat([before, rest.subarray(length)])
      case 'repeat':
        return Buffer.concat([before, rest.subarray(0, length), rest])
      case 'cut':
        return before
    }
  }, bytes)
}

/** What reading gave, or undefined once it was refused as it should be. */
function readOrRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    expect(error).toBeInstanceOf(UserError)
    expect(error).toHaveProperty('hint', expect.stringMatching(/./))
    return undefined
  }
}

/** Reads a certificate; issuer's name and validity of one that can be read go into a new one. */
function useCertificate(input: string | Uint8Array): void {
  const certificate = readOrRefused(() => parseCertificate(input))
  if (certificate === undefined) return
  const names = readOrRefused(() => certificateNames(certificate.der))
  if (names !== undefined) useName(names.issuer, certificate)
}

/** Reads a request; one that can be read gets its certificate. */
function useRequest(input: string | Uint8Array): void {
  const request = readOrRefused(() => parseCertificateRequest(input))
  if (request?.subject !== undefined) useName(request.subject, pki.ca.certificate)
}

const publicKey = createPublicKey(pki.beta.privateKey)
const used = new Set<string>()

/** Issues a certificate with this name and validity, unless the same was issued before. */
function useName(subject: Uint8Array, { notBefore, notAfter }: Validity): void {
  const text = `${Buffer.from(subject).toString('hex')} ${notBefore} ${notAfter}`
  if (used.has(text)) return
  used.add(text)
  const plan = { subject, publicKey, use: 'client', notBefore, notAfter } as const
  const issued = readOrRefused(() => issueCertificate(plan, { privateKey: pki.beta.privateKey }))
  if (issued === undefined) return
  expect(certificateNames(issued.der).subject).toEqual(subject)
  expect(issued).toMatchObject({ notBefore, notAfter })
}

/** A request by this holder, whose content is changed before it is signed. */
function signedRequest({ certificate, privateKey }: Issuer, made: readonly Change[]): Uint8Array {
  const algorithm = signatureAlgorithmOf(privateKey)
  const { subject } = certificateNames(certificate.der)
  const key = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const version = Buffer.from('020100', 'hex')
  const attributes = Buffer.from('a000', 'hex')
  const content = changed(sequence(version, subject, key, attributes), made)
  const signature = sign(algorithm.digest, content, privateKey)
  return sequence(
    content,
    writeDer(algorithmIdentifier(algorithm).toSchema()),
    writeDer(new asn1js.BitString({ valueHex: signature })),
  )
}

/** A SEQUENCE of parts that need not be ASN.1: an OCTET STRING with another tag. */
function sequence(...parts: Uint8Array[]): Uint8Array {
  const bytes = writeDer(new asn1js.OctetString({ valueHex: Buffer.concat(parts) }))
  bytes[0] = 0x30
  return bytes
}

function pem(label: string, bytes: Uint8Array): string {
  const base64 = Buffer.from(bytes).toString('base64')
  return `-----BEGIN ${label}-----\n${base64}\n-----END ${label}-----\n`
}

const anyHolder = fc.constantFrom(...holders)

describe('10,000 changed inputs are read or refused', () => {
  test('certificates', () => {
    const use = ({ certificate }: Issuer, made: readonly Change[]) =>
      useCertificate(changed(certificate.der, made))
    fc.assert(fc.property(anyHolder, changes, use), cases)
  })

  test('PEM files of certificates', () => {
    const use = ({ certificate }: Issuer, made: readonly Change[]) =>
      useCertificate(changed(Buffer.from(certificate.pem), made))
    fc.assert(fc.property(anyHolder, changes, use), cases)
  })

  test('requests, changed before they are signed', () => {
    const use = (holder: Issuer, made: readonly Change[]) => useRequest(signedRequest(holder, made))
    fc.assert(fc.property(anyHolder, changes, use), cases)
  })

  test('requests, changed after they are signed, as DER and as PEM', () => {
    const whole = holders.map((holder) => signedRequest(holder, []))
    const use = (bytes: Uint8Array, made: readonly Change[]) => {
      useRequest(changed(bytes, made))
      useRequest(pem('CERTIFICATE REQUEST', changed(bytes, made)))
    }
    fc.assert(fc.property(fc.constantFrom(...whole), changes, use), { ...cases, numRuns: 1250 })
  })
})

test('the inputs are good before they are changed', () => {
  for (const holder of holders) {
    const { certificate } = holder
    expect(parseCertificate(certificate.der).fingerprint).toBe(certificate.fingerprint)
    const { subject } = parseCertificateRequest(signedRequest(holder, []))
    expect(subject).toEqual(certificateNames(certificate.der).subject)
  }
})

test('certificates and requests cut short anywhere are refused', () => {
  for (const holder of holders) {
    const [certificate, request] = [holder.certificate.der, signedRequest(holder, [])]
    for (let length = 0; length < certificate.length; length++)
      expect(readOrRefused(() => parseCertificate(certificate.subarray(0, length)))).toBe(undefined)
    for (let length = 0; length < request.length; length++)
      expect(readOrRefused(() => parseCertificateRequest(request.subarray(0, length)))).toBe(
        undefined,
      )
  }
})
