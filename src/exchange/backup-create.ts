/**
 * A backup of a whole keystore: every table in one state, encrypted to the recovery key and to this server, signed
 * by the exchange identity. The keys in it stay sealed, under epochs that the recovery key opens.
 */
import { administrator, putBody, type Body } from '../access/documents.ts'
import { encryptionCertificate, pinOf } from '../crypto/encryption-certificates.ts'
import { randomUuid } from '../crypto/primitives/random.ts'
import { readRecoveryKey, recoveryRecipientName } from '../crypto/recovery-keys.ts'
import { UserError } from '../errors.ts'
import { knownSchema } from '../keystore/migrate.ts'
import { findRecovery, isComplete } from '../keystore/recovery-setup.ts'
import type { RecoveryKey } from '../keystore/recovery-key.ts'
import type { StorageReader, SqlValue } from '../keystore/storage.ts'
import type { Store } from '../keystore/store.ts'
import { keyOf, tables, type TableShape } from '../keystore/tables.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { backupFormat, encodeBackupManifest } from './backup-manifest.ts'
import { headLine, rowLine } from './backup-rows.ts'
import { BundleWriter, type LinkFile, type OpenFile } from './bundle-writer.ts'
import { ensureExchange, openIdentity, own as ownCertificates } from './identity.ts'

/** What was written. */
export interface BackupReport {
  readonly id: string
  /** Identifier of the recovery key whose shares open it. */
  readonly recovery: string
  /** SHA-256 of the key of the identity that signed it. */
  readonly identity: string
  readonly objects: number
  readonly bytes: number
  readonly digest: string
}

/** How a backup is made. */
export interface BackupWish {
  readonly out: string
  readonly actor?: AuditActor
  readonly openFile?: OpenFile
  readonly linkFile?: LinkFile
  /** Told how many rows are written. */
  readonly progress?: (rows: number) => void
}

const rowsAtOnce = 50
const partLength = 4 * 1024 * 1024
/** A setting that the schema of the database itself is told by. */
const schemaSetting = 'schema'

/** A backup that was written, and what is to be kept about it. */
export interface WrittenBackup {
  readonly report: BackupReport
  readonly facts: Body<'backup'>
}

/** Writes the backup and keeps what is known of it. Throws UserError; then there is no file. */
export async function createBackup(store: Store, wish: BackupWish): Promise<BackupReport> {
  const { actor = administrator } = wish
  await ensureExchange(store, actor)
  const { report, facts } = await writeBackup(store, wish)
  await store.act((work) => keepBackup(work, report.id, facts, actor, 'backup create'))
  return report
}

/** Writes the backup, and only reads the store, whose exchange identity there must be. */
export async function writeBackup(
  store: Pick<Store, 'id' | 'read' | 'epochs' | 'copy'>,
  wish: Omit<BackupWish, 'actor'>,
): Promise<WrittenBackup> {
  const { out } = wish
  const own = await store.read(ownCertificates)
  const recovery = await recoveryFor(store)
  const begun = Number(await store.read((work) => Promise.resolve(work.now)))
  const id = randomUuid()
  const publicKeys = readRecoveryKey(recovery)
  const writer = new BundleWriter(
    out,
    id,
    [
      { kind: 'hybrid', name: recoveryRecipientName(recovery.id), publicKeys },
      encryptionCertificate(own.current).recipient,
    ],
    wish.openFile,
    wish.linkFile,
  )
  try {
    const objects = await writeTables(store, writer, wish.progress)
    const { signer, now } = await store.read(async (work) => ({
      signer: await openIdentity(work),
      now: work.now,
    }))
    const identity = pinOf(own.identity)
    const { digest, bytes } = await writer.finishWith(
      ({ BundlePart, PartKey }) =>
        encodeBackupManifest({
          BackupFormat: backupFormat,
          ExportIdentifier: id,
          CreationDate: now,
          StoreIdentifier: store.id,
          SchemaVersion: knownSchema(),
          RecoveryKeyIdentifier: recovery.id,
          SenderKeyDigest: Buffer.from(identity, 'hex'),
          SenderCertificateDigest: Buffer.from(own.identity.fingerprint, 'hex'),
          ObjectCount: objects.count,
          PartKey: PartKey!,
          BundlePart,
        }),
      signer,
      now,
    )
    const report = { id, recovery: recovery.id, identity, objects: objects.count, bytes, digest }
    const kept = { created: Number(now), begun, file: out, bytes, recovery: recovery.id, digest }
    return { report, facts: { ...kept, objects: objects.count, newest: objects.newest } }
  } catch (error) {
    await writer.abandon()
    throw error
  }
}

