/** Payloads of Derive Key, Create Split Key and Join Split Key – KMIP 2.1 §6.1.14, §6.1.10, §6.1.27, §7.12. */
import { bigInteger, bytes, integer, many, opt, req, text } from 'ttlv-codec'
import { chosenAttributes, newObjectAttributes } from '../attribute-forms.ts'
import { CryptographicParameters } from '../attribute-values.ts'
import { DerivationMethod, ObjectType, SecretDataType, SplitKeyMethod } from '../enumerations.ts'
import { struct } from '../tags.ts'
import { UniqueIdentifier } from '../unique-identifier.ts'
import { ProtectionStorageMasks } from './objects.ts'

/** §7.12. Which of it a method needs is the method's to say. */
const DerivationParameters = struct({
  CryptographicParameters: opt(CryptographicParameters),
  InitializationVector: opt(bytes),
  DerivationData: many(bytes),
  Salt: opt(bytes),
  IterationCount: opt(integer),
})

export const DeriveKey = {
  request: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: many(UniqueIdentifier, { min: 1 }),
    DerivationMethod: req(DerivationMethod),
    DerivationParameters: req(DerivationParameters),
    Attributes: newObjectAttributes,
  }),
  response: struct({ UniqueIdentifier: req(text), Attributes: chosenAttributes }),
}
/** KMIP 1.2 §4.38, §4.39: its answers say what was made; later versions leave that out. */
const typeMade = { ObjectType: opt(ObjectType, { since: '1.2', until: '1.2' }) } as const

export const CreateSplitKey = {
  request: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: opt(UniqueIdentifier),
    SplitKeyParts: req(integer),
    SplitKeyThreshold: req(integer),
    SplitKeyMethod: req(SplitKeyMethod),
    PrimeFieldSize: opt(bigInteger),
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response: struct({ ...typeMade, UniqueIdentifier: many(text), Attributes: chosenAttributes }),
}
export const JoinSplitKey = {
  request: struct({
    ObjectType: req(ObjectType),
    UniqueIdentifier: many(UniqueIdentifier, { min: 1 }),
    SecretDataType: opt(SecretDataType),
    Attributes: newObjectAttributes,
    ProtectionStorageMasks: opt(ProtectionStorageMasks, { since: '2.0' }),
  }),
  response: struct({ ...typeMade, UniqueIdentifier: req(text), Attributes: chosenAttributes }),
}
