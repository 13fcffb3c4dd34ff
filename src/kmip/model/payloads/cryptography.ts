/**
 * Payloads of Encrypt, Decrypt, Sign, Signature Verify, MAC, MAC Verify, Hash, RNG Retrieve and RNG Seed –
 * KMIP 2.1 §6.1.17, §6.1.11, §6.1.55, §6.1.56, §6.1.32, §6.1.33, §6.1.24, §6.1.49, §6.1.50. Parts of a stream came with 1.3, authenticated encryption and digested data with 1.4.
 */
import { boolean, bytes, integer, opt, req, text } from 'ttlv-codec'
import { CryptographicParameters } from '../attribute-values.ts'
import { ValidityIndicator } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'

/** How a request says which key, and how it is to be used. */
const key = {
  UniqueIdentifier: opt(UniqueIdentifier),
  CryptographicParameters: opt(CryptographicParameters),
}

/** Which part of a stream a request is; none of it is the whole at once. */
const part = {
  CorrelationValue: opt(bytes, { since: '1.3' }),
  InitIndicator: opt(boolean, { since: '1.3' }),
  FinalIndicator: opt(boolean, { since: '1.3' }),
}

const stream = { CorrelationValue: opt(bytes, { since: '1.3' }) }

export const Encrypt = {
  request: struct({
    ...key,
    Data: opt(bytes),
    IVCounterNonce: opt(bytes),
    ...part,
    AuthenticatedEncryptionAdditionalData: opt(bytes, { since: '1.4' }),
  }),
  response: struct({
    UniqueIdentifier: req(text),
    Data: opt(bytes),
    IVCounterNonce: opt(bytes),
    ...stream,
    AuthenticatedEncryptionTag: opt(bytes, { since: '1.4' }),
  }),
}
export const Decrypt = {
  request: struct({
    ...key,
    Data: opt(bytes),
    IVCounterNonce: opt(bytes),
    ...part,
    AuthenticatedEncryptionAdditionalData: opt(bytes, { since: '1.4' }),
    AuthenticatedEncryptionTag: opt(bytes, { since: '1.4' }),
  }),
  response: struct({ UniqueIdentifier: req(text), Data: opt(bytes), ...stream }),
}
export const Sign = {
  request: struct({
    ...key,
    Data: opt(bytes),
    DigestedData: opt(bytes, { since: '1.4' }),
    ...part,
  }),
  response: struct({ UniqueIdentifier: req(text), SignatureData: opt(bytes), ...stream }),
}
export const SignatureVerify = {
  request: struct({
    ...key,
    Data: opt(bytes),
    DigestedData: opt(bytes, { since: '1.4' }),
    SignatureData: opt(bytes),
    ...part,
  }),
  response: struct({
    UniqueIdentifier: req(text),
    ValidityIndicator: opt(ValidityIndicator),
    Data: opt(bytes),
    ...stream,
  }),
}
export const MAC = {
  request: struct({ ...key, Data: opt(bytes), ...part }),
  response: struct({ UniqueIdentifier: req(text), MACData: opt(bytes), ...stream }),
}
export const MACVerify = {
  request: struct({ ...key, Data: opt(bytes), MACData: opt(bytes), ...part }),
  response: struct({
    UniqueIdentifier: req(text),
    ValidityIndicator: opt(ValidityIndicator),
    ...stream,
  }),
}
export const RNGRetrieve = {
  request: struct({ DataLength: req(integer) }),
  response: struct({ Data: req(bytes) }),
}
export const RNGSeed = {
  request: struct({ Data: req(bytes) }),
  response: struct({ DataLength: req(integer) }),
}
export const Hash = {
  request: struct({
    CryptographicParameters: req(CryptographicParameters),
    Data: opt(bytes),
    ...part,
  }),
  response: struct({ Data: opt(bytes), ...stream }),
}
