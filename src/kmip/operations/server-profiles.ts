/**
 * The conformance profiles that Query names (KMIP 2.1 §7.31, §11.41): those whose published cases pass
 * here. A profile is there once every operation that it demands is.
 */
import type { Version } from 'ttlv-codec'
import { ProfileName } from '../model/enumerations.ts'
import { payloads } from '../model/payloads/index.ts'

interface ProfileRow {
  /** The name without the version that names before 2.0 end with. */
  name: string
  /** Operations that its mandatory cases use beside those of the baseline. */
  operations?: readonly string[]
  /** Only where the server has an HTTPS port. */
  https?: true
}

/** What every profile is built on. */
const baseline = [
  'DiscoverVersions',
  'Query',
  'Locate',
  'Check',
  'Get',
  'GetAttributes',
  'GetAttributeList',
  'AddAttribute',
  'ModifyAttribute',
  'DeleteAttribute',
  'Activate',
  'Revoke',
  'Destroy',
  'Register',
]

const rows: readonly ProfileRow[] = [
  { name: 'BaselineServer' },
  { name: 'BaselineServerBasic' },
  { name: 'BaselineServerTLSV1_2' },
  { name: 'TapeLibraryServer', operations: ['Create'] },
  { name: 'SymmetricKeyLifecycleServer', operations: ['Create'] },
  { name: 'AsymmetricKeyLifecycleServer', operations: ['CreateKeyPair'] },
  { name: 'BasicCryptographicServer', operations: ['Encrypt', 'Decrypt'] },
  {
    name: 'AdvancedCryptographicServer',
    operations: ['Encrypt', 'Decrypt', 'Sign', 'SignatureVerify', 'MAC', 'MACVerify', 'Hash'],
  },
  { name: 'RNGCryptographicServer', operations: ['RNGRetrieve', 'RNGSeed'] },
  { name: 'SymmetricKeyFoundryServer', operations: ['Create'] },
  { name: 'OpaqueManagedObjectStoreServer' },
  { name: 'StorageArrayWithSelfEncryptingDriveServer' },
  { name: 'HTTPSServer', https: true },
  { name: 'JSONServer', https: true },
  { name: 'XMLServer', https: true },
]

const offered = rows.filter(({ operations = [] }) =>
  [...baseline, ...operations].every((name) => Object.hasOwn(payloads, name)),
)

/** Names of the profiles, as the version spells them. */
export function serverProfiles(version: Version, https: boolean): ProfileNameText[] {
  const names = new Set(
    offered.filter((row) => https || row.https !== true).map(({ name }) => name),
  )
  return ProfileName.names(version).filter((name) => names.has(name.replace(/KMIPV1_\d$/u, '')))
}

type ProfileNameText = ReturnType<typeof ProfileName.names>[number]
