/**
 * Keys from key servers that know nothing of keyreel: found by Locate, taken by Get under AES key wrap (RFC 3394)
 * with a key that both sides hold, or each under our RSA key by OAEP with SHA-256 (KMIP 2.1 §6.1.19, §7.18). What
 * comes in the clear is not taken.
 */
import { privateKeyDer, publicKeyDer } from '../crypto/key-pairs.ts'
import { readPrivateKey } from '../crypto/key-formats.ts'
import { unwrap, type WrappingKey } from '../crypto/key-wrapping.ts'
import type { Algorithm } from '../crypto/parameters.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import type { Secret } from '../crypto/secret.ts'
import type { TransportKey } from '../crypto/transport-key.ts'
import type { Store } from '../keystore/store.ts'
import {
  CryptographicUsageMask,
  materialOf,
  type Client,
  type Payload,
  type ResponsePayload,
} from '../kmip/client/client.ts'
import type { AttributeInstance, VendorAttributeValue } from '../kmip/model/attribute-forms.ts'
import { wrappedRequest } from './bundle-items.ts'
import { openExchangeKeys } from './identity.ts'
import type { ImportRequest } from './import-payload.ts'
import type { KeyReport } from './key-report.ts'
import { exchangeKeyName } from './peer-objects.ts'

type Specification = NonNullable<Payload<'Get'>['KeyWrappingSpecification']>

/** How keys come wrapped: what is asked for, and what opens it here. */
export interface PlainWrapping {
  readonly specification: Specification
  readonly key: WrappingKey
}

/** AES key wrap with a key that the peer holds under the identifier. The secret stays the caller's. */
export function sharedWrapping(UniqueIdentifier: string, secret: Secret): PlainWrapping {
  const parameters = { BlockCipherMode: 'NISTKeyWrap' } as const
  return {
    specification: specificationOf(UniqueIdentifier, parameters),
    key: { key: { algorithm: 'AES', bytes: secret.bytes }, parameters },
  }
}

/** Our RSA public key, which is registered with the peer once. */
export async function ownRsaWrapping(store: Store, client: Client): Promise<PlainWrapping> {
  const [newest] = await store.read((work) => openExchangeKeys(work))
  if (newest === undefined || !('rsa' in newest.opener))
    throw new Error('the newest exchange keys have no RSA key')
  const { certificate, opener } = newest
  const parameters = {
    PaddingMethod: 'OAEP',
    HashingAlgorithm: 'SHA_256',
    CryptographicAlgorithm: 'RSA',
  } as const
  const publicKey = publicKeyDer(opener.rsa)
  const id = await registeredOnce(client, exchangeKeyName(certificate), publicKey, parameters)
  const der = privateKeyDer(opener.rsa)
  try {
    const key = readPrivateKey('PKCS_8', der, { algorithm: 'RSA', trusted: true })
    return { specification: specificationOf(id, parameters), key: { key, parameters } }
  } finally {
    der.fill(0)
  }
}

function specificationOf(UniqueIdentifier: string, CryptographicParameters: object): Specification {
  return {
    WrappingMethod: 'Encrypt',
    EncryptionKeyInformation: { UniqueIdentifier, CryptographicParameters },
    EncodingOption: 'NoEncoding',
  }
}

async function registeredOnce(
  client: Client,
  NameValue: string,
  der: Uint8Array,
  parameters: object,
): Promise<string> {
  const name = { tag: 'Name', value: { NameValue, NameType: 'UninterpretedTextString' } } as const
  const type = { tag: 'ObjectType', value: 'PublicKey' } as const
  const { UniqueIdentifier: found } = await client.call('Locate', { Attributes: [type, name] })
  const [known] = found
  if (known !== undefined) return known
  const { UniqueIdentifier } = await client.call('Register', {
    ObjectType: 'PublicKey',
    Attributes: [
      name,
      { tag: 'CryptographicUsageMask', value: CryptographicUsageMask.bits.WrapKey },
      { tag: 'CryptographicParameters', value: parameters },
    ],
    PublicKey: {
      KeyBlock: {
        KeyFormatType: 'X_509',
        KeyValue: { type: 'Structure', value: { KeyMaterial: der, Attributes: undefined } },
        CryptographicAlgorithm: 'RSA',
        CryptographicLength: 3072,
      },
    },
  })
  await client.call('Activate', { UniqueIdentifier })
  return UniqueIdentifier
}

