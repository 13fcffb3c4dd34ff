// `keyreel journal verify | replay | restore`: what a server has written to another disk, and bringing it back.
import { resolve } from 'node:path'
import { administrator } from '../../access/documents.ts'
import { exitStatus, UserError } from '../../errors.ts'
import type { ReplayReport } from '../../keystore/journal-replay.ts'
import { describeJournal } from '../../keystore/journal-restore.ts'
import {
  kindOfSecret,
  masterKeyKinds,
  openByKnownSecret,
  tokenPlace,
  type MasterKeyKind,
  type MasterKeyPlace,
} from '../../keystore/master-key-choice.ts'
import { openMasterKeyFile } from '../../keystore/master-key-file.ts'
import type { MasterKey } from '../../keystore/master-key.ts'
import { restore, type RestoreOptions } from '../../restore.ts'
import { argument, command, oneOf, text, type Context, type Report } from '../command.ts'
import { keystoreExits, masterKeySources, withStore } from '../keystore-session.ts'
import { pairs } from '../output.ts'
import { progress } from '../progress.ts'
import { hasShares, recoveryOfShares, shareOptions, type ShareOptions } from '../shares.ts'
import { masterKeyWish } from './init.ts'
import { isWrong, replayExit, replayFacts, replayJson, replayTables } from './journal-report.ts'

const path = argument('folder of the journal')

export const journalVerify = command({
  words: 'journal verify',
  summary: 'read a journal from end to end, and say what the keystore lacks of it',
  details:
    'Verifies every frame and row, and each key by its check value. Changes nothing: what replay would put back is ' +
    'counted. An end that was cut off is told and harmless: it was never acknowledged.',
  arguments: { DIR: path },
  exits: [...keystoreExits, exitStatus.partly],
  examples: ['journal verify /mnt/second/keyreel', 'journal verify /mnt/second/keyreel --json'],
  run: ({ arguments: { DIR }, context }) => replayed(DIR, false, context),
})

export const journalReplay = command({
  words: 'journal replay',
  summary: 'put back what a journal has and the keystore lacks',
  details:
    'For a keystore that was put back to an older state. Rows are believed under their own MACs only; nothing newer ' +
    'is overwritten; it may be done again. Stop the server first, and start it with a new, empty journal ' +
    'folder afterwards.',
  arguments: { DIR: path },
  exits: [...keystoreExits, exitStatus.partly],
  examples: ['journal replay /mnt/second/keyreel', 'journal replay DIR --data /var/lib/keyreel'],
  run: ({ arguments: { DIR }, context }) => replayed(DIR, true, context),
})

