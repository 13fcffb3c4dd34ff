/**
 * Re-certify – KMIP 1.4 §4.8, KMIP 2.1 §6.1.45. A new certificate for the key pair of an old one, whose
 * place it takes.
 */
import { readCertificateFacts, type CertificateFacts } from '../../crypto/certificate-attributes.ts'
import { renewableExtensions, type CertificateRequestFacts } from '../../crypto/certify.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { AttributeInstance } from '../model/attribute-forms.ts'
import type { AttributeName } from '../model/attributes.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { certificateOf, certificateRequestOf } from './certified-objects.ts'
import { certified, checkPair, checkType } from './certify.ts'
import { issued, keepAuthority, requestFacts, subjectIn } from './issued-certificate.ts'
import { sealedItem } from './key-material.ts'
import { checkStorage, type Prepared } from './new-object.ts'
import { describeObject } from './object-intake.ts'
import { operation, type Context, type LongMakingContext, type MakingContext } from './operation.ts'
import { checkReplaceable, keepReplacement, link, prepareReplacement } from './replacement.ts'
import { identifierOf, subject, visibleObject } from './subject.ts'

export const reCertify = operation('ReCertify', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { UniqueIdentifier, Offset, Attributes = [], ProtectionStorageMasks } = request
    checkStorage(ProtectionStorageMasks)
    const replaced = await subject(context, UniqueIdentifier, 'ReCertify')
    if (replaced.objectType !== 'Certificate') {
      throw new KmipError('InvalidObjectType', `object ${replaced.id} is no certificate`, {
        before20: 'PermissionDenied',
      })
    }
    const { object, made } = await renewCertificate(context, replaced, {
      given: Attributes,
      offset: Offset,
      request: () => requestOf(request, context),
    })
    return { UniqueIdentifier: object.id, ...(made.length > 0 && { Attributes: made }) }
  },
})

/** What the new certificate is to be; the rest is as in the old one. */
interface Renewal {
  given: readonly AttributeInstance[]
  offset: number | undefined
  request(): Promise<CertificateRequestFacts | undefined>
}

/** Issues and keeps the new certificate. Without a request it has the extensions of the old one. */
export async function renewCertificate(
  context: LongMakingContext,
  replaced: ManagedObject,
  { given: attributes, offset, request }: Renewal,
): Promise<Prepared> {
  checkReplaceable(replaced)
  const { subject: given, rest } = subjectIn(attributes)
  checkType(rest)
  const facts = await factsOf(context, replaced)
  const asked = await request()
  if (asked !== undefined) checkPair(facts.publicKey, asked)
  const prepared = await prepareReplacement(context, 'ReCertify', replaced, rest, offset)
  const { object } = prepared
  forgetOld(object, facts)
  const isNamed = asked !== undefined && asked.subject.length > 2
  const issue = await issued(context, object, {
    subject: isNamed ? asked.subject : (given ?? facts.subject),
    publicKey: facts.publicKey,
    extensions: asked?.extensions ?? renewableExtensions(facts.der),
  })
  const fields = { CertificateType: 'X_509', CertificateValue: issue.certificate }
  const item = sealedItem('Certificate', describeObject(object, fields, context.version))
  const publicKey = await publicKeyOf(context, replaced)
  if (publicKey !== undefined) object.attributes.add(link('PublicKeyLink', publicKey))
  await keepReplacement(context, replaced, object, item)
  await keepAuthority(context, issue)
  if (publicKey !== undefined) await certified(context, publicKey, object)
  return prepared
}

type Facts = CertificateFacts & {
  publicKey: NonNullable<CertificateFacts['publicKey']>
  der: Uint8Array
}

async function factsOf(context: LongMakingContext, certificate: ManagedObject): Promise<Facts> {
  const { CertificateType, CertificateValue } = await certificateOf(context, certificate)
  const facts = CertificateType === 'X_509' ? readCertificateFacts(CertificateValue) : undefined
  if (facts?.publicKey !== undefined) return { ...facts, der: CertificateValue } as Facts
  throw new KmipError('PermissionDenied', `certificate ${certificate.id} is not renewed here`)
}

/** The request as bytes or, since 2.0, as an object. */
async function requestOf(
  payload: RequestPayload<'ReCertify'>,
  context: Context,
): Promise<CertificateRequestFacts | undefined> {
  const { CertificateRequest, CertificateRequestType } = payload
  const { CertificateRequestUniqueIdentifier: id } = payload
  if (CertificateRequest !== undefined)
    return requestFacts(CertificateRequestType, CertificateRequest)
  if (id === undefined) return undefined
  const object = await subject(context, id, 'ReCertify')
  if (object.objectType === 'CertificateRequest') return certificateRequestOf(context, object)
  throw new KmipError('InvalidObjectType', `object ${object.id} is no certificate request`)
}

/** What was taken over although it tells of the old certificate. */
function forgetOld({ attributes }: ManagedObject, { attributes: told }: CertificateFacts): void {
  for (const tag of Object.keys(told)) attributes.clear(tag as AttributeName)
  attributes.clear('OriginalCreationDate')
}

/** The public key that the old certificate is linked to, if it is there. */
async function publicKeyOf(
  context: MakingContext,
  { attributes }: ManagedObject,
): Promise<ManagedObject | undefined> {
  const links = attributes.values('Link')
  const found = links.find(({ LinkType }) => LinkType === 'PublicKeyLink')
  if (found === undefined) return undefined
  const key = await visibleObject(context, identifierOf(found.LinkedObjectIdentifier, context))
  return key?.objectType === 'PublicKey' && key.vitals.DestroyDate === undefined ? key : undefined
}
