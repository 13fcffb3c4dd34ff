// Envelope encryption and MACs of everything in the database, which is untrusted.
// Each epoch has a secret, kept only wrapped (master-key.ts); keys for sealing, MACs and audit are
// derived from it by HKDF, one label each. What a MAC or seal covers begins with a JSON array and a
// line feed, so no two kinds of thing, and no two sets of fields, ever give the same bytes.
import { seal, SealBroken, unseal } from '../crypto/primitives/aead.ts'
import { deriveKey } from '../crypto/primitives/kdf.ts'
import { equalBytes, mac } from '../crypto/primitives/mac.ts'
import { randomBytes } from '../crypto/primitives/random.ts'
import type { SymmetricKey } from '../crypto/primitives/symmetric-key.ts'
import { Secret } from '../crypto/secret.ts'
import { UserError } from '../errors.ts'
import { lent, type EpochWrapper, type MasterKey } from './master-key.ts'
import type { AuditRow, DocumentRow, ObjectRow, TransientRow, WrapRow } from './storage.ts'
import { IntegrityError } from './work.ts'

/** Most seals under one epoch: NIST SP 800-38D section 8.3 with a margin of four. */
export const sealsPerEpoch = 2 ** 30

interface EpochKeys {
  readonly sealing: SymmetricKey
  readonly records: SymmetricKey
  readonly audit: SymmetricKey
  readonly checks: SymmetricKey
}

/** A row names an epoch this process has not opened yet: `learn` the wraps and do the work again. */
export class EpochNotOpen extends Error {
  readonly epoch: number

  constructor(epoch: number) {
    super(`epoch ${epoch} is not open`)
    this.name = 'EpochNotOpen'
    this.epoch = epoch
  }
}

/** What identifies an object to its MAC and seal. */
export type ObjectIdentity = Pick<ObjectRow, 'id' | 'type' | 'group' | 'epoch'>

/** What a check value is bound to; its epoch is its own, not that of the seal. */
type CheckedIdentity = Omit<ObjectIdentity, 'epoch'>

const checkEpochLength = 4

/** What a transient's seal is bound to. */
type TransientIdentity = Pick<TransientRow, 'kind' | 'name' | 'owner' | 'epoch'>

/** The opened epochs of one store. */
export class Sealing {
  readonly #store: string
  #masterKey: MasterKey
  readonly #epochs = new Map<number, EpochKeys>()
  /** Epochs that cannot be opened, and what to say of them where that is known. */
  #absent = new Map<number, Error | undefined>()
  #current = 0

  constructor(store: string, masterKey: MasterKey) {
    this.#store = store
    this.#masterKey = masterKey
  }

  /** The newest epoch: what is new is sealed under it. */
  get current(): number {
    return this.#current
  }

  /** The store's identifier, as it was when this process opened it. */
  get store(): string {
    return this.#store
  }

  /** The master key whose wraps are opened. */
  get provider(): string {
    return this.#masterKey.id
  }

  /** Goes on with another master key, which opens the same epochs; the one of before is the caller's to close. */
  exchange(masterKey: MasterKey): MasterKey {
    const before = this.#masterKey
    this.#masterKey = masterKey
    return before
  }

