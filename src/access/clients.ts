/** What is known of the enrolled clients: for `library list`, `library show` and the console. */
import { parseCertificate, type Certificate } from '../crypto/certificates.ts'
import { allOf, bodyOf, clientOf, type Body, type Documents, type Named } from './documents.ts'

export interface EnrolledCertificate {
  certificate: Certificate
  origin: Body<'certificate'>['origin']
  /** Seconds since 1970. */
  enrolled: bigint
  revoked: bigint | undefined
}

export interface EnrolledClient extends Omit<Body<'client'>, 'created' | 'revoked'> {
  name: string
  created: bigint
  revoked: bigint | undefined
  /** Newest first. */
  certificates: EnrolledCertificate[]
  /** User names it has credentials for; none: it needs none. */
  usernames: string[]
}

/** Every client by name, revoked ones too. */
export async function enrolledClients(work: Documents): Promise<EnrolledClient[]> {
  const certificates = await allOf(work, 'certificate')
  const clients = await allOf(work, 'client')
  return Promise.all(clients.map((client) => enrolledClient(work, client, certificates)))
}

/** One client; `UserError` 'no-such-library' when there is none of that name. */
export async function enrolledClientOf(work: Documents, name: string): Promise<EnrolledClient> {
  const body = await clientOf(work, name)
  return enrolledClient(work, { name, body }, await allOf(work, 'certificate'))
}

async function enrolledClient(
  work: Documents,
  { name, body }: Named<'client'>,
  certificates: Named<'certificate'>[],
): Promise<EnrolledClient> {
  const own = certificates.filter((certificate) => certificate.body.client === name)
  const credential = await bodyOf(work, 'credential', name)
  return {
    ...body,
    name,
    created: BigInt(body.created),
    revoked: timeOf(body.revoked),
    certificates: own
      .map((certificate) => ({
        certificate: parseCertificate(certificate.body.pem),
        origin: certificate.body.origin,
        enrolled: BigInt(certificate.body.enrolled),
        revoked: timeOf(certificate.body.revoked),
      }))
      .toSorted((a, b) => Number(b.enrolled - a.enrolled)),
    usernames: credential?.users.map(({ username }) => username) ?? [],
  }
}

const timeOf = (seconds: number | undefined) =>
  seconds === undefined ? undefined : BigInt(seconds)