export const journalRestore = command({
  words: 'journal restore',
  summary: 'make a data directory out of a journal alone, without any backup',
  details:
    'Needs a journal that held everything (see keyreel status), and what opened the keystore: its passphrase, asked for or ' +
    'read as ever; its key in a token, with --pkcs11-module and --pkcs11-token; its key file, with ' +
    '--old-master-key; or enough recovery shares. Passphrase and token stay what opens it, unless --master-key says ' +
    'otherwise; else a new key file is made. Everything is verified before the data directory is there. With a backup ' +
    'take backup restore --journal. Never let the old server run beside the restored one.',
  arguments: { DIR: path },
  options: {
    ...shareOptions,
    oldMasterKey: text(
      'FILE',
      'the master key file of the keystore that was lost, instead of shares',
    ),
    masterKey: oneOf(masterKeyKinds, 'what seals the keystore from now on, made anew'),
  },
  settings: ['pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  exits: [exitStatus.partly, exitStatus.sealed, exitStatus.wrongPassphrase],
  examples: [
    'journal restore /mnt/second/keyreel --share a.txt --share b.txt',
    'journal restore DIR --old-master-key /etc/keyreel/master.key --data /var/lib/keyreel',
  ],
  async run({ arguments: { DIR }, options, context }) {
    const { data, database, node } = context.config
    const { recovered, as } = await openerOf(resolve(DIR), options, context)
    const masterKey = await wishOf(options.masterKey, as, recovered, context)
    const made = await restore({
      ...{ backup: undefined, journal: resolve(DIR), data, database, node, recovered, masterKey },
      now: context.io.now,
    })
    const facts = pairs(
      [
        ['restored', made.directory],
        ['objects', made.objects],
        ['master key', made.masterKeyPlace],
        ...replayFacts(made.replay!),
      ],
      context.style,
    )
    const next = ['keyreel serve --journal NEW-DIR']
    return {
      json: {
        directory: made.directory,
        objects: made.objects,
        masterKey: made.masterKeyName,
        journal: replayJson(made.replay!),
        next,
      },
      text: [facts, ...replayTables(made.replay!, context.style), `next:  ${next[0]}`].join('\n\n'),
      ...replayExit(made.replay),
    }
  },
})

/** What opens the keystore in a journal, and where it is when it may stay what opens it. */
interface Opener {
  readonly recovered: MasterKey
  readonly as?: MasterKeyPlace
}

async function openerOf(
  folder: string,
  options: ShareOptions & { readonly oldMasterKey: string | undefined },
  context: Context,
): Promise<Opener> {
  const { config } = context
  if (options.oldMasterKey !== undefined)
    return { recovered: openMasterKeyFile(options.oldMasterKey) }
  if (hasShares(options)) return { recovered: (await recoveryOfShares(context, options)).masterKey }
  const description = await describeJournal(folder)
  const kind = kindOfSecret(config, description.providers)
  if (kind === undefined) throw nothingGiven()
  const recovered = await openByKnownSecret(config, masterKeySources(context), description)
  if (kind === 'passphrase') return { recovered, as: { kind } }
  return { recovered, as: { kind, place: tokenPlace(config), pinFile: config['pkcs11.pin-file'] } }
}

/** What opens it from now on; what was opened for nothing is closed. */
async function wishOf(
  kind: MasterKeyKind | undefined,
  as: MasterKeyPlace | undefined,
  recovered: MasterKey,
  context: Context,
): Promise<RestoreOptions['masterKey']> {
  if (kind === undefined && as !== undefined) return { kind: 'kept', as }
  try {
    return await masterKeyWish(kind ?? 'file', context)
  } catch (error) {
    recovered.close()
    throw error
  }
}

function nothingGiven(): UserError {
  return new UserError(
    'usage',
    'the keystore in this journal opens with a key file or recovery shares, and none is given',
    'name the key file with --old-master-key FILE, or each share with --share FILE',
    { exitStatus: exitStatus.usage },
  )
}

async function replayed(folder: string, apply: boolean, context: Context): Promise<Report> {
  const shown = progress(context, 'frames', undefined)
  let frames = 0
  try {
    const report = await withStore(context, (store) =>
      store.replayJournal({
        ...{ path: resolve(folder), apply, actor: administrator },
        step: (more) => shown.step((frames += more)),
      }),
    )
    return reportOf(report, apply, context)
  } finally {
    shown.end()
  }
}

function reportOf(report: ReplayReport, apply: boolean, { style }: Context): Report {
  const lacks = report.objects + report.changes + report.documents + report.wiped
  const missing =
    lacks === 0
      ? 'the keystore lacks nothing of it'
      : `the keystore lacks ${lacks} of its rows; put them back:  keyreel journal replay DIR`
  const applied =
    'the keystore has what the journal has; start the server with a new journal folder'
  const verdict = apply ? applied : missing
  const bad =
    'something of the journal is damaged or was not believed: keep it, and keep the backups'
  return {
    json: { ...replayJson(report), applied: apply },
    text: [
      pairs(replayFacts(report), style),
      ...replayTables(report, style),
      isWrong(report) ? style('red', bad) : verdict,
    ].join('\n\n'),
    ...replayExit(report),
  }
}
