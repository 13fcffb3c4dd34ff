// Puts tape keys into a data directory as a library's Create and Get would, with fixed identifiers.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AttributeSet } from '../../src/keystore/attribute-set.ts'
import { insertObject, loadObject, saveObject } from '../../src/keystore/keystore.ts'
import { masterKeyFile } from '../../src/keystore/master-key-choice.ts'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { ManagedObject } from '../../src/keystore/managed-object.ts'
import { sealedItem } from '../../src/kmip/operations/key-material.ts'
import { setDigest } from '../../src/kmip/operations/object-facts.ts'
import { openStore } from '../../src/keystore/store.ts'
import type { Store } from '../../src/keystore/store.ts'

/** One key of a tape: its identifier begins with the given digit, repeated. */
export interface TapeKey {
  readonly digit: string
  readonly barcode: string
  readonly library: string
}

/** `1` is 11111111-1111-4111-8111-111111111111. */
export function idOf(digit: string): string {
  const run = (length: number) => digit.repeat(length)
  return `${run(8)}-${run(4)}-4${run(3)}-8${run(3)}-${run(12)}`
}

/** Makes a tape key. */
export async function makeTapeKey(data: string, key: TapeKey, now: bigint): Promise<void> {
  await withStore(data, now, (store) =>
    store.act(async (work) => {
      const attributes = new AttributeSet()
      attributes.set('CryptographicAlgorithm', 'AES')
      attributes.set('CryptographicLength', 256)
      attributes.add({
        tag: 'AlternativeName',
        value: {
          AlternativeNameValue: key.barcode,
          AlternativeNameType: 'UninterpretedTextString',
        },
      })
      attributes.add({
        tag: 'ApplicationSpecificInformation',
        value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: `KAD of ${key.barcode}` },
      })
      const object = new ManagedObject(
        { id: idOf(key.digit), group: 'default', objectType: 'SymmetricKey' },
        {
          Owner: key.library,
          Fresh: true,
          Sensitive: false,
          Extractable: true,
          InitialDate: now,
          LastChangeDate: now,
          LeaseTime: 3600,
          KeyFormatType: 'Raw',
        },
        attributes,
      )
      const KeyMaterial = createHash('sha256').update(key.digit).digest()
      setDigest(object, KeyMaterial, 'Raw')
      const KeyBlock = {
        KeyFormatType: 'Raw',
        KeyValue: { type: 'Structure', value: { KeyMaterial } },
        CryptographicAlgorithm: 'AES',
        CryptographicLength: 256,
      }
      await insertObject(work, object, sealedItem('SymmetricKey', { KeyBlock }))
      audit(work, 'Create', key)
    }),
  )
}

/** Hands a tape key out, as Get does. */
export async function fetchTapeKey(data: string, key: TapeKey, now: bigint): Promise<void> {
  await withStore(data, now, (store) =>
    store.act(async (work) => {
      const object = await loadObject(work, 'default', idOf(key.digit))
      if (object?.stored === undefined) throw new Error(`there is no key ${key.digit}`)
      const secret = await work.material(object.stored)
      secret.wipe()
      object.vitals.Fresh = false
      await saveObject(work, object)
      audit(work, 'Get', key)
    }),
  )
}

type Work = Parameters<Parameters<Store['act']>[0]>[0]

function audit(work: Work, operation: string, { digit, library }: TapeKey): void {
  const actor = { name: library, kind: 'library' }
  work.audit({ actor, operation, object: idOf(digit), group: 'default', outcome: 'Success' })
}

async function withStore<T>(data: string, now: bigint, use: (store: Store) => Promise<T>) {
  const masterKey = openMasterKeyFile(join(data, masterKeyFile))
  const store = await openStore({ directory: data, masterKey, writer: 'serve', now: () => now })
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
