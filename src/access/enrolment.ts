/**
 * Enrolling libraries and other KMIP clients: a certificate is made, signed or taken as given, and
 * from the moment the act is committed its holder is a client of the group.
 */
import { generateKeyPair, type KeyPair, type KeyType } from '../crypto/key-pairs.ts'
import {
  issueCertificate,
  issuerStandIn,
  validityFrom,
  type Issuer,
} from '../crypto/certificates-issue.ts'
import { parseCertificateRequest } from '../crypto/certificates-request.ts'
import {
  certificateNames,
  parseCertificateChain,
  type Certificate,
} from '../crypto/certificates.ts'
import { exitStatus, UserError } from '../errors.ts'
import type { AuditActor, Work } from '../keystore/work.ts'
import { openAuthority, serverIdentity } from './authority.ts'
import {
  administrator,
  bodyOf,
  clientOf,
  putBody,
  type ActingStore,
  type Allowance,
  type Body,
  type ClientKind,
  type ProfileName,
} from './documents.ts'
import { certificateFault, dateOf } from './identity.ts'
import { stageKit, type KitWish } from './kit.ts'
import type { KitContent } from './kit-readme.ts'

/** Where a client's certificate comes from; `file` names what was read, for messages. */
export type CertificateSource =
  | { generate: KeyType }
  | { request: string | Uint8Array; file?: string }
  | { certificate: string | Uint8Array; file?: string }

export interface Enrolment {
  name: string
  source: CertificateSource
  kind?: ClientKind
  /** Made when it does not exist. Default: `default`. */
  group?: string
  profile?: ProfileName
  allow?: readonly Allowance[]
  kit?: KitWish
  actor?: AuditActor
}

/** What came of it: also what a kit is about. */
export interface Enrolled extends KitContent {
  profile: ProfileName
}

/** Names of clients and groups; they stand in paths, logs and owners. */
const nameForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** Returns the name when it is one, else throws `UserError` 'name'. `what` is the word for it. */
export function parseName(name: string, what: 'library' | 'group' | 'peer' | 'operator'): string {
  if (nameForm.test(name)) return name
  throw new UserError(
    'name',
    `not a ${what} name: ${JSON.stringify(name)}`,
    'use 1 to 63 letters, digits, dots, dashes and underscores, a letter or digit first',
    { exitStatus: exitStatus.usage },
  )
}

/**
 * Enrols a client and writes its kit when one is wanted. The kit is complete on disk before the
 * client is enrolled and appears under its name right after, so there is never half of anything.
 */
export async function enrolLibrary(store: ActingStore, enrolment: Enrolment): Promise<Enrolled> {
  const { kind = 'library', profile = 'tape-library', allow = [] } = enrolment
  const name = parseName(enrolment.name, 'library')
  const group = parseName(enrolment.group ?? 'default', 'group')
  const client = { kind, group, profile, allow: [...allow] }
  const checkFree = async (work: Work) => {
    const there = await bodyOf(work, 'client', name)
    if (there === undefined) return
    throw there.revoked === undefined
      ? new UserError(
          'library-exists',
          `a library named ${name} is enrolled already`,
          `give it a new certificate:  keyreel library renew ${name}, or choose another name`,
        )
      : new UserError(
          'library-exists',
          `a library named ${name} was enrolled, and revoked ${dateOf(BigInt(there.revoked))}`,
          'a revoked library stays revoked: enrol it under another name',
        )
  }
  return equip(store, name, client, enrolment, checkFree, async (work) => {
    await checkFree(work)
    const created = Number(work.now)
    if ((await bodyOf(work, 'group', group)) === undefined)
      await putBody(work, 'group', group, { created })
    await putBody(work, 'client', name, { ...client, created })
    return 'library add'
  })
}

/**
 * Gives an enrolled client a new certificate. The old one stays good until it expires or is revoked
 * by its fingerprint, so that the library works on until the new one is installed.
 */
export async function renewLibrary(
  store: ActingStore,
  { name, ...renewal }: Pick<Enrolment, 'name' | 'source' | 'kit' | 'actor'>,
): Promise<Enrolled> {
  const inForce = async (work: Work) => {
    const client = await clientOf(work, name)
    if (client.revoked !== undefined)
      throw new UserError(
        'library-revoked',
        `library ${name} was revoked ${dateOf(BigInt(client.revoked))}`,
        'a revoked library stays revoked: enrol it under another name in the same group',
      )
    return client
  }
  const client = await store.read(inForce)
  const check = async (work: Work) => void (await inForce(work))
  return equip(store, name, client, renewal, check, async (work) => {
    await inForce(work)
    return 'library renew'
  })
}

/**
 * Refuses every certificate of a client from now on, for good. Returns when it was revoked, which is
 * earlier when it had been revoked before.
 */
export async function revokeLibrary(
  store: ActingStore,
  name: string,
  actor: AuditActor = administrator,
): Promise<{ revoked: bigint }> {
  return store.act(async (work) => {
    const client = await clientOf(work, name)
    if (client.revoked !== undefined) return { revoked: BigInt(client.revoked) }
    await putBody(work, 'client', name, { ...client, revoked: Number(work.now) })
    const { group } = client
    const details = { library: name }
    work.audit({ actor, operation: 'library revoke', group, outcome: 'Success', details })
    return { revoked: work.now }
  })
}

