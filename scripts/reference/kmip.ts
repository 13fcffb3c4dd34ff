// docs/reference/kmip.md: what the server speaks, from the tables of the model and of the operations,
// and what it does where the standard leaves room.
import { profiles } from '../../src/access/policy.ts'
import type { Principal } from '../../src/access/identity.ts'
import type { ProfileName } from '../../src/access/documents.ts'
import { announcedNamespaces } from '../../src/keystore/namespaces.ts'
import {
  CryptographicAlgorithm,
  Operation,
  QueryFunction,
} from '../../src/kmip/model/enumerations.ts'
import { CryptographicUsageMask } from '../../src/kmip/model/masks.ts'
import { newest, newestFirst, versions } from '../../src/kmip/model/versions.ts'
import type { VersionRow } from '../../src/kmip/model/versions.ts'
import { operations } from '../../src/kmip/operations/index.ts'
import { lengthToMake } from '../../src/kmip/operations/key-sizes.ts'
import type { Context, Effect } from '../../src/kmip/operations/operation.ts'
import { query } from '../../src/kmip/operations/query.ts'
import { versionText } from '../../src/kmip/ttlv-codec/index.ts'
import { choices } from './kmip-choices.ts'
import type { ObjectTypeName } from '../../src/kmip/model/attribute-rules.ts'
import { code, sections, spaced, table } from './markdown.ts'

const intro = `
keyreel speaks KMIP ${versions[0]!.text} to ${newest.text} in the TTLV encoding over TLS (default port 5696), and in TTLV, XML and
JSON over HTTPS ([how](../how-to/serve-kmip-over-https.md)). One connection may mix versions: every message is answered in the version of its own header. Discover
Versions answers, best first: ${newestFirst.map(({ text }) => text).join(', ')}. Nothing that is newer than
the version of a request appears in its answer.

Names on this page are those of the KMIP specification; the XML and JSON spelling is the same without blanks.
[Attributes](kmip-attributes.md), [enumerations](kmip-enumerations.md) and [result reasons](kmip-result-reasons.md) have pages
of their own.
`

const effects: Record<Effect, string> = {
  none: 'answers from what is always known; logged only',
  read: 'looks at a snapshot; logged only',
  act: 'runs in the group commit and is audited',
}

/** Operations of the standard without a row here. */
function notThere(): string {
  const missing = Operation.names(newest.number).filter((name) => !Object.hasOwn(operations, name))
  if (missing.length === 0) return 'Every operation of the standard is there.'
  return `Operations that are not there are answered with Operation Not Supported: ${missing.map(spaced).join(', ')}.`
}

export const kmipPage = {
  title: 'KMIP',
  about:
    'operations, object types, algorithms, answers to Query, and choices where the standard leaves room',
  body: () =>
    sections(
      intro,
      '## Operations',
      'Whether a client may use an operation is decided by its profile (`library add --profile`).',
      table(
        ['operation', 'since', 'tape-library', 'general', 'effect'],
        Object.values(operations).map(operationRow),
      ),
      Object.entries(effects)
        .map(([effect, meaning]) => `- ${code(effect)}: ${meaning}.`)
        .join('\n'),
      notThere(),
      '## Object types',
      table(['object type', 'versions', 'made by', 'kept as'], objectTable),
      '## Algorithms of symmetric keys',
      'Lengths in bits. A length that is left out becomes the usual one.',
      table(['algorithm', 'since', 'lengths', 'usual length'], algorithmRows()),
      '## Application namespaces',
      `Named in Query: ${announcedNamespaces.map(code).join(', ')}. For these the server makes 24 hexadecimal digits of Application Data when a client leaves the data out; for other namespaces it must be given. A vendor's name and a hyphen in front of a tape namespace mean the same namespace: \`ACME-LIBRARY-LTO\` is found as \`LIBRARY-LTO\`, and Get Attributes shows the spelling that was given.`,
      '## Query',
      'What each Query Function answers, for the profile `general` where profiles differ. Functions that are not listed add nothing to the answer.',
      table(['function', 'since', 'answer in the newest version'], queryRows()),
      profileDifferences(),
      ...choices,
    ),
}

function operationRow({ name, effect }: { name: keyof typeof operations; effect: Effect }) {
  const tape: Readonly<Record<string, { objectTypes?: readonly string[]; unwrappedOnly?: true }>> =
    profiles['tape-library']
  const row = tape[name]
  const restrictions = [
    ...(row?.objectTypes === undefined ? [] : [`${row.objectTypes.map(spaced).join(', ')} only`]),
    ...(row?.unwrappedOnly === true ? ['unwrapped only'] : []),
  ]
  const inTape = row === undefined ? 'no' : ['yes', ...restrictions].join(', ')
  return [spaced(name), versionText(Operation.since(name)), inTape, 'yes', effect]
}

