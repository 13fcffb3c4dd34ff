/**
 * Peers: other sites whose Encryption Certificate was compared once. From then on their identity may
 * renew it; any other change is an alarm and nothing is taken.
 */
import { dateOf } from '../access/identity.ts'
import { parseName } from '../access/enrolment.ts'
import {
  administrator,
  allOf,
  bodyOf,
  putBody,
  type ActingStore,
  type Body,
  type Documents,
  type Named,
} from '../access/documents.ts'
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import {
  encryptionCertificate,
  type EncryptionCertificate,
} from '../crypto/encryption-certificates.ts'
import { UserError } from '../errors.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { findOwn } from './identity.ts'
import type { Offered } from './peer-certificates.ts'

/** A peer as it is used. */
export interface Peer {
  readonly name: string
  readonly added: bigint
  readonly revoked: bigint | undefined
  /** Undefined: keys go there, but nothing is taken from it. */
  readonly identity: { certificate: Certificate; pin: string } | undefined
  /** Where keys are sent: the newest. */
  readonly current: Certificate
  readonly earlier: readonly Certificate[]
}

/** What would become of an offered certificate. */
export type Verdict =
  /** Known already; nothing to do. */
  | 'known'
  /** A peer of that name is not known yet: a person has to compare. */
  | 'new'
  /** Its trusted identity has issued this one, after the one that is trusted now. */
  | 'renewal'
  /** Its trusted identity has issued this one too, but another has taken its place: its key may be known to others. */
  | 'older'
  /** A known peer shows something else. */
  | 'changed'

/** How a person, or an earlier comparison, vouches for a certificate. */
export type Confirmation = Body<'exchange-peer'>['certificates'][number]['confirmed']

/** Judges an offered certificate against what is known of the peer. Throws UserError where it can be no peer's. */
export async function judgeOffered(
  work: Documents,
  name: string,
  offered: Offered,
): Promise<Verdict> {
  parseName(name, 'peer')
  const { certificate, pin } = offered
  const ours = await findOwn(work)
  if (ours?.pin === pin && pin !== undefined)
    throw new UserError(
      'own-certificate',
      'this is the Encryption Certificate of this server itself',
      'import the one of the other site here, and this one there',
    )
  for (const other of await allOf(work, 'exchange-peer')) {
    const same =
      other.name !== name &&
      ((pin !== undefined && other.body.identity?.pin === pin) ||
        other.body.certificates.some(({ fingerprint }) => fingerprint === certificate.fingerprint))
    if (same && other.body.revoked === undefined)
      throw new UserError(
        'peer-exists',
        `this is the certificate of peer ${other.name}`,
        `export to it by that name:  keyreel exchange export --peer ${other.name}`,
      )
  }
  const body = await bodyOf(work, 'exchange-peer', name)
  if (body === undefined) return 'new'
  refuseRevoked(name, body)
  const newest = body.certificates.at(-1)
  const isSame = newest?.fingerprint === certificate.fingerprint
  if (isSame && (pin === undefined || body.identity?.pin === pin)) return 'known'
  // The certificate that was compared names its identity: showing that one adds nothing unknown.
  if (isSame) return 'renewal'
  if (pin === undefined || body.identity?.pin !== pin) return 'changed'
  return isSuperseded(certificate, body) ? 'older' : 'renewal'
}

/**
 * Whether the peer's trusted certificate came after this one. Whoever shows a public file again must not
 * bring exports back to a key that was given up.
 */
function isSuperseded(
  { fingerprint, notBefore, notAfter }: Certificate,
  { certificates }: Body<'exchange-peer'>,
): boolean {
  if (certificates.some((known) => known.fingerprint === fingerprint)) return true
  const newest = certificates.at(-1)
  if (newest === undefined) return false
  const trusted = parseCertificate(newest.pem)
  if (notBefore !== trusted.notBefore) return notBefore < trusted.notBefore
  return notAfter < trusted.notAfter
}

/** Trusts what was offered. The verdict is judged again in the act, so that nothing slips in between. */
export async function trustPeer(
  store: ActingStore,
  name: string,
  offered: Offered,
  { confirmed, replace }: { confirmed: Confirmation; replace: boolean },
  actor: AuditActor = administrator,
): Promise<void> {
  const { certificate, identity, pin } = offered
  await store.act(async (work) => {
    const verdict = await judgeOffered(work, name, offered)
    const isRefused = verdict === 'changed' || verdict === 'older'
    if (isRefused && !replace) throw refusedPeer(name, verdict)
    const before = await bodyOf(work, 'exchange-peer', name)
    const added = Number(work.now)
    const { pem, fingerprint } = certificate
    const others = (before?.certificates ?? []).filter((one) => one.fingerprint !== fingerprint)
    const kept = verdict === 'changed' ? undefined : before?.identity
    const pinned = identity && pin !== undefined ? { pem: identity.pem, pin } : kept
    await putBody(work, 'exchange-peer', name, {
      added: before?.added ?? added,
      ...(pinned && { identity: pinned }),
      certificates: [...others, { pem, fingerprint, added, confirmed }],
    })
    const details = { peer: name, fingerprint, ...(pin && { identity: pin }), confirmed }
    work.audit({
      actor,
      operation: 'exchange certificate import',
      outcome: 'Success',
      details: isRefused ? { ...details, replaced: true } : details,
    })
  })
}

