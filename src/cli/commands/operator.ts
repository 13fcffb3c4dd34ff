// `keyreel operator …`: people who may approve what somebody else asks for.
import { readFile } from 'node:fs/promises'
import { dateOf } from '../../access/identity.ts'
import {
  addOperator,
  operators,
  revocableOperator,
  revokeOperator,
  type Operator,
} from '../../access/operators.ts'
import { approvalRequests } from '../../exchange/approval-requests.ts'
import { grouped } from '../../exchange/words.ts'
import { argument, command, requiredText, toggle } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { counted, isoMoment, pairs, table } from '../output.ts'

export const operatorAdd = command({
  words: 'operator add',
  summary: 'let a person approve exports that somebody else asks for',
  details:
    'The person is known by the key of the certificate, and keeps the private key: RSA from 2048 bits, ' +
    'P-256, P-384, P-521 or Ed25519. Who signed the certificate plays no part; compare the fingerprint. ' +
    'An approval is necessary after: keyreel group set GROUP approval=required',
  arguments: { NAME: argument('of the person, of your choice') },
  options: { certificate: requiredText('FILE', "the person's certificate, PEM or DER") },
  exits: keystoreExits,
  examples: [
    'operator add carol --certificate carol.pem',
    'operator add carol --certificate carol.der --json',
  ],
  async run({ arguments: { NAME }, options, context }) {
    const file = options.certificate
    const input = await readFile(file)
    const operator = await withStore(context, (store) =>
      addOperator(store, { name: NAME, input, file }),
    )
    const { subject, fingerprint, key, notAfter } = operator.certificate
    const facts = pairs(
      [
        ['subject', subject],
        ['SHA-256', grouped(fingerprint)],
        ['key', key.name],
        ['valid until', dateOf(notAfter)],
      ],
      context.style,
    )
    return { json: operatorJson(operator), text: `operator ${NAME} may approve\n${facts}` }
  },
})

export const operatorList = command({
  words: 'operator list',
  summary: 'list the people who may approve, revoked ones too',
  exits: keystoreExits,
  examples: ['operator list', 'operator list --json'],
  async run({ context }) {
    const rows = await withStore(context, (store) => store.read((work) => operators(work)))
    const columns = {
      OPERATOR: ({ name }: Operator) => name,
      STATE: ({ revoked }: Operator) =>
        revoked === undefined ? 'may approve' : `revoked ${dateOf(revoked)}`,
      KEY: ({ certificate }: Operator) => certificate.key.name,
      ENDS: ({ certificate }: Operator) => dateOf(certificate.notAfter),
      'SHA-256': ({ certificate }: Operator) => grouped(certificate.fingerprint),
    }
    const empty = 'no operators yet; add one:  keyreel operator add NAME --certificate FILE'
    return { json: rows.map(operatorJson), text: table(columns, rows, context.style, empty) }
  },
})

export const operatorRevoke = command({
  words: 'operator revoke',
  summary: 'let a person approve no longer',
  details: 'Approvals that were not used yet count no longer. Name and key are not taken again.',
  arguments: { NAME: argument('of the operator') },
  options: { dryRun: toggle('say what would happen, change nothing') },
  exits: keystoreExits,
  examples: ['operator revoke carol --dry-run', 'operator revoke carol --yes'],
  run: ({ arguments: { NAME }, options: { dryRun }, context }) =>
    withStore(context, async (store) => {
      const { operator: before, unused } = await store.read(async (work) => ({
        operator: await revocableOperator(work, NAME),
        unused: (await approvalRequests(work)).filter(
          ({ body, state }) => state === 'approved' && body.approval?.operator === NAME,
        ),
      }))
      if (dryRun)
        return {
          json: { ...operatorJson(before), dryRun },
          text: `would revoke operator ${NAME} for good; ${counted(unused.length, 'approval')} not used yet would count no longer`,
        }
      await confirmTyped(context, { what: `revoke operator ${NAME} for good`, expected: NAME })
      const operator = await revokeOperator(store, NAME)
      return { json: operatorJson(operator), text: `operator ${NAME} may approve no longer` }
    }),
})

function operatorJson({ name, certificate, added, revoked }: Operator) {
  const { subject, fingerprint, key, notAfter } = certificate
  return {
    name,
    subject,
    fingerprint,
    key: key.name,
    notAfter: isoMoment(notAfter),
    added: isoMoment(added),
    revoked: isoMoment(revoked),
  }
}
