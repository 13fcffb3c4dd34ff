/**
 * Objects that come in wrapped – KMIP 2.1 §3.1, §3.3, §6.1.43; KMIP 1.4 §2.1.5. They are kept as given:
 * the wrapping key need not be here, and nothing is known of the key but what the client says.
 */
import type { Version } from 'ttlv-codec'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock, KeyWrappingData } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { completeHalfUsage } from './asymmetric-intake.ts'
import { completeUsage, demandInOlder } from './given-attributes.ts'
import { isWrapped, type WrappedBlock } from './key-wrapping.ts'
import { claimed } from './object-facts.ts'
import type { Context } from './operation.ts'
import { identifierOf } from './subject.ts'

/** The fields with the wrapping keys named in words that are understood outside their batch. */
export function withNamedKeys(fields: object, context: Context): object {
  if (!('KeyBlock' in fields)) return fields
  const block = fields.KeyBlock as KeyBlock
  if (!isWrapped(block)) return fields
  const { EncryptionKeyInformation, MACSignatureKeyInformation, ...rest } = block.KeyWrappingData
  const named = (information: KeyWrappingData['EncryptionKeyInformation']) =>
    information && {
      ...information,
      UniqueIdentifier: identifierOf(information.UniqueIdentifier, context),
    }
  const encryption = named(EncryptionKeyInformation)
  const integrity = named(MACSignatureKeyInformation)
  if (encryption === undefined && integrity === undefined)
    throw new KmipError('InvalidField', 'Key Wrapping Data names no key')
  const KeyWrappingData: KeyWrappingData = {
    ...rest,
    ...(encryption && { EncryptionKeyInformation: encryption }),
    ...(integrity && { MACSignatureKeyInformation: integrity }),
  }
  return { ...fields, KeyBlock: { ...block, KeyWrappingData } }
}

/** Sets what the client says of a wrapped key, and links it to its wrapping key. */
export function describeWrapped(
  object: ManagedObject,
  block: WrappedBlock,
  version: Version,
): void {
  const { objectType, attributes } = object
  checkBytes(block)
  const algorithm = claimed(object, block, 'CryptographicAlgorithm')
  const length = claimed(object, block, 'CryptographicLength')
  if (objectType !== 'SecretData' && (algorithm === undefined || length === undefined))
    throw new KmipError('InvalidField', 'Cryptographic Algorithm and Length of the key are needed')
  if (algorithm !== undefined) attributes.set('CryptographicAlgorithm', algorithm)
  if (length !== undefined) attributes.set('CryptographicLength', length)
  if (objectType === 'SymmetricKey') completeUsage(object, version)
  else if (objectType !== 'SecretData') demandInOlder(object, 'CryptographicUsageMask', version)
  if (objectType === 'PrivateKey' || objectType === 'PublicKey') completeHalfUsage(object)
  linkToWrappingKey(object, block.KeyWrappingData)
}

/** A wrapped Key Value is bytes; TC-WRAP cases have them as Key Material of a structure. */
function checkBytes({ KeyValue, KeyWrappingData }: WrappedBlock): void {
  const bytes = KeyValue?.type === 'Structure' ? KeyValue.value.KeyMaterial : KeyValue?.value
  if (!(bytes instanceof Uint8Array) || bytes.length === 0)
    throw new KmipError('InvalidField', 'the wrapped Key Block holds no bytes')
  const beside = KeyValue?.type === 'Structure' ? (KeyValue.value.Attributes ?? []) : []
  if (KeyWrappingData.EncodingOption === 'NoEncoding' && beside.length > 0)
    throw new KmipError('EncodingOptionError', 'No Encoding leaves no room for attributes')
}

/** KMIP 2.1 §6.1.43: an object that is wrapped has a Wrapping Key Link. */
function linkToWrappingKey({ attributes }: ManagedObject, data: KeyWrappingData): void {
  const information = data.EncryptionKeyInformation ?? data.MACSignatureKeyInformation
  const isLinked = attributes.values('Link').some(({ LinkType }) => LinkType === 'WrappingKeyLink')
  if (isLinked || information === undefined) return
  const LinkedObjectIdentifier = information.UniqueIdentifier
  attributes.add({ tag: 'Link', value: { LinkType: 'WrappingKeyLink', LinkedObjectIdentifier } })
}
