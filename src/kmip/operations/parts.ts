/**
 * Operations that take their data at once or in parts – KMIP 2.1 §6.1.17 and its like, §7.6, §7.18.
 * A part is computed outside the act, once, however often the act is run: a stream never takes the
 * same part twice.
 */
import type { Secret } from '../../crypto/secret.ts'
import { toHex } from '../../crypto/primitives/hash.ts'
import { KmipError } from '../model/result.ts'
import type { Context, WhenSettled } from './operation.ts'
import { asideWithKeys } from './aside-with-keys.ts'
import type { Running } from './streams.ts'
import type { UsableKey } from './usable-key.ts'

/** The fields that say which part a request is. */
export interface PartRequest {
  Data?: Uint8Array | undefined
  CorrelationValue?: Uint8Array | undefined
  InitIndicator?: boolean | undefined
  FinalIndicator?: boolean | undefined
}

/** A computation under way, from the first data to its result. */
export interface Computation<Request, Fields> extends Running {
  /** Takes a part that is not the last; answers what comes out of it already. Throws CryptoRefusal. */
  update(request: Request): Fields
  /** Takes the last part, which may be the whole. Throws CryptoRefusal. */
  final(request: Request): Fields
}

/** How one operation computes in parts. */
export interface Parted<Request, Fields> {
  operation: string
  /** Unique Identifier of the key; undefined for Hash. */
  object: string | undefined
  /** The keys in use: none for Hash. */
  keys: readonly UsableKey[]
  /** Begins, all at once or with a first part, with those keys or their copies. Throws CryptoRefusal. */
  open(isWhole: boolean, keys: readonly UsableKey[]): Computation<Request, Fields>
  /** Whether all of it at once takes so long that it is done outside the act. */
  isSlow: boolean
  /** What of the result is to be wiped once the answer is encoded. */
  secretsOf?: (fields: Fields) => readonly Secret[]
}

/** Whether the request begins something to be protected: what Usage Limits count objects by. */
export function begins({ CorrelationValue }: PartRequest): boolean {
  return CorrelationValue === undefined
}

/** Computes what the request asks: all, or the next part. Throws KmipError, CryptoRefusal. */
export function inParts<Request extends PartRequest, Fields extends object>(
  context: Context,
  request: Request,
  parted: Parted<Request, Fields>,
): Fields & { CorrelationValue?: Uint8Array } {
  const { InitIndicator: isFirst = false, FinalIndicator: isLast = false } = request
  const { CorrelationValue: correlation } = request
  const { operation, object, secretsOf } = parted
  if (isFirst && correlation !== undefined)
    throw new KmipError('InvalidField', 'a first part has no Correlation Value yet')
  if (correlation === undefined && (!isFirst || isLast)) return atOnce(context, request, parted)
  const whose = { owner: context.principal.owner, operation, object }
  const bytes = request.Data?.length ?? 0
  const { streams } = context
  return asideWithKeys(
    context,
    parted.keys,
    `${operation} part`,
    (keys, whenSettled) =>
      Promise.resolve(keys).then((own) =>
        correlation === undefined ? first(own, whenSettled) : next(correlation, whenSettled),
      ),
    secretsOf,
  )

  function first(keys: readonly UsableKey[], whenSettled: WhenSettled) {
    const running = parted.open(false, keys)
    try {
      const fields = running.update(request)
      const CorrelationValue = streams.begin(whose, running, bytes)
      whenSettled((isKept) => {
        if (!isKept) streams.end(CorrelationValue)
      })
      return { ...fields, CorrelationValue }
    } catch (error) {
      running.close()
      throw error
    }
  }

  function next(CorrelationValue: Uint8Array, whenSettled: WhenSettled) {
    const part = { content: contentOf(request), bytes, isLast }
    const { fields, settle } = streams.next(whose, CorrelationValue, part, (running) => {
      const computation = running as Computation<Request, Fields>
      return isLast ? computation.final(request) : computation.update(request)
    })
    whenSettled(settle)
    return isLast ? fields : { ...fields, CorrelationValue }
  }
}

/** What a part says, but for the names of key and stream. */
function contentOf(request: PartRequest): readonly (Uint8Array | string)[] {
  const { Data = nothing, ...rest } = { ...request, UniqueIdentifier: undefined }
  const said = JSON.stringify(rest, (_, value: unknown) => {
    if (value instanceof Uint8Array) return toHex(value)
    return typeof value === 'bigint' ? String(value) : value
  })
  return [said, '\0', Data]
}

const nothing = new Uint8Array(0)

function atOnce<Request extends PartRequest, Fields>(
  context: Context,
  request: Request,
  { operation, keys: own, open, isSlow, secretsOf }: Parted<Request, Fields>,
): Fields {
  const compute = (keys: readonly UsableKey[]) => {
    const running = open(true, keys)
    try {
      return running.final(request)
    } finally {
      running.close()
    }
  }
  if (isSlow) {
    const later = (keys: readonly UsableKey[]) => Promise.resolve(keys).then(compute)
    return asideWithKeys(context, own, operation, later, secretsOf)
  }
  const fields = compute(own)
  if (secretsOf !== undefined) context.secrets.push(...secretsOf(fields))
  return fields
}

/** The data of a request that has to have some: all at once it cannot be left out. */
export function dataOf({ Data, CorrelationValue, InitIndicator }: PartRequest): Uint8Array {
  if (Data !== undefined) return Data
  if (CorrelationValue === undefined && InitIndicator !== true)
    throw new KmipError('InvalidMessage', 'Data is missing')
  return nothing
}

/** Data, or its digest in its place: a digest is of all of the data, so it comes at once. */
export function digestOrData(
  request: PartRequest & { DigestedData?: Uint8Array | undefined },
): Uint8Array {
  const { Data, DigestedData, CorrelationValue, InitIndicator } = request
  if (DigestedData === undefined) return dataOf(request)
  if (Data !== undefined || CorrelationValue !== undefined || InitIndicator === true)
    throw new KmipError('InvalidField', 'Digested Data stands alone, for all of the data at once')
  return DigestedData
}

/** Above this, work is done outside the act: the slowest cipher takes some milliseconds for it. */
const slowBytes = 64 * 1024

/** Whether data is so much that its work belongs outside the act. */
export function isMuch({ Data }: PartRequest): boolean {
  return (Data?.length ?? 0) > slowBytes
}

/** What an undone answer still says: no data, but which stream was to take the part. */
export function withoutResult({
  UniqueIdentifier,
  CorrelationValue,
}: {
  UniqueIdentifier: string
  CorrelationValue?: Uint8Array
}) {
  return { UniqueIdentifier, ...(CorrelationValue !== undefined && { CorrelationValue }) }
}