/** A verdict that a person has to overrule. */
type Refused = Extract<Verdict, 'changed' | 'older'>

/** Records that somebody showed a certificate for a known peer that is not taken; the error says what to do. */
export async function alarmRefusedPeer(
  store: ActingStore,
  name: string,
  verdict: Refused,
  { certificate: { fingerprint } }: Offered,
  actor: AuditActor = administrator,
): Promise<UserError> {
  const what = { changed: 'other', older: 'older' }[verdict]
  const alarm = `a certificate ${what} than the trusted one was shown for peer ${name}`
  await store.act((work) => {
    const details = { peer: name, fingerprint, alarms: [alarm] }
    work.audit({ actor, operation: 'Alarm', outcome: 'Success', details })
    return Promise.resolve()
  })
  return refusedPeer(name, verdict)
}

function refusedPeer(name: string, verdict: Refused): UserError {
  if (verdict === 'older')
    return new UserError(
      'peer-certificate-older',
      `peer ${name} has a newer certificate than this one, whose key may have been given up`,
      'ask the site for its present one; if it went back to this key, import again with --replace --fingerprint HEX',
    )
  return new UserError(
    'peer-changed',
    `peer ${name} is known by another identity: this may be somebody else's certificate`,
    `ask the site by telephone; if it was set up anew, import again with --replace --fingerprint HEX`,
  )
}

/** Takes trust away: nothing goes there or comes from there any more. */
export async function revokePeer(
  store: ActingStore,
  name: string,
  actor: AuditActor = administrator,
): Promise<Peer> {
  return store.act(async (work) => {
    const body = await peerBody(work, name)
    refuseRevoked(name, body)
    await putBody(work, 'exchange-peer', name, { ...body, revoked: Number(work.now) })
    const details = { peer: name }
    work.audit({ actor, operation: 'exchange certificate revoke', outcome: 'Success', details })
    return peerOf(name, { ...body, revoked: Number(work.now) })
  })
}

/** Every peer by name, revoked ones too. */
export async function peers(work: Documents): Promise<Peer[]> {
  return (await allOf(work, 'exchange-peer')).map(({ name, body }) => peerOf(name, body))
}

/** A peer that keys may go to. Throws UserError 'no-such-peer' or 'peer-revoked'. */
export async function peerNamed(work: Documents, name: string): Promise<Peer> {
  const body = await peerBody(work, name)
  refuseRevoked(name, body)
  return peerOf(name, body)
}

/** The peer with that identity, revoked or not; undefined for strangers. */
export async function peerOfIdentity(work: Documents, pin: string): Promise<Peer | undefined> {
  const found: Named<'exchange-peer'>[] = (await allOf(work, 'exchange-peer')).filter(
    ({ body }) => body.identity?.pin === pin,
  )
  const inForce = found.find(({ body }) => body.revoked === undefined) ?? found[0]
  return inForce && peerOf(inForce.name, inForce.body)
}

/** How keys are encrypted for the peer. */
export function encryptionFor({ current }: Peer): EncryptionCertificate {
  return encryptionCertificate(current)
}

async function peerBody(work: Documents | Work, name: string): Promise<Body<'exchange-peer'>> {
  const body = await bodyOf(work, 'exchange-peer', name)
  if (body !== undefined) return body
  throw new UserError(
    'no-such-peer',
    `there is no peer named ${JSON.stringify(name)}`,
    `import its Encryption Certificate:  keyreel exchange certificate import FILE --peer NAME`,
  )
}

function refuseRevoked(name: string, { revoked }: Body<'exchange-peer'>): void {
  if (revoked === undefined) return
  throw new UserError(
    'peer-revoked',
    `peer ${name} was revoked ${dateOf(BigInt(revoked))}`,
    'a revoked peer stays revoked: import its new certificate under another name',
  )
}

function peerOf(name: string, body: Body<'exchange-peer'>): Peer {
  const [current, ...earlier] = body.certificates
    .toReversed()
    .map(({ pem }) => parseCertificate(pem))
  if (current === undefined) throw new Error(`peer ${name} has no certificate`)
  const { identity } = body
  return {
    name,
    added: BigInt(body.added),
    revoked: body.revoked === undefined ? undefined : BigInt(body.revoked),
    identity: identity && { certificate: parseCertificate(identity.pem), pin: identity.pin },
    current,
    earlier,
  }
}
