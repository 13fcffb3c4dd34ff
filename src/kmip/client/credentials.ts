/** Who a client says that it is, besides its certificate – KMIP 2.1 §9.4, §9.11, and how a server proves itself, §8.5. */
import type { Infer, InferInput } from 'ttlv-codec'
import type { Authentication, Credential, Nonce } from '../model/messages.ts'
import type { Login } from '../model/payloads/logins.ts'

/** Username and Password. */
export interface UserCredential {
  readonly type?: 'UsernameAndPassword'
  readonly username: string
  readonly password?: string
}

/** A device, by its serial number and whatever else the server knows of it. */
export interface DeviceCredential {
  readonly type: 'Device'
  readonly serialNumber?: string
  readonly password?: string
  readonly deviceIdentifier?: string
  readonly networkIdentifier?: string
  readonly machineIdentifier?: string
  readonly mediaIdentifier?: string
}

/** A password that is good for one request (2.0): give it with that request. */
export interface OneTimePasswordCredential {
  readonly type: 'OneTimePassword'
  readonly username: string
  readonly password?: string
  readonly oneTimePassword: string
}

/** A password that is proven and not sent (2.0); the server proves that it knows it too. */
export interface HashedPasswordCredential {
  readonly type: 'HashedPassword'
  readonly username: string
  readonly password: string
  /** SHA-256 when absent. */
  readonly algorithm?: 'SHA_256' | 'SHA_384' | 'SHA_512'
}

/** What Login has answered (2.0). */
export interface TicketCredential {
  readonly type: 'Ticket'
  readonly ticket: Infer<typeof Login.response>['Ticket']
}

/** A measurement or an assertion over the nonce that the server has sent (1.2). */
export interface AttestationCredential {
  readonly type: 'Attestation'
  readonly nonce: InferInput<typeof Nonce>
  readonly attestationType: 'TPMQuote' | 'TCGIntegrityReport' | 'SAMLAssertion'
  readonly measurement?: Uint8Array
  readonly assertion?: Uint8Array
}

/** A credential of any kind. */
export type ClientCredential =
  | UserCredential
  | DeviceCredential
  | OneTimePasswordCredential
  | HashedPasswordCredential
  | TicketCredential
  | AttestationCredential

/** Credentials as one request carries them. */
export interface Presented {
  readonly authentication?: InferInput<typeof Authentication>
  /** What the header of the answer must prove, where a hashed password was sent. */
  readonly expected?: Uint8Array
}

/** Writes credentials into requests; of a hashed password each one says another moment. */
export class Credentials {
  readonly #credentials: readonly ClientCredential[]
  #latest = 0n

  constructor(credentials: ClientCredential | readonly ClientCredential[] | undefined) {
    this.#credentials = credentials === undefined ? [] : [credentials].flat()
  }

  /** Those of the client, or others for one request. */
  async present(others?: ClientCredential | readonly ClientCredential[]): Promise<Presented> {
    const credentials = others === undefined ? this.#credentials : [others].flat()
    const presented: InferInput<typeof Credential>[] = []
    let expected: Uint8Array | undefined
    for (const credential of credentials) {
      if (credential.type === 'HashedPassword') {
        const hashed = await hashedPassword(credential, this.#nextMoment())
        presented.push({ CredentialType: 'HashedPassword', CredentialValue: hashed.value })
        expected = hashed.expected
      } else presented.push(credentialOf(credential))
    }
    return {
      ...(presented.length > 0 && { authentication: { Credential: presented } }),
      ...(expected && { expected }),
    }
  }

  /** Microseconds, each later than the one before: a server takes no moment twice. */
  #nextMoment(): bigint {
    const now = BigInt(Date.now()) * 1000n
    this.#latest = now > this.#latest ? now : this.#latest + 1n
    return this.#latest
  }
}

function credentialOf(
  credential: Exclude<ClientCredential, HashedPasswordCredential>,
): InferInput<typeof Credential> {
  const { type = 'UsernameAndPassword' } = credential
  return { CredentialType: type, CredentialValue: given(valueOf(credential)) }
}

function valueOf(credential: Exclude<ClientCredential, HashedPasswordCredential>): object {
  switch (credential.type) {
    case 'Device':
      return {
        DeviceSerialNumber: credential.serialNumber,
        Password: credential.password,
        DeviceIdentifier: credential.deviceIdentifier,
        NetworkIdentifier: credential.networkIdentifier,
        MachineIdentifier: credential.machineIdentifier,
        MediaIdentifier: credential.mediaIdentifier,
      }
    case 'OneTimePassword': {
      const { username, password, oneTimePassword } = credential
      return { Username: username, Password: password, OneTimePassword: oneTimePassword }
    }
    case 'Ticket':
      return { Ticket: credential.ticket }
    case 'Attestation':
      return {
        Nonce: credential.nonce,
        AttestationType: credential.attestationType,
        AttestationMeasurement: credential.measurement,
        AttestationAssertion: credential.assertion,
      }
    default:
      return { Username: credential.username, Password: credential.password }
  }
}

/** The fields that are present. */
const given = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const digests = { SHA_256: 'SHA-256', SHA_384: 'SHA-384', SHA_512: 'SHA-512' } as const

/** Hash(S1 ‖ Timestamp) ‖ S2, and what the server answers: Hash(Timestamp ‖ S1 ‖ Hash(S2)) (§9.11, §8.5). */
async function hashedPassword(
  { username, password, algorithm = 'SHA_256' }: HashedPasswordCredential,
  moment: bigint,
): Promise<{ value: object; expected: Uint8Array }> {
  const hash = async (...parts: Uint8Array[]) =>
    new Uint8Array(await crypto.subtle.digest(digests[algorithm], Buffer.concat(parts)))
  const first = await hash(Buffer.from(username + password))
  const second = await hash(Buffer.from(password + username))
  const time = new Uint8Array(8)
  new DataView(time.buffer).setBigInt64(0, moment)
  const HashedPassword = Buffer.concat([await hash(first, time), second])
  const TimeStamp = moment
  return {
    value: { Username: username, TimeStamp, HashingAlgorithm: algorithm, HashedPassword },
    expected: await hash(time, first, await hash(second)),
  }
}
