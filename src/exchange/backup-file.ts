/** A backup file: opened by the exchange keys of the server that made it, or by recovery shares. */
import type { Certificate } from '../crypto/certificates.ts'
import type { Opener } from '../crypto/cms-recipients.ts'
import { UserError } from '../errors.ts'
import { migrate } from '../keystore/migrate.ts'
import type { SqlDriver } from '../keystore/storage.ts'
import { continueNumbering, putRows } from '../keystore/tables.ts'
import { decodeBackupManifest, type BackupManifest } from './backup-manifest.ts'
import { foreignBackup, unreadableBackup } from './backup-refusals.ts'
import { readPart, type TableRows } from './backup-rows.ts'
import { BundleFile } from './bundle-reader.ts'
import type { PartList } from './part-list.ts'

/** A backup that was opened, and whose parts are the ones its manifest names; close it. */
export interface OpenBackup {
  readonly manifest: BackupManifest
  /** The exchange identity that signed it. Whether that is whose it should be is for people to say. */
  readonly signer: { readonly certificate: Certificate; readonly pin: string }
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string
  tables(): AsyncGenerator<TableRows>
  close(): Promise<void>
}

/** Opens and checks the whole file. `tried` names the keys in errors. Throws UserError. */
export async function openBackup(
  path: string,
  openers: readonly Opener[],
  tried: string,
): Promise<OpenBackup> {
  const file = await refusing(() => BundleFile.open(path))
  try {
    return await refusing(async () => {
      const content = file.manifestContent(openers, () => foreignBackup(tried))
      const manifest = decodeBackupManifest(content)
      file.checkSender(manifest)
      const list: PartList = { ...manifest, PartsEnclosed: false, PartContent: [] }
      const digest = await file.checkParts(list)
      const { sender: certificate, pin } = file.envelope
      return {
        manifest,
        digest,
        signer: { certificate, pin },
        async *tables() {
          for await (const { content: rows } of file.parts(list)) yield readPart(rows)
        },
        close: () => file.close(),
      }
    })
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Puts everything into an empty database and brings it to the schema of this program. */
export async function fillFrom(
  backup: Pick<OpenBackup, 'manifest' | 'tables'>,
  driver: SqlDriver,
  where: string,
): Promise<void> {
  await migrate(driver, where, backup.manifest.SchemaVersion)
  for await (const { table, columns, rows } of backup.tables()) {
    await driver.transaction((sql) => putRows(sql, table, Object.keys(columns), rows))
  }
  await driver.transaction((sql) => continueNumbering(sql, driver.dialect))
  await migrate(driver, where)
}

/** What a file of bundles says of one that it cannot read, said of a backup. */
async function refusing<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof UserError && error.code === 'bundle-unreadable') {
      throw unreadableBackup(error.message.replace(/^[^:]*: /, ''), error)
    }
    throw error
  }
}
