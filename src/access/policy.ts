/**
 * What a client may do: profiles say which operations, groups say which objects and how they are
 * treated. Both are tables; nothing else in the server decides about permission.
 */
import { exitStatus, UserError } from '../errors.ts'
import type { OperationName } from '../kmip/model/payloads/index.ts'
import { copiesWanted, isCopiesWord, mostCopies } from '../keystore/ready.ts'
import type { Work } from '../keystore/work.ts'
import { bodyOf, type Body, type ProfileName } from './documents.ts'
import type { Principal } from './identity.ts'

interface Restriction {
  /** Only objects of these types; without it, any. */
  objectTypes?: readonly string[]
  /** Key material is never handed out wrapped. */
  unwrappedOnly?: true
  /** Key material is never handed out in the clear. */
  wrappedOnly?: true
  /** Only objects that the client has brought itself. */
  ownOnly?: true
}

/** 'every' or one row per operation. The tape-library rows are those of the Tape Library Profile 1.0. */
export const profiles = {
  'tape-library': {
    DiscoverVersions: {},
    Query: {},
    Create: {},
    Register: { objectTypes: ['SymmetricKey'] },
    Locate: {},
    Check: {},
    Get: { unwrappedOnly: true },
    GetAttributes: {},
    GetAttributeList: {},
    AddAttribute: {},
    ModifyAttribute: {},
    SetAttribute: {},
    DeleteAttribute: {},
    Activate: {},
    Revoke: {},
    Destroy: {},
    Ping: {},
    // In test mode only, where the published cases of the profile begin and end with it.
    Interop: {},
  },
  general: 'every',
  // Another key server: brings and takes keys that are wrapped, and clears away its own transport keys.
  peer: {
    DiscoverVersions: {},
    Query: {},
    Ping: {},
    Locate: {},
    GetAttributes: {},
    GetAttributeList: {},
    Import: { objectTypes: ['SymmetricKey'] },
    Export: { objectTypes: ['SymmetricKey'], wrappedOnly: true },
    Revoke: { ownOnly: true },
    Destroy: { ownOnly: true },
  },
} as const satisfies Record<ProfileName, 'every' | Partial<Record<OperationName, Restriction>>>

/** What is known of a use when it is asked about. What is left out is not judged. */
export interface Use {
  /** Name of the Object Type, or its number when it has no name. */
  objectType?: string | number
  /** Whether key material would leave wrapped. */
  wrapped?: boolean
  /** Owner of the object concerned. */
  owner?: string
}

/** Whether an operation exists in test mode only (KMIP 2.1 §6.1.26: never in a production server). */
export function isForTests(operation: string): boolean {
  return operation === 'Interop'
}

/** Operations that ask nothing about objects and so need no credential (KMIP 2.1 §9.4). */
const openOperations: ReadonlySet<string> = new Set(['DiscoverVersions', 'Query'])

/** Whether a message of only this operation is served to a client that sends no credential. */
export function needsCredential(operation: string): boolean {
  return !openOperations.has(operation)
}

/** The default operation policy of KMIP 1.x lets everybody look at these (KMIP 1.4 §3.18.2.2). */
const publicTypes: ReadonlySet<unknown> = new Set(['Certificate', 'PublicKey'])
const publicOperations: ReadonlySet<string> = new Set([
  'Check',
  'Get',
  'GetAttributes',
  'GetAttributeList',
  'ObtainLease',
  'Validate',
])

/**
 * `true`, or why not, in words fit for the client. Compare with `=== true`: a reason is a text.
 * Only asks about the profile and the owner; that the object is of the principal's group is
 * decided where it is loaded.
 */
