// `keyreel recovery setup`: a recovery key, split among people.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { administrator } from '../../access/documents.ts'
import {
  recoverySheet,
  shareSheet,
  sheetHtml,
  sheetText,
  holderName,
} from '../../admin/recovery-sheets.ts'
import type { SheetPlace } from '../../admin/recovery-sheets.ts'
import { parseCertificate, type Certificate } from '../../crypto/certificates.ts'
import { demandReader, sealLetter } from '../../crypto/sealed-letters.ts'
import { syncDirectorySync, writeNewFileSync } from '../../durable-files.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { ensureExchange } from '../../exchange/identity.ts'
import { grouped } from '../../exchange/words.ts'
import type { RecoveryKey, RecoveryShareHolder } from '../../keystore/recovery-key.ts'
import { findRecovery, setUpRecovery } from '../../keystore/recovery-setup.ts'
import type { RecoveryShare } from '../../keystore/recovery-share.ts'
import { refuseShareNumbers } from '../../keystore/recovery-shares.ts'
import { command, integer, list, requiredText, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { table } from '../output.ts'

/** Somebody who gets a share: a person with a certificate, or a sheet of paper. */
interface Recipient {
  readonly holder: RecoveryShareHolder
  readonly certificate?: Certificate
}

export const recoverySetup = command({
  words: 'recovery setup',
  summary: 'split a recovery key among people, some of whom together open the keystore',
  details:
    'Makes a recovery key and wraps the secrets of the keystore for it, now and whenever a new one is made. ' +
    'It exists only in shares: --officer encrypts one to the certificate of a person, --shares N prints more. ' +
    'Any --threshold of them open the keystore when the master key is lost. The shares are written into DIR ' +
    'and kept nowhere else. A recovery key of before opens nothing any more.',
  options: {
    threshold: integer('M', 2, 'how many shares are needed'),
    officer: list(
      'FILE',
      "a person's certificate, PEM or DER: one share is encrypted to it; may repeat",
    ),
    shares: integer('N', 0, 'how many further shares are printed'),
    out: requiredText('DIR', 'where the shares are written: a new directory'),
    dryRun: toggle('say what would happen, change nothing'),
  },
  exits: keystoreExits,
  examples: [
    'recovery setup --threshold 2 --shares 3 --out shares',
    'recovery setup --threshold 2 --officer carol.pem --officer dan.pem --shares 1 --out shares',
  ],
  async run({ options: { threshold, officer, shares, out, dryRun }, context }) {
    const recipients = recipientsOf(officer, shares)
    refuseShareNumbers(threshold, recipients.length)
    const directory = resolve(out)
    refuseExisting(directory)
    return withStore(context, async (store) => {
      const before = await store.read(findRecovery)
      if (dryRun) return foreseen(before, directory, threshold, recipients)
      if (before !== undefined) {
        const what = `make the shares of recovery key ${before.id} worthless`
        await confirmTyped(context, { what, expected: before.id })
      }
      const { pin } = await ensureExchange(store)
      const place = {
        store: store.id,
        data: resolve(context.config.data),
        identity: grouped(pin),
      }
      const written: { number: number; holder: string; file: string }[] = []
      let isWritten = false
      try {
        const key = await setUpRecovery(store, {
          threshold,
          holders: recipients.map(({ holder }) => holder),
          actor: administrator,
          handOut(made, all) {
            mkdirSync(directory, { mode: 0o700 })
            isWritten = true
            syncDirectorySync(dirname(directory))
            for (const [at, share] of all.entries()) {
              const recipient = recipients[at]!
              const file = writeShare(directory, made, share, recipient, place)
              const holder = holderName(recipient.holder)
              written.push({ number: share.number, holder, file })
            }
            writeSheets(directory, made, place)
          },
        })
        return report(key, directory, written, context)
      } catch (error) {
        // Shares of a key that opens nothing would only mislead.
        if (isWritten) rmSync(directory, { recursive: true, force: true })
        throw error
      }
    })
  },
})

function recipientsOf(officers: readonly string[], printed: number): Recipient[] {
  const people = officers.map((file): Omit<Recipient, 'holder'> & { officer: string } => {
    const certificate = parseCertificate(readFileSync(file), file)
    demandReader(certificate, file)
    return { certificate, officer: certificate.subject }
  })
  const twice = people.find(({ certificate }, at) =>
    people
      .slice(0, at)
      .some((other) => other.certificate?.fingerprint === certificate?.fingerprint),
  )
  if (twice !== undefined) {
    throw new UserError(
      'officer-twice',
      `${twice.officer} was named twice: one person would hold two shares`,
      'name each certificate once',
      { exitStatus: exitStatus.usage },
    )
  }
  const all = [...people, ...Array.from({ length: printed }, () => undefined)]
  return all.map((person, at) => {
    const number = at + 1
    if (person?.certificate === undefined) return { holder: { number } }
    const { certificate, officer } = person
    return { holder: { number, officer, fingerprint: certificate.fingerprint }, certificate }
  })
}

function refuseExisting(directory: string): void {
  if (!existsSync(directory)) return
  throw new UserError(
    'directory-exists',
    `${directory} exists already`,
    'name a new directory with --out; shares of another key must not be mixed with these',
  )
}

/** Writes one share, for its holder alone; answers the file to hand over. */
function writeShare(
  directory: string,
  key: RecoveryKey,
  share: RecoveryShare,
  { certificate }: Recipient,
  place: SheetPlace,
): string {
  const sheet = shareSheet(key, share, place)
  const name = `share-${share.number}`
  const text = Buffer.from(sheetText(sheet))
  try {
    if (certificate !== undefined) {
      return writeDurably(join(directory, `${name}.p7m`), sealLetter(text, certificate))
    }
    writeDurably(join(directory, `${name}.html`), Buffer.from(sheetHtml(sheet)))
    return writeDurably(join(directory, `${name}.txt`), text)
  } finally {
    text.fill(0)
  }
}

function writeSheets(directory: string, key: RecoveryKey, place: SheetPlace): void {
  const sheet = recoverySheet(key, place)
  writeDurably(join(directory, 'recovery-sheet.txt'), Buffer.from(sheetText(sheet)))
  writeDurably(join(directory, 'recovery-sheet.html'), Buffer.from(sheetHtml(sheet)))
}

function writeDurably(file: string, content: Uint8Array): string {
  writeNewFileSync(file, content)
  return file
}

/** What would be made, and what would become worthless. */
function foreseen(
  before: RecoveryKey | undefined,
  directory: string,
  threshold: number,
  recipients: readonly Recipient[],
): Report {
  const shares = recipients.map(({ holder }) => ({
    number: holder.number,
    holder: holderName(holder),
  }))
  const lost =
    before === undefined ? [] : [`the shares of recovery key ${before.id} would be worthless`]
  return {
    json: { threshold, shares, directory, replaces: before?.id ?? null, dryRun: true },
    text: [
      `would make a recovery key: any ${threshold} of ${shares.length} shares would open the keystore`,
      ...shares.map(({ number, holder }) => `share ${number} for ${holder}`),
      `all would be written to ${directory}`,
      ...lost,
    ].join('\n'),
  }
}

function report(
  key: RecoveryKey,
  directory: string,
  written: readonly { number: number; holder: string; file: string }[],
  context: Context,
) {
  const columns = {
    SHARE: ({ number }: (typeof written)[number]) => number,
    HOLDER: ({ holder }: (typeof written)[number]) => holder,
    FILE: ({ file }: (typeof written)[number]) => file,
  }
  const { id, threshold } = key
  return {
    json: { key: id, threshold, shares: written, directory },
    text: [
      `recovery key ${id}: any ${threshold} of ${written.length} shares open the keystore`,
      '',
      table(columns, written, context.style, ''),
      '',
      'next: hand the shares out, see that they work (keyreel recovery verify), then wipe the directory;',
      `      ${join(directory, 'recovery-sheet.html')} is for the safe and holds no secret`,
    ].join('\n'),
  }
}
