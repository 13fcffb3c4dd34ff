/**
 * The header of a message that a server sends of itself – KMIP 1.4 §5.1, §5.2, the same in 1.0 to 1.3: one
 * with Notify or Put has none of four fields. From 2.0 on the standard says nothing of the kind.
 */
import type { Version } from 'ttlv-codec'
import type { RequestHeader } from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import { version20 } from '../model/versions.ts'
import type { Item } from '../operations/items.ts'

const pushed: ReadonlySet<unknown> = new Set(['Notify', 'Put'])

const notAllowed = {
  MaximumResponseSize: 'Maximum Response Size',
  AsynchronousIndicator: 'Asynchronous Indicator',
  BatchErrorContinuationOption: 'Batch Error Continuation Option',
  BatchOrderOption: 'Batch Order Option',
} as const satisfies Partial<Record<keyof RequestHeader, string>>

/** Refuses a message of 1.x that pushes something under a header with a field that is not allowed there. */
export function checkPushedHeader(
  header: RequestHeader,
  items: readonly Item[],
  version: Version,
): void {
  if (version >= version20) return
  const item = items.find(({ operation }) => pushed.has(operation))
  if (item === undefined) return
  for (const [field, text] of Object.entries(notAllowed)) {
    if (header[field as keyof typeof notAllowed] === undefined) continue
    throw new KmipError('InvalidMessage', `${text} is not allowed with ${item.operation}`)
  }
}