/** Takes some keys: each unwrapped here and wrapped again under the transport key of this import. */
export async function takenPlainly(
  client: Client,
  wrapping: PlainWrapping,
  ids: readonly string[],
  local: { peer: string; transport: TransportKey; transportId: string },
): Promise<{ requests: ImportRequest[]; refused: KeyReport[] }> {
  const options = { onError: 'Continue', safe: true } as const
  const got = await client.batch(
    ids.map((UniqueIdentifier) => ({
      operation: 'Get' as const,
      payload: { UniqueIdentifier, KeyWrappingSpecification: wrapping.specification },
    })),
    options,
  )
  const told = await client.batch(
    ids.map((UniqueIdentifier) => ({
      operation: 'GetAttributes' as const,
      payload: { UniqueIdentifier },
    })),
    options,
  )
  const requests: ImportRequest[] = []
  const refused: KeyReport[] = []
  for (const [at, there] of ids.entries()) {
    const id = identifierOf(local.peer, there)
    const failed = [got[at], told[at]].find((result) => result?.status !== 'Success')
    const [key, attributes] = [got[at], told[at]]
    if (key?.status !== 'Success' || attributes?.status !== 'Success') {
      const error = failed?.status === 'Failed' ? failed.error : undefined
      const reason = error?.resultMessage ?? error?.message ?? 'the peer did not hand it out'
      refused.push({ id, verdict: 'refused', reason })
      continue
    }
    try {
      const instances = (attributes.payload.Attributes ?? []) as readonly AttributeInstance[]
      requests.push(requestOf(id, there, key.payload, instances, wrapping, local))
    } catch (error) {
      if (!(error instanceof CryptoRefusal)) throw error
      refused.push({ id, verdict: 'refused', reason: error.message })
    }
  }
  return { requests, refused }
}

function requestOf(
  id: string,
  there: string,
  got: ResponsePayload<'Get'>,
  attributes: readonly AttributeInstance[],
  { key }: PlainWrapping,
  { transport, transportId }: { transport: TransportKey; transportId: string },
): ImportRequest {
  const block = got.SymmetricKey?.KeyBlock
  const bytes = materialOf(got)
  if (block?.KeyWrappingData?.WrappingMethod !== 'Encrypt') {
    bytes.fill(0)
    throw new CryptoRefusal('parameters', 'the peer has sent it in the clear: it is not taken')
  }
  const plain = unwrap(block.KeyWrappingData, { encryption: key }, bytes)
  try {
    const algorithm = block.CryptographicAlgorithm ?? firstOf(attributes, 'CryptographicAlgorithm')
    const facts = {
      ...(algorithm !== undefined && { CryptographicAlgorithm: algorithm as Algorithm }),
      CryptographicLength: plain.bytes.length * 8,
    }
    const taken = [
      ...attributes.filter(isTaken).map(({ tag, value }) => ({ tag, value })),
      foreign(there),
    ]
    return wrappedRequest({ id, attributes: taken, facts }, plain.bytes, transport, transportId)
  } finally {
    plain.wipe()
  }
}

function firstOf(attributes: readonly AttributeInstance[], name: string): unknown {
  return attributes.find(({ tag }) => tag === name)?.value
}

/** What is taken over of an object of another vendor's server. */
const takenAttributes: ReadonlySet<string> = new Set([
  'CryptographicAlgorithm',
  'CryptographicLength',
  'CryptographicUsageMask',
  'Name',
  'AlternativeName',
  'ApplicationSpecificInformation',
  'ObjectGroup',
  'ContactInformation',
  'ActivationDate',
  'ProcessStartDate',
  'ProtectStopDate',
  'DeactivationDate',
  'Comment',
  'Description',
])

function isTaken({ tag, value }: AttributeInstance): boolean {
  if (tag === 'Attribute') return (value as VendorAttributeValue).VendorIdentification === 'x'
  return takenAttributes.has(tag)
}

/** What the peer calls the key stays with it. */
function foreign(there: string): AttributeInstance {
  const AttributeValue = { type: 'TextString', value: there } as const
  const value = { VendorIdentification: 'x', AttributeName: 'ForeignIdentifier', AttributeValue }
  return { tag: 'Attribute', value }
}

/** Identifiers are kept where they are UUIDs; others give one, always the same (RFC 9562 §5.8). */
function identifierOf(peer: string, there: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(there)) return there
  const digest = sha256(`keyreel foreign key\n${peer}\n${there}`).slice(0, 16)
  digest[6] = (digest[6]! & 0x0f) | 0x80
  digest[8] = (digest[8]! & 0x3f) | 0x80
  const digits = toHex(digest)
  const parts = [0, 8, 12, 16, 20].map((from, at, all) => digits.slice(from, all[at + 1]))
  return parts.join('-')
}