export function allowed(
  principal: Pick<Principal, 'name' | 'profile' | 'owner' | 'ownOnly' | 'rights'>,
  operation: string,
  { objectType, wrapped, owner }: Use = {},
): true | string {
  const profile: 'every' | Readonly<Record<string, Restriction>> = profiles[principal.profile]
  if (profile !== 'every') {
    const row = Object.hasOwn(profile, operation) ? profile[operation] : undefined
    if (row === undefined) return `profile ${principal.profile} does not allow ${operation}`
    if (objectType !== undefined && row.objectTypes?.includes(String(objectType)) === false)
      return `profile ${principal.profile} does not allow ${operation} of ${objectType}`
    if (wrapped === true && row.unwrappedOnly)
      return `profile ${principal.profile} does not allow ${operation} of wrapped keys`
    if (wrapped === false && row.wrappedOnly)
      return `profile ${principal.profile} allows ${operation} of wrapped keys only`
    if (owner !== undefined && row.ownOnly && owner !== principal.owner)
      return `profile ${principal.profile} allows ${operation} of what ${principal.owner} brought only`
  }
  if (principal.rights?.includes(operation) === false)
    return `the ticket does not allow ${operation}`
  const isPublic = publicTypes.has(objectType) && publicOperations.has(operation)
  if (owner !== undefined && principal.ownOnly && owner !== principal.owner && !isPublic)
    return `${principal.owner} may use its own objects only`
  return true
}

/** How a group treats its objects. */
export interface GroupPolicy {
  /** Days from Destroy to the wipe of the sealed bytes: 0 is at once, undefined refuses Destroy. */
  destroyAfterDays: number | undefined
  /** Whether a second living key may hold the ASI of a tape namespace. */
  duplicates: 'refuse' | 'allow'
  /** Whether key pairs shorter than NIST SP 800-131A has them (RSA below 2048 bits) are made. */
  short: 'refuse' | 'allow'
  /** Whether keys that are Deactivated or Compromised still open what they once protected. */
  retired: 'process' | 'refuse'
  /** Whether Encrypt may use the mode ECB, which shows equal blocks as equal. */
  ecb: 'allow' | 'refuse'
  /** Whether RSA keys wrap and unwrap with PKCS#1 v1.5 padding as well. */
  padding: 'oaep' | 'pkcs1'
  /** Whether a second person has to approve before keys go to a peer. */
  approval: 'none' | 'required'
  /**
   * What is asked of new objects (Set Constraints, Set Defaults): clients set it; it stays as it is set; or
   * none of it counts.
   */
  rules: 'clients' | 'fixed' | 'off'
  /** Whether a peer may withdraw over KMIP the copies that it has sent. */
  withdraw: 'apply' | 'refuse'
  /**
   * Whether clients give themselves another certificate (Re-Provision), which ends the one they show, or
   * stands beside it until that ends or is revoked.
   */
  reprovision: 'refuse' | 'replace' | 'beside'
  /** On how many copies a new object must be durable before it is handed out. */
  ready: number
  /** Words about export, as they were set. */
  export: string | undefined
}

/** Whether keys of the group may go to that peer: `export=allow` (the default), `refuse`, or names of peers. */
export function mayExportTo({ export: word = 'allow' }: GroupPolicy, peer: string): boolean {
  return word === 'allow' || (word !== 'refuse' && word.split(',').includes(peer))
}

type PolicyWords = Omit<Body<'group'>, 'created'>

interface Setting {
  form: string
  isValid: (value: string) => boolean
}

const plainWord: Setting = {
  form: 'a word of up to 255 printable characters',
  isValid: (value) => /^[\x21-\x7e]{1,255}$/.test(value),
}

const refuseOrAllow: Setting = {
  form: 'refuse or allow',
  isValid: (value) => value === 'refuse' || value === 'allow',
}

