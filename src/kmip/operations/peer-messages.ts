/**
 * What peers say to each other in the Revocation Message of a Revoke (KMIP 2.1 §4.49), where other servers see a
 * remark: what became of the keys that were taken, and which notice withdraws a key.
 */

/** How many keys came to what. */
export interface Counts {
  readonly new: number
  readonly here: number
  readonly conflict: number
  readonly refused: number
}

/** The receipt of keys that were taken over KMIP. */
export function receiptMessage({ new: taken, here, conflict, refused }: Counts): string {
  return `keyreel receipt: new ${taken}, here ${here}, conflict ${conflict}, refused ${refused}`
}

/** Reads one; undefined for any other text. */
export function readReceiptMessage(message: string | undefined): Counts | undefined {
  const form =
    /^keyreel receipt: new (\d{1,9}), here (\d{1,9}), conflict (\d{1,9}), refused (\d{1,9})$/
  const numbers = form
    .exec(message ?? '')
    ?.slice(1)
    .map(Number)
  if (numbers === undefined) return undefined
  const [taken = 0, here = 0, conflict = 0, refused = 0] = numbers
  return { new: taken, here, conflict, refused }
}

/** The remark of a withdrawal. */
export function withdrawalMessage(notice: string): string {
  return `keyreel withdrawal ${notice}`
}

/** The notice that a remark names; undefined for any other text. */
export function readWithdrawalMessage(message: string | undefined): string | undefined {
  return /^keyreel withdrawal ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(
    message ?? '',
  )?.[1]
}
