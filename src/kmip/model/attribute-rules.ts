/**
 * What is said about each attribute – the rule tables of KMIP 1.4 §3 and KMIP 2.1 §4 – and the sets
 * of columns that many attributes share. The rows are in attributes.ts.
 */

import type { Infer, Schema, VersionText } from 'ttlv-codec'
import type { ObjectType, Operation } from './enumerations.ts'

/** An Object Type by its name. */
export type ObjectTypeName = Extract<Infer<typeof ObjectType>, string>

/** An Operation by its name. */
export type OperationName = Extract<Infer<typeof Operation>, string>

/**
 * While something may be done to an attribute.
 * - `always`, `never`
 * - `pre-active`: while the object's state is Pre-Active
 * - `pre-active-or-active`: while it is Pre-Active or Active
 * - `pre-active-or-active-and-not-passed`: the same, and the date it holds has not been reached
 * - `until-first-use`: while no Get Usage Allocation has been performed
 * - `when-omitted`: only what the client left out
 */
export type While =
  | 'always'
  | 'never'
  | 'pre-active'
  | 'pre-active-or-active'
  | 'pre-active-or-active-and-not-passed'
  | 'until-first-use'
  | 'when-omitted'

/**
 * When a client may give a value itself. Import takes every attribute as given.
 * - `never`: the server alone gives it
 * - `on-making`: in the request that makes the object (Create, Create Key Pair, Register, …)
 * - `on-register`: in Register
 * - `any-time`: also later, by Add and Set Attribute, under the conditions of `changeByClient` that
 *   speak of dates, states or use
 */
export type Given = 'never' | 'on-making' | 'on-register' | 'any-time'

/** The object types an attribute belongs to; 2.x widened most of them. */
export interface Scope {
  /** In 1.0–1.4. */
  readonly v1: readonly ObjectTypeName[]
  /** In 2.0 and 2.1. */
  readonly v2: readonly ObjectTypeName[]
}

/** Everything the protocol says about one attribute. */
export interface AttributeRow<T> {
  /** The specification's name: the Attribute Name of 1.x. */
  readonly text: string
  /** What its value looks like; the same in memory for all versions. */
  readonly schema: Schema<T>
  /** First version that has it. */
  readonly since: VersionText
  /** Last version that has it, when it was removed. */
  readonly until?: VersionText
  /** SHALL always have a value: on every object of its types but those in `exempt`. */
  readonly always: boolean
  /** Object types that need not have the value that others always have. */
  readonly exempt?: readonly ObjectTypeName[]
  /** Initially set by. */
  readonly setBy: 'server' | 'client' | 'either'
  /** When a client may give the first value. */
  readonly givenByClient: Given
  /** Modifiable by client. */
  readonly changeByClient: While
  /** Modifiable by server, on its own account. */
  readonly changeByServer: While
  /** Deletable by client. */
  readonly deleteByClient: While
  /** Multiple instances permitted. */
  readonly multiple: boolean
  /** When implicitly set: operations on which the server gives it unasked. */
  readonly implicitOn: readonly OperationName[]
  /** Applies to object types. */
  readonly of: Scope
  /** Searched by equality through an index; others are compared object by object. */
  readonly lookup?: true
}

/** The server gives it once, for good. */
export const fixed = {
  setBy: 'server',
  givenByClient: 'never',
  changeByClient: 'never',
  changeByServer: 'never',
  deleteByClient: 'never',
  multiple: false,
} as const

/** As `fixed`, but the value comes from the request or the object when it tells. */
export const fixedOnMaking = { ...fixed, givenByClient: 'on-making' } as const

/** The server gives it and keeps it up to date. */
export const kept = { ...fixed, changeByServer: 'always' } as const

/** The client gives it, changes it and deletes it; the server leaves it alone. */
export const owned = {
  setBy: 'client',
  givenByClient: 'any-time',
  changeByClient: 'always',
  changeByServer: 'never',
  deleteByClient: 'always',
  multiple: false,
} as const

/** Both sides give it, change it; the client deletes it. */
export const shared = { ...owned, setBy: 'either', changeByServer: 'always' } as const

/** Given by either side when the object is made, changed by the server alone. */
export const chosen = {
  ...shared,
  givenByClient: 'on-making',
  changeByClient: 'never',
  deleteByClient: 'never',
} as const

