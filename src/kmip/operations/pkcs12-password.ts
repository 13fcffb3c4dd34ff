/**
 * The password of a PKCS#12 file – KMIP 1.4 §4.11, §11.4; KMIP 2.1 §6.1.19, §11.46 "Bad Password": an
 * Active Secret Data object of type Password that the private key is linked to.
 */
import type { Secret } from '../../crypto/secret.ts'
import { materialOf } from '../../keystore/keystore.ts'
import { stateOf } from '../../keystore/lifecycle.ts'
import type { ManagedObject } from '../../keystore/managed-object.ts'
import type { KeyBlock } from '../model/objects.ts'
import { KmipError, type ResultReasonName } from '../model/result.ts'
import { unsealedFields } from './key-material.ts'
import { NeedsAside, type Context } from './operation.ts'
import { printable } from './printable.ts'
import { identifierOf, recordState, visibleObject } from './subject.ts'

/** A password as it is used; `asideWithPassword` wipes it. */
export interface Pkcs12Password {
  /** What the work done with it depends on. */
  name: string
  bytes: Uint8Array
}

/** The password that the object links to. */
export async function pkcs12Password(
  context: Context,
  object: ManagedObject,
  use: 'Get' | 'Register',
): Promise<Pkcs12Password> {
  const refused = (message: string, before20: ResultReasonName = 'InvalidField') =>
    new KmipError(use === 'Register' ? 'BadPassword' : before20, message, { before20 })
  const links = object.attributes
    .values('Link')
    .filter(({ LinkType }) => LinkType === 'PKCS_12PasswordLink')
  const [link] = links
  if (link === undefined || links.length > 1)
    throw refused(`PKCS#12 needs one PKCS#12 Password Link, not ${links.length}`)
  const id = identifierOf(link.LinkedObjectIdentifier, context)
  const secret = await visibleObject(context, id)
  if (secret?.objectType !== 'SecretData' || secret.vitals.ArchiveDate !== undefined)
    throw refused(`${printable(id)} is no password`)
  await recordState(secret, context)
  if (stateOf(secret.vitals, context.now) !== 'Active')
    throw refused(`the password ${id} is not Active`, 'PermissionDenied')
  const bytes = await bytesOf(context, secret)
  if (bytes === undefined) throw refused(`${id} is no password`)
  return { name: `${id} ${secret.stored?.revision}`, bytes }
}

/** `context.aside` for work with the password, whose bytes are wiped when it ends. */
export function asideWithPassword<T>(
  context: Context,
  { name, bytes }: Pkcs12Password,
  what: string,
  work: (password: Uint8Array) => T,
  secretsOf?: (result: T) => readonly Secret[],
): T {
  let isAhead = false
  const wiping = () => {
    try {
      return Promise.resolve(work(bytes))
    } finally {
      bytes.fill(0)
    }
  }
  try {
    return context.aside(`${what} ${name}`, wiping, secretsOf)
  } catch (error) {
    isAhead = error instanceof NeedsAside
    throw error
  } finally {
    if (!isAhead) bytes.fill(0)
  }
}

/** A copy: what the act has unsealed is wiped when the work is done outside it. */
async function bytesOf(
  { work, secrets }: Context,
  object: ManagedObject,
): Promise<Uint8Array | undefined> {
  const sealed = await materialOf(work, object)
  if (sealed === undefined) return undefined
  secrets.push(sealed)
  const fields = unsealedFields('SecretData', sealed.bytes)
  const { SecretDataType, KeyBlock } = fields as { SecretDataType: string; KeyBlock: KeyBlock }
  const { KeyValue } = KeyBlock
  if (SecretDataType !== 'Password' || KeyValue?.type !== 'Structure') return undefined
  const material = KeyValue.value.KeyMaterial
  return material instanceof Uint8Array ? Uint8Array.from(material) : undefined
}
