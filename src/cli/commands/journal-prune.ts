// `keyreel journal prune`: removes files of a journal of which a backup holds everything.
import { resolve } from 'node:path'
import { administrator } from '../../access/documents.ts'
import { UserError } from '../../errors.ts'
import { openBackup } from '../../exchange/backup-file.ts'
import { noteVerified, verifyBackup } from '../../exchange/backup-verify.ts'
import { openExchangeKeys } from '../../exchange/identity.ts'
import { journalFilesIn } from '../../keystore/journal-files.ts'
import { coveredFiles, removeFiles } from '../../keystore/journal-prune.ts'
import type { Store } from '../../keystore/store.ts'
import { argument, command, requiredText, toggle, type Context } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, pairs } from '../output.ts'
import { demandFile } from './backup.ts'

export const journalPrune = command({
  words: 'journal prune',
  summary: 'remove the files of a journal of which a backup holds everything',
  details:
    'Verifies the backup as backup verify does: restores it aside and checks every key. Then looks, row by row, of which files of ' +
    'the journal it lacks nothing, from the first on, and removes those; never the newest, nor what the backup does not ' +
    'hold. The server may run. From then on the journal alone brings no keystore back: keep that backup, or a ' +
    'later one, for backup restore --journal. Copies of the journal are yours to remove.',
  arguments: { DIR: argument('folder of the journal') },
  options: {
    backup: requiredText('FILE', 'the backup'),
    dryRun: toggle('say what would be removed, remove nothing'),
  },
  exits: keystoreExits,
  examples: [
    'journal prune /mnt/second/keyreel --backup keyreel-monday.backup',
    'journal prune /mnt/second/keyreel --backup FILE --dry-run',
  ],
  async run({ arguments: { DIR }, options, context }) {
    demandFile(options.backup)
    const folder = resolve(DIR)
    return withStore(context, async (store) => {
      const { id, covered, left } = await covering(store, folder, options.backup, context)
      if (covered.length > 0 && !options.dryRun) {
        const what = `remove ${counted(covered.length, 'file')} of ${folder}, which this backup replaces`
        await confirmTyped(context, { what, expected: String(covered.length) })
        await store.act((work) => {
          const details = { path: folder, files: covered.length, last: covered.at(-1)! }
          const record = { actor: administrator, operation: 'journal prune', details }
          work.audit({ ...record, object: id, outcome: 'Success' })
          return Promise.resolve()
        })
        await removeFiles(folder, covered)
      }
      const done = options.dryRun ? 'would be removed' : 'removed'
      const facts = pairs(
        [
          ['backup', id],
          [done, covered.length === 0 ? 'no file' : covered.join(' ')],
          ['kept', counted(left, 'file')],
        ],
        context.style,
      )
      return {
        json: { backup: id, files: covered, kept: left, dryRun: options.dryRun },
        text: facts,
      }
    })
  },
})

/** What the backup covers, once it was found whole. */
async function covering(store: Store, folder: string, file: string, context: Context) {
  const openers = (await store.read((work) => openExchangeKeys(work))).map(({ opener }) => opener)
  const backup = await openBackup(file, openers, 'this server').catch((error: unknown) => {
    throw error instanceof UserError && error.code === 'backup-foreign' ? foreign(file) : error
  })
  try {
    const { ExportIdentifier: id, StoreIdentifier } = backup.manifest
    if (StoreIdentifier !== store.id) throw foreign(file)
    let covered: readonly string[] = []
    const { problems } = await verifyBackup(backup, store.lendMasterKey(), context.io.now, {
      live: store,
      async look(copy) {
        covered = await coveredFiles(copy, folder, administrator)
      },
    })
    const [first] = problems
    if (first !== undefined) throw damaged(file, first.subject, first.message)
    await noteVerified(store, id)
    return { id, covered, left: (await journalFilesIn(folder)).length - covered.length }
  } finally {
    await backup.close()
  }
}

function foreign(file: string): UserError {
  return new UserError(
    'backup-foreign',
    `${file} is no backup of this keystore, or not one that it opens`,
    'name one of this keystore:  keyreel backup list',
  )
}

function damaged(file: string, subject: string, message: string): UserError {
  return new UserError(
    'backup-damaged',
    `${file} is not whole: ${subject}: ${message}`,
    'take another backup, or make one:  keyreel backup create --out FILE',
  )
}
