// What the simulated devices report when a command fails: sense key / additional sense code /
// qualifier, one row each. Modelled on the public additional sense code list and on published
// drive manuals; a code's own text is the T10 one in lower case.

/** One row per sense the devices raise or a library must understand. */
export const senses = {
  '2/3A/00': 'medium not present',
  '3/0C/00': 'write error',
  '3/11/00': 'unrecovered read error',
  '3/30/00': 'incompatible medium installed',
  '5/21/01': 'invalid element address',
  '5/24/00': 'invalid field in command descriptor block',
  '5/26/00': 'invalid field in parameter list',
  '5/3B/0D': 'medium destination element full',
  '5/3B/0E': 'medium source element empty',
  '5/74/21': 'data encryption configuration prevented',
  '7/26/10': 'data decryption key fail limit reached',
  '7/27/00': 'write protected',
  '7/30/05': 'cannot write medium - incompatible format',
  '7/30/0C': 'worm medium - overwrite attempted',
  '7/74/00': 'security error',
  '7/74/01': 'unable to decrypt data',
  '7/74/02': 'unencrypted data encountered while decrypting',
  '7/74/03': 'incorrect data encryption key',
  '7/74/04': 'cryptographic integrity validation failed',
  '7/74/05': 'error decrypting data',
  '7/74/09': 'encryption mode mismatch on read',
  '7/74/0A': 'encrypted block not raw read enabled',
  '7/74/0B': 'incorrect encryption parameters',
  '7/74/6E': 'external data encryption control timeout',
  '7/74/6F': 'external data encryption control error',
  'B/74/6E': 'external data encryption control timeout',
  'B/74/6F': 'external data encryption control error',
  '7/EF/10': 'encryption - key required',
  '8/00/05': 'end of data detected',
} as const

export type SenseCode = keyof typeof senses

/** A command ended with CHECK CONDITION; `code` is the sense as `key/ASC/ASCQ` in hexadecimal. */
export class CheckCondition extends Error {
  readonly code: SenseCode

  constructor(code: SenseCode, detail: string, options: { cause?: unknown } = {}) {
    super(`${code} ${senses[code]}: ${detail}`, options)
    this.name = 'CheckCondition'
    this.code = code
  }
}

/** Fixed-format sense data, 18 bytes, current error (SPC-4 section 4.5.3). */
export function senseData(code: SenseCode): Uint8Array {
  const [key, asc, ascq] = code.split('/').map((part) => Number.parseInt(part, 16))
  const data = new Uint8Array(18)
  data.set([0x70, 0x00, key ?? 0])
  data[7] = data.length - 8
  data.set([asc ?? 0, ascq ?? 0], 12)
  return data
}

/** The senses with which a drive ends a command when its library could not bring a key. */
export interface SenseProfile {
  readonly keyNotFound: SenseCode
  readonly controlTimeout: SenseCode
  readonly controlError: SenseCode
}

/**
 * Vendors differ here, and T10 names no sense key for 74/6E and 74/6F. `ibm` knows a vendor code
 * for the missing key; `aborted-command` lets a library's firmware be tried with another sense key.
 */
export const senseProfiles = {
  t10: { keyNotFound: '7/74/01', controlTimeout: '7/74/6E', controlError: '7/74/6F' },
  ibm: { keyNotFound: '7/EF/10', controlTimeout: '7/74/6E', controlError: '7/74/6F' },
  'aborted-command': {
    keyNotFound: '7/74/01',
    controlTimeout: 'B/74/6E',
    controlError: 'B/74/6F',
  },
} as const satisfies Record<string, SenseProfile>
