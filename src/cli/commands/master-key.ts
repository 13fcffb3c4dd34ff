// `keyreel master-key show | reseal`: who opens the keystore, and sealing everything under a new epoch.
import { recoveryProvider } from '../../keystore/master-key.ts'
import { reseal } from '../../keystore/resealing.ts'
import type { EpochFacts } from '../../keystore/epochs.ts'
import type { Store } from '../../keystore/store.ts'
import { administrator } from '../../access/documents.ts'
import { UserError } from '../../errors.ts'
import { command, toggle } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, pairs, table } from '../output.ts'
import { progress } from '../progress.ts'

export const masterKeyShow = command({
  words: 'master-key show',
  summary: 'who opens the keystore, its epochs, and how far sealing anew is',
  exits: keystoreExits,
  examples: ['master-key show', 'master-key show --json'],
  run: ({ context }) =>
    withStore(context, async (store) => {
      const facts = await factsOf(store)
      const { provider, others, recovery, epochs } = facts
      const columns = {
        EPOCH: ({ epoch }: EpochFacts) => epoch,
        OBJECTS: ({ objects }: EpochFacts) => objects,
        DOCUMENTS: ({ documents }: EpochFacts) => documents,
        'OPENED BY': ({ providers }: EpochFacts) => providers.join(', '),
      }
      const summary = pairs(
        [
          ['master key', provider],
          ['also opens', others.length === 0 ? undefined : others.join(', ')],
          ['recovery key', recovery ?? 'none'],
          ['sealed anew', progressText(facts)],
        ],
        context.style,
      )
      return {
        json: facts,
        text: `${summary}\n\n${table(columns, epochs, context.style, '')}`,
      }
    }),
})

export const masterKeyReseal = command({
  words: 'master-key reseal',
  summary: 'begin a new epoch and seal every key under it',
  details:
    'Keys are sealed under the secret of an epoch, which the master key wraps. This begins a new epoch and ' +
    'seals everything under it, a hundred keys per commit, while the server goes on serving. Cut off, it is ' +
    'ended by a running server, or by the same command with --continue, which begins no further epoch. ' +
    'Earlier epochs stay: the audit record is under them.',
  options: { continue: toggle('begin no new epoch; seal what is left under earlier ones') },
  exits: keystoreExits,
  examples: ['master-key reseal', 'master-key reseal --continue'],
  run: ({ options, context }) =>
    withStore(context, async (store) => {
      if (!options.continue) await store.beginEpoch(administrator)
      const { waiting } = await factsOf(store)
      const shown = progress(context, 'sealed anew', waiting)
      try {
        const goesOn = (count: number) => {
          shown.step(count)
          return true
        }
        const { count, damaged } = await reseal(store, { actor: administrator, goesOn })
        if (damaged.length > 0) throw notAll(count, damaged[0]!, damaged.length)
        const { epoch } = await factsOf(store)
        return {
          json: { epoch, sealed: count },
          text: `${counted(count, 'object or document', 'objects and documents')} sealed under epoch ${epoch}`,
        }
      } finally {
        shown.end()
      }
    }),
})

async function factsOf(store: Store) {
  const epochs = await store.epochs()
  const provider = store.provider()
  const all = [...new Set(epochs.flatMap(({ providers }) => providers))]
  const newest = epochs.at(-1)
  const sum = (rows: readonly EpochFacts[]): number =>
    rows.reduce((total, { objects, documents }) => total + objects + documents, 0)
  return {
    provider,
    others: all.filter((name) => name !== provider && !name.startsWith(recoveryProvider)),
    recovery: all.find((name) => name.startsWith(recoveryProvider)),
    epoch: newest?.epoch ?? 0,
    /** Objects and documents still under earlier epochs. */
    waiting: sum(epochs.slice(0, -1)),
    total: sum(epochs),
    epochs,
  }
}

function progressText({ epoch, waiting, total }: Awaited<ReturnType<typeof factsOf>>): string {
  if (waiting === 0) return `everything is under epoch ${epoch}`
  return `${total - waiting} of ${total} objects and documents are under epoch ${epoch}`
}

function notAll(count: number, first: Error, damaged: number): UserError {
  const more = damaged === 1 ? '' : ` (and ${damaged - 1} more)`
  return new UserError(
    'not-all-sealed',
    `${count} sealed anew; left as it is: ${first.message}${more}`,
    'keyreel audit verify  lists what is wrong; keep a copy of the data directory',
  )
}