/** Keeps what is known of a backup, on record. */
export async function keepBackup(
  work: Work,
  id: string,
  body: Body<'backup'>,
  actor: AuditActor,
  operation: string,
): Promise<void> {
  await putBody(work, 'backup', id, body)
  const { digest, objects, recovery } = body
  const details = { digest, objects, recovery }
  work.audit({ actor, operation, object: id, outcome: 'Success', details })
}

/** The recovery key that a backup is made for. Throws UserError when there is none that opens everything. */
export async function recoveryFor(store: Pick<Store, 'read' | 'epochs'>): Promise<RecoveryKey> {
  const recovery = await store.read(findRecovery)
  if (recovery === undefined) {
    throw new UserError(
      'no-recovery-key',
      'this keystore has no recovery key: nobody could open a backup once the master key is lost',
      'make one first:  keyreel recovery setup --threshold 2 --shares 3 --out DIR',
    )
  }
  if (await isComplete(store, recovery)) return recovery
  throw new UserError(
    'recovery-incomplete',
    'the recovery key does not open everything in this keystore',
    'make a new one:  keyreel recovery setup --threshold 2 --shares 3 --out DIR',
  )
}

interface Counted {
  count: number
  /** The highest number of an object. */
  newest: number
}

async function writeTables(
  store: Pick<Store, 'copy'>,
  writer: BundleWriter,
  progress: BackupWish['progress'],
): Promise<Counted> {
  let isBegun = false
  return store.copy(async (source) => {
    if (isBegun) {
      throw new UserError(
        'backup-interrupted',
        'the connection to the database broke while the backup was written',
        'run it again; no file was left',
      )
    }
    isBegun = true
    const counted: Counted = { count: 0, newest: 0 }
    let done = 0
    for (const table of tables) {
      const part = new PartWriter(writer, table)
      for await (const row of rowsOf(source, table)) {
        if (table.name === 'settings' && row[0] === schemaSetting) continue
        if (table.name === 'objects') {
          counted.count++
          counted.newest = Number(row[0])
        }
        await part.add(rowLine(row))
        progress?.(++done)
      }
      await part.flush()
    }
    return counted
  })
}

async function* rowsOf(source: Pick<StorageReader, 'tableRows'>, table: TableShape) {
  let after: readonly SqlValue[] | undefined
  for (;;) {
    const page = await source.tableRows(table, after, rowsAtOnce)
    yield* page
    const last = page.at(-1)
    if (last === undefined || page.length < rowsAtOnce) return
    after = keyOf(table, last)
  }
}

/** Gathers the lines of one table into parts. */
class PartWriter {
  readonly #writer: BundleWriter
  readonly #head: string
  #lines: string[] = []
  #length = 0

  constructor(writer: BundleWriter, { name, columns }: TableShape) {
    this.#writer = writer
    this.#head = headLine({ table: name, columns })
  }

  async add(line: string): Promise<void> {
    this.#lines.push(line)
    this.#length += line.length
    if (this.#length >= partLength) await this.flush()
  }

  async flush(): Promise<void> {
    if (this.#lines.length === 0) return
    await this.#writer.add(Buffer.from(this.#head + this.#lines.join('')), this.#lines.length)
    this.#lines = []
    this.#length = 0
  }
}
