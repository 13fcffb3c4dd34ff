// `keyreel init`: makes the data directory and says what it made and what to do next.
import { initialise } from '../../initialise.ts'
import type { Initialised } from '../../initialise.ts'
import {
  masterKeyKinds,
  pinFrom,
  readNewPassphrase,
  tokenPlace,
} from '../../keystore/master-key-choice.ts'
import type { MasterKeyKind, MasterKeyWish } from '../../keystore/master-key-choice.ts'
import { exitStatus } from '../../errors.ts'
import { withColons } from '../../crypto/certificates.ts'
import { choice, command, list } from '../command.ts'
import type { Context } from '../command.ts'
import { askPassphrase } from '../dialogue.ts'
import { masterKeySources } from '../keystore-session.ts'
import { isoMoment, moment, pairs } from '../output.ts'
import type { Style } from '../output.ts'

export const init = command({
  words: 'init',
  summary: 'make the data directory: keystore, master key, CA and server certificate',
  details:
    'Without --host the certificates name this machine. With --master-key passphrase the keystore ' +
    'opens only with the passphrase: asked for, or read from --passphrase-file or the systemd ' +
    'credential keyreel-passphrase. With --master-key pkcs11 a key is made in the token that --pkcs11-module and ' +
    '--pkcs11-token name, and never leaves it. A directory that is initialised already is left alone. With ' +
    '--database the keystore is in that PostgreSQL; where it holds one already, this becomes a ' +
    'further node of it, which needs the same master key.',
  options: {
    host: list('NAME', 'host name or IP address libraries will use; may repeat'),
    masterKey: choice(masterKeyKinds, 'what seals the keystore'),
  },
  settings: ['pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  exits: [exitStatus.sealed],
  examples: [
    'init --host kms.example.org --host 192.0.2.10',
    'init --data /var/lib/keyreel --database postgres://keyreel@db/keyreel --master-key-file /etc/keyreel/master.key',
  ],
  async run({ options: { host, masterKey }, context }) {
    const made = await initialise({
      data: context.config.data,
      hosts: host,
      database: context.config.database,
      node: context.config.node,
      masterKey: await masterKeyWish(masterKey, context),
      now: context.io.now,
    })
    const next = nextCommands
    return {
      json: { ...madeJson(made), next },
      text: `${madeText(made, context.style)}\n\nnext:\n${next.map((line) => `  ${line}`).join('\n')}`,
    }
  },
})

/** The master key that a new data directory is to have. */
export async function masterKeyWish(kind: MasterKeyKind, context: Context): Promise<MasterKeyWish> {
  if (kind === 'file') return { kind, path: context.config['master-key-file'] }
  if (kind === 'pkcs11') {
    const { config } = context
    const pin = pinFrom(config, masterKeySources(context))
    return { kind, place: tokenPlace(config), pin, pinFile: config['pkcs11.pin-file'] }
  }
  const passphrase = await readNewPassphrase(context.config['passphrase-file'], {
    environment: context.io.env,
    askPassphrase: () => askPassphrase(context, 'new master passphrase', { fresh: true }),
  })
  return { kind, passphrase }
}

/** What was made, for people; `serve` shows it too when it had to make the directory. */
export function madeText(
  { directory, identity, masterKeyPlace, joined }: Initialised,
  style: Style,
): string {
  const { authority, certificates, hosts } = identity
  return pairs(
    [
      ['made', joined ? `${directory}, a further node of the keystore in the database` : directory],
      ['master key', masterKeyPlace],
      ['server names', hosts.join(' ')],
      ['server certificates', certificates.map(({ key }) => key.name).join(' and ')],
      ['valid until', moment(certificates[0]?.notAfter)],
      ['certificate authority', authority.subject],
      ['its SHA-256', withColons(authority.fingerprint)],
    ],
    style,
  )
}

/** The three commands that lead from an empty keystore to the first tape. */
const nextCommands = ['keyreel serve', 'keyreel library add NAME --out DIR', 'keyreel doctor']

function madeJson({ directory, identity, masterKeyName, joined }: Initialised) {
  const { authority, certificates, hosts } = identity
  return {
    directory,
    joined,
    masterKey: masterKeyName,
    hosts,
    authority: { subject: authority.subject, fingerprint: authority.fingerprint },
    certificates: certificates.map(({ key, fingerprint, notAfter }) => ({
      key: key.name,
      fingerprint,
      notAfter: isoMoment(notAfter),
    })),
  }
}
