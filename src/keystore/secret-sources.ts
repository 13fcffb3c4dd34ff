// Where a secret that people know comes from: a file named by a setting, systemd's credentials, or the
// terminal. It is never an argument and never in the environment.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Secret } from '../crypto/secret.ts'
import { exitStatus, UserError } from '../errors.ts'

/** The secrets there are, by what they are called in errors; `credential` is systemd's name for it. */
export const knownSecrets = {
  passphrase: { credential: 'keyreel-passphrase', flag: '--passphrase-file' },
  pin: { credential: 'keyreel-pin', flag: '--pkcs11-pin-file' },
} as const
export type KnownSecret = keyof typeof knownSecrets

/** What is needed to find a secret. `ask` is the last resort: a question at the terminal. */
export interface SecretSources {
  readonly environment: Readonly<Record<string, string | undefined>>
  ask(): Promise<string>
}

/** Reads a secret: from the file named, else from systemd's credential, else by asking. Throws UserError 11. */
export async function readSecret(
  what: KnownSecret,
  named: string | undefined,
  { environment, ask }: SecretSources,
): Promise<Secret> {
  if (named !== undefined) return firstLine(what, readPrivateFile(what, named), named)
  const file = credentialFile(what, environment)
  if (file !== undefined) return firstLine(what, readFileSync(file), file)
  return new Secret(Buffer.from(await ask(), 'utf8'))
}

/** The file in which systemd hands the secret to its service, when it does. */
export function credentialFile(
  what: KnownSecret,
  environment: SecretSources['environment'],
): string | undefined {
  const directory = environment.CREDENTIALS_DIRECTORY
  const { credential } = knownSecrets[what]
  const file = directory === undefined ? undefined : join(directory, credential)
  return file !== undefined && existsSync(file) ? file : undefined
}

/** The first line of a file, as bytes; the buffer read is cleared. */
function firstLine(what: KnownSecret, content: Buffer, file: string): Secret {
  const end = content.indexOf('\n')
  const line = content.subarray(0, end === -1 ? content.length : end)
  const bytes = Buffer.from(line.at(-1) === 0x0d ? line.subarray(0, -1) : line)
  content.fill(0)
  if (bytes.length > 0) return new Secret(bytes)
  throw new UserError(
    `empty-${what}`,
    `the first line of ${file} is empty`,
    `write the ${what} into the first line of that file`,
    { exitStatus: exitStatus.sealed },
  )
}

function readPrivateFile(what: KnownSecret, file: string): Buffer {
  let content: Buffer
  try {
    content = readFileSync(file)
  } catch (cause) {
    throw new UserError(
      `${what}-unreadable`,
      `cannot read the ${what} file ${file}: ${(cause as Error).message}`,
      `name a file that this user can read with ${knownSecrets[what].flag}`,
      { exitStatus: exitStatus.sealed, cause },
    )
  }
  if ((statSync(file).mode & 0o077) === 0) return content
  content.fill(0)
  throw new UserError(
    `${what}-exposed`,
    `the ${what} file ${file} can be read by others`,
    `chmod 600 ${file}`,
    { exitStatus: exitStatus.sealed },
  )
}
