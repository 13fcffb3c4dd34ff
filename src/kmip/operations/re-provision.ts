/**
 * Re-Provision – KMIP 2.1 §6.1.48. A client gets another certificate to connect with, from its request or as
 * its own, where the group lets it; the certificate is an object of the group too. A key pair is not made
 * here: the objects of a group are there for all of its clients, and so the key would be.
 */
import {
  enrolAnother,
  newCertificate,
  shownCertificate,
  type NewCertificate,
} from '../../access/re-provision.ts'
import { groupPolicy } from '../../access/policy.ts'
import { UserError } from '../../errors.ts'
import { loadObject } from '../../keystore/keystore.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { sealedItem } from './key-material.ts'
import { keepObject, prepareObject } from './new-object.ts'
import { describeObject } from './object-intake.ts'
import { operation, type Context } from './operation.ts'

export const reProvision = operation('ReProvision', {
  effect: 'act',
  identifies: true,
  async run(request, context) {
    const { principal, work, version } = context
    const replaces = await checkMayAsk(context)
    const { source, origin } = sourceOf(request)
    const obtain = await newCertificate(work, principal, source)
    const made = understood(() => context.aside<NewCertificate>('ReProvision', obtain))
    const { object } = await prepareObject(context, 'Certify', 'Certificate', [])
    const fields = { CertificateType: 'X_509', CertificateValue: made.certificate.der }
    const item = sealedItem('Certificate', describeObject(object, fields, version))
    try {
      await enrolAnother(work, principal, made, { origin, replaces, object: object.id })
    } catch (error) {
      throw refusalOf(error)
    }
    await keepObject(context, object, item)
    context.noted.details = {
      certificate: made.certificate.fingerprint,
      [replaces ? 'replaced' : 'beside']: principal.fingerprint,
    }
    return { UniqueIdentifier: object.id }
  },
})

/** Refuses who may not; answers whether the certificate that is shown ends with it. */
async function checkMayAsk({ principal, work }: Context): Promise<boolean> {
  const { name, owner, group, rights } = principal
  const denied = (why: string) => new KmipError('PermissionDenied', why)
  if (owner !== name || rights !== undefined)
    throw denied(`the certificate is that of ${name}, not of one of its users`)
  const { reprovision } = await groupPolicy(work, group)
  if (reprovision === 'refuse')
    throw denied(`clients of group ${group} get their certificates from the administrator`)
  const shown = await shownCertificate(work, principal)
  if (shown === undefined) throw denied('the certificate that was shown is not enrolled any more')
  const object =
    shown.object === undefined ? undefined : await loadObject(work, group, shown.object)
  if (object?.vitals.CompromiseDate !== undefined || object?.vitals.DeactivationDate !== undefined)
    throw denied('the certificate that was shown is revoked or compromised')
  return reprovision === 'replace'
}

function sourceOf({ CertificateRequest, Certificate }: RequestPayload<'ReProvision'>) {
  if (CertificateRequest !== undefined && Certificate !== undefined)
    throw new KmipError('InvalidField', 'a Certificate Request and a Certificate are given')
  if (CertificateRequest !== undefined) {
    const { CertificateRequestType: type, CertificateRequestValue } = CertificateRequest
    if (type !== 'PKCS_10' && type !== 'PEM')
      throw new KmipError('FeatureNotSupported', `${String(type)} requests are not read here`)
    return { source: { request: CertificateRequestValue }, origin: 'request' } as const
  }
  if (Certificate === undefined)
    throw new KmipError('FeatureNotSupported', 'no keys are made here for clients: send a request')
  if (Certificate.CertificateType !== 'X_509')
    throw new KmipError('FeatureNotSupported', 'clients have X.509 certificates')
  return { source: { certificate: Certificate.CertificateValue }, origin: 'given' } as const
}

/** What cannot be read or is too weak is an Invalid Field; asking for work aside passes. */
function understood<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof UserError)) return error
  return new KmipError('InvalidField', error.message, { cause: error })
}
