// Recovery shares as people bring them: files with the lines of a sheet, or typed at the terminal. A share is
// never an argument.
import { readFileSync } from 'node:fs'
import type { HybridPrivateKey } from '../crypto/hybrid-kem.ts'
import { recoveryKeyFrom } from '../crypto/recovery-keys.ts'
import { CryptoRefusal } from '../crypto/crypto-refusal.ts'
import { measure } from '../crypto/der.ts'
import { exitStatus, UserError } from '../errors.ts'
import { shellWord } from '../shell-word.ts'
import { describedStore, type StoreDescription } from '../keystore/describe-store.ts'
import { recoveryProvider, type MasterKey } from '../keystore/master-key.ts'
import { recoveryMasterKey } from '../keystore/recovery-key.ts'
import {
  groupsPerLine,
  readShare,
  shareGroups,
  type RecoveryShare,
} from '../keystore/recovery-share.ts'
import { joinShares } from '../keystore/recovery-shares.ts'
import { proveMasterKey } from '../keystore/sealing.ts'
import { list, toggle, type Context } from './command.ts'
import { askHidden } from './dialogue.ts'

/** The options of commands that take shares. */
export const shareOptions = {
  share: list('FILE', 'file with the lines of one recovery share; may repeat'),
  typeShares: toggle('type the shares at the terminal instead'),
}

/** What those options hold. */
export interface ShareOptions {
  readonly share: readonly string[]
  readonly typeShares: boolean
}

/** Whether shares were given at all. */
export function hasShares({ share, typeShares }: ShareOptions): boolean {
  return share.length > 0 || typeShares
}

/** The data directory as far as it can be seen without its master key. Throws UserError 10. */
export function describe({ config }: Context): Promise<StoreDescription> {
  return describedStore(config.data, config.database)
}

/**
 * The master key that the shares make, proven to open the store. Throws UserError: see `readShare` and
 * `joinShares`.
 */
export async function masterKeyOfShares(
  context: Context,
  options: ShareOptions,
  { id, providers, wraps }: StoreDescription,
): Promise<MasterKey> {
  const shares = await readShares(context, options)
  try {
    const masterKey = recoveryMasterKey(joinShares(shares, providers))
    await proveMasterKey(masterKey, id, wraps)
    return masterKey
  } finally {
    for (const { value } of shares) value.wipe()
  }
}

/** The shares given; the caller wipes them. Throws UserError: see `readShare`. */
export async function readShares(
  context: Context,
  options: ShareOptions,
): Promise<RecoveryShare[]> {
  if (options.typeShares) return typedShares(context)
  return options.share.map((file) => shareIn(file))
}

/** The recovery key that shares make, where there is no keystore to prove it with. */
export async function recoveryOfShares(
  context: Context,
  options: ShareOptions,
): Promise<{ id: string; keys: HybridPrivateKey; masterKey: MasterKey }> {
  const shares = await readShares(context, options)
  try {
    const id = shares[0]?.key ?? ''
    const seed = joinShares(shares, [`${recoveryProvider}${id}`])
    return { id, keys: recoveryKeyFrom(seed), masterKey: recoveryMasterKey(seed) }
  } finally {
    for (const { value } of shares) value.wipe()
  }
}

/** The share in a file. Throws UserError 'share-encrypted', 'share-not-text', or see `readShare`. */
export function shareIn(file: string): RecoveryShare {
  const content = readFileSync(file)
  try {
    if (!isMessage(content)) return readShare(textOf(content, file), file)
    throw new UserError(
      'share-encrypted',
      `${file} is encrypted to an officer's certificate`,
      `that person opens it:  keyreel recovery open ${shellWord(file)} --certificate FILE --key FILE --out FILE`,
    )
  } finally {
    content.fill(0)
  }
}

/** Whether it is one DER element, as an encrypted share is. A share in letters begins with the same byte: the digit 0. */
function isMessage(content: Uint8Array): boolean {
  if (content[0] !== 0x30) return false
  try {
    return measure(content)?.end === content.length
  } catch (error) {
    if (error instanceof CryptoRefusal) return false
    throw error
  }
}

/** The letters of a file: a byte order mark says how they are written. Throws UserError 'share-not-text'. */
function textOf(content: Buffer, file: string): string {
  const [first = 0, second = 0, third = 0] = content
  if (first === 0xef && second === 0xbb && third === 0xbf) return content.toString('latin1', 3)
  const isWide = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (!isWide && !content.subarray(0, 64).includes(0)) return content.toString('latin1')
  throw new UserError(
    'share-not-text',
    `${file} is no plain text${isWide ? ', but UTF-16' : ''}`,
    'save it anew as plain text (UTF-8), or type the share with --type-shares',
  )
}

/** Asks for one share after the other; one that is mistyped is asked for again. */
async function typedShares(context: Context): Promise<RecoveryShare[]> {
  const shares: RecoveryShare[] = []
  while (shares.length < (shares[0]?.threshold ?? 1)) {
    const what = `share ${shares.length + 1}${shares[0] ? ` of ${shares[0].threshold}` : ''}`
    const lines: string[] = []
    for (let line = 1; line <= shareGroups / groupsPerLine; line++)
      lines.push(await askHidden(context, `${what}, line ${line}`, 'name files with --share FILE'))
    try {
      shares.push(readShare(lines.join('\n'), what))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      context.say(`${error.message}: once more`)
    }
  }
  return shares
}

/** Throws unless shares are given in one way. */
export function demandShares(options: ShareOptions): void {
  if (hasShares(options)) return
  throw new UserError(
    'usage',
    'no recovery share is given',
    'name each with --share FILE, or type them with --type-shares',
    { exitStatus: exitStatus.usage },
  )
}
