/**
 * Whether a row of `objects` is what its record says: the material has the record's check value, and
 * columns and index entries, which searches believe, follow from it.
 */
import { isDeepStrictEqual } from 'node:util'
import { DecodeError } from 'ttlv-codec'
import { columnsOf, indexOf, uniqueOf } from './derived-rows.ts'
import { ManagedObject, type ObjectTypeName } from './managed-object.ts'
import { ObjectType } from '../kmip/model/enumerations.ts'
import type { ContentsCheck } from './examine.ts'
import type { ObjectRow } from './storage.ts'
import { IntegrityError, type IntegrityCode, type UniqueEntry } from './work.ts'

/** See ContentsCheck. */
export const contentsCheck: ContentsCheck = (row, material, sealing) => {
  const { id } = row
  const wrong = (code: IntegrityCode, what: string) => new IntegrityError(code, id, what)
  const object = decodedRow(row)
  if (object === undefined) throw wrong('changed', 'its record is of a form not known here')
  const { CheckValue, DestroyDate } = object.vitals
  if (CheckValue !== undefined && material !== undefined)
    sealing.verifyCheck(row, CheckValue, material)
  if (CheckValue !== undefined && material === undefined && DestroyDate === undefined)
    throw wrong('material-missing', 'its sealed key material was taken away')
  if (!isDeepStrictEqual(presentColumns(row.columns), presentColumns(columnsOf(object))))
    throw wrong('derived', 'columns by which it is found are not those of its record')
  const { index = [], unique = [] } = row.entries ?? {}
  const claims = uniqueOf(object)
  // Where another object has the value too, this one does not claim it.
  const areClaimed = unique.every((one) => claims.some((other) => isSame(one, other)))
  if (!areClaimed || !isDeepStrictEqual(index, indexOf(object)))
    throw wrong('derived', 'index entries by which it is found are not those of its record')
}

/** What a row's record says; undefined for one that this release cannot read, although keyreel wrote it. */
export function decodedRow({ id, group, type, record }: ObjectRow): ManagedObject | undefined {
  const objectType = ObjectType.nameOf(type) as ObjectTypeName
  try {
    return ManagedObject.decodeRecord({ id, group, objectType }, record)
  } catch (error) {
    if (error instanceof DecodeError || error instanceof RangeError) return undefined
    throw error
  }
}

function isSame(one: UniqueEntry, other: UniqueEntry): boolean {
  return one.kind === other.kind && one.value === other.value
}

/** The fields that have a value, in the order of their names. */
export function presentColumns(columns: object): [string, unknown][] {
  return Object.entries(columns)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
