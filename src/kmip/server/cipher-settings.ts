/**
 * What a listener may negotiate, one row per setting – KMIP 2.1 Profiles §3 "Basic Authentication Suite".
 * Groups are left to the runtime, whose first choice is the hybrid X25519MLKEM768: naming curves
 * here would take it away. TLS 1.0 and 1.1 are in no row.
 */
import type { SecureVersion } from 'node:tls'

interface CipherSetting {
  readonly minVersion: SecureVersion
  readonly maxVersion: SecureVersion
  /** In the server's order of preference, which decides. */
  readonly ciphers: readonly string[]
  readonly help: string
}

const tls13 = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
] as const

const forwardSecret = [
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
] as const

/** The table. */
export const cipherSettings = {
  default: {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: [...tls13, ...forwardSecret],
    help: 'TLS 1.2 and 1.3, forward secrecy and authenticated encryption only',
  },
  newest: {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: tls13,
    help: 'TLS 1.3 only',
  },
  old: {
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.3',
    ciphers: [
      ...tls13,
      ...forwardSecret,
      'ECDHE-ECDSA-AES256-SHA384',
      'ECDHE-RSA-AES256-SHA384',
      'ECDHE-ECDSA-AES128-SHA256',
      'ECDHE-RSA-AES128-SHA256',
      'AES256-GCM-SHA384',
      'AES128-GCM-SHA256',
      'AES256-SHA256',
      'AES128-SHA256',
      'AES256-SHA',
      'AES128-SHA',
    ],
    help: 'as default, and for old libraries TLS 1.2 with CBC and with RSA key exchange (no forward secrecy)',
  },
} as const satisfies Record<string, CipherSetting>

/** A name of the table. */
export type CipherSettingName = keyof typeof cipherSettings

/** The options of node:tls for a row. */
export function cipherOptions(name: CipherSettingName): {
  minVersion: SecureVersion
  maxVersion: SecureVersion
  ciphers: string
} {
  const { minVersion, maxVersion, ciphers } = cipherSettings[name]
  return { minVersion, maxVersion, ciphers: ciphers.join(':') }
}