/** Refuses one certificate of a client from now on; the others stay good. */
export async function revokeCertificate(
  store: ActingStore,
  name: string,
  fingerprint: string,
  actor: AuditActor = administrator,
): Promise<void> {
  await store.act(async (work) => {
    const { group } = await clientOf(work, name)
    const certificate = await bodyOf(work, 'certificate', fingerprint)
    if (certificate?.client !== name)
      throw new UserError(
        'no-such-certificate',
        `library ${name} has no certificate ${fingerprint}`,
        `list those it has:  keyreel library show ${name}`,
      )
    if (certificate.revoked !== undefined) return
    await putBody(work, 'certificate', fingerprint, { ...certificate, revoked: Number(work.now) })
    const details = { library: name, fingerprint }
    work.audit({ actor, operation: 'certificate revoke', group, outcome: 'Success', details })
  })
}

/** Gets the certificate, stages the kit, commits, publishes: the order of everything above. */
async function equip(
  store: ActingStore,
  name: string,
  client: Pick<Body<'client'>, 'group' | 'profile' | 'allow'>,
  { source, kit, actor = administrator }: Pick<Enrolment, 'source' | 'kit' | 'actor'>,
  check: (work: Work) => Promise<void>,
  change: (work: Work) => Promise<string>,
): Promise<Enrolled> {
  const { authority, hosts, now } = await store.read(async (work) => {
    await check(work)
    const { hosts } = await serverIdentity(work)
    return { authority: await openAuthority(work), hosts, now: work.now }
  })
  const { certificate, pair, issuer } = await certificateFrom(source, name, authority, now)
  checkFit(certificate, authority.certificate, client.allow, now)
  const { group, profile } = client
  const enrolled: Enrolled = {
    name,
    group,
    profile,
    certificate,
    authority: authority.certificate,
    ...(pair && { privateKey: pair.privateKey }),
  }
  const staged = kit && (await stageKit(enrolled, kit, hosts))
  try {
    await store.act(async (work) => {
      await checkUnknown(work, certificate)
      const operation = await change(work)
      await putBody(work, 'certificate', certificate.fingerprint, {
        client: name,
        pem: certificate.pem,
        origin: originOf(source),
        enrolled: Number(work.now),
        ...(issuer && { authority: issuer.pem }),
      })
      const { fingerprint, subject, issuer: issuerName } = certificate
      const details = { library: name, profile, fingerprint, subject, issuer: issuerName }
      work.audit({ actor, operation, group, outcome: 'Success', details })
    })
  } catch (error) {
    await staged?.discard()
    throw error
  }
  await staged?.publish()
  return enrolled
}

interface Obtained {
  certificate: Certificate
  pair?: KeyPair
  /** What puts the issuer's name into the handshake, for a certificate that we did not issue. */
  issuer?: Certificate
}

/** Makes, signs or reads a certificate; `named` wins over the subject of a request. Throws UserError. */
export async function certificateFrom(
  source: CertificateSource,
  commonName: string,
  authority: Issuer,
  now: bigint,
  named?: { commonName: string },
): Promise<Obtained> {
  if ('certificate' in source) {
    const chain = parseCertificateChain(source.certificate, source.file)
    const [certificate] = chain
    if (certificate === undefined) throw new TypeError('a certificate chain is never empty')
    return { certificate, issuer: await issuerOf(certificate, chain) }
  }
  const validity = validityFrom(now, 'client')
  if ('request' in source) {
    const request = parseCertificateRequest(source.request, source.file)
    const { publicKey } = request
    const subject = named ?? request.subject ?? { commonName }
    const plan = { subject, publicKey, use: 'client', ...validity } as const
    return { certificate: issueCertificate(plan, authority) }
  }
  const pair = await generateKeyPair(source.generate)
  const plan = { subject: { commonName }, publicKey: pair.publicKey, use: 'client' } as const
  return { certificate: issueCertificate({ ...plan, ...validity }, authority), pair }
}

/** The issuer's certificate from the file, itself when self-signed, or else a stand-in for its name. */
async function issuerOf(certificate: Certificate, chain: Certificate[]): Promise<Certificate> {
  const { issuer } = certificateNames(certificate.der)
  const named = chain.find(({ der }) => Buffer.compare(certificateNames(der).subject, issuer) === 0)
  return named ?? issuerStandIn(certificate)
}

/** Refuses a certificate that no client may show. Throws UserError 'certificate-unfit'. */
export function checkFit(
  certificate: Certificate,
  authority: Certificate,
  allow: readonly Allowance[],
  now: bigint,
): void {
  if (certificate.fingerprint === authority.fingerprint)
    throw new UserError(
      'certificate-unfit',
      'this is the certificate of our own authority',
      'give the certificate of the library itself',
    )
  const fault = certificateFault(certificate, allow, now)
  if (fault !== undefined)
    throw new UserError(
      'certificate-unfit',
      `the certificate of ${certificate.subject} cannot be enrolled: ${fault.why}`,
      'have the library make a new one, or let keyreel make it: leave out --certificate',
    )
}

/** Refuses a certificate that is, or was, enrolled. Throws UserError 'certificate-enrolled'. */
export async function checkUnknown(work: Work, { fingerprint }: Certificate): Promise<void> {
  const known = await bodyOf(work, 'certificate', fingerprint)
  if (known !== undefined)
    throw new UserError(
      'certificate-enrolled',
      `this certificate is enrolled already, for library ${known.client}`,
      'every library needs a certificate of its own, also one that was revoked stays taken',
    )
}

function originOf(source: CertificateSource): Body<'certificate'>['origin'] {
  if ('generate' in source) return 'generated'
  return 'request' in source ? 'request' : 'given'
}