/** What `group set` takes, with the form of its value. */
const settings: Record<keyof PolicyWords, Setting> = {
  destroy: { form: 'now, refuse, or days such as 30d', isValid: (value) => isDestroyRule(value) },
  duplicates: refuseOrAllow,
  short: refuseOrAllow,
  export: plainWord,
  ready: {
    form: `a number of copies from 1 to ${mostCopies}`,
    isValid: isCopiesWord,
  },
  retired: {
    form: 'process or refuse',
    isValid: (value) => value === 'process' || value === 'refuse',
  },
  ecb: {
    form: 'allow or refuse',
    isValid: (value) => value === 'allow' || value === 'refuse',
  },
  padding: {
    form: 'oaep or pkcs1',
    isValid: (value) => value === 'oaep' || value === 'pkcs1',
  },
  approval: {
    form: 'none or required',
    isValid: (value) => value === 'none' || value === 'required',
  },
  rules: {
    form: 'clients, fixed or off',
    isValid: (value) => ['clients', 'fixed', 'off'].includes(value),
  },
  withdraw: {
    form: 'apply or refuse',
    isValid: (value) => value === 'apply' || value === 'refuse',
  },
  reprovision: {
    form: 'refuse, replace or beside',
    isValid: (value) => ['refuse', 'replace', 'beside'].includes(value),
  },
}

/**
 * The policy of a group; what was never set has its default: destroy 30d, duplicates refuse,
 * short refuse, retired process, ecb allow, padding oaep, approval none, rules clients,
 * withdraw apply, reprovision refuse, ready 1.
 */
export async function groupPolicy(
  work: Pick<Work, 'document'>,
  group: string,
): Promise<GroupPolicy> {
  return policyOf((await bodyOf(work, 'group', group)) ?? {})
}

/** The policy that a group's words mean. */
export function policyOf(words: PolicyWords): GroupPolicy {
  return {
    destroyAfterDays: daysOf(words.destroy ?? '30d'),
    duplicates: words.duplicates === 'allow' ? 'allow' : 'refuse',
    short: words.short === 'allow' ? 'allow' : 'refuse',
    retired: words.retired === 'refuse' ? 'refuse' : 'process',
    ecb: words.ecb === 'refuse' ? 'refuse' : 'allow',
    padding: words.padding === 'pkcs1' ? 'pkcs1' : 'oaep',
    approval: words.approval === 'required' ? 'required' : 'none',
    rules: words.rules === 'fixed' || words.rules === 'off' ? words.rules : 'clients',
    withdraw: words.withdraw === 'refuse' ? 'refuse' : 'apply',
    reprovision:
      words.reprovision === 'replace' || words.reprovision === 'beside'
        ? words.reprovision
        : 'refuse',
    export: words.export,
    ready: copiesWanted(words.ready),
  }
}

/** Reads `key=value` words; throws `UserError` 'group-setting' that names the wrong one. */
export function parseGroupSettings(words: readonly string[]): PolicyWords {
  const parsed: PolicyWords = {}
  for (const word of words) {
    const [, key = word, value = ''] = /^([^=]*)=(.*)$/s.exec(word) ?? []
    const setting = Object.hasOwn(settings, key) ? settings[key as keyof PolicyWords] : undefined
    if (setting === undefined)
      throw wrongSetting(
        `unknown group setting ${JSON.stringify(key)}`,
        `the settings are ${Object.keys(settings).join(', ')}, each as key=value`,
      )
    if (!setting.isValid(value))
      throw wrongSetting(
        `${key} cannot be ${JSON.stringify(value)}`,
        `${key}= takes ${setting.form}`,
      )
    parsed[key as keyof PolicyWords] = value
  }
  return parsed
}

function wrongSetting(message: string, hint: string): UserError {
  return new UserError('group-setting', message, hint, { exitStatus: exitStatus.usage })
}

const destroyDays = /^([1-9][0-9]{0,4})d$/

function isDestroyRule(value: string): boolean {
  return value === 'now' || value === 'refuse' || destroyDays.test(value)
}

function daysOf(rule: string): number | undefined {
  if (rule === 'refuse') return undefined
  return rule === 'now' ? 0 : Number(destroyDays.exec(rule)?.[1])
}
