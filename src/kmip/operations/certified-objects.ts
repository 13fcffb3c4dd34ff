/** Keys, requests and certificates that are objects, read for the operations about certificates. */
import type { CertificateRequestFacts } from '../../crypto/certify.ts'
import { CryptoRefusal } from '../../crypto/crypto-refusal.ts'
import type { PublicHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import { readPublicKey } from '../../crypto/key-formats.ts'
import { materialOf } from '../../keystore/keystore.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError } from '../model/result.ts'
import { requestFacts } from './issued-certificate.ts'
import { unsealedFields, type SealedType } from './key-material.ts'
import type { Context } from './operation.ts'

/** What it takes to unseal. */
type Unsealing = Pick<Context, 'work' | 'secrets'>

/** The public key of an object. */
export async function publicKeyOf(context: Unsealing, object: ManagedObject): Promise<PublicHalf> {
  const { KeyBlock: block } = (await fieldsOf(context, object)) as { KeyBlock: KeyBlock }
  const { KeyFormatType, KeyValue } = block
  const domain = object.attributes.first('CryptographicDomainParameters')
  const algorithm = object.attributes.first('CryptographicAlgorithm')
  const hints = { algorithm, recommendedCurve: domain?.RecommendedCurve, trusted: true }
  try {
    if (KeyValue?.type === 'Structure')
      return readPublicKey(KeyFormatType, KeyValue.value.KeyMaterial, hints)
  } catch (error) {
    if (!(error instanceof CryptoRefusal)) throw error
  }
  throw new KmipError(
    'PermissionDenied',
    `object ${object.id} is a key that is not understood here`,
  )
}

/** The request of an object. */
export async function certificateRequestOf(
  context: Unsealing,
  object: ManagedObject,
): Promise<CertificateRequestFacts> {
  const fields = await fieldsOf(context, object)
  const { CertificateRequestType, CertificateRequestValue } = fields as {
    CertificateRequestType: unknown
    CertificateRequestValue: Uint8Array
  }
  return requestFacts(CertificateRequestType, CertificateRequestValue)
}

/** A certificate of an object: its type and its bytes. */
export async function certificateOf(
  context: Unsealing,
  object: ManagedObject,
): Promise<{ CertificateType: unknown; CertificateValue: Uint8Array }> {
  const fields = await fieldsOf(context, object)
  return fields as { CertificateType: unknown; CertificateValue: Uint8Array }
}

/** What is sealed of an object. It counts as released: the record of the act names who has asked. */
async function fieldsOf(context: Unsealing, object: ManagedObject): Promise<object> {
  const sealed = await materialOf(context.work, object)
  if (sealed === undefined) {
    throw new KmipError('KeyValueNotPresent', `the value of object ${object.id} is not here`, {
      before20: 'IllegalOperation',
    })
  }
  context.secrets.push(sealed)
  return unsealedFields(object.objectType as SealedType, sealed.bytes)
}
