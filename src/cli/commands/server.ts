// `keyreel server certificate …`: what the server shows to libraries, and the authority behind it.
import { renewServerCertificates, renewalTime, serverIdentity } from '../../access/authority.ts'
import type { ServerIdentity } from '../../access/authority.ts'
import { withColons } from '../../crypto/certificates.ts'
import { command, list } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { isoMoment, moment, pairs } from '../output.ts'
import type { Style } from '../output.ts'

export const serverCertificateShow = command({
  words: 'server certificate show',
  summary: 'show the server certificates and the authority that issued them',
  exits: keystoreExits,
  examples: ['server certificate show', 'server certificate show --json'],
  async run({ context }) {
    const identity = await withStore(context, (store) => store.read((work) => serverIdentity(work)))
    return { json: identityJson(identity), text: identityText(identity, context.style) }
  },
})

export const serverCertificateRenew = command({
  words: 'server certificate renew',
  summary: 'issue new server certificates under the same authority',
  details:
    'Libraries trust the authority, so nothing changes for them. Without --host the new ' +
    'certificates name the same hosts as before. A running server shows them within ' +
    'seconds.',
  options: { host: list('NAME', 'host name or IP address libraries use; may repeat') },
  exits: keystoreExits,
  examples: [
    'server certificate renew',
    'server certificate renew --host kms.example.org --host 192.0.2.10',
  ],
  async run({ options: { host }, context }) {
    const identity = await withStore(context, (store) => renewServerCertificates(store, host))
    return { json: identityJson(identity), text: identityText(identity, context.style) }
  },
})

function identityJson({ authority, certificates, hosts }: ServerIdentity) {
  return {
    hosts,
    certificates: certificates.map((certificate) => ({
      key: certificate.key.name,
      subject: certificate.subject,
      fingerprint: certificate.fingerprint,
      notBefore: isoMoment(certificate.notBefore),
      notAfter: isoMoment(certificate.notAfter),
      renewal: isoMoment(renewalTime(certificate)),
      pem: certificate.pem,
    })),
    authority: {
      subject: authority.subject,
      fingerprint: authority.fingerprint,
      notAfter: isoMoment(authority.notAfter),
      pem: authority.pem,
    },
  }
}

function identityText({ authority, certificates, hosts }: ServerIdentity, style: Style): string {
  const blocks = certificates.map((certificate) =>
    pairs(
      [
        ['server certificate', certificate.key.name],
        ['SHA-256', withColons(certificate.fingerprint)],
        ['valid until', moment(certificate.notAfter)],
        ['renews itself', moment(renewalTime(certificate))],
      ],
      style,
    ),
  )
  const issuer = pairs(
    [
      ['issued by', authority.subject],
      ['SHA-256', withColons(authority.fingerprint)],
      ['valid until', moment(authority.notAfter)],
    ],
    style,
  )
  return [pairs([['hosts', hosts.join(' ')]], style), ...blocks, issuer].join('\n\n')
}
