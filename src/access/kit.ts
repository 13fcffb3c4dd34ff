/** The kit a library is enrolled with: a directory of its own, complete or not there at all. */
import { lstat, mkdtemp, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { writePkcs12, type Pkcs12Form } from '../crypto/certificates-pkcs12.ts'
import { privateKeyPem } from '../crypto/key-pairs.ts'
import { randomPassword } from '../crypto/password-hash.ts'
import { moveIntoPlace, writeNewFile } from '../durable-files.ts'
import { UserError } from '../errors.ts'
import { kitReadme, type KitContent } from './kit-readme.ts'

/** The kit that is wanted. */
export interface KitWish {
  /** Must not exist; its parent must. */
  directory: string
  pkcs12?: Pkcs12Form
  /** How libraries reach this server; default: the hosts of the server certificate. */
  servers?: readonly string[]
  /** Default 5696, the port of KMIP. */
  port?: number
}

/** A kit that is complete on disk but not yet under its name. */
export interface StagedKit {
  /** Gives it its name. */
  publish(): Promise<void>
  /** Removes it. */
  discard(): Promise<void>
}

/** Writes the files of a kit beside where they shall be: directory 0700, files 0600, synced. */
export async function stageKit(
  content: KitContent,
  wish: KitWish,
  hosts: readonly string[],
): Promise<StagedKit> {
  const directory = resolve(wish.directory)
  await refuseExisting(directory)
  const staging = await mkdtemp(join(dirname(directory), `.${basename(directory)}-`)).catch(
    (cause: unknown) => {
      throw cannotWrite(directory, cause)
    },
  )
  const discard = () => rm(staging, { recursive: true, force: true })
  try {
    for (const [name, bytes] of Object.entries(kitFiles(content, wish, hosts)))
      await writeNewFile(join(staging, name), bytes)
  } catch (cause) {
    await discard()
    throw cannotWrite(directory, cause)
  }
  return { discard, publish: () => publish(staging, directory, content.name) }
}

function kitFiles(
  about: KitContent,
  { pkcs12 = 'modern', servers, port = 5696 }: KitWish,
  hosts: readonly string[],
): Record<string, string | Uint8Array> {
  const { name, certificate, authority, privateKey } = about
  const files: Record<string, string | Uint8Array> = {
    'ca.pem': authority.pem,
    'certificate.pem': certificate.pem,
    'README.txt': kitReadme(about, { servers: servers ?? reachable(hosts), port, pkcs12 }),
  }
  if (privateKey === undefined) return files
  const password = randomPassword()
  const content = { friendlyName: name, privateKey, certificate, authorities: [authority] }
  return {
    ...files,
    'key.pem': privateKeyPem(privateKey),
    'client.p12': writePkcs12(content, password, pkcs12),
    'password.txt': `${password}\n`,
  }
}

/** A library reaches the server by the names that are not those of the server's own machine. */
function reachable(hosts: readonly string[]): readonly string[] {
  const outside = hosts.filter((host) => !/^(localhost|127\..*|::1)$/.test(host))
  return outside.length > 0 ? outside : hosts
}

async function refuseExisting(directory: string): Promise<void> {
  try {
    await lstat(directory)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw cannotWrite(directory, error)
  }
  throw new UserError(
    'kit-exists',
    `${directory} exists already`,
    'choose a directory that does not exist yet with --out',
  )
}

async function publish(staging: string, directory: string, library: string): Promise<void> {
  try {
    await moveIntoPlace(staging, directory)
  } catch (cause) {
    throw new UserError(
      'kit-published',
      `library ${library} is enrolled, but its kit could not be moved to ${directory}`,
      `the kit is complete in ${staging}: move it from there`,
      { cause },
    )
  }
}

function cannotWrite(directory: string, cause: unknown): UserError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  const hint =
    code === 'ENOENT'
      ? `make the directory it shall be in first:  mkdir -p ${dirname(directory)}`
      : 'choose another directory with --out: writable, on a disk with space left'
  return new UserError('kit-unwritable', `cannot write the kit ${directory}: ${code}`, hint, {
    cause,
  })
}
