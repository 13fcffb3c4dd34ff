/** The asynchronous request that a correlation value names: only for the client that has made it. */
import { KmipError } from '../model/result.ts'
import { requestOf, type KeptRequest } from './asynchronous-records.ts'
import type { Context } from './operation.ts'

/** The client's request, or undefined: one of another client answers like one that does not exist. */
export async function ownRequest(
  { work, principal }: Context,
  correlation: Uint8Array,
): Promise<KeptRequest | undefined> {
  const request = await requestOf(work, Buffer.from(correlation).toString('hex'))
  return request?.kept.owner === principal.owner ? request : undefined
}

/** The refusal of a value that names nothing. */
export function unknownCorrelation(): KmipError {
  return new KmipError(
    'InvalidAsynchronousCorrelationValue',
    'no asynchronous request of this client has that correlation value',
  )
}
