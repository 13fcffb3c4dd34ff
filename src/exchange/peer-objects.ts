/**
 * What a peer needs of us to bring and take keys over KMIP: it is a client of ours with profile `peer`,
 * and finds the RSA key of our Encryption Certificate as a managed object that only unwraps. The private
 * key never leaves: it is Sensitive and not Extractable.
 */
import { administrator } from '../access/documents.ts'
import { enrolLibrary, type Enrolled } from '../access/enrolment.ts'
import type { Principal } from '../access/identity.ts'
import type { Certificate } from '../crypto/certificates.ts'
import { privateKeyDer } from '../crypto/key-pairs.ts'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import { CryptographicUsageMask } from '../kmip/model/masks.ts'
import { payloads } from '../kmip/model/payloads/index.ts'
import { tagNumber } from '../kmip/model/tags.ts'
import { newest } from '../kmip/model/versions.ts'
import { exchangeKeyPrefix } from '../kmip/operations/peer-questions.ts'
import { runBatch, type Engine } from '../kmip/operations/batch.ts'
import type { OperationName, RequestPayload } from '../kmip/model/payloads/index.ts'
import { encode, type Raw, type Schema } from 'ttlv-codec'
import { ensureExchange, openExchangeKeys } from './identity.ts'
import { peerNamed } from './peers.ts'

/** Name of the private key object of an Encryption Certificate, by which peers find it. */
export function exchangeKeyName({ fingerprint }: Certificate): string {
  return `${exchangeKeyPrefix}${fingerprint.slice(0, 32)}`
}

/** Lets a peer in: enrols it, writes its kit, and puts the exchange key into its group. */
export async function acceptPeer(
  store: Store,
  engine: Engine,
  wish: { peer: string; group: string; out: string; port: number },
): Promise<Enrolled> {
  await ensureExchange(store)
  await store.read((work) => peerNamed(work, wish.peer))
  const enrolled = await enrolLibrary(store, {
    name: wish.peer,
    kind: 'peer',
    profile: 'peer',
    group: wish.group,
    source: { generate: 'p256' },
    kit: { directory: wish.out, port: wish.port, pkcs12: 'modern' },
  })
  await offerExchangeKey(store, engine, wish.group)
  return enrolled
}

/** Puts the RSA key of the present Encryption Certificate into the group, once. */
export async function offerExchangeKey(store: Store, engine: Engine, group: string): Promise<void> {
  const [newestKeys] = await store.read((work) => openExchangeKeys(work))
  if (newestKeys === undefined || !('rsa' in newestKeys.opener))
    throw new Error('the newest exchange keys have no RSA key')
  const { certificate, opener } = newestKeys
  const name = exchangeKeyName(certificate)
  const located = await ask(engine, group, 'Locate', {
    Attributes: [{ tag: 'Name', value: { NameValue: name } }],
  })
  if ((located as { UniqueIdentifier: string[] }).UniqueIdentifier.length > 0) return
  const material = privateKeyDer(opener.rsa)
  const now = await store.read((work) => Promise.resolve(work.now))
  try {
    await ask(engine, group, 'Register', {
      ObjectType: 'PrivateKey',
      Attributes: [
        { tag: 'Name', value: { NameValue: name, NameType: 'UninterpretedTextString' } },
        { tag: 'CryptographicUsageMask', value: CryptographicUsageMask.bits.UnwrapKey },
        { tag: 'Sensitive', value: true },
        { tag: 'Extractable', value: false },
        { tag: 'ActivationDate', value: now },
      ],
      PrivateKey: {
        KeyBlock: {
          KeyFormatType: 'PKCS_8',
          KeyValue: { type: 'Structure', value: { KeyMaterial: material, Attributes: undefined } },
          CryptographicAlgorithm: 'RSA',
          CryptographicLength: 3072,
        },
      },
    })
  } finally {
    material.fill(0)
  }
}

/** One operation by this server itself, through the same engine and records as a client's. */
async function ask<Name extends OperationName>(
  engine: Engine,
  group: string,
  operation: Name,
  request: object,
): Promise<unknown> {
  const payload = rawOf(operation, request as RequestPayload<Name>)
  try {
    const { answers, secrets } = await runBatch(engine, {
      version: newest.number,
      principal: self(group),
      items: [{ operation, id: undefined, payload, fault: undefined }],
      continuation: 'Stop',
      unauthenticated: undefined,
      room: undefined,
      decoding: { version: newest.number },
      correlation: 'peer-accept',
    })
    for (const secret of secrets) secret.wipe()
    const [answer] = answers
    if (answer?.ResultStatus === 'Success') return answer.ResponsePayload
    throw new UserError(
      'exchange-key-refused',
      `the exchange key could not be put into group ${group}: ${answer?.ResultMessage ?? 'no answer'}`,
      `look at the group:  keyreel group show ${group}`,
    )
  } finally {
    payload.bytes.fill(0)
  }
}

function rawOf<Name extends OperationName>(operation: Name, request: RequestPayload<Name>): Raw {
  const schema = payloads[operation].request as unknown as Schema<RequestPayload<Name>>
  const whole = encode(schema, tagNumber('RequestPayload'), request, { version: newest.number })
  return { type: 'Structure', bytes: whole.subarray(8), offset: 8, path: 'RequestPayload' }
}

function self(group: string): Principal {
  return {
    name: 'keyreel',
    kind: 'service',
    group,
    profile: 'general',
    fingerprint: '',
    owner: administrator.name,
    ownOnly: false,
    credentialRequired: false,
  }
}
