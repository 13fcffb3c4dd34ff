// `keyreel group …`: groups of clients that share keys, and how each treats them.
import { groupOf, groups, setGroupPolicy } from '../../access/groups.ts'
import type { Group } from '../../access/groups.ts'
import { copiesKept } from '../../admin/ready-state.ts'
import { UserError, exitStatus } from '../../errors.ts'
import { peers } from '../../exchange/peers.ts'
import { shellWord } from '../../shell-word.ts'
import { argument, command, rest } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, pairs, table } from '../output.ts'
import type { Style } from '../output.ts'

export const groupList = command({
  words: 'group list',
  summary: 'list the groups with their policies',
  exits: keystoreExits,
  examples: ['group list', 'group list --json'],
  async run({ context }) {
    const rows = await withStore(context, (store) => store.read((work) => groups(work)))
    const columns = {
      GROUP: ({ name }: Group) => name,
      LIBRARIES: ({ clients }: Group) => clients.length,
      DESTROY: ({ policy }: Group) => destroyWord(policy.destroyAfterDays),
      DUPLICATES: ({ policy }: Group) => policy.duplicates,
    }
    return { json: rows.map(groupJson), text: table(columns, rows, context.style, 'no groups') }
  },
})

export const groupShow = command({
  words: 'group show',
  summary: 'show one group: its libraries and its policies',
  arguments: { NAME: argument('name of the group') },
  exits: keystoreExits,
  examples: ['group show default', 'group show vault --json'],
  async run({ arguments: { NAME }, context }) {
    const group = await withStore(context, (store) => store.read((work) => groupOf(work, NAME)))
    return { json: groupJson(group), text: groupText(group, context.style) }
  },
})

export const groupSet = command({
  words: 'group set',
  summary: 'change the policies of a group',
  details:
    'destroy=now|30d|refuse: when a destroyed key is wiped for good, or that Destroy is refused. ' +
    'duplicates=refuse|allow: whether two living keys may hold the same application data in a ' +
    'tape namespace. short=refuse|allow: whether key pairs below 2048 bits of RSA, DSA or DH, or 160 bits ' +
    'of a curve, are made. ' +
    'retired=process|refuse: whether keys that are Deactivated or Compromised still ' +
    'decrypt, verify and unwrap. ecb=allow|refuse: whether Encrypt may use the mode ECB. ' +
    'padding=oaep|pkcs1: whether RSA keys wrap with PKCS#1 v1.5 padding too, for old devices. ' +
    'export=allow|refuse|PEER,PEER: which peers, known by their certificates, its keys may be exported to (default: any). ' +
    'approval=none|required: whether a second person has to approve before keys go to a peer. ' +
    'rules=clients|fixed|off: whether clients of the profile general set the constraints and defaults of new ' +
    'objects (Set Constraints, Set Defaults), those set stay as they are, or none of them count. ' +
    'withdraw=apply|refuse: whether a peer takes copies that it has sent out of use over KMIP, or by a signed ' +
    'notice alone, which you apply. ' +
    'reprovision=refuse|replace|beside: whether clients of that profile give themselves a new certificate ' +
    '(Re-Provision), and whether the one they show ends with it. ' +
    'ready=1|2|…: on how many copies a new key must be durable before it is handed out: the keystore, and the journals or ' +
    'synchronous standbys that have confirmed it; where they are not there, new keys are refused and kept ones ' +
    'served.',
  arguments: { NAME: argument('name of the group'), SETTING: rest('policies as key=value') },
  exits: [...keystoreExits, exitStatus.policy],
  examples: ['group set default destroy=30d', 'group set test destroy=now duplicates=allow'],
  async run({ arguments: { NAME, SETTING }, context }) {
    const { data: directory, database } = context.config
    const place = { directory, database }
    if (SETTING.length === 0) {
      throw new UserError(
        'usage',
        'no setting given',
        `keyreel group set ${shellWord(NAME)} destroy=30d`,
        {
          exitStatus: exitStatus.usage,
        },
      )
    }
    const group = await withStore(context, (store) =>
      setGroupPolicy(store, NAME, SETTING, {
        copies: (work) => copiesKept(work, place),
        peers: async (work) => (await peers(work)).map(({ name }) => name),
      }),
    )
    return { json: groupJson(group), text: groupText(group, context.style) }
  },
})

function destroyWord(days: number | undefined): string {
  if (days === undefined) return 'refuse'
  return days === 0 ? 'now' : `${days}d`
}

function groupJson({ name, created, policy, clients }: Group) {
  return {
    name,
    created: isoMoment(created),
    libraries: clients,
    destroy: destroyWord(policy.destroyAfterDays),
    duplicates: policy.duplicates,
    short: policy.short,
    retired: policy.retired,
    ecb: policy.ecb,
    padding: policy.padding,
    approval: policy.approval,
    rules: policy.rules,
    withdraw: policy.withdraw,
    reprovision: policy.reprovision,
    export: policy.export,
    ready: policy.ready,
  }
}

function groupText(group: Group, style: Style): string {
  const { name, libraries, created, ...policies } = groupJson(group)
  const rows = Object.entries(policies).map(([word, value]) => [word, value] as const)
  return pairs(
    [['group', name], ['created', created], ['libraries', libraries.join(' ') || '-'], ...rows],
    style,
  )
}
