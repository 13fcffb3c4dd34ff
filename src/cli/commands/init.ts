// `keyreel init`: makes the data directory and says what it made and what to do next.
import { resolve } from 'node:path'
import { initialise } from '../../initialise.ts'
import type { Initialised } from '../../initialise.ts'
import {
  masterKeyKinds,
  pinFrom,
  readNewPassphrase,
  tokenPlace,
} from '../../keystore/master-key-choice.ts'
import type { MasterKeyKind, MasterKeyWish } from '../../keystore/master-key-choice.ts'
import { environmentName, flagName } from '../../config.ts'
import type { Config, SettingKey } from '../../config.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { alreadyInitialised } from '../../keystore/create-store.ts'
import { isInitialised } from '../../keystore/data-directory.ts'
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
  exits: [exitStatus.sealed, exitStatus.wrongPassphrase],
  examples: [
    'init --host kms.example.org --host 192.0.2.10',
    'init --data /var/lib/keyreel --database postgres://keyreel@db/keyreel --master-key-file /etc/keyreel/master.key',
  ],
  async run({ options: { host, masterKey }, context }) {
    const { data } = context.config
    // Before anybody is asked for a passphrase. Its own settings fit whatever it is.
    if (isInitialised(data)) throw alreadyInitialised(resolve(data))
    refuseMisfits(masterKey, context.config)
    const made = await initialise({
      data,
      hosts: host,
      database: context.config.database,
      node: context.config.node,
      masterKey: await masterKeyWish(masterKey, context),
      now: context.io.now,
    })
    if (made.isExposed) context.say(exposedText(made))
    const next = nextCommands
    return {
      json: { ...madeJson(made), next },
      text: `${madeText(made, context.style)}\n\nnext:\n${next.map((line) => `  ${line}`).join('\n')}`,
    }
  },
})

/** Settings of other kinds of master key: whoever names one believes that it counts. */
const misfits = {
  file: ['passphrase-file', 'pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  passphrase: ['master-key-file', 'pkcs11.module', 'pkcs11.token', 'pkcs11.pin-file'],
  pkcs11: ['master-key-file', 'passphrase-file'],
} as const satisfies Record<MasterKeyKind, SettingKey[]>

const kindOf = { 'master-key-file': 'file', 'passphrase-file': 'passphrase' } as const

function refuseMisfits(kind: MasterKeyKind, config: Config): void {
  const given = misfits[kind].find((key) => config[key] !== undefined)
  if (given === undefined) return
  const [flag, variable] = [flagName(given), environmentName(given)]
  const meant = given in kindOf ? kindOf[given as keyof typeof kindOf] : 'pkcs11'
  throw new UserError(
    'misfit',
    `${flag} does not fit a master key of the kind ${kind}: it would not be used`,
    `choose  --master-key ${meant}, or leave ${flag} out (${variable} and the configuration file may name it too)`,
    { exitStatus: exitStatus.usage },
  )
}

/** What is said where the directory was there and stays open to others. */
export function exposedText({ directory }: Initialised): string {
  return `warning: others may look into ${directory}, and its mode cannot be changed by this user: let its owner run  chmod 700 ${directory}`
}

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