/** The operations that make an object, and what is kept of it; what Query lists has a row. */
const objects: Record<ObjectTypeName, readonly [madeBy: readonly string[], keptAs: string]> = {
  Certificate: [
    ['Register', 'Import', 'Put', 'Certify', 'ReCertify'],
    'X.509 in DER; PGP as given',
  ],
  CertificateRequest: [['Register', 'Import', 'Put'], 'as given'],
  SymmetricKey: [
    ['Create', 'Register', 'Import', 'Put', 'DeriveKey', 'ReKey', 'JoinSplitKey'],
    'Raw or Transparent Symmetric Key; Get converts between the two',
  ],
  PublicKey: [
    ['CreateKeyPair', 'Register', 'Import', 'Put', 'ReKeyKeyPair'],
    'PKCS#1, X.509, or transparent; Get converts between them, and compresses points',
  ],
  PrivateKey: [
    ['CreateKeyPair', 'Register', 'Import', 'Put', 'ReKeyKeyPair'],
    'PKCS#1, PKCS#8, EC private key, or transparent; Get converts between them',
  ],
  SplitKey: [['CreateSplitKey', 'Register', 'Import', 'Put'], 'Raw'],
  Template: [['Register', 'Put'], 'attributes only'],
  SecretData: [
    ['Create', 'Register', 'Import', 'Put', 'DeriveKey', 'JoinSplitKey'],
    'Raw or Opaque',
  ],
  OpaqueObject: [['Register', 'Import', 'Put'], 'as given'],
  PGPKey: [['Register', 'Import', 'Put'], 'as given'],
}

/** Object types by the versions whose Query lists them. */
async function objectRows(): Promise<string[][]> {
  const lists = await Promise.all(
    versions.map(async (version) => {
      const { ObjectType: listed } = await answer('QueryObjects', version, 'general')
      return { version, listed: (listed ?? []) as string[] }
    }),
  )
  return Object.entries(objects).flatMap(([type, [madeBy, keptAs]]) => {
    const having = lists.filter(({ listed }) => listed.includes(type)).map(({ version }) => version)
    const [first] = having
    const last = having.at(-1)
    if (first === undefined || last === undefined) return []
    const range = last === newest ? `${first.text} on` : `${first.text} to ${last.text}`
    const makers = madeBy.filter((name) => Object.hasOwn(operations, name)).map(spaced)
    return [[spaced(type), range, makers.join(', '), keptAs]]
  })
}

const objectTable = await objectRows()

function algorithmRows() {
  return CryptographicAlgorithm.names(newest.number).flatMap((algorithm) => {
    const usual = takenLength(algorithm, undefined)
    if (usual === undefined) return []
    const taken = Array.from({ length: 4096 }, (_, at) => at + 1).filter(
      (bits) => takenLength(algorithm, bits) !== undefined,
    )
    const range =
      taken.length > 8 ? `${taken[0]} to ${taken.at(-1)} in steps of 8` : taken.join(', ')
    return [[algorithm, versionText(CryptographicAlgorithm.since(algorithm)), range, usual]]
  })
}

function takenLength(
  algorithm: Parameters<typeof lengthToMake>[0],
  bits: number | undefined,
): number | undefined {
  try {
    return lengthToMake(algorithm, bits)
  } catch {
    // The algorithm, or the length, is none that is made here.
    return undefined
  }
}

type Answer = Record<string, unknown>

/** What the operation answers to one function. */
async function answer(name: string, { number }: VersionRow, profile: ProfileName): Promise<Answer> {
  const principal = { name: 'reference', owner: 'reference', ownOnly: false, profile } as Principal
  const facts = { vendor: 'keyreel', https: true }
  const work = { document: () => Promise.resolve(undefined) }
  const context = { version: number, principal, facts, work } as unknown as Context
  const full = await query.run({ QueryFunction: [name] } as never, context)
  return Object.fromEntries(
    Object.entries(full).filter(([, value]) => !(Array.isArray(value) && value.length === 0)),
  )
}

const answered = await Promise.all(
  QueryFunction.names(newest.number).map(
    async (name) => [name, await answer(name, newest, 'general')] as const,
  ),
)

function queryRows() {
  return answered
    .filter(([, found]) => Object.keys(found).length > 0)
    .map(([name, found]) => [
      spaced(name),
      versionText(QueryFunction.since(name)),
      Object.entries(found)
        .map(([field, value]) => `${spaced(field)}: ${valueText(value)}`)
        .join('; '),
    ])
}

const tapeObjects = await answer('QueryObjects', newest, 'tape-library')
const tapeOperations = await answer('QueryOperations', newest, 'tape-library')
const olderProfiles = await answer('QueryProfiles', versions[3]!, 'general')
const olderObjects = await answer('QueryObjects', versions[0]!, 'tape-library')

function profileDifferences(): string {
  return [
    `For the profile \`tape-library\`, Operations are ${valueText(tapeOperations.Operation)}, and Object Types are ${valueText(tapeObjects.ObjectType)} (${valueText(olderObjects.ObjectType)} before 2.0).`,
    `Operations that a version does not have are left out of its answer. Profiles before 2.0 are ${valueText(olderProfiles.ProfileInformation)}.`,
  ].join(' ')
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.map(valueText).join(', ')
  if (typeof value === 'string')
    return /^[A-Z]/.test(value) && !value.includes('-') ? spaced(value) : value
  if (typeof value !== 'object' || value === null) return String(value)
  if ('tag' in value && 'value' in value)
    return attributeText(value as { tag: string; value: unknown })
  return Object.entries(value)
    .filter(([, entry]) => !(Array.isArray(entry) && entry.length === 0))
    .map(([field, entry]) =>
      field === 'ProfileName' ? String(entry) : `${spaced(field)} ${valueText(entry)}`,
    )
    .join(', ')
}

function attributeText({ tag, value }: { tag: string; value: unknown }): string {
  const { Encrypt, Decrypt } = CryptographicUsageMask.bits
  const shown =
    tag === 'CryptographicUsageMask' && value === (Encrypt | Decrypt)
      ? 'Encrypt and Decrypt'
      : value
  return `${spaced(tag)} ${String(shown)}`
}
