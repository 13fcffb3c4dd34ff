// `keyreel backup create | verify | restore | list`: the whole keystore in one encrypted file, and back.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { schedules } from '../../admin/backup-schedules.ts'
import { backups } from '../../admin/backup-state.ts'
import { targetWarnings } from '../../admin/backup-target.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { createBackup } from '../../exchange/backup-create.ts'
import { openBackup, type OpenBackup } from '../../exchange/backup-file.ts'
import { compareWith, noteVerified, verifyBackup } from '../../exchange/backup-verify.ts'
import type { BackupVerified } from '../../exchange/backup-verify.ts'
import { openExchangeKeys } from '../../exchange/identity.ts'
import { grouped } from '../../exchange/words.ts'
import { recoveryOpener } from '../../crypto/recovery-keys.ts'
import { masterKeyKinds, openMasterKey } from '../../keystore/master-key-choice.ts'
import { lent, type MasterKey } from '../../keystore/master-key.ts'
import type { Problem } from '../../keystore/audit-chain-walk.ts'
import { restore } from '../../restore.ts'
import { shellWord } from '../../shell-word.ts'
import { backupJson, backupsTable, scheduleJson, schedulesTable } from '../backup-tables.ts'
import { argument, choice, command, requiredText, text, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, masterKeySources, withMasterKey, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, isoMoment, moment, pairs, table, type Style } from '../output.ts'
import { progress } from '../progress.ts'
import { demandShares, hasShares, recoveryOfShares, shareOptions } from '../shares.ts'
import type { ShareOptions } from '../shares.ts'
import { fingerprintOption } from './exchange-certificate.ts'
import { replayExit, replayFacts, replayJson, replayTables } from './journal-report.ts'
import { masterKeyWish } from './init.ts'

export const backupCreate = command({
  words: 'backup create',
  summary: 'write the whole keystore into one file that recovery shares open',
  details:
    'Keys, clients, CA, certificates, policies and the audit record, all in the state of one moment; the server goes on ' +
    'meanwhile. The file is encrypted to the recovery key, so that it can be restored without this machine and ' +
    'its master key, and to this server, which can verify it; the exchange identity signs it. The settings ' +
    'file and the master key are not in it. Never keep it only on a tape that this server encrypts.',
  options: { out: requiredText('FILE', 'file to write; must not exist') },
  exits: keystoreExits,
  examples: [
    'backup create --out /mnt/safe/keyreel-monday.backup',
    'backup create --out FILE --json',
  ],
  async run({ options: { out }, context }) {
    refuseOut(out)
    const warnings = await targetWarnings(out, context.config.data)
    const shown = progress(context, 'rows', undefined)
    try {
      const made = await withStore(context, (store) =>
        createBackup(store, { out: resolve(out), progress: (rows) => shown.step(rows) }),
      )
      const facts = pairs(
        [
          ['written', `${out}, ${counted(made.bytes, 'byte')}`],
          ['backup id', made.id],
          ['objects', made.objects],
          ['opened by', `shares of recovery key ${made.recovery}, or this server`],
          ['signed by', grouped(made.identity)],
          ['SHA-256', made.digest],
        ],
        context.style,
      )
      const text = [
        facts,
        ...warnings.map((warning) => context.style('yellow', `warning: ${warning}`)),
        `next:  keyreel backup verify ${shellWord(out)}`,
      ]
      return { json: { ...made, file: resolve(out), warnings }, text: text.join('\n') }
    } finally {
      shown.end()
    }
  },
})

export const backupVerify = command({
  words: 'backup verify',
  summary: 'restore a backup aside and verify everything in it',
  details:
    'Opens the file, restores it into a temporary database, verifies audit record, rows and seals, and every key ' +
    'by its check value; then compares it with the live keystore. With shares it needs no keystore ' +
    'and compares with none: that is the restore drill.',
  arguments: { FILE: argument('backup') },
  options: shareOptions,
  exits: keystoreExits,
  examples: [
    'backup verify keyreel-monday.backup',
    'backup verify keyreel-monday.backup --share a.txt --share b.txt',
  ],
  run: ({ arguments: { FILE: file }, options, context }) =>
    hasShares(options) ? verifyByShares(file, options, context) : verifyHere(file, context),
})

