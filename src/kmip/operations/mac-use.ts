/** What MAC and MAC Verify share – KMIP 2.1 §6.1.32, §6.1.33: a MAC of data at once or in parts. */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { openMac, type MacStream } from '../../crypto/macs.ts'
import { KmipError } from '../model/result.ts'
import type { KeyInUse } from './key-in-use.ts'
import type { UsableKey } from './usable-key.ts'

/** Begins a MAC with the key in use, or its copy. Throws CryptoRefusal, KmipError. */
export function openMacWith({ algorithm, parameters }: KeyInUse, key: UsableKey): MacStream {
  if (key.kind !== 'octets')
    throw new CryptoRefusal('parameters', 'a MAC is made with a symmetric key')
  try {
    return openMac({ key: key.bytes, algorithm, parameters })
  } catch (error) {
    if (!(error instanceof CryptoRefusal) || error.code !== 'unsupported') throw error
    // §6.1.32.1 and §6.1.33.1 list no Unsupported Cryptographic Parameters.
    throw new KmipError('FeatureNotSupported', error.message, { cause: error })
  }
}
