// Published cases whose answers describe one particular server, or a client: they exclude one another, and no
// server that answers the truth passes all of them. They are not run unless named, and are counted.

/** A row: a case without its version, and what it describes that keyreel is not. */
export interface OtherServer {
  readonly case: string
  readonly why: string
}

const shown = 'KMIP 1.4 §4.25 Query: the server says what it has'
const client = 'KMIP 1.4 §5.4: the server asks, and the answer is that of a client'

/** The rows. */
export const otherServers: readonly OtherServer[] = [
  { case: 'TC-Q-CAP-1', why: `${shown}; here one without streaming and asynchronous requests` },
  { case: 'TC-Q-CAP-2', why: `${shown}; here one with attestation, which keyreel does not do` },
  { case: 'TC-Q-CAP-3', why: `${shown}; here one with attestation, which keyreel does not do` },
  { case: 'TC-Q-PROF-1', why: `${shown}; here one with three tape library profiles and no other` },
  { case: 'TC-Q-PROF-2', why: `${shown}; here one with Complete Server and Suite B of KMIP 1.2` },
  { case: 'TC-Q-PROF-3', why: `${shown}; here one at the address https://SERVER-NAME:5696/kmip` },
  { case: 'TC-Q-RNGS-1', why: `${shown}; here one that does not say what its generator is` },
  { case: 'TC-Q-RNGS-2', why: `${shown}; here a generator of ANSI X9.31` },
  { case: 'TC-Q-RNGS-3', why: `${shown}; here a generator of FIPS 186-2` },
  { case: 'TC-Q-RNGS-4', why: `${shown}; here three generators, with HMAC and SHA-256` },
  { case: 'TC-Q-RNGS-5', why: `${shown}; here a Dual EC generator, which nobody should have` },
  { case: 'TC-Q-VAL-1', why: `${shown}; here one with certificate 1747 of the CMVP` },
  {
    case: 'TC-OTP-3',
    why: 'KMIP 1.4 §2.1.3 Key Block: secret data has no Cryptographic Algorithm; here the pad is secret data with one, and without a value',
  },
  {
    case: 'TC-OTP-4',
    why: 'KMIP 1.4 §4.11 Get: the same pad as in TC-OTP-3, got there and here forbidden by a rule that no request makes',
  },
  { case: 'TC-Q-S2C-1', why: client },
  { case: 'TC-Q-S2C-PROF-1', why: client },
  { case: 'TC-Q-S2C-PROF-2', why: client },
]

const names: ReadonlySet<string> = new Set(otherServers.map((row) => row.case))

/** Whether a case, in whatever version, describes another server. */
export function isOfAnother(name: string): boolean {
  return names.has(name.replace(/-\d\d$/u, ''))
}