export const backupRestore = command({
  words: 'backup restore',
  summary: 'make a data directory out of a backup and recovery shares',
  details:
    'Needs nothing of the machine that was lost but the file and enough shares. Keys, clients, CA and certificates ' +
    'come back as they were, so that libraries connect as before; a new master key is made. Everything is ' +
    'verified before the data directory is there; cut off, the same command begins anew. Compare the signer with the recovery sheet, or name ' +
    'it with --identity. Never let the old server run beside the restored one.',
  arguments: { FILE: argument('backup') },
  options: {
    ...shareOptions,
    masterKey: choice(masterKeyKinds, 'what seals the keystore from now on'),
    identity: text('HEX', 'the signer, as backup create or the recovery sheet says'),
    journal: text('DIR', 'a journal whose newer rows are put back as well'),
    acceptDamage: toggle('bring back what is whole although some of it is damaged, and name that'),
  },
  settings: ['pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  exits: [exitStatus.partly, exitStatus.sealed, exitStatus.wrongPassphrase],
  examples: [
    'backup restore keyreel-monday.backup --share a.txt --share b.txt --identity 57:92:…',
    'backup restore FILE --type-shares --data /var/lib/keyreel',
  ],
  async run({ arguments: { FILE: file }, options, context }) {
    demandShares(options)
    const told = fingerprintOption(options.identity)
    const { recovered, backup } = await openByShares(file, options, context)
    try {
      await confirmSigner(backup, told, context)
      const { data, database, node } = context.config
      const masterKey = await masterKeyWish(options.masterKey, context)
      const now = context.io.now
      const { journal, acceptDamage } = options
      const made = await restore({
        ...{ backup, journal, data, database, node, recovered, masterKey, acceptDamage, now },
      })
      const { manifest } = backup
      const facts = pairs(
        [
          ['restored', made.directory],
          ['from', `backup ${manifest.ExportIdentifier} of ${moment(manifest.CreationDate)}`],
          ['objects', made.objects],
          ...(made.replay === undefined ? [] : replayFacts(made.replay)),
          ['master key', made.masterKeyPlace],
        ],
        context.style,
      )
      const next = ['keyreel serve', 'keyreel recovery setup --threshold 2 --shares 3 --out DIR']
      return {
        json: {
          directory: made.directory,
          backup: manifest.ExportIdentifier,
          created: isoMoment(manifest.CreationDate),
          objects: made.objects,
          masterKey: made.masterKeyName,
          journal: made.replay === undefined ? null : replayJson(made.replay),
          problems: made.problems,
          next,
        },
        text: [
          facts,
          ...(made.replay === undefined ? [] : replayTables(made.replay, context.style)),
          ...(made.problems.length === 0 ? [] : [problemsTable(made.problems, context.style)]),
          `next:\n${next.map((line) => `  ${line}`).join('\n')}`,
        ].join('\n\n'),
        ...replayExit(made.replay),
        ...(made.problems.length > 0 && { exitStatus: exitStatus.partly }),
      }
    } finally {
      await backup.close()
    }
  },
})

export const backupList = command({
  words: 'backup list',
  summary: 'backups that were made, when each was found whole, and the schedules of the server',
  exits: keystoreExits,
  examples: ['backup list', 'backup list --json'],
  async run({ context }) {
    const { all, planned } = await withStore(context, (store) =>
      store.read(async (work) => ({ all: await backups(work), planned: await schedules(work) })),
    )
    const there = all.filter(({ body }) => body.removed === undefined)
    const empty = 'no backup yet; make one:  keyreel backup create --out FILE'
    const none = 'the server makes none by itself:  keyreel backup schedule set nightly --to DIR'
    return {
      json: { backups: there.map(backupJson), schedules: planned.map(scheduleJson) },
      text: [
        backupsTable(there, context.style, empty),
        schedulesTable(planned, context.style, none),
      ].join('\n\n'),
    }
  },
})

async function verifyHere(file: string, context: Context): Promise<Report> {
  demandFile(file)
  const masterKey = await openMasterKey(context.config, masterKeySources(context))
  return withMasterKey(context, masterKey, async (store) => {
    const openers = (await store.read((work) => openExchangeKeys(work))).map(({ opener }) => opener)
    const backup = await openBackup(file, openers, 'this server')
    try {
      const isCompared = backup.manifest.StoreIdentifier === store.id
      const found = await verifyBackup(backup, lent(masterKey), context.io.now, { live: store })
      const differing = isCompared ? await compareWith(store, backup) : []
      const problems = [...found.problems, ...differing]
      const isNoted =
        problems.length === 0 && (await noteVerified(store, backup.manifest.ExportIdentifier))
      return verifiedReport(backup, { ...found, problems }, { isCompared, isNoted }, context)
    } finally {
      await backup.close()
    }
  })
}

async function verifyByShares(
  file: string,
  options: ShareOptions,
  context: Context,
): Promise<Report> {
  const { recovered, backup } = await openByShares(file, options, context)
  try {
    const found = await verifyBackup(backup, recovered, context.io.now)
    return verifiedReport(backup, found, { isCompared: false, isNoted: false }, context)
  } finally {
    await backup.close()
  }
}

async function openByShares(
  file: string,
  options: ShareOptions,
  context: Context,
): Promise<{ recovered: MasterKey; backup: OpenBackup }> {
  demandFile(file)
  const { id, keys, masterKey } = await recoveryOfShares(context, options)
  try {
    const backup = await openBackup(file, [recoveryOpener(id, keys)], `recovery key ${id}`)
    return { recovered: masterKey, backup }
  } catch (error) {
    masterKey.close()
    throw error
  }
}

function verifiedReport(
  { manifest, digest, signer }: OpenBackup,
  { objects, documents, problems }: BackupVerified,
  { isCompared, isNoted }: { isCompared: boolean; isNoted: boolean },
  { style }: Context,
): Report {
  const facts = pairs(
    [
      ['backup id', manifest.ExportIdentifier],
      ['made', moment(manifest.CreationDate)],
      ['signed by', grouped(signer.pin)],
      ['opened by', `shares of recovery key ${manifest.RecoveryKeyIdentifier}`],
      ['objects', objects],
      ['documents', documents],
      ['live keystore', isCompared ? 'compared' : 'not compared'],
      ['SHA-256', digest],
    ],
    style,
  )
  const isWhole = problems.length === 0
  const verdict = isWhole
    ? `every key of it can be restored${isNoted ? '; noted' : ''}`
    : style('red', `${counted(problems.length, 'problem')}: do not rely on this backup`)
  return {
    json: {
      backup: manifest.ExportIdentifier,
      created: isoMoment(manifest.CreationDate),
      identity: signer.pin,
      recovery: manifest.RecoveryKeyIdentifier,
      objects,
      documents,
      compared: isCompared,
      digest,
      problems,
    },
    text: [facts, ...(isWhole ? [] : [problemsTable(problems, style)]), verdict].join('\n\n'),
    ...(!isWhole && { exitStatus: exitStatus.failed }),
  }
}

function problemsTable(problems: readonly Problem[], style: Style): string {
  const columns = {
    PROBLEM: ({ kind }: Problem) => kind,
    WHERE: ({ subject }: Problem) => subject,
    WHAT: ({ message }: Problem) => message,
  }
  return table(columns, problems, style, '')
}

/** Whoever knows the public recovery key could write a file that opens: the signer is what people compare. */
async function confirmSigner(
  { signer }: OpenBackup,
  told: string | undefined,
  context: Context,
): Promise<void> {
  if (told === signer.pin) return
  if (told !== undefined) {
    throw new UserError(
      'other-signer',
      `the backup is signed by ${grouped(signer.pin)}`,
      'compare with the recovery sheet; nothing was made',
    )
  }
  context.say('the backup is signed by:')
  context.say(`  ${grouped(signer.pin)}`)
  if (!context.io.interactive && !context.yes) {
    throw new UserError(
      'no-terminal',
      'no terminal to ask whether this is the signer on the recovery sheet',
      'compare it, then run again with --identity HEX',
      { exitStatus: exitStatus.usage },
    )
  }
  await confirmTyped(context, {
    what: 'restore, if the recovery sheet names the same signer',
    expected: 'same',
  })
}

/** Throws UserError unless the backup is there. */
export function demandFile(file: string): void {
  if (existsSync(file)) return
  throw new UserError('no-such-file', `there is no file ${file}`, 'name the backup')
}
