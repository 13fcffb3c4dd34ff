// `keyreel exchange certificate …`: our Encryption Certificate out, those of other sites in.
import { readFile } from 'node:fs/promises'
import { dateOf } from '../../access/identity.ts'
import { parseFingerprint, type Certificate } from '../../crypto/certificates.ts'
import { writeNewFile } from '../../durable-files.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { ensureExchange, renewEncryptionCertificate } from '../../exchange/identity.ts'
import type { OwnCertificates } from '../../exchange/identity.ts'
import { readOffered } from '../../exchange/peer-certificates.ts'
import type { Offered } from '../../exchange/peer-certificates.ts'
import {
  alarmRefusedPeer,
  encryptionFor,
  judgeOffered,
  peerNamed,
  peers,
  revokePeer,
  trustPeer,
} from '../../exchange/peers.ts'
import type { Confirmation, Peer } from '../../exchange/peers.ts'
import { grouped, spoken } from '../../exchange/words.ts'
import { argument, command, requiredText, text, toggle } from '../command.ts'
import type { Context, Report } from '../command.ts'
import { confirmTyped } from '../dialogue.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'
import { refuseOut } from '../../out-file.ts'
import { isoMoment, moment, pairs, table } from '../output.ts'

export const exchangeCertificateExport = command({
  words: 'exchange certificate export',
  summary: 'write the Encryption Certificate that other sites encrypt keys to',
  details:
    'PEM: the Encryption Certificate first, then the exchange identity that issued it and signs ' +
    'bundles. Send the file by any way; read the fingerprint aloud by another.',
  options: { out: requiredText('FILE', 'file to write; must not exist') },
  exits: keystoreExits,
  examples: [
    'exchange certificate export --out site-b.pem',
    'exchange certificate export --out b.pem --json',
  ],
  async run({ options: { out }, context }) {
    refuseOut(out)
    const certificates = await withStore(context, (store) => ensureExchange(store))
    const { current, identity } = certificates
    await writeNewFile(out, `${current.pem}${identity.pem}`, 0o644)
    return ownReport(certificates, out, context)
  },
})

export const exchangeCertificateRenew = command({
  words: 'exchange certificate renew',
  summary: 'make new exchange keys; what was encrypted to the old ones still opens',
  exits: keystoreExits,
  examples: ['exchange certificate renew', 'exchange certificate renew --json'],
  async run({ context }) {
    const certificates = await withStore(context, (store) => renewEncryptionCertificate(store))
    return ownReport(certificates, undefined, context)
  },
})

export const exchangeCertificateImport = command({
  words: 'exchange certificate import',
  summary: 'trust another site: keys may go to it, and its bundles are taken',
  details:
    'Shows the fingerprint and wants it confirmed, or given with --fingerprint: compare it with ' +
    'what the other site reads aloud. A peer that was trusted once may renew its certificate ' +
    'without a question; an older certificate, or anything else that changes, is an alarm and refused. A certificate without ' +
    'an exchange identity, such as one made by openssl, is taken for exports only.',
  arguments: { FILE: argument('certificate, PEM or DER') },
  options: {
    peer: requiredText('NAME', 'name for the other site, of your choice'),
    fingerprint: text('HEX', 'the SHA-256 that the other site told you; colons optional'),
    replace: toggle(
      'the site was set up anew or went back to this one: take it in place of the known one',
    ),
  },
  exits: keystoreExits,
  examples: [
    'exchange certificate import site-b.pem --peer B',
    'exchange certificate import site-b.pem --peer B --fingerprint 4F:1A:…',
  ],
  async run({ arguments: { FILE }, options, context }) {
    const { peer, replace } = options
    const told = fingerprintOption(options.fingerprint)
    const offered = readOffered(await readFile(FILE), FILE, context.io.now())
    return withStore(context, async (store) => {
      await ensureExchange(store)
      const verdict = await store.read((work) => judgeOffered(work, peer, offered))
      refuseOther(offered, told)
      if (verdict === 'known') return trustedReport(peer, offered, 'is known already', context)
      const isRefused = verdict === 'changed' || verdict === 'older'
      if (isRefused && !(replace && told !== undefined))
        throw await alarmRefusedPeer(store, peer, verdict, offered)
      const confirmed =
        verdict === 'renewal' ? 'same-identity' : await confirm(peer, offered, told, context)
      await trustPeer(store, peer, offered, { confirmed, replace })
      const what =
        verdict === 'renewal' ? 'has a new certificate of the same identity' : 'is trusted'
      return trustedReport(peer, offered, what, context)
    })
  },
})

export const exchangeCertificateList = command({
  words: 'exchange certificate list',
  summary: 'list the Encryption Certificates of this server and of its peers',
  exits: keystoreExits,
  examples: ['exchange certificate list', 'exchange certificate list --json'],
  async run({ context }) {
    const { ours, theirs } = await withStore(context, async (store) => ({
      ours: await ensureExchange(store),
      theirs: await store.read((work) => peers(work)),
    }))
    const rows = [
      { of: 'this server', certificate: ours.current, takes: 'yes', revoked: undefined },
      ...theirs.map((peer) => ({
        of: `peer ${peer.name}`,
        certificate: peer.current,
        takes: peer.identity === undefined ? 'exports only' : 'yes',
        revoked: peer.revoked,
      })),
    ]
    const columns = {
      OF: ({ of }: (typeof rows)[number]) => of,
      KEY: ({ certificate }: (typeof rows)[number]) => certificate.key.name,
      ENDS: ({ certificate }: (typeof rows)[number]) => dateOf(certificate.notAfter),
      'BOTH WAYS': ({ takes, revoked }: (typeof rows)[number]) =>
        revoked === undefined ? takes : `revoked ${dateOf(revoked)}`,
      'SHA-256': ({ certificate }: (typeof rows)[number]) => grouped(certificate.fingerprint),
    }
    return {
      json: { own: ownJson(ours), peers: theirs.map(peerJson) },
      text: table(columns, rows, context.style, ''),
    }
  },
})

