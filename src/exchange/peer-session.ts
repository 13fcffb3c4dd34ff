/**
 * A connection to a peer with a transport key that both sides hold: AES-256, made here, brought there by
 * Import under RSA-OAEP-SHA-256 with the RSA key of the peer's trusted Encryption Certificate. Only the
 * peer's private key opens it, so whoever answers in the peer's place gets nothing, whatever TLS says.
 */
import { UserError } from '../errors.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { TransportKey } from '../crypto/transport-key.ts'
import type { Store } from '../keystore/store.ts'
import {
  connect,
  ConnectionError,
  CryptographicUsageMask,
  ResultError,
  type Client,
  type ConnectionErrorCode,
} from '../kmip/client/client.ts'
import { receiptMessage, type Counts } from '../kmip/operations/peer-messages.ts'
import { exchangeKeyName } from './peer-objects.ts'
import { peerAccess, sharedKey, type Plain } from './peer-links.ts'
import { encryptionFor, peerNamed, type Peer } from './peers.ts'

/** How a session is opened. */
export interface SessionWish {
  readonly peer: string
  /** TLS without a post-quantum key exchange will do. */
  readonly classical: boolean
}

/** An open session; close it. */
export interface PeerSession {
  readonly peer: Peer
  readonly client: Client
  readonly transport: TransportKey
  /** Identifier of the transport key at the peer. */
  readonly transportId: string
  /**
   * Destroys the transport key at the peer, wipes it here and closes the connection. Where keys were taken the
   * peer is told what became of them.
   */
  close(taken?: Counts): Promise<void>
}

/** The one TLS group that an adversary with a quantum computer cannot undo later. */
const hybridGroup = 'X25519MLKEM768'

/** Versions that have Import and Export, best first. */
const versions = ['2.1', '2.0', '1.4'] as const

/** Versions of a key server that knows nothing of keyreel. */
const plainVersions = [...versions, '1.3', '1.2', '1.1', '1.0'] as const

/** A connection, and what is known of the server behind it. */
export interface PeerConnection {
  readonly client: Client
  readonly plain: Plain | undefined
}

/** Connects as the client that the peer has let in; the caller closes. Throws UserError. */
export async function connectPeer(store: Store, wish: SessionWish): Promise<PeerConnection> {
  const { name, access } = await store.read(async (work) => ({
    name: (await peerNamed(work, wish.peer)).name,
    access: await peerAccess(work, wish.peer),
  }))
  const { plain, ...options } = access
  const spoken = plain === undefined ? versions : plainVersions
  const forget = () => void access.key.fill(0)
  const client = await explaining(name, () => connect({ ...options, versions: spoken })).catch(
    (error: unknown) => {
      forget()
      throw error
    },
  )
  // A lost connection is made again with the key, which is therefore wiped with the client only.
  const close = client.close.bind(client)
  client.close = () => close().finally(forget)
  try {
    refuseClassical(client, wish)
    return { client, plain }
  } catch (error) {
    await client.close()
    throw error
  }
}

/** Connects and brings the transport key. Throws UserError. */
export async function openPeerSession(store: Store, wish: SessionWish): Promise<PeerSession> {
  const peer = await store.read((work) => peerNamed(work, wish.peer))
  const { client, plain } = await connectPeer(store, wish)
  try {
    if (plain === undefined) return await hybridSession(client, peer)
    await refuseWithoutImport(client, peer.name)
    return plain.unwrappingKey === undefined
      ? await sharedSession(store, client, peer, plain)
      : await hybridSession(client, peer, plain.unwrappingKey)
  } catch (error) {
    await client.close()
    throw error
  }
}

/** A transport key of this session, brought under the RSA key of the peer's certificate. */
async function hybridSession(
  client: Client,
  peer: Peer,
  unwrappingKey?: string,
): Promise<PeerSession> {
  const { rsa } = encryptionFor(peer)
  if (rsa === undefined)
    throw new UserError(
      'peer-without-rsa',
      `the Encryption Certificate of peer ${peer.name} has no RSA key to bring a transport key under`,
      'send a bundle instead:  keyreel exchange export',
    )
  const transport = TransportKey.random()
  try {
    const transportId = await explaining(peer.name, () =>
      bringTransportKey(client, peer, transport.encryptedFor(rsa), unwrappingKey),
    )
    return {
      peer,
      client,
      transport,
      transportId,
      async close(taken) {
        transport.secret.wipe()
        try {
          await clearAway(client, transportId, taken)
        } finally {
          await client.close()
        }
      },
    }
  } catch (error) {
    transport.secret.wipe()
    throw error
  }
}

/** The AES key that both sides hold takes the place of a transport key. */
async function sharedSession(
  store: Store,
  client: Client,
  peer: Peer,
  { wrappingKey }: Plain,
): Promise<PeerSession> {
  if (wrappingKey === undefined)
    throw new UserError(
      'peer-without-key',
      `nothing says by which key peer ${peer.name} opens what is sent to it`,
      'name it:  keyreel peer add NAME … --unwrapping-key ID, or --wrapping-key ID --wrapping-key-file FILE',
    )
  const secret = await store.read((work) => sharedKey(work, peer.name))
  if (secret.bytes.length !== 32) {
    secret.wipe()
    throw new UserError(
      'peer-key-short',
      `the AES key that is shared with peer ${peer.name} has not 256 bits: keys are not sent under it`,
      'share one of 256 bits, or name an RSA key with --unwrapping-key',
    )
  }
  const transport = new TransportKey(secret)
  const close = async () => {
    secret.wipe()
    await client.close()
  }
  return { peer, client, transport, transportId: wrappingKey, close }
}

