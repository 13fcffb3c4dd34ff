// `keyreel journal verify | replay | restore`: what a server has written to another disk, and bringing it back.
import { relative, resolve } from 'node:path'
import { administrator } from '../../access/documents.ts'
import { exitStatus } from '../../errors.ts'
import type { ReplayReport } from '../../keystore/journal-replay.ts'
import { masterKeyKinds } from '../../keystore/master-key-choice.ts'
import { openMasterKeyFile } from '../../keystore/master-key-file.ts'
import type { MasterKey } from '../../keystore/master-key.ts'
import { restore } from '../../restore.ts'
import { argument, choice, command, text, type Context, type Report } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { pairs } from '../output.ts'
import { progress } from '../progress.ts'
import { demandShares, recoveryOfShares, shareOptions, type ShareOptions } from '../shares.ts'
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
    'Needs a journal that held everything (keyreel status says so), and enough recovery shares or the old master key ' +
    'file. Everything is verified before the data directory is there; a new master key is made. With a backup ' +
    'take backup restore --journal. Never let the old server run beside the restored one.',
  arguments: { DIR: path },
  options: {
    ...shareOptions,
    oldMasterKey: text(
      'FILE',
      'the master key file of the keystore that was lost, instead of shares',
    ),
    masterKey: choice(masterKeyKinds, 'what seals the keystore from now on'),
  },
  exits: [exitStatus.partly],
  examples: [
    'journal restore /mnt/second/keyreel --share a.txt --share b.txt',
    'journal restore DIR --old-master-key /etc/keyreel/master.key --data /var/lib/keyreel',
  ],
  async run({ arguments: { DIR }, options, context }) {
    const recovered = await openerOf(options.oldMasterKey, options, context)
    const { data, database, node } = context.config
    const masterKey = await masterKeyWish(options.masterKey, context)
    const made = await restore({
      ...{ backup: undefined, journal: resolve(DIR), data, database, node, recovered, masterKey },
      now: context.io.now,
    })
    const flag = data === './keyreel-data' ? '' : ` --data ${relative('.', data) || '.'}`
    const facts = pairs(
      [
        ['restored', made.directory],
        ['objects', made.objects],
        ['master key', made.masterKeyPlace],
        ...replayFacts(made.replay!),
      ],
      context.style,
    )
    const next = [`keyreel serve${flag} --journal NEW-DIR`]
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

function openerOf(
  file: string | undefined,
  options: ShareOptions,
  context: Context,
): MasterKey | Promise<MasterKey> {
  if (file !== undefined) return openMasterKeyFile(file)
  demandShares(options)
  return recoveryOfShares(context, options).then(({ masterKey }) => masterKey)
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
