// Rows and queries for the storage contract.
import type { WrittenObject } from '../../src/keystore/storage.ts'
import type { Query } from '../../src/keystore/work.ts'
import { idOf } from '../keystore/sample.ts'

/** Object number `at`: 1 is destroyed, 2 has no activation, 3 is beta's, 5 archived, 9 of another type. */
export function numbered(at: number): WrittenObject {
  return writtenObject({
    id: idOf(at),
    type: at === 9 ? 7 : 2,
    columns: {
      owner: at === 3 ? 'beta' : 'alpha',
      initialDate: BigInt(at),
      lastChangeDate: BigInt(at),
      usageMask: at,
      fresh: at === 6,
      ...(at === 2 ? {} : { activationDate: BigInt(at * 10) }),
      ...(at === 1 ? { destroyDate: 100n } : {}),
      ...(at === 5 ? { archiveDate: 100n } : {}),
    },
    entries: {
      index: [
        { attribute: 'Name', value: `k${at}` },
        { attribute: 'Pool', value: `p${at % 2}` },
        { attribute: 'Kind', value: 'all' },
      ],
      unique: [],
    },
  })
}

/** A query for everything in the group `default` that is not destroyed or archived. */
export function queryFor(query: Partial<Query>): Query {
  return {
    group: 'default',
    equals: [],
    ranges: [],
    destroyed: 'exclude',
    archived: 'exclude',
    offset: 0,
    limit: 100,
    ...query,
  }
}

/** An object as storage is given it, without entries. */
export function writtenObject(object: Partial<WrittenObject> = {}): WrittenObject {
  return {
    id: idOf(1),
    group: 'default',
    type: 2,
    revision: 1,
    epoch: 1,
    columns: { owner: 'alpha', initialDate: 1n, lastChangeDate: 1n },
    record: new Uint8Array(3),
    mac: new Uint8Array(32),
    entries: { index: [], unique: [] },
    ...object,
  }
}

/** Byte strings of any class compared by their bytes. */
export function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, part: unknown) => {
      if (typeof part === 'bigint') return `${part}n`
      if (part instanceof Uint8Array) return Buffer.from(part).toString('hex')
      const parts = part as { type?: string; data?: number[] } | null
      return parts?.type === 'Buffer' ? Buffer.from(parts.data!).toString('hex') : part
    }),
  )
}
