/** Every operation keyreel performs: one file each, one line here. Query and dispatch read this list. */
import type { OperationName } from '../model/payloads/index.ts'
import type { Operation } from './operation.ts'
import { activate } from './activate.ts'
import { addAttribute } from './add-attribute.ts'
import { adjustAttribute } from './adjust-attribute.ts'
import { archive } from './archive.ts'
import { cancel } from './cancel.ts'
import { certify } from './certify.ts'
import { check } from './check.ts'
import { createKeyPair } from './create-key-pair.ts'
import { create } from './create.ts'
import { createSplitKey } from './create-split-key.ts'
import { decrypt } from './decrypt.ts'
import { delegatedLogin } from './delegated-login.ts'
import { deleteAttribute } from './delete-attribute.ts'
import { deriveKey } from './derive-key.ts'
import { destroy } from './destroy.ts'
import { discoverVersions } from './discover-versions.ts'
import { encrypt } from './encrypt.ts'
import { exportObject } from './export.ts'
import { getAttributeList } from './get-attribute-list.ts'
import { getAttributes } from './get-attributes.ts'
import { getConstraints } from './get-constraints.ts'
import { getUsageAllocation } from './get-usage-allocation.ts'
import { get } from './get.ts'
import { importObject } from './import.ts'
import { hash } from './hash.ts'
import { interop } from './interop.ts'
import { joinSplitKey } from './join-split-key.ts'
import { locate } from './locate.ts'
import { log } from './log.ts'
import { login } from './login.ts'
import { logout } from './logout.ts'
import { macVerify } from './mac-verify.ts'
import { mac } from './mac.ts'
import { modifyAttribute } from './modify-attribute.ts'
import { notify } from './notify.ts'
import { obtainLease } from './obtain-lease.ts'
import { ping } from './ping.ts'
import { pkcs11 } from './pkcs_11.ts'
import { poll } from './poll.ts'
import { processRequest } from './process.ts'
import { put } from './put.ts'
import { queryAsynchronousRequests } from './query-asynchronous-requests.ts'
import { query } from './query.ts'
import { reKeyKeyPair } from './re-key-key-pair.ts'
import { reKey } from './re-key.ts'
import { reCertify } from './re-certify.ts'
import { reProvision } from './re-provision.ts'
import { recover } from './recover.ts'
import { register } from './register.ts'
import { revoke } from './revoke.ts'
import { rngRetrieve } from './rng-retrieve.ts'
import { rngSeed } from './rng-seed.ts'
import { setAttribute } from './set-attribute.ts'
import { setConstraints } from './set-constraints.ts'
import { setDefaults } from './set-defaults.ts'
import { setEndpointRole } from './set-endpoint-role.ts'
import { sign } from './sign.ts'
import { signatureVerify } from './signature-verify.ts'
import { validate } from './validate.ts'

/** By name; the compiler demands one for each row of the payload table. */
export const operations: { [Name in OperationName]: Operation<Name> } = {
  DiscoverVersions: discoverVersions,
  Query: query,
  Create: create,
  CreateKeyPair: createKeyPair,
  ReKey: reKey,
  ReKeyKeyPair: reKeyKeyPair,
  Register: register,
  Certify: certify,
  ReCertify: reCertify,
  Locate: locate,
  Check: check,
  Get: get,
  Export: exportObject,
  Import: importObject,
  GetAttributes: getAttributes,
  GetAttributeList: getAttributeList,
  AddAttribute: addAttribute,
  ModifyAttribute: modifyAttribute,
  DeleteAttribute: deleteAttribute,
  SetAttribute: setAttribute,
  AdjustAttribute: adjustAttribute,
  Activate: activate,
  Revoke: revoke,
  Destroy: destroy,
  Archive: archive,
  Recover: recover,
  ObtainLease: obtainLease,
  GetUsageAllocation: getUsageAllocation,
  DeriveKey: deriveKey,
  CreateSplitKey: createSplitKey,
  JoinSplitKey: joinSplitKey,
  Encrypt: encrypt,
  Decrypt: decrypt,
  Sign: sign,
  SignatureVerify: signatureVerify,
  MAC: mac,
  MACVerify: macVerify,
  RNGRetrieve: rngRetrieve,
  RNGSeed: rngSeed,
  Hash: hash,
  Validate: validate,
  Ping: ping,
  ReProvision: reProvision,
  Interop: interop,
  Log: log,
  GetConstraints: getConstraints,
  SetConstraints: setConstraints,
  SetDefaults: setDefaults,
  SetEndpointRole: setEndpointRole,
  PKCS_11: pkcs11,
  Login: login,
  Logout: logout,
  DelegatedLogin: delegatedLogin,
  Poll: poll,
  Cancel: cancel,
  Process: processRequest,
  QueryAsynchronousRequests: queryAsynchronousRequests,
  Notify: notify,
  Put: put,
}
