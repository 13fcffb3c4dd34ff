/**
 * New key pairs – KMIP 2.1 §6.1.9, §6.1.47. The two objects say what is wanted; the pair is made outside
 * the act, and everything that follows from it is set on both.
 */
import { groupPolicy } from '../../access/policy.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import {
  createKeyPair,
  usualPolicy,
  type KeyPairPolicy,
  type KeyPairRequest,
  type NewKeyPair,
} from '../../crypto/key-generation.ts'
import { Secret } from '../../crypto/secret.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeName, AttributeValueOf } from '../model/attributes.ts'
import type { OperationName } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { noteHalf } from './asymmetric-intake.ts'
import { rowOf } from './attribute-rows.ts'
import { randomNumberGenerator } from './create.ts'
import { demandInOlder } from './given-attributes.ts'
import { sealedItem } from './key-material.ts'
import { keepObject, refuseUnkeepable } from './new-object.ts'
import type { LongMakingContext, MakingContext } from './operation.ts'
import { link } from './replacement.ts'

/** The halves of a pair, each of them an object or what is sealed of it. */
export interface Halves<T> {
  privateKey: T
  publicKey: T
}

/** Makes the pair; answers what is to be sealed of each half, for `keepPair`. */
export async function newPair(
  context: LongMakingContext,
  operation: OperationName,
  halves: Halves<ManagedObject>,
): Promise<Halves<Uint8Array>> {
  const { privateKey, publicKey } = halves
  demandInOlder(privateKey, 'CryptographicUsageMask', context.version)
  demandInOlder(publicKey, 'CryptographicUsageMask', context.version)
  const request = requestOf(halves, context)
  const formats = {
    private: privateKey.vitals.KeyFormatType,
    public: publicKey.vitals.KeyFormatType,
  }
  const policy = await policyFor(context)
  const { facts, principal } = context
  const work = () =>
    facts.longWork.run(principal.owner, () => createKeyPair(request, formats, policy))
  const name = [operation, request, formats].map((part) => JSON.stringify(part)).join(' ')
  const pair = refusing(() => context.aside(name, work, secretsOf))
  return {
    privateKey: sealedHalf(context, privateKey, pair, request),
    publicKey: sealedHalf(context, publicKey, pair, request),
  }
}

/** Keeps both halves, linked to each other. The batch goes on with the private key. Wipes the items. */
export async function keepPair(
  context: MakingContext,
  { privateKey, publicKey }: Halves<ManagedObject>,
  items: Halves<Uint8Array>,
): Promise<void> {
  try {
    await refuseUnkeepable(context, [privateKey, publicKey])
    privateKey.attributes.add(link('PublicKeyLink', publicKey))
    publicKey.attributes.add(link('PrivateKeyLink', privateKey))
    await keepObject(context, publicKey, items.publicKey)
    await keepObject(context, privateKey, items.privateKey)
  } finally {
    items.privateKey.fill(0)
  }
  context.noted.details = { publicKey: publicKey.id }
}

/** What the attributes of both halves ask for, which has to be the same. */
function requestOf(halves: Halves<ManagedObject>, { version }: MakingContext): KeyPairRequest {
  const domain = agreed(halves, 'CryptographicDomainParameters')
  const asked = agreed(halves, 'CryptographicAlgorithm')
  if (asked === undefined) demandInOlder(halves.privateKey, 'CryptographicAlgorithm', version)
  return {
    algorithm: asked ?? (domain?.RecommendedCurve === undefined ? 'RSA' : 'EC'),
    length: agreed(halves, 'CryptographicLength'),
    recommendedCurve: domain?.RecommendedCurve,
    qLength: domain?.Qlength,
  }
}

/** The value of one half or of both, then set on both (KMIP 2.1 Table 191). */
function agreed<Name extends AttributeName>(
  { privateKey, publicKey }: Halves<ManagedObject>,
  tag: Name,
): AttributeValueOf<Name> | undefined {
  const one = privateKey.attributes.first(tag)
  const other = publicKey.attributes.first(tag)
  const value = one ?? other
  if (value === undefined) return undefined
  if (one !== undefined && other !== undefined && JSON.stringify(one) !== JSON.stringify(other))
    throw new KmipError('InvalidField', `${rowOf(tag).text} is not the same for both keys`)
  privateKey.attributes.set(tag, value)
  publicKey.attributes.set(tag, value)
  return value
}

const shortKeys: KeyPairPolicy = { rsa: 1024, curve: 112, field: 1024 }

/** Servers in test mode make the short keys of published cases. */
async function policyFor({ work, principal, facts }: MakingContext): Promise<KeyPairPolicy> {
  const { short } = await groupPolicy(work, principal.group)
  return short === 'allow' || facts.testingSince !== undefined ? shortKeys : usualPolicy
}

function secretsOf({ privateMaterial }: NewKeyPair): Secret[] {
  return privateMaterial instanceof Uint8Array ? [new Secret(privateMaterial)] : []
}

function sealedHalf(
  { now }: MakingContext,
  object: ManagedObject,
  pair: NewKeyPair,
  { algorithm, length = pair.key.length }: KeyPairRequest,
): Uint8Array {
  const isPrivate = object.objectType === 'PrivateKey'
  const format = isPrivate ? pair.privateFormat : pair.publicFormat
  const value = isPrivate ? pair.privateMaterial : pair.publicMaterial
  const { attributes, vitals } = object
  vitals.KeyFormatType = format
  attributes.set('OriginalCreationDate', now)
  attributes.set('RandomNumberGenerator', randomNumberGenerator)
  noteHalf(object, { algorithm, length }, { format, value }, pair.key)
  const KeyValue = { type: 'Structure', value: { KeyMaterial: value, Attributes: undefined } }
  const said = { CryptographicAlgorithm: algorithm, CryptographicLength: length }
  const KeyBlock = { KeyFormatType: format, KeyValue, ...said }
  return sealedItem(isPrivate ? 'PrivateKey' : 'PublicKey', { KeyBlock })
}

/** Runs what may refuse, in the words of KMIP 1.4 §11.3 and KMIP 2.1 §6.1.9.1. */
function refusing<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
    const reason = error.code === 'failure' ? 'CryptographicFailure' : 'InvalidAttributeValue'
    throw new KmipError(reason, error.message, { cause: error })
  }
}
