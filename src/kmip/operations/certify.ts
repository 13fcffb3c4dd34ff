/** Certify – KMIP 1.4 §4.7, KMIP 2.1 §6.1.6. A certificate for a public key, signed by this server. */
import type { CertificateRequestFacts } from '../../crypto/certify.ts'
import { isPair, type PublicHalf } from '../../crypto/key-formats/asymmetric-key.ts'
import { saveObject } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { version20 } from '../model/versions.ts'
import { certificateRequestOf, publicKeyOf } from './certified-objects.ts'
import { commonName, issued, keepAuthority, requestFacts, subjectIn } from './issued-certificate.ts'
import { checkStorage, keepObject, prepareObject } from './new-object.ts'
import { describeObject } from './object-intake.ts'
import { sealedItem } from './key-material.ts'
import { operation, type Context, type MakingContext } from './operation.ts'
import { link } from './replacement.ts'
import { subject } from './subject.ts'

export const certify = operation('Certify', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { Attributes = [], ProtectionStorageMasks } = request
    checkStorage(ProtectionStorageMasks)
    const { request: asked, publicKey } = await sourceOf(request, context)
    const { subject: given, rest } = subjectIn(Attributes)
    checkType(rest)
    const key = asked?.publicKey ?? (await publicKeyOf(context, publicKey!))
    const { object, made } = await prepareObject(context, 'Certify', 'Certificate', rest)
    const issue = await issued(context, object, {
      subject: subjectOf(asked, given, publicKey),
      publicKey: key,
      extensions: asked?.extensions ?? [],
    })
    const fields = { CertificateType: 'X_509', CertificateValue: issue.certificate }
    const item = sealedItem('Certificate', describeObject(object, fields, context.version))
    if (publicKey !== undefined) object.attributes.add(link('PublicKeyLink', publicKey))
    await keepObject(context, object, item)
    await keepAuthority(context, issue)
    if (publicKey !== undefined) await certified(context, publicKey, object)
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})

/** What is certified: a request, a public key, or both, and then the one is of the other. */
interface Source {
  request?: CertificateRequestFacts
  publicKey?: ManagedObject
}

async function sourceOf(payload: RequestPayload<'Certify'>, context: Context): Promise<Source> {
  const { UniqueIdentifier, CertificateRequest, CertificateRequestType } = payload
  const request = CertificateRequest && requestFacts(CertificateRequestType, CertificateRequest)
  // Since 2.0 the ID Placeholder is meant only where there is no request.
  const isAlone = context.version >= version20 || context.batch.placeholder === undefined
  if (request !== undefined && UniqueIdentifier === undefined && isAlone) return { request }
  const object = await subject(context, UniqueIdentifier, 'Certify')
  if (object.objectType === 'CertificateRequest' && request === undefined)
    return { request: await certificateRequestOf(context, object) }
  if (object.objectType !== 'PublicKey') {
    throw new KmipError('InvalidObjectType', `object ${object.id} is no public key`, {
      before20: 'PermissionDenied',
    })
  }
  const state = stateOf(object.vitals, context.now)
  if (state !== 'PreActive' && state !== 'Active')
    throw new KmipError('PermissionDenied', `object ${object.id} is ${state}`)
  if (request === undefined) return { publicKey: object }
  checkPair(await publicKeyOf(context, object), request)
  return { request, publicKey: object }
}

/** Refuses a request that is of another key. */
export function checkPair(key: PublicHalf, request: CertificateRequestFacts): void {
  if (isPair(key, request.publicKey)) return
  throw new KmipError('InvalidCSR', 'the Certificate Request is of another key', {
    before20: 'InvalidField',
  })
}

/** The request wins over attributes; a key that nobody names is called by its Name or identifier. */
function subjectOf(
  request: CertificateRequestFacts | undefined,
  given: Uint8Array | undefined,
  key: ManagedObject | undefined,
): Uint8Array {
  const isNamed = request !== undefined && request.subject.length > 2
  if (isNamed) return request.subject
  if (given !== undefined) return given
  if (request !== undefined) return request.subject
  const name = key?.attributes.first('Name')?.NameValue
  return commonName((name ?? key!.id).slice(0, 64))
}

/** Refuses certificates that are not made here. */
export function checkType(given: readonly AttributeInstance[]): void {
  const type = given.find(({ tag }) => tag === 'CertificateType')?.value
  if (type === undefined || type === 'X_509') return
  throw new KmipError('FeatureNotSupported', `${String(type)} certificates are not made here`)
}

/** The public key's Certificate Link leads to its newest certificate. */
export async function certified(
  context: MakingContext,
  publicKey: ManagedObject,
  certificate: ManagedObject,
): Promise<void> {
  const { attributes, vitals } = publicKey
  const links = attributes.of({ tag: 'Link' })
  attributes.remove(
    links.filter(({ value }) => (value as { LinkType: string }).LinkType === 'CertificateLink'),
  )
  attributes.add(link('CertificateLink', certificate))
  vitals.LastChangeDate = context.now
  await saveObject(context.work, publicKey)
}
