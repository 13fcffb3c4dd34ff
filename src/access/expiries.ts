/** When certificates end: one table for `status`, `doctor` and metrics, soonest first. */
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import { serverIdentity } from './authority.ts'
import { allOf, type Documents } from './documents.ts'

/** Days before the end at which a warning gets louder. */
export const warningDays = [1, 7, 14, 30, 90] as const

export interface Expiry {
  of: 'authority' | 'server' | 'library' | 'exchange' | 'peer'
  /** Name of the library or peer, or of the host. */
  name: string
  certificate: Certificate
  /** Whole days left; negative once it has ended. */
  daysLeft: number
  /** The smallest of {@link warningDays} that is not below the days left; 0 once ended. */
  warning: 0 | (typeof warningDays)[number] | undefined
  /** Whether the library has a newer certificate. We cannot know which one it was given to use. */
  superseded: boolean
}

/**
 * Certificates of the authority, the server, every client and every peer that is not revoked, and the
 * Encryption Certificate handed out now; soonest end first.
 */
export async function expiries(work: Documents, now: bigint): Promise<Expiry[]> {
  const { authority, certificates, hosts } = await serverIdentity(work)
  const row = (of: Expiry['of'], name: string, certificate: Certificate, superseded = false) => ({
    of,
    name,
    certificate,
    ...urgency(certificate, now),
    superseded,
  })
  const rows: Expiry[] = [
    row('authority', 'ca', authority),
    ...certificates.map((certificate) => row('server', hosts[0] ?? '', certificate)),
  ]
  for (const { client, certificate, superseded } of await clientCertificates(work))
    rows.push(row('library', client, certificate, superseded))
  for (const { of, name, certificate } of await exchangeCertificates(work))
    rows.push(row(of, name, certificate))
  return rows.toSorted((a, b) => Number(a.certificate.notAfter - b.certificate.notAfter))
}

async function clientCertificates(work: Documents) {
  const clients = new Map((await allOf(work, 'client')).map(({ name, body }) => [name, body]))
  const inForce = (await allOf(work, 'certificate')).filter(
    ({ body }) => body.revoked === undefined && clients.get(body.client)?.revoked === undefined,
  )
  const newest = new Map<string, number>()
  for (const { body } of inForce)
    newest.set(body.client, Math.max(body.enrolled, newest.get(body.client) ?? 0))
  return inForce.map(({ body }) => ({
    client: body.client,
    certificate: parseCertificate(body.pem),
    superseded: body.enrolled < (newest.get(body.client) ?? 0),
  }))
}

/** Ours as it is handed out, and of each peer the one that keys are encrypted to. */
async function exchangeCertificates(work: Documents) {
  const [newest] = (await allOf(work, 'exchange-certificate')).toSorted(
    (a, b) => b.body.issued - a.body.issued,
  )
  const theirs = (await allOf(work, 'exchange-peer')).filter(
    ({ body }) => body.revoked === undefined,
  )
  const rows = [
    ...(newest ? [{ of: 'exchange', name: 'own', pem: newest.body.pem } as const] : []),
    ...theirs.flatMap(({ name, body }) => {
      const pem = body.certificates.at(-1)?.pem
      return pem === undefined ? [] : [{ of: 'peer', name, pem } as const]
    }),
  ]
  return rows.map(({ of, name, pem }) => ({ of, name, certificate: parseCertificate(pem) }))
}

function urgency({ notAfter }: Certificate, now: bigint): Pick<Expiry, 'daysLeft' | 'warning'> {
  const left = notAfter - now
  const daysLeft = Math.floor(Number(left) / 86_400)
  if (left < 0n) return { daysLeft, warning: 0 }
  return { daysLeft, warning: warningDays.find((days) => left <= BigInt(days) * 86_400n) }
}
