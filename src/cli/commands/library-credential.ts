// `keyreel library credential …`: what a library must send beside its certificate.
import { readFile } from 'node:fs/promises'
import { addCredential, type DeviceIdentifiers } from '../../access/credential-add.ts'
import { exitStatus, UserError } from '../../errors.ts'
import { argument, command, list, text, toggle } from '../command.ts'
import { keystoreExits, withStore } from '../keystore-session.ts'

const identifierKinds = ['device', 'network', 'machine', 'media'] as const

export const libraryCredentialAdd = command({
  words: 'library credential add',
  summary: 'a user name and password, or a serial number, that the library must also send',
  details:
    'The password is the first line of the file. Giving a name again replaces what it had. ' +
    'A credential never widens what the certificate allows.',
  arguments: { NAME: argument('name of the library') },
  options: {
    username: text('U', 'user name, as entered in the library'),
    device: text('SERIAL', 'instead of a user name: the serial number that the device sends'),
    identifier: list(
      'KIND=VALUE',
      `what the device must send as well; KIND is ${identifierKinds.join(', ')}; may repeat`,
    ),
    passwordFile: text('F', 'file that holds the password; a device may have none'),
    hashed: toggle(
      'also take the password as a KMIP 2.x Hashed Password, for which two hashes of it are kept, sealed',
    ),
    oneTime: toggle('the password is good once, as a KMIP 2.x One Time Password'),
    ownerOnly: toggle('with this credential only the objects it made can be used'),
  },
  exits: keystoreExits,
  examples: [
    'library credential add alpha --username tape --password-file alpha.password',
    'library credential add alpha --device 00078A1B2C --password-file f',
  ],
  async run({ arguments: { NAME }, options, context }) {
    const { ownerOnly, hashed } = options
    const { username, kind } = nameOf(options)
    const identifiers = identifiersOf(options.identifier)
    const password =
      options.passwordFile === undefined ? undefined : await firstLineOf(options.passwordFile)
    const credential = { username, password, ownOnly: ownerOnly, kind, identifiers, hashed }
    const warnings = await withStore(context, (store) => addCredential(store, NAME, credential))
    for (const warning of warnings) context.say(`warning: ${warning}`)
    return {
      json: { library: NAME, username, ownerOnly, kind: kind ?? 'password', hashed },
      text: `library ${NAME} must now also send ${told(username, kind, password !== undefined)}`,
    }
  },
})

interface Options {
  readonly username: string | undefined
  readonly device: string | undefined
  readonly identifier: readonly string[]
  readonly passwordFile: string | undefined
  readonly hashed: boolean
  readonly oneTime: boolean
}

function nameOf({ username, device, identifier, passwordFile, hashed, oneTime }: Options): {
  username: string
  kind: 'device' | 'one-time' | undefined
} {
  if (username !== undefined && device !== undefined)
    throw wrongUse('--username and --device exclude each other')
  if (hashed && oneTime) throw wrongUse('--hashed and --one-time exclude each other')
  if (device !== undefined) {
    if (hashed || oneTime) throw wrongUse('--hashed and --one-time are for users, not for devices')
    return { username: device, kind: 'device' }
  }
  if (username === undefined) throw wrongUse('--username or --device is missing')
  if (passwordFile === undefined)
    throw wrongUse('a user needs a password: --password-file is missing')
  if (identifier.length > 0) throw wrongUse('--identifier is for devices')
  return { username, kind: oneTime ? 'one-time' : undefined }
}

function identifiersOf(words: readonly string[]): DeviceIdentifiers | undefined {
  const identifiers: DeviceIdentifiers = {}
  for (const word of words) {
    const [, name, value] = /^([^=]*)=(.*)$/s.exec(word) ?? []
    const kind = identifierKinds.find((each) => each === name)
    if (kind === undefined)
      throw wrongUse(`--identifier cannot be ${JSON.stringify(word)}: it is KIND=VALUE`)
    identifiers[kind] = value
  }
  return words.length === 0 ? undefined : identifiers
}

async function firstLineOf(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).split(/\r?\n/, 1)[0] ?? ''
}

function told(username: string, kind: string | undefined, hasPassword: boolean): string {
  if (kind === 'one-time') return `user name ${username} with its password, which is good once`
  if (kind === undefined) return `user name ${username} with its password`
  return `device serial number ${username}${hasPassword ? ' with its password' : ''}`
}

function wrongUse(message: string): UserError {
  return new UserError('usage', message, 'keyreel library credential add --help', {
    exitStatus: exitStatus.usage,
  })
}
