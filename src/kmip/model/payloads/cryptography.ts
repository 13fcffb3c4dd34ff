/**
 * Payloads of the operations that use key material – KMIP 2.1 §6.1.11, §6.1.17, and what belongs to
 * them. Parts of a stream came with 1.3, authenticated encryption and digested data with 1.4.
 */
import { boolean, bytes, opt, req, text } from 'ttlv-codec'
import { CryptographicParameters } from '../attribute-values.ts'
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
