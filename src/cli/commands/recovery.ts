// `keyreel recovery show | sheet | verify | open`: what there is to see and to try of a recovery key.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { holderName, recoverySheet, sheetHtml, sheetText } from '../../admin/recovery-sheets.ts'
import { parseCertificate } from '../../crypto/certificates.ts'
import { openLetter } from '../../crypto/sealed-letters.ts'
import { Secret } from '../../crypto/secret.ts'
import { writeNewFileSync } from '../../durable-files.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { ensureExchange } from '../../exchange/identity.ts'
import { grouped } from '../../exchange/words.ts'
import type { RecoveryKey, RecoveryShareHolder } from '../../keystore/recovery-key.ts'
import { findRecovery, isComplete } from '../../keystore/recovery-setup.ts'
import type { Store } from '../../keystore/store.ts'
import { argument, command, requiredText, text, toggle } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { isoMoment, moment, pairs, table } from '../output.ts'
import { demandShares, describe, masterKeyOfShares, shareOptions } from '../shares.ts'

export const recoveryShow = command({
  words: 'recovery show',
  summary: 'the recovery key: who has shares, how many are needed, and whether it opens everything',
  exits: keystoreExits,
  examples: ['recovery show', 'recovery show --json'],
  run: ({ context }) =>
    withStore(context, async (store) => {
      const key = await recoveryOf(store)
      const complete = await isComplete(store, key)
      const columns = {
        SHARE: ({ number }: RecoveryShareHolder) => number,
        HOLDER: holderName,
        CERTIFICATE: ({ fingerprint }: RecoveryShareHolder) => fingerprint,
      }
      const facts = pairs(
        [
          ['recovery key', key.id],
          ['made', moment(BigInt(key.created))],
          ['needed', `${key.threshold} of ${key.shares.length} shares`],
          ['opens', complete ? 'everything' : 'not everything: make a new one'],
        ],
        context.style,
      )
      const { id, created, threshold, shares } = key
      return {
        json: { key: id, created: isoMoment(BigInt(created)), threshold, complete, shares },
        text: `${facts}\n\n${table(columns, shares, context.style, '')}`,
      }
    }),
})

export const recoveryPaper = command({
  words: 'recovery sheet',
  summary: 'the sheet for the safe: who has shares and what to do; it holds no secret',
  options: {
    html: toggle('as a page for a printer'),
    out: text('FILE', 'write it there'),
  },
  exits: keystoreExits,
  examples: ['recovery sheet', 'recovery sheet --html --out recovery-sheet.html'],
  run: ({ options: { html, out }, context }) =>
    withStore(context, async (store) => {
      const { pin } = await ensureExchange(store)
      const place = {
        store: store.id,
        data: resolve(context.config.data),
        identity: grouped(pin),
      }
      const sheet = recoverySheet(await recoveryOf(store), place)
      const printed = html ? sheetHtml(sheet) : sheetText(sheet)
      if (out === undefined) return { json: { sheet }, text: printed.trimEnd(), verbatim: true }
      writeNew(out, printed)
      return { json: { sheet, file: resolve(out) }, text: `recovery sheet written to ${out}` }
    }),
})

export const recoveryVerify = command({
  words: 'recovery verify',
  summary: 'try whether shares open the keystore; changes nothing',
  details:
    'Puts the shares together in memory, opens the secrets of every epoch with them, and forgets all of it. ' +
    'Works without the master key. Once a year is a good habit.',
  options: shareOptions,
  exits: [exitStatus.notInitialised, exitStatus.sealed],
  examples: ['recovery verify --share a.txt --share b.txt', 'recovery verify --type-shares'],
  async run({ options, context }) {
    demandShares(options)
    const description = await describe(context)
    const masterKey = await masterKeyOfShares(context, options, description)
    const epochs = description.wraps.filter(({ provider }) => provider === masterKey.id).length
    const all = new Set(description.wraps.map(({ epoch }) => epoch)).size
    masterKey.close()
    return {
      json: { key: masterKey.id.replace(/^recovery:/, ''), epochs, of: all },
      text: `these shares open the keystore: ${epochs} of ${all === 1 ? '1 epoch' : `${all} epochs`}`,
      exitStatus: epochs === all ? 0 : exitStatus.failed,
    }
  },
})

export const recoveryOpen = command({
  words: 'recovery open',
  summary: 'make a readable share of one that is encrypted to your certificate',
  details:
    'For the holder of a share, on a machine of their own; it needs no keystore. openssl cms -decrypt does the same.',
  arguments: { FILE: argument('share that is encrypted, such as share-1.p7m') },
  options: {
    certificate: requiredText('FILE', 'your certificate, PEM or DER'),
    key: requiredText('FILE', 'your private key, PEM, not encrypted'),
    out: requiredText('FILE', 'where the share is written'),
  },
  examples: [
    'recovery open share-1.p7m --certificate carol.pem --key carol-key.pem --out share-1.txt',
    'recovery open share-1.p7m --certificate carol.pem --key carol-key.pem --out share.txt --json',
  ],
  async run({ arguments: { FILE: file }, options }) {
    const certificate = parseCertificate(readFileSync(options.certificate), options.certificate)
    const key = new Secret(readFileSync(options.key))
    try {
      const opened = openLetter(readFileSync(file), certificate, key)
      writeNew(options.out, opened)
      opened.fill(0)
    } finally {
      key.wipe()
    }
    return {
      json: { file: resolve(options.out) },
      text: `share written to ${options.out}; wipe it when it was used`,
    }
  },
})

async function recoveryOf(store: Store): Promise<RecoveryKey> {
  const key = await store.read(findRecovery)
  if (key !== undefined) return key
  throw new UserError(
    'no-recovery-key',
    'this keystore has no recovery key',
    'make one:  keyreel recovery setup --threshold 2 --shares 3 --out DIR',
  )
}

function writeNew(file: string, content: string | Uint8Array): void {
  refuseOut(file)
  writeNewFileSync(file, content)
}
