// `keyreel peer …`: the exchange of keys with another key server, live over KMIP.
import { administrator } from '../../access/documents.ts'
import { dateOf } from '../../access/identity.ts'
import { readFile } from 'node:fs/promises'
import { Secret } from '../../crypto/secret.ts'
import { demandGroupReady } from '../../access/groups.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { importEngine } from '../../exchange/import-engine.ts'
import type { KeyReport, Verdict } from '../../exchange/key-report.ts'
import { addPeerLink, peerLinks, type PeerLink, type Plain } from '../../exchange/peer-links.ts'
import { acceptPeer } from '../../exchange/peer-objects.ts'
import { pullKeys } from '../../exchange/pull-keys.ts'
import { pushKeys } from '../../exchange/push-keys.ts'
import { splitAddress } from '../../setting-kinds.ts'
import { argument, command, requiredText, text, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { keystoreExits, withJournals, withStore } from '../keystore-session.ts'
import { counted, pairs, table } from '../output.ts'
import { progress } from '../progress.ts'
import { requesterOption, scopeOptions, selectionOf } from './exchange-export.ts'

export const peerAccept = command({
  words: 'peer accept',
  summary: 'let another key server bring and take wrapped keys over KMIP',
  details:
    'For a peer whose Encryption Certificate was imported. Enrols it as a client with profile peer and ' +
    'writes its kit; it goes to the other site, where `keyreel peer add` takes it. The peer never gets a ' +
    'key in the clear, and takes only from groups whose policy exports to it.',
  arguments: { NAME: argument('peer, as its certificate was imported') },
  options: {
    group: textOr('GROUP', 'default', 'group of keys that it brings to and takes from'),
    out: requiredText('DIR', 'directory the kit is written to; must not exist'),
  },
  exits: keystoreExits,
  examples: ['peer accept A --out kit-for-a', 'peer accept A --group vault --out kit-for-a'],
  async run({ arguments: { NAME }, options: { group, out }, context }) {
    const { port } = splitAddress(context.config.listen)
    const enrolled = await withStore(context, (store) =>
      acceptPeer(store, importEngine(store, context.log), { peer: NAME, group, out, port }),
    )
    const { fingerprint } = enrolled.certificate
    return {
      json: { peer: NAME, group, kit: out, certificate: fingerprint },
      text:
        `peer ${NAME} may bring keys to group ${group} and take keys of it, wrapped\n` +
        `kit  ${out}\n` +
        `next, there:  keyreel peer add NAME --url kmips://HOST:PORT --kit DIR`,
    }
  },
})

export const peerAdd = command({
  words: 'peer add',
  summary: 'say where a peer serves KMIP, and as whom we go there',
  details:
    'Takes the kit that the peer made with `keyreel peer accept`: ca.pem, certificate.pem and key.pem. ' +
    'Its private key is kept sealed; the directory may be removed afterwards. For a key server that knows ' +
    'nothing of keyreel put what it has given you into such a directory, and say by which keys wrapped keys come ' +
    'and go: its RSA key (KMIP 1.4 and later), an AES key that both hold, or to take keys only our RSA key.',
  arguments: { NAME: argument('peer, as its certificate was imported') },
  options: {
    url: requiredText('URL', 'kmips://HOST:PORT'),
    kit: requiredText('DIR', 'directory with the kit from the peer'),
    plain: toggle("another vendor's key server: keys are taken from it under our RSA key"),
    unwrappingKey: text(
      'ID',
      'private key there of the certificate that was imported; implies --plain',
    ),
    wrappingKey: text('ID', 'AES key there that we hold as well; implies --plain'),
    wrappingKeyFile: text('FILE', 'that AES key in hexadecimal'),
  },
  exits: keystoreExits,
  examples: [
    'peer add B --url kmips://kms.site-b.example --kit kit-from-b',
    'peer add B --url kmips://192.0.2.20:5696 --kit kit-from-b --json',
  ],
  async run({ arguments: { NAME }, options, context }) {
    const { url, kit } = options
    const plain = plainOf(options)
    const shared = await sharedIn(options)
    const link = await withStore(context, (store) =>
      addPeerLink(store, { peer: NAME, url, kit, plain, shared }, administrator),
    ).finally(() => shared?.wipe())
    return {
      json: linkJson(link),
      text:
        `peer ${NAME} will be reached at ${link.host}:${link.port}; it was not asked yet\n` +
        `next:  keyreel peer push ${NAME} --used`,
    }
  },
})

interface PlainOptions {
  readonly plain: boolean
  readonly unwrappingKey: string | undefined
  readonly wrappingKey: string | undefined
  readonly wrappingKeyFile: string | undefined
}

function plainOf({ plain, unwrappingKey, wrappingKey }: PlainOptions): Plain | undefined {
  if (!plain && unwrappingKey === undefined && wrappingKey === undefined) return undefined
  return {
    ...(unwrappingKey !== undefined && { unwrappingKey }),
    ...(wrappingKey !== undefined && { wrappingKey }),
  }
}

/** The AES key of the file. Throws UserError, exit status 2, when there is none or one too many. */
async function sharedIn({
  wrappingKey,
  wrappingKeyFile,
}: PlainOptions): Promise<Secret | undefined> {
  if (wrappingKey === undefined && wrappingKeyFile === undefined) return undefined
  const wrong = (message: string, hint: string) =>
    new UserError('usage', message, hint, { exitStatus: exitStatus.usage })
  if (wrappingKey === undefined || wrappingKeyFile === undefined)
    throw wrong(
      'a shared key has an identifier there and a file here',
      'give both --wrapping-key ID and --wrapping-key-file FILE',
    )
  const text = await readFile(wrappingKeyFile)
  try {
    const digits = text.toString('latin1').trim()
    if (/^(?:[0-9a-f]{32}|[0-9a-f]{48}|[0-9a-f]{64})$/i.test(digits))
      return new Secret(Buffer.from(digits, 'hex'))
  } finally {
    text.fill(0)
  }
  throw wrong(
    `${wrappingKeyFile} holds no AES key in hexadecimal`,
    'it has 32, 48 or 64 hexadecimal digits:  openssl rand -hex 32',
  )
}

export const peerList = command({
  words: 'peer list',
  summary: 'list the peers that are reached over KMIP',
  exits: keystoreExits,
  examples: ['peer list', 'peer list --json'],
  async run({ context }) {
    const links = await withStore(context, (store) => store.read((work) => peerLinks(work)))
    const columns = {
      PEER: ({ peer }: PeerLink) => peer,
      ADDRESS: ({ host, port }: PeerLink) => `${host}:${port}`,
      AS: ({ subject }: PeerLink) => subject,
      KIND: ({ plain }: PeerLink) => (plain === undefined ? 'keyreel' : 'plain KMIP'),
      ENDS: ({ notAfter }: PeerLink) => dateOf(notAfter),
    }
    return {
      json: links.map(linkJson),
      text: table(columns, links, context.style, 'no peer is reached over KMIP yet'),
    }
  },
})

/** The same for every command that goes to a peer. */
export const classicalOption = {
  classical: toggle('accept a connection without post-quantum key exchange'),
} as const

const groupAndClassical = {
  group: textOr('GROUP', 'default', 'group of keys here'),
  ...classicalOption,
} as const

export const peerPush = command({
  words: 'peer push',
  summary: 'send keys to a peer over KMIP, each wrapped',
  details:
    'The same selection, policy and records as `keyreel exchange export`. Keys that the peer has stay as ' +
    'they are there; a push that was cut off is simply run again. In a group with approval=required it ' +
    'wants an approval as the export does, each time it is run.',
  arguments: { NAME: argument('peer') },
  options: { ...scopeOptions, ...groupAndClassical, ...requesterOption },
  exits: [exitStatus.partly, ...keystoreExits, exitStatus.policy],
  examples: ['peer push B --used', 'peer push B --barcode KR0001L8 --barcode KR0002L8'],
  async run({ arguments: { NAME }, options, context }) {
    const { group, classical, as: requester } = options
    const selection = await selectionOf(options)
    const shown = progress(context, 'sending', undefined)
    try {
      const report = await withStore(context, (store) =>
        pushKeys(store, {
          ...{ peer: NAME, group, selection, classical, requester },
          progress: (done) => shown.step(done),
        }),
      )
      const { id, missing } = report
      return exchanged('sent to', report, [['export id', id]], missing, context)
    } finally {
      shown.end()
    }
  },
})

export const peerPull = command({
  words: 'peer pull',
  summary: 'take keys from a peer over KMIP, each wrapped',
  details:
    'Runs like `keyreel exchange import`: nothing that is here is changed, imported keys are for reading ' +
    'unless --allow-writing is given, and the report is kept.',
  arguments: { NAME: argument('peer') },
  options: {
    ...scopeOptions,
    ...groupAndClassical,
    allowWriting: toggle('keep the usage mask as it is: libraries may write with these keys'),
  },
  settings: ['journal'],
  exits: [exitStatus.partly, ...keystoreExits, exitStatus.policy],
  examples: ['peer pull B --used', 'peer pull B --barcode KR0001L8'],
  async run({ arguments: { NAME }, options, context }) {
    const { group, classical, allowWriting } = options
    const selection = await selectionOf(options)
    const shown = progress(context, 'fetching', undefined)
    try {
      const report = await withJournals(context, async (store) => {
        await demandGroupReady(store, group)
        return pullKeys(store, importEngine(store, context.log), {
          ...{ peer: NAME, group, selection, classical, allowWriting },
          progress: (done) => shown.step(done),
        })
      })
      const { importId, missing } = report
      return exchanged('taken from', report, [['import id', importId]], missing, context)
    } finally {
      shown.end()
    }
  },
})

function linkJson({ peer, host, port, subject, notAfter, plain }: PeerLink) {
  const ends = new Date(Number(notAfter) * 1000).toISOString()
  return { peer, host, port, subject, notAfter: ends, plain: plain !== undefined, ...plain }
}

/** Rows shown to people; programs get all of them. */
const rowsShown = 20

const words: Record<Verdict, string> = {
  new: 'new',
  here: 'already there',
  conflict: 'conflict',
  refused: 'refused',
}

interface Exchanged {
  readonly peer: string
  readonly group: string
  readonly keys: number
  readonly counts: Readonly<Record<Verdict, number>>
  readonly reports: readonly KeyReport[]
}

function exchanged(
  what: string,
  { peer, group, keys, counts, reports }: Exchanged,
  ids: readonly (readonly [string, string])[],
  missing: readonly string[],
  { style }: Context,
): Report {
  const told = reports.filter(({ verdict }) => verdict === 'conflict' || verdict === 'refused')
  const columns = {
    KEY: ({ id }: KeyReport) => id,
    CARTRIDGE: ({ barcode }: KeyReport) => barcode,
    RESULT: ({ verdict }: KeyReport) => words[verdict],
    REASON: ({ reason }: KeyReport) => reason,
  }
  const rows = told.slice(0, rowsShown)
  const facts = pairs(
    [
      ['new', counts.new],
      ['already there', counts.here],
      ['conflict', counts.conflict],
      ['refused', counts.refused],
      ['no key for', missing.length === 0 ? undefined : missing.join(' ')],
      ...ids,
    ],
    style,
  )
  const text = [
    `${counted(keys, 'key')} of group ${group} ${what} peer ${peer}`,
    facts,
    ...(rows.length === 0 ? [] : [table(columns, rows, style, '')]),
    ...(told.length > rows.length
      ? [`… and ${told.length - rows.length} more (--json has them)`]
      : []),
  ].join('\n')
  const isPart = told.length > 0 || missing.length > 0
  const [[idName, id]] = ids as readonly [readonly [string, string]]
  return {
    json: {
      ...{ peer, group, keys, counts, reports, missing },
      [idName === 'export id' ? 'exportId' : 'importId']: id,
    },
    text,
    ...(isPart && { exitStatus: exitStatus.partly }),
  }
}