/** A switch that both sides turn and nobody deletes. */
export const flag = { ...shared, deleteByClient: 'never' } as const

/**
 * The operations that make objects. The rule tables stop at Re-key Key Pair; the two operations on
 * split keys, which came later, make objects in the same way.
 */
export const making: readonly OperationName[] = [
  'Create',
  'CreateKeyPair',
  'Register',
  'DeriveKey',
  'Certify',
  'ReCertify',
  'ReKey',
  'ReKeyKeyPair',
  'CreateSplitKey',
  'JoinSplitKey',
]

/** The operations with which the server itself makes key material. */
export const generating: readonly OperationName[] = [
  'Create',
  'CreateKeyPair',
  'DeriveKey',
  'ReKey',
  'ReKeyKeyPair',
]

/** The operations that put a new object in the place of an old one. */
export const replacing: readonly OperationName[] = ['ReKey', 'ReKeyKeyPair', 'ReCertify']

/** The operations that bring a certificate. */
export const certifying: readonly OperationName[] = ['Register', 'Certify', 'ReCertify']

const everyV2: readonly ObjectTypeName[] = [
  'Certificate',
  'SymmetricKey',
  'PublicKey',
  'PrivateKey',
  'SplitKey',
  'SecretData',
  'OpaqueObject',
  'PGPKey',
  'CertificateRequest',
]

/** Keys as 1.x counts them. */
const keysV1: readonly ObjectTypeName[] = [
  'SymmetricKey',
  'PublicKey',
  'PrivateKey',
  'SplitKey',
  'PGPKey',
]

/** Managed Cryptographic Objects of 1.x – KMIP 1.4 §2.2. */
const cryptographicV1: readonly ObjectTypeName[] = ['Certificate', ...keysV1, 'SecretData']

/** All objects. */
export const everything: Scope = {
  v1: [...cryptographicV1, 'Template', 'OpaqueObject'],
  v2: everyV2,
}

/** All Cryptographic Objects; all objects since 2.0. */
export const cryptographic: Scope = { v1: cryptographicV1, v2: everyV2 }

/** All Cryptographic Objects and Templates; all objects since 2.0. */
export const cryptographicOrTemplate: Scope = { v1: [...cryptographicV1, 'Template'], v2: everyV2 }

/** All Cryptographic Objects and Opaque Objects; all objects since 2.0. */
export const cryptographicOrOpaque: Scope = {
  v1: [...cryptographicV1, 'OpaqueObject'],
  v2: everyV2,
}

/**
 * Keys and Templates; all objects since 2.0. The rule tables grant Process Start and Protect Stop
 * Date to symmetric keys only; the published cases register both with key pairs (CS-AC-M-8-14).
 */
export const keysOrTemplate: Scope = { v1: [...keysV1, 'Template'], v2: everyV2 }

/** Keys, Certificates and Templates; all objects since 2.0. */
export const keysOrCertificates: Scope = { v1: [...keysV1, 'Certificate', 'Template'], v2: everyV2 }

/** As `keysOrCertificates`, with Secret Data, whose length TC-CREATE-SD-1-14 gives to Create. */
export const measured: Scope = { v1: [...keysOrCertificates.v1, 'SecretData'], v2: everyV2 }

/** Objects that may be registered without their value; all objects since 2.0. */
export const absentValues: Scope = {
  v1: ['SymmetricKey', 'PrivateKey', 'SplitKey', 'SecretData'],
  v2: everyV2,
}

/** Public and private keys; Templates in 1.x. */
export const asymmetric: Scope = {
  v1: ['PublicKey', 'PrivateKey', 'Template'],
  v2: ['PublicKey', 'PrivateKey'],
}

/** Certificates. */
export const certificates: Scope = { v1: ['Certificate'], v2: ['Certificate'] }

/** Certificates and PGP keys. */
export const certificatesOrPgp: Scope = {
  v1: ['Certificate', 'PGPKey'],
  v2: ['Certificate', 'PGPKey'],
}

/** Opaque objects. */
export const opaqueObjects: Scope = { v1: ['OpaqueObject'], v2: ['OpaqueObject'] }
