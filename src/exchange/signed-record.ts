// A text signed by the exchange identity, for people outside: CMS SignedData around plain data (RFC 5652 §5), in PEM.
// `openssl cms -verify -inform PEM` prints the text again.
import { link, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { signData } from '../crypto/cms-signed.ts'
import { sha256, toHex } from '../crypto/primitives/hash.ts'
import { syncDirectory, writeNewFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import type { Certificate } from '../crypto/certificates.ts'
import { openIdentity } from './identity.ts'
import type { Documents } from '../access/documents.ts'
import type { Work } from '../keystore/work.ts'

/** A signed text. */
export interface SignedRecord {
  readonly pem: string
  /** SHA-256 of the text, hexadecimal. */
  readonly digest: string
  /** Who signed. */
  readonly identity: Certificate
}

/** Signs the text. */
export async function signRecord(
  work: Documents & Pick<Work, 'documentSecret' | 'now'>,
  text: string,
): Promise<SignedRecord> {
  const signer = await openIdentity(work)
  const content = Buffer.from(text)
  const lines = Buffer.from(signData(content, signer, work.now))
    .toString('base64')
    .match(/.{1,64}/g)
  const pem = ['-----BEGIN CMS-----', ...(lines ?? []), '-----END CMS-----', ''].join('\n')
  return { pem, digest: toHex(sha256(content)), identity: signer.certificate }
}

/** Writes it to a new file: whole, on disk, never in the place of another. Throws UserError 'file-exists'. */
export async function writeRecord(file: string, { pem }: SignedRecord): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`
  await writeNewFile(temporary, pem, 0o644)
  try {
    await link(temporary, file)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    throw new UserError('file-exists', `${file} exists already`, 'choose another with --out FILE')
  } finally {
    await rm(temporary, { force: true })
  }
  await syncDirectory(dirname(file))
}
