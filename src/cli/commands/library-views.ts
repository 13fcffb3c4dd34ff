// `keyreel library list` and `show`: who is enrolled, with which certificates, and when last seen.
import { enrolledClientOf, enrolledClients } from '../../access/clients.ts'
import type { EnrolledCertificate, EnrolledClient } from '../../access/clients.ts'
import { readServerState } from '../../admin/server-state.ts'
import { withColons } from '../../crypto/certificates.ts'
import { nodesOf } from '../../keystore/nodes.ts'
import type { Store } from '../../keystore/store.ts'
import { argument, command } from '../command.ts'
import type { Context } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, pairs, table } from '../output.ts'

/** By client name, in seconds since 1970. */
export type LastSeen = ReadonlyMap<string, bigint>

export const libraryList = command({
  words: 'library list',
  summary: 'list libraries and other clients, revoked ones too',
  exits: keystoreExits,
  examples: ['library list', 'library list --json'],
  async run({ context }) {
    const { clients, seen } = await withStore(context, async (store) => ({
      clients: await store.read((work) => enrolledClients(work)),
      seen: await lastSeen(context, store),
    }))
    const columns = {
      LIBRARY: ({ name }: EnrolledClient) => name,
      GROUP: ({ group }: EnrolledClient) => group,
      PROFILE: ({ profile }: EnrolledClient) => profile,
      STATE: ({ revoked }: EnrolledClient) => (revoked === undefined ? 'enrolled' : 'revoked'),
      'CERTIFICATE ENDS': (client: EnrolledClient) => moment(certificateEnd(client)),
      'LAST SEEN': ({ name }: EnrolledClient) => moment(seen.get(name)),
    }
    const empty = 'no libraries yet; enrol one:  keyreel library add NAME --out DIR'
    return {
      json: clients.map((client) => clientJson(client, seen)),
      text: table(columns, clients, context.style, empty),
    }
  },
})

export const libraryShow = command({
  words: 'library show',
  summary: 'show one library: certificates, credentials, when it was last seen',
  arguments: { NAME: argument('name of the library') },
  exits: keystoreExits,
  examples: ['library show alpha', 'library show alpha --json'],
  async run({ arguments: { NAME }, context }) {
    const { client, seen } = await withStore(context, async (store) => ({
      client: await store.read((work) => enrolledClientOf(work, NAME)),
      seen: await lastSeen(context, store),
    }))
    return { json: clientJson(client, seen), text: clientText(client, seen, context) }
  },
})

/** When each client was last heard of, as the server, or the nodes on one database, have noted it. */
export async function lastSeen(
  { config }: Pick<Context, 'config'>,
  store: Pick<Store, 'node' | 'read'>,
): Promise<LastSeen> {
  const contacts =
    store.node === undefined
      ? ((await readServerState(config.data))?.contacts ?? [])
      : (await store.read(nodesOf)).flatMap((node) => node.contacts)
  const seen = new Map<string, bigint>()
  for (const { client, lastContact } of contacts) {
    const time = BigInt(Math.floor(lastContact / 1000))
    if (time > (seen.get(client) ?? 0n)) seen.set(client, time)
  }
  return seen
}

/** When the newest certificate that is not revoked ends. */
function certificateEnd({ certificates }: EnrolledClient): bigint | undefined {
  return certificates.find(({ revoked }) => revoked === undefined)?.certificate.notAfter
}

function clientJson(client: EnrolledClient, seen: LastSeen) {
  const { name, kind, group, profile, allow, created, revoked, certificates, usernames } = client
  return {
    name,
    kind,
    group,
    profile,
    allow,
    created: isoMoment(created),
    revoked: isoMoment(revoked),
    lastSeen: isoMoment(seen.get(name)),
    usernames,
    certificates: certificates.map(({ certificate, origin, enrolled, revoked: withdrawn }) => ({
      subject: certificate.subject,
      issuer: certificate.issuer,
      fingerprint: certificate.fingerprint,
      key: certificate.key.name,
      origin,
      enrolled: isoMoment(enrolled),
      notAfter: isoMoment(certificate.notAfter),
      revoked: isoMoment(withdrawn),
    })),
  }
}

function clientText(client: EnrolledClient, seen: LastSeen, { style }: Context): string {
  const { name, kind, group, profile, allow, created, revoked, certificates, usernames } = client
  const facts = pairs(
    [
      ['library', name],
      ['kind', kind],
      ['group', group],
      ['profile', profile],
      ['excused from', allow.length === 0 ? undefined : allow.join(' ')],
      ['enrolled', moment(created)],
      ['revoked', moment(revoked)],
      ['last seen', moment(seen.get(name)) ?? 'never'],
      ['user names', usernames.length === 0 ? undefined : usernames.join(' ')],
    ],
    style,
  )
  const each = certificates.map(
    ({ certificate, enrolled, revoked: withdrawn }: EnrolledCertificate) =>
      pairs(
        [
          ['certificate', certificate.subject],
          ['issued by', certificate.issuer],
          ['key', certificate.key.name],
          ['SHA-256', withColons(certificate.fingerprint)],
          ['enrolled', moment(enrolled)],
          ['valid until', moment(certificate.notAfter)],
          ['revoked', moment(withdrawn)],
        ],
        style,
      ),
  )
  return [facts, ...each].join('\n\n')
}
