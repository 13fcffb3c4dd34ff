// `keyreel exchange approve`: exports that wait for a second person, and that person's signature.
import { readFile } from 'node:fs/promises'
import { Secret } from '../../crypto/secret.ts'
import { exitStatus, UserError } from '../../errors.ts'
import {
  approvalRequest,
  approvalRequests,
  requestedKeys,
  type ApprovalRequest,
  type RequestedKey,
} from '../../exchange/approval-requests.ts'
import { approveExport, foreseeApproval } from '../../exchange/approvals.ts'
import { grouped } from '../../exchange/words.ts'
import type { Store } from '../../keystore/store.ts'
import { command, optional, text, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, moment, pairs, table } from '../output.ts'

export const exchangeApprove = command({
  words: 'exchange approve',
  summary: 'approve an export that somebody else asks for, or see what waits',
  details:
    'For groups with approval=required. Without --key it lists what waits, or shows one request with every ' +
    'key that would be released; with --key it shows that, wants the number of keys typed back on a terminal, and signs the export id, the recipient and the selection of keys with the private key of an ' +
    'operator, who must be somebody else than the one who asked. The key is read and used, never kept. ' +
    'The command that asked, run again, then goes through once: same recipient, same keys, within 7 days ' +
    'of the request. An export that fails after it has begun needs another approval.',
  arguments: { ID: optional('id that the export will have, or its beginning') },
  options: {
    key: text('FILE', "the operator's private key, PEM, not encrypted"),
    dryRun: toggle('say what would be approved, and by whom; sign nothing'),
  },
  exits: [...keystoreExits, exitStatus.policy],
  examples: ['exchange approve', 'exchange approve 1f3c --key carol-key.pem'],
  async run({ arguments: { ID }, options: { key: file, dryRun }, context }) {
    if (file !== undefined) return approve(ID, { file, dryRun }, context)
    if (ID === undefined) return listReport(context)
    const { request, keys } = await withStore(context, (store) => look(store, ID))
    return {
      json: { ...requestJson(request), selected: keys },
      text: `${requestText(request, context)}\n\n${keysText(keys, context)}`,
    }
  },
})

async function approve(
  id: string | undefined,
  { file, dryRun }: { file: string; dryRun: boolean },
  context: Context,
): Promise<Report> {
  if (id === undefined)
    throw new UserError(
      'usage',
      'nothing says which export is approved',
      'see what waits:  keyreel exchange approve',
      { exitStatus: exitStatus.usage },
    )
  const key = new Secret(await readFile(file))
  try {
    return await withStore(context, async (store) => {
      const seen = await look(store, id)
      if (dryRun) {
        const operator = await foreseeApproval(store, { id: seen.request.id, key, file })
        const facts = `${requestText(seen.request, context)}\n\n${keysText(seen.keys, context)}`
        return {
          json: { ...requestJson(seen.request), selected: seen.keys, dryRun },
          text: `would be approved by ${operator}\n${facts}`,
        }
      }
      if (context.io.interactive && !context.yes) {
        context.say(`${requestText(seen.request, context)}\n\n${keysText(seen.keys, context)}`)
        const { keys, peer } = seen.request.body
        const what = `let ${counted(keys, 'key')} go to peer ${peer}`
        await confirmTyped(context, { what, expected: String(keys) })
      }
      const request = await approveExport(store, { id: seen.request.id, key, file })
      const next = 'next:  run the command again that asked for it'
      const facts = `${requestText(request, context)}\n\n${keysText(seen.keys, context)}`
      return {
        json: { ...requestJson(request), selected: seen.keys },
        text: `approved by ${request.body.approval?.operator}\n${facts}\n${next}`,
      }
    })
  } finally {
    key.wipe()
  }
}

/** The request with what would be released. */
async function look(store: Store, id: string) {
  const request = await store.read((work) => approvalRequest(work, id))
  return { request, keys: await requestedKeys(store, request) }
}

/** Rows shown to people; programs get all of them. */
const rowsShown = 50

function keysText(keys: readonly RequestedKey[], { style }: Context): string {
  const columns = {
    KEY: ({ id }: RequestedKey) => id,
    CARTRIDGE: ({ barcode }: RequestedKey) => barcode,
  }
  const more =
    keys.length > rowsShown ? `\n… and ${keys.length - rowsShown} more (--json has them)` : ''
  return `${table(columns, keys.slice(0, rowsShown), style, '')}${more}`
}

async function listReport(context: Context): Promise<Report> {
  const requests = await withStore(context, (store) => store.read((work) => approvalRequests(work)))
  const columns = {
    ASKED: ({ body }: ApprovalRequest) => moment(BigInt(body.requested)),
    BY: ({ body }: ApprovalRequest) => body.requester,
    PEER: ({ body }: ApprovalRequest) => body.peer,
    GROUP: ({ body }: ApprovalRequest) => body.group,
    KEYS: ({ body }: ApprovalRequest) => body.keys,
    STATE: ({ state }: ApprovalRequest) => state,
    ID: ({ id }: ApprovalRequest) => id,
  }
  const empty = 'no export has waited for an approval yet'
  return { json: requests.map(requestJson), text: table(columns, requests, context.style, empty) }
}

function requestText({ id, body, state }: ApprovalRequest, { style }: Context): string {
  const { peer, recipient, group, keys, selection, digest, requester, approval } = body
  return pairs(
    [
      ['export id', id],
      ['state', state],
      ['recipient', `${peer}, ${grouped(recipient)}`],
      ['keys', `${counted(keys, 'key')} of group ${group}, selected by ${selection}`],
      ['selection', digest],
      ['asked by', `${requester}, ${moment(BigInt(body.requested))}`],
      ['waits until', moment(BigInt(body.expires))],
      ['approved by', approval && `${approval.operator}, ${moment(BigInt(approval.approved))}`],
    ],
    style,
  )
}

function requestJson({ id, body, state }: ApprovalRequest) {
  const { requested, expires, used, approval, ...facts } = body
  return {
    id,
    state,
    ...facts,
    requested: isoMoment(BigInt(requested)),
    expires: isoMoment(BigInt(expires)),
    used: used === undefined ? undefined : isoMoment(BigInt(used)),
    approver: approval?.operator,
    approved: approval && isoMoment(BigInt(approval.approved)),
  }
}
