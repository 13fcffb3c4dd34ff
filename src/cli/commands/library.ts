// `keyreel library …`: enrolling, listing, renewing and revoking tape libraries and other clients.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { allowances } from '../../access/documents.ts'
import { enrolLibrary, renewLibrary, revokeLibrary } from '../../access/enrolment.ts'
import type { CertificateSource, Enrolled } from '../../access/enrolment.ts'
import { enrolledClientOf } from '../../access/clients.ts'
import { dateOf } from '../../access/identity.ts'
import { splitAddress } from '../../setting-kinds.ts'
import type { KitWish } from '../../access/kit.ts'
import { isRunning, readServerState } from '../../admin/server-state.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { withColons } from '../../crypto/certificates.ts'
import { argument, choice, command, list, text, textOr, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, pairs } from '../output.ts'

const kitOptions = {
  out: text('DIR', 'directory the kit is written to; must not exist (default: ./NAME)'),
  keyType: choice(['rsa2048', 'p256'], 'key made for the library'),
  p12: choice(['modern', 'legacy'], 'legacy: PKCS#12 that old firmware can read'),
  csr: text('FILE', 'sign this certificate request; the library keeps its key'),
  certificate: text('FILE', 'enrol this certificate of the library, whoever issued it'),
} as const

export const libraryAdd = command({
  words: 'library add',
  summary: 'enrol a tape library or another KMIP client',
  details:
    'Makes key and certificate and writes a kit: ca.pem, certificate.pem, key.pem, client.p12 ' +
    'with password.txt, and README.txt that says what to paste where. The library is accepted ' +
    'as soon as the command has returned. Libraries of one group share cartridges.',
  arguments: { NAME: argument('a name of your choice') },
  options: {
    group: textOr('GROUP', 'default', 'group of keys; made when it does not exist'),
    profile: choice(['tape-library', 'general'], 'what the client may do'),
    ...kitOptions,
    allow: list('WORD', `excuse this client from a rule: ${allowances.join(', ')}; may repeat`),
  },
  exits: keystoreExits,
  examples: ['library add alpha --out alpha-kit', 'library add beta --group vault --csr beta.csr'],
  async run({ arguments: { NAME }, options, context }) {
    const { group, profile } = options
    const allow = options.allow.map(allowanceOf)
    const source = await sourceOf(options)
    const kit = await kitOf(NAME, options, context)
    const enrolled = await withStore(context, (store) =>
      enrolLibrary(store, { name: NAME, group, profile, allow, source, ...(kit && { kit }) }),
    )
    const headline = `library ${NAME} enrolled in group ${enrolled.group}, profile ${enrolled.profile}`
    return enrolledReport(headline, enrolled, kit?.directory, context)
  },
})

export const libraryRenew = command({
  words: 'library renew',
  summary: 'give a library a new certificate; the old one stays good until it ends',
  arguments: { NAME: argument('name of the library') },
  options: kitOptions,
  exits: keystoreExits,
  examples: ['library renew alpha --out alpha-kit-2', 'library renew beta --csr beta.csr'],
  async run({ arguments: { NAME }, options, context }) {
    const source = await sourceOf(options)
    const kit = await kitOf(NAME, options, context)
    const enrolled = await withStore(context, (store) =>
      renewLibrary(store, { name: NAME, source, ...(kit && { kit }) }),
    )
    const headline = `library ${NAME} has a new certificate; the old one stays good until it ends`
    return enrolledReport(headline, enrolled, kit?.directory, context)
  },
})

export const libraryRevoke = command({
  words: 'library revoke',
  summary: 'refuse a library from now on, for good; open connections end within 5 s',
  arguments: { NAME: argument('name of the library') },
  options: { dryRun: toggle('say what would happen, change nothing') },
  exits: keystoreExits,
  examples: ['library revoke alpha --dry-run', 'library revoke alpha --yes'],
  async run({ arguments: { NAME }, options: { dryRun }, context }) {
    return withStore(context, async (store) => {
      const { group, revoked: before } = await store.read((work) => enrolledClientOf(work, NAME))
      if (before !== undefined) return revokedReport(NAME, before, 'was revoked already,')
      if (dryRun) {
        const line = `would revoke library ${NAME} of group ${group}; its keys stay in the group`
        return { json: { library: NAME, group, revoked: false }, text: line }
      }
      await confirmTyped(context, { what: `revoke library ${NAME} for good`, expected: NAME })
      const { revoked } = await revokeLibrary(store, NAME)
      return revokedReport(NAME, revoked, 'is refused from now on,')
    })
  },
})

function allowanceOf(word: string): (typeof allowances)[number] {
  const known = allowances.find((allowance) => allowance === word)
  if (known !== undefined) return known
  throw new UserError(
    'usage',
    `--allow cannot be ${JSON.stringify(word)}`,
    `the words are ${allowances.join(', ')}`,
    { exitStatus: exitStatus.usage },
  )
}

interface SourceOptions {
  readonly csr: string | undefined
  readonly certificate: string | undefined
  readonly keyType: 'rsa2048' | 'p256'
}

async function sourceOf({ csr, certificate, keyType }: SourceOptions): Promise<CertificateSource> {
  if (csr !== undefined && certificate !== undefined) {
    throw new UserError(
      'usage',
      '--csr and --certificate exclude each other',
      'give the certificate request with --csr, or a finished certificate with --certificate',
      { exitStatus: exitStatus.usage },
    )
  }
  if (csr !== undefined) return { request: await readFile(csr), file: csr }
  if (certificate !== undefined) {
    return { certificate: await readFile(certificate), file: certificate }
  }
  return { generate: keyType }
}

/** The port libraries will find the server at: a running server's own, else the configured one. */
async function portOf({ config }: Context): Promise<number> {
  const state = await readServerState(config.data)
  const address = state !== undefined && isRunning(state) ? state.kmip : config.listen
  return splitAddress(address).port
}

/** The kit that is wanted; none for a certificate that the library has already, unless --out asks. */
async function kitOf(
  name: string,
  options: SourceOptions & { out: string | undefined; p12: 'modern' | 'legacy' },
  context: Context,
): Promise<KitWish | undefined> {
  if (options.certificate !== undefined && options.out === undefined) return undefined
  const port = await portOf(context)
  return {
    directory: resolve(options.out ?? name),
    pkcs12: options.p12,
    ...(port !== 0 && { port }),
  }
}

function enrolledReport(
  headline: string,
  enrolled: Enrolled,
  directory: string | undefined,
  { style }: Context,
): Report {
  const { name, group, profile, certificate, authority } = enrolled
  const facts = pairs(
    [
      ['certificate', certificate.subject],
      ['SHA-256', withColons(certificate.fingerprint)],
      ['valid until', moment(certificate.notAfter)],
      ['kit', directory],
    ],
    style,
  )
  const next =
    directory === undefined
      ? `the library shows this certificate; it must trust our CA (keyreel server certificate show)`
      : `next: ${directory}/README.txt says what to enter in the library's console`
  return {
    json: {
      name,
      group,
      profile,
      kit: directory,
      certificate: {
        subject: certificate.subject,
        fingerprint: certificate.fingerprint,
        notAfter: isoMoment(certificate.notAfter),
        pem: certificate.pem,
      },
      authority: { fingerprint: authority.fingerprint, pem: authority.pem },
    },
    text: `${headline}\n${facts}\n${next}`,
  }
}

function revokedReport(library: string, revoked: bigint, words: string): Report {
  return {
    json: { library, revoked: isoMoment(revoked) },
    text: `library ${library} ${words} ${dateOf(revoked)}; its keys stay in the group`,
  }
}