/** A server without Import would keep keys wrapped, of no use to its libraries. They are never sent in the clear. */
async function refuseWithoutImport(client: Client, peer: string): Promise<void> {
  const { Operation } = await explaining(peer, () =>
    client.call('Query', { QueryFunction: ['QueryOperations'] }, { safe: true }),
  )
  if (Operation.includes('Import')) return
  throw new UserError(
    'peer-cannot-unwrap',
    `peer ${peer} has no Import (KMIP 1.4), and so does not open keys that come wrapped; nothing was sent`,
    'send keys to it by its own means: they never leave here in the clear',
  )
}

function refuseClassical(client: Client, { peer, classical }: SessionWish): void {
  const group = client.tls?.group
  if (classical || group === hybridGroup) return
  throw new UserError(
    'classical-tls',
    `the connection to peer ${peer} has no post-quantum key exchange (${group ?? 'RSA'})`,
    'see what stands between the sites, or accept it for once with --classical',
  )
}

const { WrapKey, UnwrapKey } = CryptographicUsageMask.bits

async function bringTransportKey(
  client: Client,
  { name, current }: Peer,
  encrypted: Uint8Array,
  named: string | undefined,
): Promise<string> {
  const unwrappingKey = named ?? (await offeredKey(client, name, current))
  return importTransportKey(client, unwrappingKey, encrypted)
}

/** The RSA key of our peer's present certificate, as it offers it to us. */
async function offeredKey(client: Client, name: string, current: Peer['current']): Promise<string> {
  const keyName = exchangeKeyName(current)
  const { UniqueIdentifier: found } = await client.call(
    'Locate',
    { Attributes: [{ tag: 'Name', value: { NameValue: keyName } }] },
    { safe: true },
  )
  const [unwrappingKey, ...others] = found
  if (unwrappingKey === undefined || others.length > 0)
    throw new UserError(
      'peer-not-ready',
      `peer ${name} offers no exchange key to us for its present Encryption Certificate`,
      'there:  keyreel peer accept NAME --group GROUP; here: import its certificate again if it was renewed',
    )
  return unwrappingKey
}

async function importTransportKey(
  client: Client,
  unwrappingKey: string,
  encrypted: Uint8Array,
): Promise<string> {
  const UniqueIdentifier = randomUuid()
  const now = BigInt(Math.floor(Date.now() / 1000))
  await client.call('Import', {
    UniqueIdentifier,
    ObjectType: 'SymmetricKey',
    KeyWrapType: 'NotWrapped',
    Attributes: [
      { tag: 'CryptographicAlgorithm', value: 'AES' },
      { tag: 'CryptographicLength', value: 256 },
      { tag: 'CryptographicUsageMask', value: WrapKey | UnwrapKey },
      { tag: 'CryptographicParameters', value: { BlockCipherMode: 'AESKeyWrapPadding' } },
      { tag: 'Sensitive', value: true },
      { tag: 'Extractable', value: false },
      { tag: 'ActivationDate', value: now },
    ],
    SymmetricKey: {
      KeyBlock: {
        KeyFormatType: 'Raw',
        KeyValue: { type: 'ByteString', value: encrypted },
        CryptographicAlgorithm: 'AES',
        CryptographicLength: 256,
        KeyWrappingData: {
          WrappingMethod: 'Encrypt',
          EncryptionKeyInformation: {
            UniqueIdentifier: unwrappingKey,
            CryptographicParameters: {
              PaddingMethod: 'OAEP',
              HashingAlgorithm: 'SHA_256',
              CryptographicAlgorithm: 'RSA',
            },
          },
          EncodingOption: 'NoEncoding',
        },
      },
    },
  })
  return UniqueIdentifier
}

/** A transport key that is left behind opens nothing: its other copy is wiped. It is still tidied up. */
async function clearAway(
  client: Client,
  UniqueIdentifier: string,
  taken: Counts | undefined,
): Promise<void> {
  const RevocationReason = {
    RevocationReasonCode: 'CessationOfOperation',
    ...(taken && { RevocationMessage: receiptMessage(taken) }),
  } as const
  await client.batch([
    { operation: 'Revoke', payload: { UniqueIdentifier, RevocationReason } },
    { operation: 'Destroy', payload: { UniqueIdentifier } },
  ])
}

/** What goes wrong before a word of KMIP, where another server than the peer listens. */
const elsewhere: ReadonlySet<ConnectionErrorCode> = new Set(['server-certificate', 'handshake'])

/** What goes wrong with the peer, in the administrator's words. */
export async function explaining<T>(peer: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof ConnectionError)
      throw new UserError(
        `peer-${error.code}`,
        `peer ${peer}: ${error.message}`,
        elsewhere.has(error.code)
          ? `nothing went there; if the peer has another address or CA, say so:  keyreel peer add ${peer} --url kmips://HOST:PORT --kit DIR`
          : 'what was done is kept; run it again when the peer answers: nothing is doubled',
        { cause: error },
      )
    if (error instanceof ResultError)
      throw new UserError(
        'peer-refused',
        `peer ${peer} refused: ${error.message}`,
        'there:  keyreel library show NAME  and  keyreel group show GROUP  tell what we may do',
        { cause: error },
      )
    throw error
  }
}
