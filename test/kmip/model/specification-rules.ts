// The attribute rule tables of KMIP 1.0 to 2.1 as facts: KMIP 1.0–1.4 §3, KMIP 2.0 and 2.1 §4, one line for each
// attribute and range of versions with the same rules. Transcribed from the texts, and from nothing of ours.
import type { VersionText } from 'ttlv-codec'
import type { While } from '../../../src/kmip/model/attribute-rules.ts'

/** Name; first and last version; always has a value; initially set by; modifiable by server, by client; deletable
 * by client; multiple instances; object types; operations that set it implicitly. */
type Line = readonly [
  text: string,
  since: VersionText,
  until: VersionText,
  always: string,
  setBy: 'server' | 'client' | 'either',
  changeByServer: While,
  changeByClient: While,
  deleteByClient: While,
  multiple: 'yes' | 'no',
  of: string,
  implicitOn: string,
]

// prettier-ignore
export const ruleLines: readonly Line[] = [
  ['Activation Date', '1.0', '1.4', 'no', 'either', 'pre-active', 'pre-active', 'never', 'no', 'cryptographic, Template', 'Create, Create Key Pair, Register, Derive Key, Activate, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Activation Date', '2.0', '2.1', 'no', 'either', 'pre-active', 'pre-active', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Activate, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Alternative Name', '1.2', '2.1', 'no', 'client', 'when-omitted', 'always', 'always', 'yes', 'everything', ''],
  ['Always Sensitive', '1.4', '2.1', 'yes', 'server', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Application Specific Information', '1.0', '2.1', 'no', 'either', 'when-omitted', 'always', 'always', 'yes', 'everything', 'Re-key, Re-key Key Pair, Re-certify'],
  ['Archive Date', '1.0', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', 'Archive'],
  ['Certificate Identifier', '1.0', '1.4', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['Certificate Issuer', '1.0', '1.4', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['Certificate Length', '1.1', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['Certificate Subject', '1.0', '1.4', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['Certificate Type', '1.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['Comment', '1.4', '2.1', 'no', 'either', 'always', 'always', 'always', 'no', 'everything', ''],
  ['Compromise Date', '1.0', '1.4', 'no', 'server', 'never', 'never', 'never', 'no', 'cryptographic, OpaqueObject', 'Revoke'],
  ['Compromise Date', '2.0', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', 'Revoke'],
  ['Compromise Occurrence Date', '1.0', '1.4', 'no', 'server', 'never', 'never', 'never', 'no', 'cryptographic, OpaqueObject', 'Revoke'],
  ['Compromise Occurrence Date', '2.0', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', 'Revoke'],
  ['Contact Information', '1.0', '2.1', 'no', 'either', 'always', 'always', 'always', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Cryptographic Algorithm', '1.0', '1.0', 'yes', 'server', 'never', 'never', 'never', 'no', 'keys, Certificate, Template', 'Create, Create Key Pair, Register, Derive Key, Re-key'],
  ['Cryptographic Algorithm', '1.1', '1.4', 'yes', 'server', 'never', 'never', 'never', 'no', 'keys, Certificate, Template', 'Certify, Create, Create Key Pair, Re-certify, Register, Derive Key, Re-key, Re-key Key Pair'],
  ['Cryptographic Algorithm', '2.0', '2.1', 'but Secret Data, Opaque Object', 'server', 'never', 'never', 'never', 'no', 'everything', 'Certify, Create, Create Key Pair, Re-certify, Register, Derive Key, Re-key, Re-key Key Pair'],
  ['Cryptographic Domain Parameters', '1.0', '1.4', 'no', 'client', 'never', 'never', 'never', 'no', 'PublicKey, PrivateKey, Template', 'Re-key, Re-key Key Pair'],
  ['Cryptographic Domain Parameters', '2.0', '2.1', 'no', 'client', 'never', 'never', 'never', 'no', 'PublicKey, PrivateKey', 'Re-key, Re-key Key Pair'],
  ['Cryptographic Length', '1.0', '1.0', 'yes', 'server', 'never', 'never', 'never', 'no', 'keys, Certificate, Template', 'Create, Create Key Pair, Register, Derive Key, Re-key'],
  ['Cryptographic Length', '1.1', '1.4', 'yes', 'server', 'never', 'never', 'never', 'no', 'keys, Certificate, Template', 'Certify, Create, Create Key Pair, Re-certify, Register, Derive Key, Re-key, Re-key Key Pair'],
  ['Cryptographic Length', '2.0', '2.1', 'but Opaque Object', 'server', 'never', 'never', 'never', 'no', 'everything', 'Certify, Create, Create Key Pair, Re-certify, Register, Derive Key, Re-key, Re-key Key Pair'],
  ['Cryptographic Parameters', '1.0', '1.4', 'no', 'client', 'never', 'always', 'always', 'yes', 'keys, Certificate, Template', 'Re-key, Re-key Key Pair, Re-certify'],
  ['Cryptographic Parameters', '2.0', '2.1', 'no', 'client', 'never', 'always', 'always', 'yes', 'everything', 'Re-key, Re-key Key Pair, Re-certify'],
  ['Cryptographic Usage Mask', '1.0', '1.4', 'yes', 'either', 'always', 'never', 'never', 'no', 'cryptographic, Template', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Cryptographic Usage Mask', '2.0', '2.1', 'but Opaque Object', 'either', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Custom Attribute', '1.0', '1.4', 'no', 'either', 'always', 'always', 'always', 'yes', 'everything', 'Create, Create Key Pair, Register, Derive Key, Activate, Revoke, Destroy, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Deactivation Date', '1.0', '1.4', 'no', 'either', 'pre-active-or-active', 'pre-active-or-active', 'never', 'no', 'cryptographic, Template', 'Create, Create Key Pair, Register, Derive Key, Revoke, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Deactivation Date', '2.0', '2.1', 'no', 'either', 'pre-active-or-active', 'pre-active-or-active', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Revoke, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Description', '1.4', '2.1', 'no', 'either', 'always', 'always', 'always', 'no', 'everything', ''],
  ['Destroy Date', '1.0', '1.4', 'no', 'server', 'never', 'never', 'never', 'no', 'cryptographic, OpaqueObject', 'Destroy'],
  ['Destroy Date', '2.0', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', 'Destroy'],
  ['Digest', '1.0', '1.4', 'where known', 'server', 'never', 'never', 'never', 'yes', 'cryptographic, OpaqueObject', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Digest', '2.0', '2.1', 'where known', 'server', 'never', 'never', 'never', 'yes', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Digital Signature Algorithm', '1.1', '1.1', 'yes', 'server', 'never', 'never', 'never', 'yes', 'Certificate', 'Certify, Re-certify, Register'],
  ['Digital Signature Algorithm', '1.2', '2.1', 'yes', 'server', 'never', 'never', 'never', 'yes', 'Certificate, PGPKey', 'Certify, Re-certify, Register'],
  ['Extractable', '1.4', '2.1', 'yes', 'either', 'always', 'always', 'never', 'no', 'everything', ''],
  ['Fresh', '1.1', '1.4', 'no', 'either', 'always', 'never', 'never', 'no', 'cryptographic', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Fresh', '2.0', '2.1', 'yes', 'either', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Initial Date', '1.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Key Format Type', '2.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', ''],
  ['Key Value Location', '1.2', '1.4', 'no', 'client', 'never', 'always', 'always', 'yes', 'SymmetricKey, PrivateKey, SplitKey, SecretData', ''],
  ['Key Value Location', '2.0', '2.1', 'no', 'client', 'never', 'always', 'always', 'yes', 'everything', ''],
  ['Key Value Present', '1.2', '1.4', 'no', 'server', 'never', 'never', 'never', 'no', 'SymmetricKey, PrivateKey, SplitKey, SecretData', 'Register'],
  ['Key Value Present', '2.0', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', 'Register'],
  ['Last Change Date', '1.0', '2.1', 'yes', 'server', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Activate, Revoke, Destroy, Archive, Recover, Certify, Re-certify, Re-key, Re-key Key Pair, Add Attribute, Modify Attribute, Delete Attribute, Get Usage Allocation'],
  ['Lease Time', '1.0', '1.4', 'no', 'server', 'always', 'never', 'never', 'no', 'cryptographic', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Lease Time', '2.0', '2.1', 'no', 'server', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Link', '1.0', '1.4', 'no', 'either', 'always', 'always', 'always', 'yes', 'cryptographic', 'Create Key Pair, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Link', '2.0', '2.1', 'no', 'either', 'always', 'always', 'always', 'yes', 'everything', 'Create Key Pair, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair, Register'],
  ['NIST Key Type', '2.0', '2.1', 'no', 'client', 'never', 'never', 'never', 'yes', 'everything', ''],
  ['Name', '1.0', '2.1', 'no', 'client', 'always', 'always', 'always', 'yes', 'everything', 'Re-key, Re-key Key Pair, Re-certify'],
  ['Never Extractable', '1.4', '2.1', 'yes', 'server', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Object Group', '1.0', '2.1', 'no', 'either', 'always', 'always', 'always', 'yes', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Object Type', '1.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Opaque Data Type', '2.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'OpaqueObject', 'Register'],
  ['Operation Policy Name', '1.0', '1.4', 'no', 'either', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Original Creation Date', '1.2', '2.1', 'no', 'either', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Derive Key, Re-key, Re-key Key Pair'],
  ['PKCS#12 Friendly Name', '1.4', '1.4', 'no', 'either', 'never', 'always', 'always', 'no', 'cryptographic', ''],
  ['PKCS#12 Friendly Name', '2.0', '2.1', 'no', 'either', 'never', 'always', 'always', 'no', 'everything', ''],
  ['Process Start Date', '1.0', '1.4', 'no', 'either', 'pre-active-or-active-and-not-passed', 'pre-active-or-active-and-not-passed', 'never', 'no', 'SymmetricKey, SplitKey, Template', 'Create, Register, Derive Key, Re-key'],
  ['Process Start Date', '2.0', '2.1', 'no', 'either', 'pre-active-or-active-and-not-passed', 'pre-active-or-active-and-not-passed', 'never', 'no', 'everything', 'Create, Register, Derive Key, Re-key'],
  ['Protect Stop Date', '1.0', '1.4', 'no', 'either', 'pre-active-or-active-and-not-passed', 'pre-active-or-active-and-not-passed', 'never', 'no', 'SymmetricKey, SplitKey, Template', 'Create, Register, Derive Key, Re-key'],
  ['Protect Stop Date', '2.0', '2.1', 'no', 'either', 'pre-active-or-active-and-not-passed', 'pre-active-or-active-and-not-passed', 'never', 'no', 'everything', 'Create, Register, Derive Key, Re-key'],
  ['Protection Level', '2.0', '2.1', 'no', 'client', 'never', 'always', 'always', 'no', 'everything', ''],
  ['Protection Period', '2.0', '2.1', 'no', 'client', 'never', 'always', 'always', 'no', 'everything', ''],
  ['Protection Storage Mask', '2.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', ''],
  ['Quantum Safe', '2.0', '2.1', 'no', 'client', 'never', 'always', 'always', 'no', 'everything', ''],
  ['Random Number Generator', '1.3', '1.4', 'no', 'either', 'never', 'never', 'never', 'no', 'cryptographic', 'Create, Create Key Pair, Derive Key, Re-key, Re-key Key Pair'],
  ['Random Number Generator', '2.0', '2.1', 'no', 'either', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Derive Key, Re-key, Re-key Key Pair'],
  ['Revocation Reason', '1.0', '1.4', 'no', 'server', 'always', 'never', 'never', 'no', 'cryptographic, OpaqueObject', 'Revoke'],
  ['Revocation Reason', '2.0', '2.1', 'no', 'server', 'always', 'never', 'never', 'no', 'everything', 'Revoke'],
  ['Rotate Automatic', '2.1', '2.1', 'no', 'either', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Rotate Date', '2.1', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', ''],
  ['Rotate Generation', '2.1', '2.1', 'no', 'server', 'never', 'never', 'never', 'no', 'everything', ''],
  ['Rotate Interval', '2.1', '2.1', 'no', 'either', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Rotate Latest', '2.1', '2.1', 'no', 'server', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Rotate Name', '2.1', '2.1', 'no', 'client', 'never', 'always', 'always', 'no', 'everything', ''],
  ['Rotate Offset', '2.1', '2.1', 'no', 'either', 'always', 'never', 'never', 'no', 'everything', ''],
  ['Sensitive', '1.4', '2.1', 'yes', 'either', 'always', 'always', 'never', 'no', 'everything', ''],
  ['Short Unique Identifier', '2.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['State', '1.0', '1.4', 'yes', 'server', 'always', 'never', 'never', 'no', 'cryptographic', 'Create, Create Key Pair, Register, Derive Key, Activate, Revoke, Destroy, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['State', '2.0', '2.1', 'yes', 'server', 'always', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Activate, Revoke, Destroy, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Unique Identifier', '1.0', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Certify, Re-certify, Re-key, Re-key Key Pair'],
  ['Usage Limits', '1.0', '1.4', 'no', 'either', 'always', 'until-first-use', 'until-first-use', 'no', 'keys, Template', 'Create, Create Key Pair, Register, Derive Key, Re-key, Re-key Key Pair, Get Usage Allocation'],
  ['Usage Limits', '2.0', '2.1', 'no', 'either', 'always', 'until-first-use', 'until-first-use', 'no', 'everything', 'Create, Create Key Pair, Register, Derive Key, Re-key, Re-key Key Pair, Get Usage Allocation'],
  ['X.509 Certificate Identifier', '1.1', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['X.509 Certificate Issuer', '1.1', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
  ['X.509 Certificate Subject', '1.1', '2.1', 'yes', 'server', 'never', 'never', 'never', 'no', 'Certificate', 'Register, Certify, Re-certify'],
]

/** What the tables of one version say about one attribute. */
export interface SpecifiedRule {
  always: string
  setBy: 'server' | 'client' | 'either'
  changeByServer: While
  changeByClient: While
  deleteByClient: While
  multiple: boolean
  of: string
  implicitOn: readonly string[]
}

/** The rules of a version by attribute name. */
export function specifiedRules(as: VersionText): ReadonlyMap<string, SpecifiedRule> {
  const lines = ruleLines.filter(([, since, until]) => since <= as && as <= until)
  return new Map(
    lines.map(
      ([text, , , always, setBy, changeByServer, changeByClient, deleteByClient, ...rest]) => {
        const [multiple, of, implicit] = rest
        const implicitOn = implicit === '' ? [] : implicit.split(', ')
        return [
          text,
          {
            always,
            setBy,
            changeByServer,
            changeByClient,
            deleteByClient,
            multiple: multiple === 'yes',
            of,
            implicitOn,
          },
        ]
      },
    ),
  )
}
