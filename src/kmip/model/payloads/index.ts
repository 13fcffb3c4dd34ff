/** Every operation's request and response payload, by Operation name: what client and server both speak. */
import { raw, type Infer, type Schema } from 'ttlv-codec'
import { Operation } from '../enumerations.ts'
import * as asynchronous from './asynchronous.ts'
import * as attributes from './attributes.ts'
import * as computed from './computed-objects.ts'
import * as certificates from './certificates.ts'
import * as cryptography from './cryptography.ts'
import * as keyPairs from './key-pairs.ts'
import * as lifecycle from './lifecycle.ts'
import * as logins from './logins.ts'
import * as objects from './objects.ts'
import * as pushed from './pushed.ts'
import * as server from './server.ts'
import * as service from './service.ts'

/**
 * The table, in the order in which Query lists them: that of the published cases. An operation that
 * keyreel does not speak has no row; its payload stays undecoded.
 */
export const payloads = {
  Query: server.Query,
  Locate: objects.Locate,
  Destroy: lifecycle.Destroy,
  Get: objects.Get,
  Create: objects.Create,
  Register: objects.Register,
  GetAttributes: attributes.GetAttributes,
  GetAttributeList: attributes.GetAttributeList,
  AddAttribute: attributes.AddAttribute,
  ModifyAttribute: attributes.ModifyAttribute,
  DeleteAttribute: attributes.DeleteAttribute,
  Activate: lifecycle.Activate,
  Revoke: lifecycle.Revoke,
  Poll: asynchronous.Poll,
  Cancel: asynchronous.Cancel,
  Check: lifecycle.Check,
  GetUsageAllocation: lifecycle.GetUsageAllocation,
  CreateKeyPair: keyPairs.CreateKeyPair,
  ReKey: objects.ReKey,
  Archive: lifecycle.Archive,
  Recover: lifecycle.Recover,
  ObtainLease: lifecycle.ObtainLease,
  ReKeyKeyPair: keyPairs.ReKeyKeyPair,
  Certify: certificates.Certify,
  ReCertify: certificates.ReCertify,
  DiscoverVersions: server.DiscoverVersions,
  Notify: pushed.Notify,
  Put: pushed.Put,
  RNGRetrieve: cryptography.RNGRetrieve,
  RNGSeed: cryptography.RNGSeed,
  Encrypt: cryptography.Encrypt,
  Decrypt: cryptography.Decrypt,
  Sign: cryptography.Sign,
  SignatureVerify: cryptography.SignatureVerify,
  MAC: cryptography.MAC,
  MACVerify: cryptography.MACVerify,
  Hash: cryptography.Hash,
  CreateSplitKey: computed.CreateSplitKey,
  JoinSplitKey: computed.JoinSplitKey,
  Export: objects.Export,
  Import: objects.Import,
  SetAttribute: attributes.SetAttribute,
  AdjustAttribute: attributes.AdjustAttribute,
  DeriveKey: computed.DeriveKey,
  Validate: certificates.Validate,
  Ping: lifecycle.Ping,
  ReProvision: certificates.ReProvision,
  Interop: service.Interop,
  Log: service.Log,
  GetConstraints: service.GetConstraints,
  SetConstraints: service.SetConstraints,
  SetDefaults: service.SetDefaults,
  SetEndpointRole: service.SetEndpointRole,
  PKCS_11: service.PKCS_11,
  Login: logins.Login,
  Logout: logins.Logout,
  DelegatedLogin: logins.DelegatedLogin,
  Process: asynchronous.Process,
  QueryAsynchronousRequests: asynchronous.QueryAsynchronousRequests,
} as const

/** An operation that keyreel speaks. */
export type OperationName = keyof typeof payloads

/** The request payload of an operation, in memory. */
export type RequestPayload<Name extends OperationName> = Infer<(typeof payloads)[Name]['request']>

/** The response payload of an operation, in memory. */
export type ResponsePayload<Name extends OperationName> = Infer<(typeof payloads)[Name]['response']>

/**
 * The schema of an operation's payload; undecoded bytes for operations without a row. One that is newer than the
 * version spoken goes by its number.
 */
export function payloadSchema(
  operation: unknown,
  direction: 'request' | 'response',
): Schema<unknown> {
  const name = typeof operation === 'number' ? Operation.nameOf(operation) : operation
  const row = Object.hasOwn(payloads, name as PropertyKey)
    ? payloads[name as OperationName]
    : undefined
  return (row?.[direction] ?? raw) as Schema<unknown>
}