  /** Throws what the master key throws when it does not open the newest of its wraps. */
  prove(masterKey: MasterKey, wraps: readonly WrapRow[]): Promise<void> {
    return proveMasterKey(masterKey, this.#store, wraps)
  }

  /** Whether the master key can still be reached; throws what it throws. */
  async check(): Promise<void> {
    await this.#masterKey.check?.()
  }

  /** The master key, to open a copy of what it opens here. */
  lend(): MasterKey {
    return lent(this.#masterKey)
  }

  /** Clears what the master key holds. */
  close(): void {
    this.#masterKey.close()
  }

  /** Opens the epochs not open yet. Throws what the master key throws. */
  async learn(wraps: readonly WrapRow[]): Promise<void> {
    for (const { epoch, provider, bytes } of wraps) {
      if (provider !== this.#masterKey.id || this.#epochs.has(epoch)) continue
      const secret = await this.#masterKey.unwrap(bytes, wrapContext(this.#store, epoch))
      this.#open(epoch, secret)
      secret.fill(0)
    }
    this.#absent = new Map()
  }

  /** Whether that epoch is open here. */
  opens(epoch: number): boolean {
    return this.#epochs.has(epoch)
  }

  /** Remembers that `learn` did not help, until it is called again: without a reason, no such epoch was ever begun. */
  giveUpOn(epoch: number, reason?: Error): void {
    if (!this.#epochs.has(epoch)) this.#absent.set(epoch, reason)
  }

  /** Makes the next epoch's secret and its wraps, for `others` too; it is used only once stored and learnt. */
  async nextEpoch(others: readonly EpochWrapper[] = []): Promise<WrapRow[]> {
    const epoch = this.#current + 1
    const secret = new Secret(randomBytes(32))
    try {
      const made: WrapRow[] = []
      for (const key of [this.#masterKey, ...others])
        made.push(await this.#wrap(key, epoch, secret))
      return made
    } finally {
      secret.wipe()
    }
  }

  /** Wraps these epochs for another key as well: rotation of the master key, recovery. */
  async wrapsFor(other: EpochWrapper, wraps: readonly WrapRow[]): Promise<WrapRow[]> {
    const made: WrapRow[] = []
    for (const { epoch, provider, bytes } of wraps) {
      if (provider !== this.#masterKey.id) continue
      const context = wrapContext(this.#store, epoch)
      const secret = new Secret(await this.#masterKey.unwrap(bytes, context))
      try {
        made.push(await this.#wrap(other, epoch, secret))
      } finally {
        secret.wipe()
      }
    }
    return made
  }

  /** What tells later that a wrap is as it was made, whoever it is for: kept beside it. */
  noteOfWrap(wrap: WrapRow): string {
    return `${this.#current} ${Buffer.from(this.#wrapMac(this.#current, wrap)).toString('base64')}`
  }

  /**
   * What is wrong with a wrap: it is not the one that was noted, or the master key in use does not open it. Of a wrap
   * for somebody else that was never noted nothing can be said. Throws UserError while the master key is away, and
   * what MACs throw for an epoch that is not open.
   */
  async faultOfWrap(wrap: WrapRow, note: string | undefined): Promise<string | undefined> {
    const [, epoch, noted] = /^(\d+) (\S+)$/.exec(note ?? '') ?? []
    if (noted !== undefined) {
      const made = this.#wrapMac(Number(epoch), wrap)
      if (!equalBytes(made, Buffer.from(noted, 'base64'))) return 'it was changed outside keyreel'
    } else if (note !== undefined) return 'what was noted of it was changed'
    if (wrap.provider !== this.#masterKey.id) return undefined
    await this.#masterKey.check?.()
    try {
      const context = wrapContext(this.#store, wrap.epoch)
      const secret = await this.#masterKey.unwrap(wrap.bytes, context)
      const opened = this.#derived(secret)
      secret.fill(0)
      const known = mac(this.#keys(wrap.epoch).records, 'same')
      return equalBytes(mac(opened.records, 'same'), known) ? undefined : 'it opens another epoch'
    } catch (error) {
      if (error instanceof UserError) return 'the master key does not open it any more'
      throw error
    }
  }

  /** MAC of an object's row. */
  objectMac(row: ObjectIdentity & Pick<ObjectRow, 'revision' | 'record'>): Uint8Array {
    const { id, type, group, epoch, revision, record } = row
    return mac(this.#keys(epoch).records, head('object', id, type, group, epoch, revision), record)
  }

  /** Throws IntegrityError unless the row is as this store wrote it. */
  verifyObject(row: ObjectRow): void {
    const wellFormed =
      typeof row.group === 'string' &&
      row.record instanceof Uint8Array &&
      row.mac instanceof Uint8Array
    if (wellFormed && equalBytes(this.objectMac(row), row.mac)) return
    throw new IntegrityError('changed', row.id, 'its record was changed outside keyreel')
  }

  /** Seals key material to one object. */
  sealObject(object: ObjectIdentity, material: Uint8Array): Uint8Array {
    return seal(this.#keys(object.epoch).sealing, material, objectSealed(object))
  }

  /** The key material. Throws IntegrityError when it was sealed to another object, or changed. */
  unsealObject(object: ObjectIdentity, sealed: Uint8Array): Secret {
    return this.#unseal(object.epoch, sealed, objectSealed(object), object.id)
  }

  /**
   * Check value of key material, for an object's record: the epoch and a MAC that says nothing to
   * whoever has not its key, not even whether two objects hold the same.
   */
  checkValue(object: CheckedIdentity, material: Uint8Array): Uint8Array {
    const epoch = Buffer.alloc(checkEpochLength)
    epoch.writeUInt32BE(this.#current)
    return Buffer.concat([epoch, this.#checkMac(this.#current, object, material)])
  }

  /** Throws IntegrityError unless the material is that of which the check value was made. */
  verifyCheck(object: CheckedIdentity, check: Uint8Array, material: Uint8Array): void {
    const { buffer, byteOffset, length } = check
    const epoch = new DataView(buffer, byteOffset, length).getUint32(0)
    const made = this.#checkMac(epoch, object, material)
    if (equalBytes(made, check.subarray(checkEpochLength))) return
    throw new IntegrityError(
      'material-changed',
      object.id,
      'its sealed key is not the one of which its record has the check value',
    )
  }

  /** MAC of a document's row, its sealed part included. */
  documentMac(row: Omit<DocumentRow, 'mac' | 'noted'>): Uint8Array {
    const { kind, name, revision, epoch, body, sealed } = row
    return mac(
      this.#keys(epoch).records,
      head('document', kind, name, epoch, revision, body, sealed?.length ?? null),
      sealed ?? '',
    )
  }

  /** Throws IntegrityError unless the row is as this store wrote it. */
  verifyDocument(row: DocumentRow): void {
    if (row.mac instanceof Uint8Array && equalBytes(this.documentMac(row), row.mac)) return
    throw new IntegrityError(
      'changed',
      `${row.kind}/${row.name}`,
      'this document was changed outside keyreel',
    )
  }

  /** Seals a document's secret part. */
  sealDocument(kind: string, name: string, epoch: number, secret: Uint8Array): Uint8Array {
    return seal(this.#keys(epoch).sealing, secret, documentSealed(kind, name, epoch))
  }

  /** A document's secret part. Throws IntegrityError. */
  unsealDocument({ kind, name, epoch }: DocumentRow, sealed: Uint8Array): Secret {
    return this.#unseal(epoch, sealed, documentSealed(kind, name, epoch), `${kind}/${name}`)
  }

  /** MAC of a transient's row, its sealed part included. */
  transientMac(row: Omit<TransientRow, 'mac'>): Uint8Array {
    const { kind, name, owner, expires, epoch, body, sealed } = row
    return mac(
      this.#keys(epoch).records,
      head('transient', kind, name, owner, String(expires), epoch, body, sealed?.length ?? null),
      sealed ?? '',
    )
  }

  /** Throws IntegrityError unless the row is as this store wrote it. */
  verifyTransient(row: TransientRow): void {
    if (row.mac instanceof Uint8Array && equalBytes(this.transientMac(row), row.mac)) return
    const subject = `${row.kind}/${row.name}`
    throw new IntegrityError('changed', subject, 'this record was changed outside keyreel')
  }

  /** Seals a transient's secret part. */
  sealTransient(row: TransientIdentity, secret: Uint8Array): Uint8Array {
    return seal(this.#keys(row.epoch).sealing, secret, transientSealed(row))
  }

  /** A transient's secret part. Throws IntegrityError. */
  unsealTransient(row: TransientIdentity, sealed: Uint8Array): Secret {
    return this.#unseal(row.epoch, sealed, transientSealed(row), `${row.kind}/${row.name}`)
  }

  /** MAC of an audit row, chained to the row before it. */
  auditMac(row: Omit<AuditRow, 'mac'>, previous: Uint8Array): Uint8Array {
    const { chain, first, last, epoch, body } = row
    return mac(this.#keys(epoch).audit, head('audit', chain, first, last, epoch), previous, body)
  }

  /** MAC of a text that this store keeps outside the database. */
  noteMac(epoch: number, text: string): Uint8Array {
    return mac(this.#keys(epoch).records, head('note', epoch), text)
  }

  #checkMac(epoch: number, { id, type, group }: CheckedIdentity, material: Uint8Array): Uint8Array {
    return mac(this.#keys(epoch).checks, head('check', id, type, group, epoch), material)
  }

  #unseal(epoch: number, sealed: Uint8Array, bound: Uint8Array, subject: string): Secret {
    try {
      return new Secret(unseal(this.#keys(epoch).sealing, sealed, bound))
    } catch (cause) {
      if (!(cause instanceof SealBroken)) throw cause
      const what = 'its sealed bytes were changed or belong to something else'
      throw new IntegrityError('material-changed', subject, what, cause)
    }
  }

  #keys(epoch: number): EpochKeys {
    const keys = this.#epochs.get(epoch)
    if (keys) return keys
    if (!this.#absent.has(epoch)) throw new EpochNotOpen(epoch)
    const reason = this.#absent.get(epoch)
    if (reason !== undefined) throw reason
    throw new IntegrityError('unknown-epoch', `epoch ${epoch}`, 'the keystore has no such epoch')
  }

  #wrapMac(under: number, { epoch, provider, bytes }: WrapRow): Uint8Array {
    return mac(this.#keys(under).records, head('wrap', this.#store, epoch, provider), bytes)
  }

  #derived(secret: Uint8Array): EpochKeys {
    const salt = new TextEncoder().encode(this.#store)
    return {
      sealing: deriveKey(secret, salt, 'keyreel 1 sealing'),
      records: deriveKey(secret, salt, 'keyreel 1 records'),
      audit: deriveKey(secret, salt, 'keyreel 1 audit'),
      checks: deriveKey(secret, salt, 'keyreel 1 checks'),
    }
  }

  #open(epoch: number, secret: Uint8Array): void {
    this.#epochs.set(epoch, this.#derived(secret))
    this.#current = Math.max(this.#current, epoch)
  }

  async #wrap(masterKey: EpochWrapper, epoch: number, secret: Secret): Promise<WrapRow> {
    const bytes = await masterKey.wrap(secret.bytes, wrapContext(this.#store, epoch))
    return { epoch, provider: masterKey.id, bytes }
  }
}

/** Throws what the master key throws when it does not open the newest of its wraps. */
export async function proveMasterKey(
  masterKey: MasterKey,
  store: string,
  wraps: readonly WrapRow[],
): Promise<void> {
  const newest = wraps.findLast(({ provider }) => provider === masterKey.id)
  if (newest === undefined) return
  const secret = await masterKey.unwrap(newest.bytes, wrapContext(store, newest.epoch))
  secret.fill(0)
}

/** The fields as a JSON array and a line feed: no two lists of fields have the same head. */
function head(...fields: readonly (string | number | null)[]): string {
  let text = '['
  for (const field of fields) {
    if (text.length > 1) text += ','
    text += typeof field === 'string' ? quoted(field) : String(field)
  }
  return `${text}]\n`
}

/** Identifiers and most names are themselves in JSON; asking that first is much cheaper. */
const plain = /^[\w .:/-]*$/

function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}

function objectSealed({ id, type, group, epoch }: ObjectIdentity): Uint8Array {
  return Buffer.from(head('object', id, type, group, epoch))
}

function documentSealed(kind: string, name: string, epoch: number): Uint8Array {
  return Buffer.from(head('document', kind, name, epoch))
}

function transientSealed({ kind, name, owner, epoch }: TransientIdentity): Uint8Array {
  return Buffer.from(head('transient', kind, name, owner, epoch))
}

function wrapContext(store: string, epoch: number): Uint8Array {
  return Buffer.from(head('epoch', store, epoch))
}
