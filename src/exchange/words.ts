/**
 * Fingerprints as people compare them: hexadecimal in groups, and as words to be read aloud. A word is
 * a proquint: 16 bits as consonant, vowel, consonant, vowel, consonant, sayable in any language.
 */
import { withColons } from '../crypto/certificates.ts'

const consonants = 'bdfghjklmnprstvz'
const vowels = 'aiou'

/** The fingerprint (hexadecimal) as words, two bytes each, four words to a line. */
export function spoken(fingerprint: string): string[] {
  const words = (fingerprint.match(/.{4}/g) ?? []).map((digits) => word(parseInt(digits, 16)))
  return Array.from({ length: Math.ceil(words.length / 4) }, (_, line) =>
    words.slice(line * 4, line * 4 + 4).join(' '),
  )
}

/** The fingerprint in groups of two digits with colons, as openssl prints it. */
export const grouped = withColons

function word(bits: number): string {
  const consonant = (shift: number) => consonants[(bits >> shift) & 15]
  const vowel = (shift: number) => vowels[(bits >> shift) & 3]
  return [consonant(12), vowel(10), consonant(6), vowel(4), consonant(0)].join('')
}
