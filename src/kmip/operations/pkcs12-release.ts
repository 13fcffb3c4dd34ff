/**
 * A private key, or since 2.0 a certificate, that leaves as a PKCS#12 file – KMIP 1.4 §4.11, KMIP 2.1
 * §6.1.19: with the chain of certificates that it is linked to, under the password that it is linked to.
 */
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import { readPrivateKey } from '../../crypto/key-formats.ts'
import { writePkcs12Entry } from '../../crypto/key-formats/pkcs12.ts'
import type { PrivateHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import { materialOf } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeValueOf } from '../model/attributes.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { refusalOfKey } from './crypto-refusals.ts'
import { unsealedFields } from './key-material.ts'
import type { Context } from './operation.ts'
import { asideWithPassword, pkcs12Password } from './pkcs12-password.ts'
import { identifierOf, visibleObject } from './subject.ts'

type LinkType = AttributeValueOf<'Link'>['LinkType']

/** Longest chain that is followed. */
const longestChain = 16

/** The Key Block of the file; algorithm and length are inside (TC-PKCS12-1-14). */
export async function pkcs12Block(
  context: Context,
  object: ManagedObject,
  block: KeyBlock,
): Promise<KeyBlock> {
  const key = keyIn(object, block)
  const file = await fileOf(context, object, await chainOf(context, object), key)
  return { KeyFormatType: 'PKCS_12', KeyValue: { type: 'ByteString', value: file } } as KeyBlock
}

/** The file of a certificate and those above it. No key is in it: that is asked for by its own name. */
export async function pkcs12Certificates(
  context: Context,
  certificate: ManagedObject,
): Promise<Uint8Array> {
  return fileOf(context, certificate, await chainFrom(context, certificate))
}

async function fileOf(
  context: Context,
  object: ManagedObject,
  chain: readonly ManagedObject[],
  key?: PrivateHalf,
): Promise<Uint8Array> {
  const certificates: Uint8Array[] = []
  for (const certificate of chain) certificates.push(await derOf(context, certificate))
  const password = await pkcs12Password(context, object, 'Get')
  const friendlyName = object.attributes.first('PKCS_12FriendlyName') ?? 'alias'
  const parts = [object, ...chain].map(({ id, stored }) => `${id} ${stored?.revision}`)
  const content = { friendlyName, certificates, ...(key && { key }) }
  return asideWithPassword(context, password, `write PKCS#12 ${parts.join(' ')}`, (bytes) =>
    written(content, bytes),
  )
}

function keyIn({ attributes, id }: ManagedObject, block: KeyBlock): PrivateHalf {
  const { KeyValue, KeyFormatType } = block
  const algorithm = attributes.first('CryptographicAlgorithm')
  const { RecommendedCurve } = attributes.first('CryptographicDomainParameters') ?? {}
  const hints = { algorithm, recommendedCurve: RecommendedCurve, trusted: true }
  try {
    if (KeyValue?.type !== 'Structure') throw new CryptoRefusal('unsupported', 'the key is wrapped')
    return readPrivateKey(KeyFormatType, KeyValue.value.KeyMaterial, hints)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    throw new KmipError('KeyFormatTypeNotSupported', `object ${id} is not converted`, {
      cause: error,
    })
  }
}

function written(entry: Parameters<typeof writePkcs12Entry>[0], password: Uint8Array): Uint8Array {
  try {
    return writePkcs12Entry(entry, password)
  } catch (error) {
    throw refusalOfKey(error)
  }
}

/**
 * The certificates, that of the key first. The key's own link to it wins over that of its public key, and
 * a PKCS#12 Certificate Link over a Certificate Link.
 */
async function chainOf(context: Context, key: ManagedObject): Promise<ManagedObject[]> {
  const publicKey = await linked(context, key, ['PublicKeyLink'])
  const first =
    (await linked(context, key, ['PKCS_12CertificateLink'])) ??
    (publicKey && (await certificateOf(context, publicKey))) ??
    (await linked(context, key, ['CertificateLink']))
  const chain = await chainFrom(context, first)
  if (chain.length === 0)
    throw new KmipError('InvalidField', `object ${key.id} is linked to no certificate`)
  return chain
}

/** A certificate, that of its issuer, and so on. */
async function chainFrom(
  context: Context,
  first: ManagedObject | undefined,
): Promise<ManagedObject[]> {
  const chain: ManagedObject[] = []
  let next = first
  while (next !== undefined && !chain.some(({ id }) => id === next?.id)) {
    if (next.objectType !== 'Certificate' || chain.length === longestChain)
      throw new KmipError('InvalidField', `object ${next.id} is no part of a certificate chain`)
    chain.push(next)
    next = await certificateOf(context, next)
  }
  return chain
}

async function certificateOf(context: Context, object: ManagedObject) {
  const direct = await linked(context, object, ['PKCS_12CertificateLink'])
  return direct ?? (await linked(context, object, ['CertificateLink']))
}

/** The one object that a link of these types leads to. */
async function linked(
  context: Context,
  { id, attributes }: ManagedObject,
  types: readonly LinkType[],
): Promise<ManagedObject | undefined> {
  const links = attributes.values('Link').filter(({ LinkType }) => types.includes(LinkType))
  const [link] = links
  if (link === undefined) return undefined
  if (links.length > 1)
    throw new KmipError('InvalidField', `object ${id} has more than one certificate chain`)
  const found = await visibleObject(context, identifierOf(link.LinkedObjectIdentifier, context))
  const isThere = found?.vitals.DestroyDate === undefined && found?.vitals.ArchiveDate === undefined
  return isThere ? found : undefined
}

async function derOf({ work, secrets }: Context, object: ManagedObject): Promise<Uint8Array> {
  const sealed = await materialOf(work, object)
  if (sealed === undefined)
    throw new KmipError('InvalidField', `the certificate ${object.id} is not here`)
  secrets.push(sealed)
  const fields = unsealedFields('Certificate', sealed.bytes)
  return Uint8Array.from((fields as { CertificateValue: Uint8Array }).CertificateValue)
}