export const exchangeCertificateRevoke = command({
  words: 'exchange certificate revoke',
  summary: 'trust a site no longer: nothing goes there and nothing is taken from it',
  options: {
    peer: requiredText('NAME', 'name of the peer'),
    dryRun: toggle('say what would happen, change nothing'),
  },
  exits: keystoreExits,
  examples: [
    'exchange certificate revoke --peer B --dry-run',
    'exchange certificate revoke --peer B --yes',
  ],
  run: ({ options: { peer, dryRun }, context }) =>
    withStore(context, async (store) => {
      const before = await store.read((work) => peerNamed(work, peer))
      if (dryRun)
        return {
          json: { ...peerJson(before), dryRun },
          text: `would trust peer ${peer} no longer, for good: no key would go there, and none be taken from it`,
        }
      await confirmTyped(context, { what: `revoke peer ${peer} for good`, expected: peer })
      const revoked = await revokePeer(store, peer)
      return { json: peerJson(revoked), text: `peer ${peer} is trusted no longer` }
    }),
})

/** A fingerprint as typed; usage error when it is none. */
export function fingerprintOption(typed: string | undefined): string | undefined {
  if (typed === undefined) return undefined
  const fingerprint = parseFingerprint(typed)
  if (fingerprint !== undefined) return fingerprint
  throw new UserError(
    'usage',
    'a fingerprint has 64 hexadecimal digits',
    'copy the SHA-256 that the other site shows; colons and case do not matter',
    { exitStatus: exitStatus.usage },
  )
}

function refuseOther({ certificate }: Offered, told: string | undefined): void {
  if (told === undefined || told === certificate.fingerprint) return
  throw new UserError(
    'fingerprint-differs',
    `the certificate's SHA-256 is ${grouped(certificate.fingerprint)}, not the one given`,
    'somebody may have exchanged the file: do not trust it before both sites read the same',
  )
}

async function confirm(
  peer: string,
  { certificate }: Offered,
  told: string | undefined,
  context: Context,
): Promise<Confirmation> {
  if (told !== undefined) return 'fingerprint'
  context.say(`SHA-256 of the certificate for peer ${peer}:`)
  context.say(`  ${grouped(certificate.fingerprint)}`)
  for (const line of spoken(certificate.fingerprint)) context.say(`  ${line}`)
  if (!context.io.interactive && !context.yes)
    throw new UserError(
      'no-terminal',
      'no terminal to ask whether the fingerprint is the one the other site reads aloud',
      'compare it, then run again with --fingerprint HEX',
      { exitStatus: exitStatus.usage },
    )
  await confirmTyped(context, {
    what: `trust peer ${peer}, if the other site reads the same`,
    expected: 'same',
  })
  return 'by-hand'
}

function trustedReport(peer: string, offered: Offered, what: string, context: Context): Report {
  const { certificate, identity, pin, encryption } = offered
  const facts = pairs(
    [
      ['SHA-256', grouped(certificate.fingerprint)],
      ['key', keyText(encryption.recipient.kind, certificate)],
      ['valid until', moment(certificate.notAfter)],
      [
        'identity',
        identity === undefined ? 'none: for exports only' : grouped(identity.fingerprint),
      ],
    ],
    context.style,
  )
  const next = `next:  keyreel exchange export --peer ${peer} --used --out FILE`
  return {
    json: {
      peer,
      certificate: certificateJson(certificate),
      ...(identity && { identity: { ...certificateJson(identity), key: pin } }),
      mode: encryption.recipient.kind,
      exportsOnly: identity === undefined,
      known: what === 'is known already',
    },
    text: `peer ${peer} ${what}\n${facts}\n${next}`,
  }
}

function keyText(kind: string, { key }: Certificate): string {
  return kind === 'hybrid'
    ? `${key.name} and ML-KEM-1024 together`
    : `${key.name}, read by openssl too`
}

function ownReport(own: OwnCertificates, out: string | undefined, context: Context): Report {
  const { current, identity } = own
  const [first, ...lines] = spoken(current.fingerprint)
  const facts = pairs(
    [
      ['written', out],
      ['SHA-256', grouped(current.fingerprint)],
      ['in words', first],
      ...lines.map((line) => ['', line] as const),
      ['valid until', moment(current.notAfter)],
      ['identity', grouped(identity.fingerprint)],
    ],
    context.style,
  )
  const next = 'next, at the other site:  keyreel exchange certificate import FILE --peer NAME'
  return {
    json: { ...(out !== undefined && { file: out }), ...ownJson(own) },
    text: `${facts}\n${next}`,
  }
}

function ownJson({ current, identity, pin, earlier }: OwnCertificates) {
  return {
    certificate: { ...certificateJson(current), words: spoken(current.fingerprint) },
    identity: { ...certificateJson(identity), key: pin },
    earlier: earlier.map(certificateJson),
  }
}

function certificateJson({ fingerprint, notBefore, notAfter, pem }: Certificate) {
  return { fingerprint, notBefore: isoMoment(notBefore), notAfter: isoMoment(notAfter), pem }
}

function peerJson(peer: Peer) {
  const { name, added, revoked, identity, current, earlier } = peer
  return {
    peer: name,
    added: isoMoment(added),
    revoked: isoMoment(revoked),
    mode: encryptionFor(peer).recipient.kind,
    certificate: certificateJson(current),
    earlier: earlier.map(certificateJson),
    ...(identity && { identity: { ...certificateJson(identity.certificate), key: identity.pin } }),
  }
}
