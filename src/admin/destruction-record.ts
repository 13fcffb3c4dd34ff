// The record of a destruction for an auditor: what was wiped, when, by whom, and what may still have it. What it
// claims is what the audit record and the database tell; the rest is named as not known.
import { setTimeout as delay } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import type { Store } from '../keystore/store.ts'
import { dependentsOf, type Dependents, type Destruction, type SentCopy } from './destruction.ts'
import { findKey, keyRow, type KeyRow } from './managed-keys.ts'

/** Milliseconds in which those who read the log have made way for cutting it off. */
const patience = 1_000

/** A key that was wiped, with all that is said of it. */
export interface WipedKey {
  readonly row: KeyRow
  readonly dependents: Dependents
  readonly destruction: Destruction & { readonly wiped: bigint }
}

const statement =
  'The key named here was destroyed, and its sealed bytes were wiped from the live database of this key server. ' +
  'Nothing is claimed of the places under mayStillBeIn, nor of any that the server does not know.'

/** The wiped key whose identifier begins so. Throws UserError 'not-destroyed' or 'not-wiped'. */
export async function wipedKey(
  store: Store,
  prefix: string,
  copies: (id: string) => Promise<readonly SentCopy[]>,
  journals: readonly string[] | undefined,
): Promise<WipedKey> {
  await cutOffLog(store)
  const row = await store.read(async (work) => keyRow(await findKey(work, prefix), work.now))
  const { dependents, destruction } = await dependentsOf(
    store,
    row.id,
    await copies(row.id),
    journals,
  )
  if (destruction === undefined) {
    throw new UserError(
      'not-destroyed',
      `key ${row.id} is ${row.state}: there is no destruction to tell of`,
      `destroy it first:  keyreel key destroy ${row.id}`,
    )
  }
  const { wiped, wipeAfter, isInLog } = destruction
  if (isInLog) {
    throw new UserError(
      'not-wiped',
      `key ${row.id} was wiped, and its bytes may still be in the log of the database`,
      'ask again in a moment: the server cuts the log off as soon as nobody reads it, and so does each command',
    )
  }
  if (wiped === undefined) {
    const when = wipeAfter === undefined ? 'once it is wiped' : `after ${iso(wipeAfter)}`
    throw new UserError(
      'not-wiped',
      `key ${row.id} is destroyed, and still kept so that it can be brought back`,
      `ask again ${when}; the server wipes it by itself`,
    )
  }
  return { row, dependents, destruction: { ...destruction, wiped } }
}

/** Nothing is claimed that can still be made true: a server reads its log for moments only. */
async function cutOffLog(store: Pick<Store, 'payLog'>): Promise<void> {
  const until = performance.now() + patience
  while (!(await store.payLog()) && performance.now() < until) await delay(50)
}

/** The record as text: JSON, which people can read as well. `issued` is seconds since 1970. */
export function destructionText(store: string, key: WipedKey, issued: bigint): string {
  const { row, dependents, destruction } = key
  const { label, complete } = dependents
  const { destroyed, by, destroyRecord, wiped, wipeRecord, how, places } = destruction
  const record = {
    keyreel: 'destruction 1',
    statement,
    store,
    issued: iso(issued),
    key: {
      ...{ id: row.id, group: row.group, type: row.type, owner: row.owner ?? null },
      ...{
        algorithm: row.algorithm ?? null,
        length: row.length ?? null,
        created: iso(row.created),
      },
    },
    cartridge:
      label === undefined
        ? null
        : {
            barcode: label.barcode,
            mediumSerial: label.mediumSerial ?? null,
            librarySerial: label.librarySerial ?? null,
          },
    destroyed: { at: iso(destroyed), by: by ?? null, record: destroyRecord ?? null },
    wiped: { at: iso(wiped), how, record: wipeRecord ?? null },
    mayStillBeIn: places,
    allRecordsLookedThrough: complete,
  }
  return `${JSON.stringify(record, undefined, 2)}\n`
}

function iso(seconds: bigint): string {
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z')
}
