// `keyreel audit …`: the hash-chained record of everything done with keys.
import { open, rm } from 'node:fs/promises'
import { readCheckpoint, signCheckpoint, writeCheckpoint } from '../../admin/checkpoint.ts'
import { findKey } from '../../admin/managed-keys.ts'
import { moveIntoPlace } from '../../durable-files.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { checkpointSigner, findOwn } from '../../exchange/identity.ts'
import type { Problem } from '../../keystore/audit-chain-walk.ts'
import { contentsCheck } from '../../keystore/contents-check.ts'
import type { VerifyReport } from '../../keystore/audit-verify.ts'
import type { Store } from '../../keystore/store.ts'
import type { AuditEntry, Work } from '../../keystore/work.ts'
import { auditEntryJson, auditTable } from '../audit-table.ts'
import { command, integer, requiredText, text } from '../command.ts'
import type { Context } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { counted, isoMoment, jsonDocument, table } from '../output.ts'
import { progress } from '../progress.ts'

/** Records read at a time when exporting. */
const page = 500

export const auditList = command({
  words: 'audit list',
  summary: 'list the newest records, oldest of them first',
  details: 'Every record read is verified against its chain; a changed one is an error.',
  options: {
    chain: text('NAME', 'only this chain: serve, cli, or the name of a node'),
    object: text('ID', 'only records about this key'),
    limit: integer('N', 50, 'most records to list'),
  },
  exits: keystoreExits,
  examples: ['audit list --limit 10', 'audit list --object 6f1c0d2e --json'],
  async run({ options, context }) {
    const entries = await withStore(context, (store) => select(store, options))
    return { json: entries.map(auditEntryJson), text: auditTable(entries, context.style) }
  },
})

export const auditVerify = command({
  words: 'audit verify',
  summary: 'verify chains, records, objects and revisions of the whole keystore',
  details:
    'Finds rows that were changed, removed or put back outside keyreel. That the whole store was ' +
    'put back to an earlier day shows only against a checkpoint kept elsewhere: --checkpoint ' +
    'compares with that file and, when all is well, writes the new heads into it.',
  settings: ['checkpoint'],
  exits: keystoreExits,
  examples: ['audit verify', 'audit verify --checkpoint /mnt/vault/keyreel.checkpoint'],
  async run({ context }) {
    const { report, since } = await withStore(context, (store) => verify(store, context))
    const { problems, more, objects, documents, chains } = report
    const checked = `${counted(objects, 'object')}, ${counted(documents, 'document')}, ${counted(chains.length, 'audit chain')}`
    const compared = since === undefined ? '' : `, compared with the checkpoint of ${since}`
    const columns = {
      PROBLEM: ({ kind }: Problem) => kind,
      ABOUT: ({ subject }: Problem) => subject,
      FOUND: ({ message }: Problem) => message,
    }
    const found = `${table(columns, problems, context.style, '')}${more ? '\n… and more' : ''}`
    const isSound = problems.length === 0
    return {
      json: { sound: isSound, ...report, checkpoint: since },
      text: isSound
        ? `all is well: ${checked}${compared}`
        : `${found}\n\n${counted(problems.length, 'problem')} in ${checked}${compared}`,
      exitStatus: isSound ? 0 : exitStatus.failed,
    }
  },
})

export const auditExport = command({
  words: 'audit export',
  summary: 'write every record into a file, one JSON object a line',
  details: 'The file must not exist. Records of one chain are in order; chains follow one another.',
  options: { out: requiredText('FILE', 'file to write; must not exist') },
  exits: keystoreExits,
  examples: ['audit export --out audit.jsonl', 'audit export --out audit-2026.jsonl --json'],
  async run({ options: { out }, context }) {
    const records = await withStore(context, (store) => exportAll(store, out, context))
    return { json: { file: out, records }, text: `${counted(records, 'record')} written to ${out}` }
  },
})

async function select(
  store: Store,
  options: { chain: string | undefined; object: string | undefined; limit: number },
): Promise<readonly AuditEntry[]> {
  const { chain, object, limit } = options
  const isWanted = (entry: AuditEntry) => chain === undefined || entry.chain === chain
  if (object !== undefined) {
    const { id } = await store.read((work) => findKey(work, object))
    const { entries } = await store.objectHistory(id, limit)
    return entries.filter(isWanted).toReversed()
  }
  const all = await store.auditChains()
  const chains = all.filter((name) => chain === undefined || name === chain)
  if (chain !== undefined && chains.length === 0) throw noSuchChain(chain, all)
  const newest = await Promise.all(chains.map((name) => store.readAudit({ chain: name, limit })))
  const inOrder = newest.flat().toSorted((a, b) => Number(a.time - b.time))
  return limit === 0 ? [] : inOrder.slice(-limit)
}

function noSuchChain(chain: string, chains: readonly string[]): UserError {
  return new UserError(
    'no-such-chain',
    `there is no chain ${JSON.stringify(chain)}`,
    `the chains are ${chains.join(', ')}`,
  )
}

async function verify(
  store: Store,
  { config, io, say }: Context,
): Promise<{ report: VerifyReport; since: string | undefined }> {
  const path = config.checkpoint
  const own = path === undefined ? undefined : await store.read(signerIfAny)
  const before =
    path === undefined ? undefined : await readCheckpoint(path, store.id, own?.identity)
  const report = await store.auditVerify({
    checkpoints: before?.chains ?? [],
    contents: contentsCheck,
  })
  if (path !== undefined && report.problems.length === 0) {
    const heads = { store: store.id, time: Number(io.now()), chains: [...report.chains] }
    await writeCheckpoint(path, own === undefined ? heads : signCheckpoint(heads, own.signer))
    say(`checkpoint written to ${path}`)
  }
  return { report, since: before && isoMoment(BigInt(before.time)) }
}

/** What signs checkpoints; a data directory of an early release has it once its server was started. */
async function signerIfAny(work: Work) {
  return (await findOwn(work)) === undefined ? undefined : checkpointSigner(work)
}

/** Writes beside the file and gives it its name when all is there. */
async function exportAll(store: Store, out: string, context: Context): Promise<number> {
  refuseOut(out)
  const temporary = `${out}.${process.pid}`
  try {
    const records = await writeRecords(store, temporary, context)
    await moveIntoPlace(temporary, out)
    return records
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeRecords(store: Store, path: string, context: Context): Promise<number> {
  await using file = await open(path, 'wx', 0o600)
  const report = progress(context, 'records written', undefined)
  let records = 0
  try {
    for (const chain of await store.auditChains()) {
      let entries: readonly AuditEntry[]
      let after = 0
      do {
        entries = await store.readAudit({ chain, after, limit: page })
        await file.writeFile(entries.map(jsonLine).join(''))
        after = entries.at(-1)?.number ?? after
        records += entries.length
        report.step(records)
      } while (entries.length > 0)
    }
    await file.sync()
  } finally {
    report.end()
  }
  return records
}

function jsonLine(entry: AuditEntry): string {
  return `${jsonDocument({ ...auditEntryJson(entry), changes: entry.changes }, 0)}\n`
}
