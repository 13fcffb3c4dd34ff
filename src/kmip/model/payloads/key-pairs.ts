/** Payloads about key pairs – KMIP 2.1 §6.1.9, §6.1.47. */
import { interval, opt, req, text } from 'ttlv-codec'
import {
  chosenForPrivateKey,
  chosenForPublicKey,
  commonAttributes,
  privateKeyAttributes,
  publicKeyAttributes,
} from '../attribute-forms.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'
import { ProtectionStorageMasks } from './objects.ts'

/** Masks of storage for each half (KMIP 2.1 §7.33). */
export const pairStorageMasks = {
  CommonProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  PrivateProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  PublicProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
}

/** What is answered about a new pair. */
export const newPair = struct({
  PrivateKeyUniqueIdentifier: req(text),
  PublicKeyUniqueIdentifier: req(text),
  PrivateKeyAttributes: chosenForPrivateKey,
  PublicKeyAttributes: chosenForPublicKey,
})

export const CreateKeyPair = {
  request: struct({
    CommonAttributes: commonAttributes,
    PrivateKeyAttributes: privateKeyAttributes,
    PublicKeyAttributes: publicKeyAttributes,
    ...pairStorageMasks,
  }),
  response: newPair,
}

export const ReKeyKeyPair = {
  request: struct({
    PrivateKeyUniqueIdentifier: opt(UniqueIdentifier),
    Offset: opt(interval),
    CommonAttributes: commonAttributes,
    PrivateKeyAttributes: privateKeyAttributes,
    PublicKeyAttributes: publicKeyAttributes,
    ...pairStorageMasks,
  }),
  response: newPair,
}
