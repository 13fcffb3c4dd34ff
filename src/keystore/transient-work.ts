// The transients' part of an act's Work: records that are forgotten when their time is over.
import { writeStep } from './acts.ts'
import { verifying, writerOf, type WorkGround } from './object-work.ts'
import type { TransientRow } from './storage.ts'
import { IntegrityError, type JsonValue, type Transient, type Work } from './work.ts'

type TransientWork = Pick<
  Work,
  | 'transient'
  | 'transients'
  | 'transientsHeld'
  | 'transientSecret'
  | 'putTransient'
  | 'deleteTransient'
  | 'forgetTransients'
>

/** The transients' part of a Work. */
export function transientWork(ground: WorkGround, now: bigint): TransientWork {
  const { rows, sealing, trace } = ground

  const accept = (row: TransientRow): TransientRow => {
    verifying(ground, () => sealing.verifyTransient(row))
    return row
  }
  const find = async (kind: string, name: string): Promise<TransientRow | undefined> => {
    const row = await rows.transient(kind, name)
    return row === undefined || row.expires <= now ? undefined : accept(row)
  }

  return {
    async transient(kind, name) {
      const row = await find(kind, name)
      return row && transientOf(row)
    },
    async transients(kind, owner, limit) {
      const found = await rows.transients(kind, owner, limit)
      return found.filter(({ expires }) => expires > now).map((row) => transientOf(accept(row)))
    },
    transientsHeld: (kind, owner) => rows.transientsHeld(kind, owner),
    async transientSecret(kind, name) {
      const row = await find(kind, name)
      if (row?.sealed) return sealing.unsealTransient(row, row.sealed)
      throw new IntegrityError('material-missing', `${kind}/${name}`, 'it has no secret part')
    },
    async putTransient({ kind, name, owner, expires, body }, secret) {
      const writer = writerOf(ground)
      const before = secret === undefined ? await find(kind, name) : undefined
      const keepsSeal = before?.sealed !== undefined && before.sealed !== null
      // A seal is bound to its owner and epoch: one that is kept keeps them.
      const epoch = keepsSeal ? before.epoch : sealing.current
      const row = { kind, name, owner, expires, epoch, body: JSON.stringify(body) }
      let sealed = keepsSeal ? before.sealed : null
      if (secret) {
        await ground.chargeSeal()
        sealed = sealing.sealTransient(row, secret)
      }
      const mac = sealing.transientMac({ ...row, sealed })
      await writeStep(trace, () => writer.putTransient({ ...row, sealed, mac }))
    },
    deleteTransient(kind, name) {
      const writer = writerOf(ground)
      return writeStep(trace, () => writer.deleteTransient(kind, name))
    },
    forgetTransients(limit) {
      const writer = writerOf(ground)
      return writeStep(trace, () => writer.deleteTransientsUntil(now, limit))
    },
  }
}

function transientOf({ kind, name, owner, expires, body, sealed }: TransientRow): Transient {
  const read = JSON.parse(body) as JsonValue
  return { kind, name, owner, expires, body: read, hasSecret: sealed !== null }
}
