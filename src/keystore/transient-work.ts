// The transients' part of an act's Work: records that are forgotten when their time is over.
import type { Secret } from '../crypto/secret.ts'
import { writeStep } from './acts.ts'
import { DocumentWork } from './document-work.ts'
import type { TransientRow } from './storage.ts'
import { verifying, writerOf, type WorkGround } from './work-ground.ts'
import { IntegrityError, type JsonValue, type Transient } from './work.ts'

/** The transients' part of a Work, on top of the documents'. */
export class TransientWork extends DocumentWork {
  readonly now: bigint

  constructor(ground: WorkGround, now: bigint) {
    super(ground)
    this.now = now
  }

  async transient(kind: string, name: string): Promise<Transient | undefined> {
    const row = await this.#find(kind, name)
    return row && transientOf(row)
  }

  async transients(
    kind: string,
    owner: string | undefined,
    limit: number,
  ): Promise<readonly Transient[]> {
    const found = await this.ground.rows.transients(kind, owner, limit)
    const living = found.filter(({ expires }) => expires > this.now)
    return living.map((row) => transientOf(this.#accept(row)))
  }

  transientsHeld(kind: string, owner: string): Promise<{ count: number; bytes: number }> {
    return this.ground.rows.transientsHeld(kind, owner)
  }

  async transientSecret(kind: string, name: string): Promise<Secret> {
    const row = await this.#find(kind, name)
    if (row?.sealed) return this.ground.sealing.unsealTransient(row, row.sealed)
    throw new IntegrityError('material-missing', `${kind}/${name}`, 'it has no secret part')
  }

  async putTransient(
    { kind, name, owner, expires, body }: Omit<Transient, 'hasSecret'>,
    secret?: Uint8Array | null,
  ): Promise<void> {
    const { sealing, trace } = this.ground
    const writer = writerOf(this.ground)
    const before = secret === undefined ? await this.#find(kind, name) : undefined
    const keepsSeal = before?.sealed !== undefined && before.sealed !== null
    // A seal is bound to its owner and epoch: one that is kept keeps them.
    const epoch = keepsSeal ? before.epoch : sealing.current
    const row = { kind, name, owner, expires, epoch, body: JSON.stringify(body) }
    let sealed = keepsSeal ? before.sealed : null
    if (secret) {
      await this.ground.chargeSeal(writer)
      sealed = sealing.sealTransient(row, secret)
    }
    const mac = sealing.transientMac({ ...row, sealed })
    await writeStep(trace, () => writer.putTransient({ ...row, sealed, mac }))
  }

  async deleteTransient(kind: string, name: string): Promise<boolean> {
    const writer = writerOf(this.ground)
    return writeStep(this.ground.trace, () => writer.deleteTransient(kind, name))
  }

  async forgetTransients(limit: number): Promise<number> {
    const writer = writerOf(this.ground)
    return writeStep(this.ground.trace, () => writer.deleteTransientsUntil(this.now, limit))
  }

  #accept(row: TransientRow): TransientRow {
    verifying(this.ground, () => this.ground.sealing.verifyTransient(row))
    return row
  }

  async #find(kind: string, name: string): Promise<TransientRow | undefined> {
    const row = await this.ground.rows.transient(kind, name)
    return row === undefined || row.expires <= this.now ? undefined : this.#accept(row)
  }
}

function transientOf({ kind, name, owner, expires, body, sealed }: TransientRow): Transient {
  const read = JSON.parse(body) as JsonValue
  return { kind, name, owner, expires, body: read, hasSecret: sealed !== null }
}
