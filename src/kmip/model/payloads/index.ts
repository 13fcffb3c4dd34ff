/** Every operation's request and response payload, by Operation name: what client and server both speak. */
import { raw, type Infer, type Schema } from 'ttlv-codec'
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

/** The table. An operation that keyreel does not speak has no row; its payload stays undecoded. */
export const payloads = {
  DiscoverVersions: server.DiscoverVersions,
  Query: server.Query,
  Create: objects.Create,
  CreateKeyPair: keyPairs.CreateKeyPair,
  ReKey: objects.ReKey,
  ReKeyKeyPair: keyPairs.ReKeyKeyPair,
  Register: objects.Register,
  Certify: certificates.Certify,
  ReCertify: certificates.ReCertify,
  Locate: objects.Locate,
  Check: lifecycle.Check,
  Get: objects.Get,
  Export: objects.Export,
  Import: objects.Import,
  GetAttributes: attributes.GetAttributes,
  GetAttributeList: attributes.GetAttributeList,
  AddAttribute: attributes.AddAttribute,
  ModifyAttribute: attributes.ModifyAttribute,
  DeleteAttribute: attributes.DeleteAttribute,
  SetAttribute: attributes.SetAttribute,
  AdjustAttribute: attributes.AdjustAttribute,
  Activate: lifecycle.Activate,
  Revoke: lifecycle.Revoke,
  Destroy: lifecycle.Destroy,
  Archive: lifecycle.Archive,
  Recover: lifecycle.Recover,
  ObtainLease: lifecycle.ObtainLease,
  GetUsageAllocation: lifecycle.GetUsageAllocation,
  DeriveKey: computed.DeriveKey,
  CreateSplitKey: computed.CreateSplitKey,
  JoinSplitKey: computed.JoinSplitKey,
  Encrypt: cryptography.Encrypt,
  Decrypt: cryptography.Decrypt,
  Sign: cryptography.Sign,
  SignatureVerify: cryptography.SignatureVerify,
  MAC: cryptography.MAC,
  MACVerify: cryptography.MACVerify,
  RNGRetrieve: cryptography.RNGRetrieve,
  RNGSeed: cryptography.RNGSeed,
  Hash: cryptography.Hash,
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
  Poll: asynchronous.Poll,
  Cancel: asynchronous.Cancel,
  Process: asynchronous.Process,
  QueryAsynchronousRequests: asynchronous.QueryAsynchronousRequests,
  Notify: pushed.Notify,
  Put: pushed.Put,
} as const

/** An operation that keyreel speaks. */
export type OperationName = keyof typeof payloads

/** The request payload of an operation, in memory. */
export type RequestPayload<Name extends OperationName> = Infer<(typeof payloads)[Name]['request']>

/** The response payload of an operation, in memory. */
export type ResponsePayload<Name extends OperationName> = Infer<(typeof payloads)[Name]['response']>

/** The schema of an operation's payload; undecoded bytes for operations without a row. */
export function payloadSchema(
  operation: unknown,
  direction: 'request' | 'response',
): Schema<unknown> {
  const row = Object.hasOwn(payloads, operation as PropertyKey)
    ? payloads[operation as OperationName]
    : undefined
  return (row?.[direction] ?? raw) as Schema<unknown>
}
