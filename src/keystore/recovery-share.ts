// A share of a recovery key as people keep it: 18 groups of five characters, four that hold 20 bits and one
// that checks them. A check is a sum over GF(2^5), so that one character mistyped, two neighbours swapped, or
// two groups swapped always show, and show where.
//
// 45 bytes: version (1), identifier of the recovery key (8), how many shares are needed (1), number of the
// share (1), its value (32), the first two bytes of the SHA-256 of all before.
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { equalBytes } from '../crypto/primitives/mac.ts'
import { recoveryIdLength, recoverySeedLength } from '../crypto/recovery-keys.ts'
import { Secret } from '../crypto/secret.ts'
import { UserError } from '../errors.ts'

/** One share. */
export interface RecoveryShare {
  /** Identifier of the recovery key, 16 hexadecimal digits. */
  readonly key: string
  /** How many shares are needed. */
  readonly threshold: number
  /** From 1. */
  readonly number: number
  readonly value: Secret
}

/** Digits of Crockford's base 32: without I, L, O and U. */
const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const version = 1
const checkLength = 2
const shareLength = 1 + recoveryIdLength + 2 + recoverySeedLength + checkLength
const digitsPerGroup = 4
const bitsPerDigit = 5
/** Characters of a group: its digits and their check. */
const groupLength = digitsPerGroup + 1
const inGroups = /.{5}/g
/** How many groups a share has, and how many of them stand in a line. */
export const shareGroups = (shareLength * 8) / (digitsPerGroup * bitsPerDigit)
export const groupsPerLine = 6

/** The lines that are printed. They are the secret itself. */
export function shareLines(share: RecoveryShare): string[] {
  const bytes = bytesOf(share)
  const groups = Array.from({ length: shareGroups }, (_, at) => {
    const group = groupAt(bytes, at)
    return [...group, checkOf(group, at)].map((value) => digits[value]).join('')
  })
  bytes.fill(0)
  return Array.from({ length: shareGroups / groupsPerLine }, (_, line) =>
    groups.slice(line * groupsPerLine, (line + 1) * groupsPerLine).join(' '),
  )
}

/**
 * Reads a share out of a file that `shareLines` was printed into (lines that begin with a number and a closing
 * bracket), or out of the groups alone. `where` names it in errors. Throws UserError that says where it is
 * mistyped, and nothing of what it holds.
 */
export function readShare(text: string, where: string): RecoveryShare {
  const groups = groupsOf(text)
  if (groups.length !== shareGroups) {
    throw wrongShare(
      'share-length',
      `${where}: a share has ${shareGroups} groups of five characters, this one ${groups.length}`,
    )
  }
  const bytes = new Uint8Array(shareLength)
  for (const [at, group] of groups.entries()) putGroup(bytes, at, group, where)
  return shareOf(bytes, where)
}

function shareOf(bytes: Uint8Array, where: string): RecoveryShare {
  const end = shareLength - checkLength
  const check = sha256(bytes.subarray(0, end)).subarray(0, checkLength)
  if (!equalBytes(check, bytes.subarray(end))) {
    throw wrongShare(
      'share-typo',
      `${where}: every group is well formed, but together they are no share`,
    )
  }
  if (bytes[0] !== version) {
    throw wrongShare('share-version', `${where}: made by a newer keyreel (form ${bytes[0]})`)
  }
  const afterId = 1 + recoveryIdLength
  const value = new Secret(Uint8Array.from(bytes.subarray(afterId + 2, end)))
  const key = toHex(bytes.subarray(1, afterId))
  const [threshold = 0, number = 0] = bytes.subarray(afterId, afterId + 2)
  bytes.fill(0)
  return { key, threshold, number, value }
}

function bytesOf({ key, threshold, number, value }: RecoveryShare): Uint8Array {
  const head = Buffer.concat([
    Uint8Array.of(version),
    Buffer.from(key, 'hex'),
    Uint8Array.of(threshold, number),
    value.bytes,
  ])
  const bytes = Buffer.concat([head, sha256(head).subarray(0, checkLength)])
  head.fill(0)
  return bytes
}

/** How lines are numbered: as they are printed, among other lines; or as people write them, before groups only. */
const numberings = [
  /^\s*\d+\)\s*(.*)$/,
  /^\s*\d+\s*[.:]\s*(.*)$/,
  /^\s*[1-9]\s+(\S{4,}(?:[\s-]+\S{4,})*)\s*$/,
]

/** The groups as typed: from the numbered lines where there are any, else from everything; with or without blanks. */
function groupsOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  const numbered = numberings
    .map((form) => lines.flatMap((line) => form.exec(line)?.[1] ?? []))
    .find((found) => found.length > 0)
  return (numbered ?? lines)
    .join(' ')
    .split(/[\s-]+/)
    .filter((group) => group !== '')
    .flatMap((group) => (group.length % groupLength === 0 ? group.match(inGroups)! : [group]))
}

function putGroup(bytes: Uint8Array, at: number, typed: string, where: string): void {
  const line = Math.floor(at / groupsPerLine) + 1
  const place = `${where}: group ${(at % groupsPerLine) + 1} of line ${line}`
  if (typed.length !== digitsPerGroup + 1) {
    throw wrongShare('share-typo', `${place} has ${typed.length} characters instead of five`)
  }
  const values = [...typed.toUpperCase()].map(valueOf)
  if (values.includes(-1)) {
    throw wrongShare('share-typo', `${place} has a character that shares do not have`)
  }
  const check = values.pop()
  if (checkOf(values, at) !== check) {
    throw wrongShare('share-typo', `${place} is mistyped, or stands in another's place`)
  }
  for (const [digit, value] of values.entries()) {
    for (let bit = 0; bit < bitsPerDigit; bit++) {
      const position = (at * digitsPerGroup + digit) * bitsPerDigit + bit
      bytes[position >> 3]! |= ((value >> (bitsPerDigit - 1 - bit)) & 1) << (7 - (position & 7))
    }
  }
}

/** The four values of a group. */
function groupAt(bytes: Uint8Array, at: number): number[] {
  return Array.from({ length: digitsPerGroup }, (_, digit) => {
    let value = 0
    for (let bit = 0; bit < bitsPerDigit; bit++) {
      const position = (at * digitsPerGroup + digit) * bitsPerDigit + bit
      value = (value << 1) | ((bytes[position >> 3]! >> (7 - (position & 7))) & 1)
    }
    return value
  })
}

/** Letters that look like digits are read as those (Crockford). */
function valueOf(character: string): number {
  return digits.indexOf({ I: '1', L: '1', O: '0' }[character] ?? character)
}

/** The place of the group, plus each value times another power of a generator of GF(2^5). */
function checkOf(values: readonly number[], at: number): number {
  let factor = 2
  let sum = at
  for (const value of values) {
    sum ^= times(value, factor)
    factor = times(factor, 2)
  }
  return sum
}

/** Product in GF(2^5) modulo x^5 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let power = a, rest = b; rest > 0; rest >>= 1) {
    if (rest & 1) product ^= power
    power <<= 1
    if (power & 0x20) power ^= 0x25
  }
  return product
}

function wrongShare(code: string, message: string): UserError {
  return new UserError(
    code,
    message,
    'compare it with the paper, character by character; nothing was changed',
  )
}
