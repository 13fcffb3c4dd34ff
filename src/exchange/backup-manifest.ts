/**
 * What stands first in a backup, inside its encryption. A backup is a file as a bundle is, with another
 * manifest: its parts hold rows of tables, whose keys are sealed already.
 */
import {
  bytes,
  dateTime,
  decode,
  DecodeError,
  encode,
  integer,
  many,
  req,
  text,
  vocabulary,
  type Infer,
} from 'ttlv-codec'
import { tags } from '../kmip/model/tags.ts'
import { newest } from '../kmip/model/versions.ts'
import { exchangeTags, limits } from './manifest.ts'
import { unreadableBackup } from './backup-refusals.ts'

/** Tags of our own; the reference page lists them. */
export const backupTags = {
  BackupManifest: [0x54b020, '1.0'],
  BackupFormat: [0x54b021, '1.0'],
  StoreIdentifier: [0x54b022, '1.0'],
  SchemaVersion: [0x54b023, '1.0'],
  RecoveryKeyIdentifier: [0x54b024, '1.0'],
  ObjectCount: [0x54b025, '1.0'],
} as const

const { struct } = vocabulary({ tags: { ...tags, ...exchangeTags, ...backupTags } } as const)

const BackupManifest = struct({
  BackupFormat: req(integer),
  ExportIdentifier: req(text),
  CreationDate: req(dateTime),
  StoreIdentifier: req(text),
  SchemaVersion: req(integer),
  RecoveryKeyIdentifier: req(text),
  SenderKeyDigest: req(bytes),
  SenderCertificateDigest: req(bytes),
  ObjectCount: req(integer),
  PartKey: req(bytes),
  BundlePart: many(
    struct({ PartNumber: req(integer), KeyCount: req(integer), PartDigest: req(bytes) }),
  ),
})

/** What a backup says of itself. Key Count of a part is its number of rows. */
export type BackupManifest = Infer<typeof BackupManifest>

/** The format that is written, and the only one that is read so far. */
export const backupFormat = 1

const version = newest.number
const [manifestTag] = backupTags.BackupManifest

/** The bytes to be encrypted; they hold the key of the parts: the caller wipes them. */
export function encodeBackupManifest(manifest: BackupManifest): Uint8Array {
  return encode(BackupManifest, manifestTag, manifest, { version })
}

/** Reads and judges. Throws UserError 'backup-unreadable', or 'not-a-backup' for the manifest of a bundle. */
export function decodeBackupManifest(content: Uint8Array): BackupManifest {
  let manifest: BackupManifest
  try {
    manifest = decode(BackupManifest, manifestTag, content, {
      version,
      limits: { maxBytes: limits.partBytes, maxItems: 6 * limits.parts, maxDepth: 8 },
    })
  } catch (error) {
    if (error instanceof DecodeError) throw unreadableBackup(error.message, error)
    throw error
  }
  const fault = faultIn(manifest)
  if (fault !== undefined) throw unreadableBackup(fault)
  return manifest
}

function faultIn(manifest: BackupManifest): string | undefined {
  const { BackupFormat, BundlePart: parts, PartKey, ExportIdentifier } = manifest
  if (BackupFormat !== backupFormat)
    return `it has format ${BackupFormat}, this keyreel reads ${backupFormat}`
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(ExportIdentifier))
    return 'its identifier is no UUID'
  if (PartKey.length !== 32) return 'the key of its parts is not of 256 bits'
  if (parts.length > limits.parts) return `it has more than ${limits.parts} parts`
  if (parts.some(({ PartNumber }, at) => PartNumber !== at + 1))
    return 'its parts are not numbered from 1'
  const { SenderKeyDigest, SenderCertificateDigest } = manifest
  const digests = [SenderKeyDigest, SenderCertificateDigest]
  const all = [...digests, ...parts.map(({ PartDigest }) => PartDigest)]
  if (all.some(({ length }) => length !== 32)) return 'a digest in it is no SHA-256'
  return undefined
}
