/**
 * Where a peer serves KMIP and as whom we go there: the kit that the peer has made for us. Keys never
 * leave for a peer whose Encryption Certificate is not trusted, whatever the link says.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { administrator, allOf, bodyOf, putBody, type ActingStore } from '../access/documents.ts'
import type { Body, Documents } from '../access/documents.ts'
import {
  parseCertificate,
  parseCertificateChain,
  type Certificate,
} from '../crypto/certificates.ts'
import type { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { peerNamed } from './peers.ts'

/** The link without its private key. */
export interface PeerLink {
  readonly peer: string
  readonly host: string
  readonly port: number
  /** Subject of the certificate that we show there. */
  readonly subject: string
  /** When that certificate ends; seconds since 1970. */
  readonly notAfter: bigint
  /** Set for a key server that knows nothing of keyreel. */
  readonly plain: Plain | undefined
}

/** Keys there by which keys come and go: see `plain-peers.ts`. */
export type Plain = NonNullable<Body<'peer-link'>['plain']>

/** What a connection is made with. The key is PEM; the caller wipes nothing, it is a string's copy in TLS. */
export interface PeerAccess {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly cert: string
  readonly key: Buffer
  readonly plain: Plain | undefined
}

/** The usual port of KMIP. */
const usualPort = 5696

/** Host and port of `kmips://HOST:PORT`. Throws UserError 'usage'. */
export function parsePeerUrl(url: string): { host: string; port: number } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isPlain =
    parsed?.protocol === 'kmips:' &&
    parsed.hostname !== '' &&
    parsed.username === '' &&
    ['', '/'].includes(parsed.pathname) &&
    parsed.search === '' &&
    parsed.hash === ''
  if (isPlain)
    return {
      host: parsed.hostname.replace(/^\[|\]$/g, ''),
      port: parsed.port === '' ? usualPort : Number(parsed.port),
    }
  throw new UserError(
    'usage',
    `not the address of a key server: ${JSON.stringify(url)}`,
    'write it as kmips://HOST:PORT, such as kmips://kms.site-b.example:5696',
    { exitStatus: exitStatus.usage },
  )
}

/** Keeps the link; an earlier one of the same peer is replaced. Throws UserError. */
export async function addPeerLink(
  store: ActingStore,
  wish: {
    peer: string
    url: string
    kit: string
    plain?: Plain | undefined
    /** The AES key that both sides hold; it stays the caller's. */
    shared?: Secret | undefined
  },
  actor: AuditActor = administrator,
): Promise<PeerLink> {
  const { host, port } = parsePeerUrl(wish.url)
  const file = (name: string) => readFile(join(wish.kit, name))
  const ca = (await file('ca.pem')).toString('utf8')
  const certificate = (await file('certificate.pem')).toString('utf8')
  const authorities = parseCertificateChain(ca, join(wish.kit, 'ca.pem'))
  const [own] = parseCertificateChain(certificate, join(wish.kit, 'certificate.pem'))
  if (own === undefined) throw new TypeError('a certificate chain is never empty')
  const key = await file('key.pem')
  try {
    return await store.act(async (work) => {
      await peerNamed(work, wish.peer)
      await refuseOwnKit(work, authorities)
      const added = Number(work.now)
      const { plain, shared } = wish
      const url = `kmips://${host}:${port}`
      const body = { url, ca, certificate, added, ...(plain && { plain }) }
      await putBody(work, 'peer-link', wish.peer, body, key)
      if (shared) await putBody(work, 'peer-wrapping-key', wish.peer, { added }, shared.bytes)
      const facts = { peer: wish.peer, host, port, fingerprint: own.fingerprint }
      const details = plain === undefined ? facts : { ...facts, plain: { ...plain } }
      work.audit({ actor, operation: 'peer add', outcome: 'Success', details })
      const { subject, notAfter } = own
      return { peer: wish.peer, host, port, subject, notAfter, plain }
    })
  } finally {
    key.fill(0)
  }
}

/** A kit that was made here leads back here. */
async function refuseOwnKit(work: Documents, authorities: readonly Certificate[]): Promise<void> {
  const own = await bodyOf(work, 'authority', 'ca')
  const ours = own && parseCertificate(own.pem).fingerprint
  if (!authorities.some(({ fingerprint }) => fingerprint === ours)) return
  throw new UserError(
    'own-kit',
    'this kit was made by this server itself: it lets the peer in here',
    'send it to the other site, and take the one here that was made there:  keyreel peer accept NAME --out DIR',
  )
}

/** Every link, by peer. */
export async function peerLinks(work: Documents): Promise<PeerLink[]> {
  return (await allOf(work, 'peer-link')).map(({ name, body }) => {
    const [own] = parseCertificateChain(body.certificate, `the certificate for peer ${name}`)
    if (own === undefined) throw new TypeError('a certificate chain is never empty')
    return {
      peer: name,
      ...parsePeerUrl(body.url),
      subject: own.subject,
      notAfter: own.notAfter,
      plain: body.plain,
    }
  })
}

/** What a connection to the peer is made with. Throws UserError 'no-peer-link'. */
export async function peerAccess(
  work: Documents & Pick<Work, 'documentSecret'>,
  peer: string,
): Promise<PeerAccess> {
  const body = await bodyOf(work, 'peer-link', peer)
  if (body === undefined)
    throw new UserError(
      'no-peer-link',
      `it is not known where peer ${peer} serves KMIP`,
      `say so:  keyreel peer add ${peer} --url kmips://HOST:PORT --kit DIR`,
    )
  const secret = await work.documentSecret('peer-link', peer)
  try {
    const { ca, certificate: cert, plain } = body
    return { ...parsePeerUrl(body.url), ca, cert, key: Buffer.from(secret.bytes), plain }
  } finally {
    secret.wipe()
  }
}

/** The AES key that we share with a peer; the caller wipes it. */
export function sharedKey(work: Pick<Work, 'documentSecret'>, peer: string): Promise<Secret> {
  return work.documentSecret('peer-wrapping-key', peer)
}

/** Whether a key server is behind the link that knows nothing of keyreel. */
export async function isPlainLink(work: Documents, peer: string): Promise<boolean> {
  return (await bodyOf(work, 'peer-link', peer))?.plain !== undefined
}
