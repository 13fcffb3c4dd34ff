// The server under test: where its ports are, and who the client says it is.
import { readFile } from 'node:fs/promises'

/** A port that takes KMIP in HTTPS requests. */
export interface HttpsPort {
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Where the server is and who the client says it is: paths of PEM files. */
export interface Target {
  readonly host: string
  readonly port: number
  /** Its HTTPS port, where it has one. */
  readonly https?: Omit<HttpsPort, 'host'> | undefined
  readonly ca?: string | undefined
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  /** Another client, whose user names and passwords the credential cases send; the first one when absent. */
  readonly users?: { readonly certificate: string; readonly key: string } | undefined
}

/** Whether a request comes from the client as such, or from a user with a credential behind a client. */
export type Sender = 'client' | 'user'

/** Contents of the PEM files, as node:tls takes them. */
export interface Credentials {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

/** A connection; it carries one exchange at a time. */
export interface Connection {
  /** Sends a request and gives the answer to it, both in binary. */
  exchange(request: Uint8Array, sender?: Sender): Promise<Uint8Array>
  [Symbol.dispose](): void
}

/** Longest wait for a handshake or an answer, in milliseconds. */
export const patience = 20_000
/** Longest answer that is read, in bytes. */
export const maxAnswer = 16 << 20

/** Reads the files of a sender. */
export async function credentialsOf(target: Target, sender: Sender): Promise<Credentials> {
  const read = async (file?: string) => (file === undefined ? undefined : readFile(file, 'utf8'))
  const { certificate, key: keyFile } = (sender === 'user' ? target.users : undefined) ?? target
  const [ca, cert, key] = await Promise.all([read(target.ca), read(certificate), read(keyFile)])
  return { ca, cert, key }
}
