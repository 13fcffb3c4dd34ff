// `keyreel library listener …`: what the server sends a client of itself, and where to.
import {
  listeners,
  removeListener,
  setListener,
  type Listener,
  type ListenerWish,
} from '../../access/listeners.ts'
import { parseFingerprint, withColons } from '../../crypto/certificates.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { versions } from '../../kmip/model/versions.ts'
import { countWaiting, waitingFor } from '../../push/push-queue.ts'
import { settingKinds } from '../../setting-kinds.ts'
import { argument, choice, command, text } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, table } from '../output.ts'

const kinds = ['notify', 'put', 'both'] as const

export const libraryListenerSet = command({
  words: 'library listener set',
  summary: 'send a client Notify, and Put of new keys, without being asked',
  details:
    'notify: the attributes that changed on objects the client may read. put: new objects themselves, keys in the ' +
    'clear inside TLS, and those that replace others; nothing that Get would refuse it. They go to --to, where the ' +
    'client listens with one of its enrolled certificates or the one named by --fingerprint, and where keyreel shows ' +
    'its server certificate; without --to, on a connection that the client has turned round itself (Set Endpoint ' +
    'Role, KMIP 2.x). A running server begins within a second.',
  arguments: { NAME: argument('name of the library') },
  options: {
    to: text('HOST:PORT', 'where the client listens'),
    send: choice(kinds, 'what is sent'),
    fingerprint: text(
      'HEX',
      'SHA-256 of the certificate shown there, if it is none of those enrolled',
    ),
    kmip: text('VERSION', 'version to speak, such as 1.4; agreed on when absent'),
  },
  exits: keystoreExits,
  examples: [
    'library listener set alpha --to alpha.example.org:5696',
    'library listener set array --to 192.0.2.30:5700 --send both --kmip 1.4',
  ],
  async run({ arguments: { NAME }, options, context }) {
    const wish = wishOf(options)
    const listener = await withStore(context, (store) => setListener(store, NAME, wish))
    return {
      json: listenerJson(listener),
      text: `library ${NAME} is sent ${sent(listener)} ${placeOf(listener)}`,
    }
  },
})

export const libraryListenerList = command({
  words: 'library listener list',
  summary: 'list the clients that something is sent to, and how much waits',
  exits: keystoreExits,
  examples: ['library listener list', 'library listener list --json'],
  async run({ context }) {
    const rows = await withStore(context, (store) =>
      store.read(async (work) => {
        const all = await listeners(work)
        const rows: Row[] = []
        for (const listener of all) {
          const [oldest] = await waitingFor(work, listener.client, 1)
          const waiting = await countWaiting(work, listener.client)
          rows.push({ ...listener, waiting, oldest: oldest && BigInt(oldest.since) })
        }
        return rows
      }),
    )
    const columns = {
      LIBRARY: ({ client }: Row) => client,
      TO: (row: Row) => row.address ?? 'its own connections',
      SENT: (row: Row) => sent(row),
      KMIP: ({ kmip }: Row) => kmip,
      WAITING: ({ waiting }: Row) => waiting,
      SINCE: ({ oldest }: Row) => moment(oldest),
    }
    return {
      json: rows.map((row) => ({
        ...listenerJson(row),
        waiting: row.waiting,
        oldest: isoMoment(row.oldest),
      })),
      text: table(columns, rows, context.style, 'nothing is sent to any library'),
    }
  },
})

export const libraryListenerRemove = command({
  words: 'library listener remove',
  summary: 'send a client nothing more; what waits for it is dropped',
  arguments: { NAME: argument('name of the library') },
  exits: keystoreExits,
  examples: ['library listener remove alpha', 'library listener remove alpha --json'],
  async run({ arguments: { NAME }, context }) {
    await withStore(context, (store) => removeListener(store, NAME))
    return { json: { library: NAME }, text: `library ${NAME} is sent nothing more` }
  },
})

interface Row extends Listener {
  readonly waiting: number
  /** When the first of it happened; seconds since 1970. */
  readonly oldest: bigint | undefined
}

interface Options {
  readonly to: string | undefined
  readonly send: (typeof kinds)[number]
  readonly fingerprint: string | undefined
  readonly kmip: string | undefined
}

function wishOf({ to, send, fingerprint: typed, kmip }: Options): ListenerWish {
  if (to !== undefined && !settingKinds.address.schema.safeParse(to).success)
    throw wrongUse(`--to cannot be ${JSON.stringify(to)}: it is HOST:PORT`)
  const fingerprint = typed === undefined ? undefined : parseFingerprint(typed)
  if (typed !== undefined && fingerprint === undefined)
    throw wrongUse('--fingerprint is 64 hexadecimal digits: a SHA-256')
  if (to === undefined && typed !== undefined) throw wrongUse('--fingerprint needs --to')
  const spoken = versions.map((row) => row.text as string)
  if (kmip !== undefined && !spoken.includes(kmip))
    throw wrongUse(`--kmip cannot be ${JSON.stringify(kmip)}: it is one of ${spoken.join(', ')}`)
  return {
    ...(to !== undefined && { address: to }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(kmip !== undefined && { kmip }),
    notify: send !== 'put',
    put: send !== 'notify',
  }
}

function wrongUse(message: string): UserError {
  return new UserError('usage', message, 'keyreel library listener set --help', {
    exitStatus: exitStatus.usage,
  })
}

function sent({ notify, put }: Listener): string {
  if (notify && put) return 'Notify and Put'
  return notify ? 'Notify' : 'Put'
}

function placeOf({ address }: Listener): string {
  return address === undefined ? 'on connections that it has turned round' : `at ${address}`
}

function listenerJson({ client, address, fingerprint, kmip, notify, put, added }: Listener) {
  return {
    library: client,
    to: address,
    notify,
    put,
    fingerprint: fingerprint === undefined ? undefined : withColons(fingerprint),
    kmip,
    added: isoMoment(added),
  }
}
