/** ASN.1 of keys: the few kinds of element that key formats are made of, written and read. */
import {
  BitString,
  Constructed,
  Integer,
  Null,
  ObjectIdentifier,
  OctetString,
  Sequence,
  type AsnType,
} from 'asn1js'
import { readDer, writeDer } from '../asn1.ts'
import { CryptoRefusal } from '../crypto-refusal.ts'

/** Object identifiers of key algorithms in PrivateKeyInfo and SubjectPublicKeyInfo. */
export const keyOids = {
  rsa: '1.2.840.113549.1.1.1',
  dsa: '1.2.840.10040.4.1',
  dh: '1.2.840.113549.1.3.1',
  ec: '1.2.840.10045.2.1',
  x25519: '1.3.101.110',
  x448: '1.3.101.111',
  ed25519: '1.3.101.112',
  ed448: '1.3.101.113',
} as const

/** Above this nothing is a key, and is not even looked at. */
const largestInput = 64 * 1024

export const sequence = (...value: AsnType[]) => new Sequence({ value })
export const integer = (value: bigint) => Integer.fromBigInt(value)
export const octets = (bytes: Uint8Array) => new OctetString({ valueHex: bytes })
export const bits = (bytes: Uint8Array) => new BitString({ valueHex: bytes })
export const oid = (value: string) => new ObjectIdentifier({ value })
export const nothing = () => new Null()

/** `[number]` around whole elements (EXPLICIT). */
export const tagged = (number: number, ...value: AsnType[]) =>
  new Constructed({ idBlock: { tagClass: 3, tagNumber: number }, value })

/** PrivateKeyInfo (RFC 5208) around the algorithm's own key; both are cleared by their holders. */
export function privateKeyInfo(algorithm: Sequence, key: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeDer(sequence(integer(0n), algorithm, octets(key)))
}

/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
export function publicKeyInfo(algorithm: Sequence, key: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeDer(sequence(algorithm, bits(key)))
}

/**
 * Reads what claims to be `what`: bytes that are not it, whatever `read` throws about them, are
 * refused as parameters. A refusal of `read` itself passes.
 */
export function decoding<T>(what: string, bytes: Uint8Array, read: (root: AsnType) => T): T {
  try {
    if (bytes.length > largestInput) throw new Error(`more than ${largestInput} bytes`)
    return read(readDer(bytes))
  } catch (error) {
    if (error instanceof CryptoRefusal) throw error
    throw new CryptoRefusal('parameters', `not a ${what}`, error)
  }
}

/** The members of a SEQUENCE. These readers throw an `Error` for any other element. */
export function members(element: AsnType | undefined): AsnType[] {
  if (element instanceof Sequence) return element.valueBlock.value
  throw new Error('a SEQUENCE was expected')
}

export function integerOf(element: AsnType | undefined): bigint {
  if (element instanceof Integer) return element.toBigInt()
  throw new Error('an INTEGER was expected')
}

/** A view of the bytes, to be cleared with them. */
export function octetsOf(element: AsnType | undefined): Uint8Array {
  if (element instanceof OctetString && !element.idBlock.isConstructed)
    return element.valueBlock.valueHexView
  throw new Error('an OCTET STRING was expected')
}

/** The bytes of a BIT STRING of whole bytes. */
export function bitsOf(element: AsnType | undefined): Uint8Array {
  if (element instanceof BitString && element.valueBlock.unusedBits === 0)
    return element.valueBlock.valueHexView
  throw new Error('a BIT STRING of whole bytes was expected')
}

export function oidOf(element: AsnType | undefined): string {
  if (element instanceof ObjectIdentifier) return element.valueBlock.toString()
  throw new Error('an OBJECT IDENTIFIER was expected')
}

/** The elements inside `[number]`, when one of `elements` is that. */
export function insideTag(elements: readonly AsnType[], number: number): AsnType[] | undefined {
  const found = elements.find(
    ({ idBlock }) => idBlock.tagClass === 3 && idBlock.tagNumber === number,
  )
  return found instanceof Constructed ? found.valueBlock.value : undefined
}

/** Bits of a positive integer. */
export function bitLength(value: bigint): number {
  const digits = value.toString(16)
  return digits.length * 4 - Math.clz32(parseInt(digits[0] ?? '0', 16)) + 28
}

/** Big-endian bytes of a non-negative integer, filled with zeros in front to `length`. */
export function bigEndian(value: bigint, length?: number): Uint8Array {
  const digits = value.toString(16)
  return Buffer.from(
    digits.padStart(length === undefined ? evenly(digits) : length * 2, '0'),
    'hex',
  )
}

/** The non-negative integer that bytes are, most significant first. */
export function fromBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
}

function evenly(digits: string): number {
  return digits.length + (digits.length % 2)
}
