/** Payloads of Certify, Re-certify and Validate – KMIP 2.1 §6.1.6, §6.1.45, §6.1.57; Re-Provision, §6.1.48. */
import { bytes, dateTime, interval, many, opt, req, text } from 'ttlv-codec'
import { chosenAttributes, newObjectAttributes } from '../attribute-forms.ts'
import { CertificateRequestType, ValidityIndicator } from '../enumerations.ts'
import { objectFields } from '../objects.ts'
import { shapes, struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'
import { ProtectionStorageMasks } from './objects.ts'

/** The request as bytes: a field that 2.0 renamed when Certificate Request became an object. */
const certificateRequest = shapes(
  { until: '1.4', tag: 'CertificateRequest', schema: bytes },
  { since: '2.0', tag: 'CertificateRequestValue', schema: bytes },
)

const response = struct({ UniqueIdentifier: req(text), Attributes: chosenAttributes })

export const Certify = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    CertificateRequestType: opt(CertificateRequestType),
    CertificateRequest: certificateRequest,
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response,
}

export const ReCertify = {
  request: struct({
    UniqueIdentifier: opt(UniqueIdentifier),
    CertificateRequestUniqueIdentifier: opt(UniqueIdentifier, { since: '2.0' }),
    CertificateRequestType: opt(CertificateRequestType),
    CertificateRequest: certificateRequest,
    Offset: opt(interval),
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response,
}

export const Validate = {
  request: struct({
    Certificate: many(objectFields.Certificate),
    UniqueIdentifier: many(UniqueIdentifier),
    ValidityDate: opt(dateTime),
  }),
  response: struct({ ValidityIndicator: req(ValidityIndicator) }),
}

export const ReProvision = {
  request: struct({
    CertificateRequest: opt(objectFields.CertificateRequest, { since: '2.0' }),
    Certificate: opt(objectFields.Certificate),
  }),
  response: struct({ UniqueIdentifier: opt(text) }),
}
