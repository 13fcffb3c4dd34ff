/** What MAC and MAC Verify share – KMIP 2.1 §6.1.32, §6.1.33: a MAC of data at once or in parts. */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { openMac, type MacStream } from '../../crypto/macs.ts'
import type { KeyInUse } from './key-in-use.ts'
import type { UsableKey } from './usable-key.ts'

/** Begins a MAC with the key in use, or its copy. Throws CryptoRefusal. */
export function openMacWith({ algorithm, parameters }: KeyInUse, key: UsableKey): MacStream {
  if (key.kind === 'octets') return openMac({ key: key.bytes, algorithm, parameters })
  throw new CryptoRefusal('parameters', 'a MAC is made with a symmetric key')
}
