/** The keys of the exchange benchmark, put straight into a data directory. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { AttributeSet } from '../src/keystore/attribute-set.ts'
import { insertObject } from '../src/keystore/keystore.ts'
import { ManagedObject } from '../src/keystore/managed-object.ts'
import { masterKeyFile } from '../src/keystore/master-key-choice.ts'
import { openMasterKeyFile } from '../src/keystore/master-key-file.ts'
import { openStore } from '../src/keystore/store.ts'
import type { Work } from '../src/keystore/work.ts'
import { sealedItem } from '../src/kmip/operations/key-material.ts'
import { setDigest } from '../src/kmip/operations/object-facts.ts'

const keysPerAct = 200

/** Makes so many keys in the group `default`, of cartridges from that number on, and answers their identifiers. */
export async function makeKeys(data: string, count: number, from = 0): Promise<string[]> {
  const masterKey = openMasterKeyFile(join(data, masterKeyFile))
  const now = () => BigInt(Math.floor(Date.now() / 1000))
  const store = await openStore({ directory: data, masterKey, writer: 'cli', now })
  const made: string[] = []
  try {
    while (made.length < count) {
      const some = Math.min(keysPerAct, count - made.length)
      const first = from + made.length
      const ids = await store.act(async (work) => {
        const actor = { name: 'bench', kind: 'cli' }
        work.audit({ actor, operation: 'Create', group: 'default', outcome: 'Success' })
        const ids: string[] = []
        while (ids.length < some) ids.push(await makeKey(work, first + ids.length))
        return ids
      })
      made.push(...ids)
    }
  } finally {
    await store.close()
  }
  return made
}

/** A key as a tape library makes it. */
async function makeKey(work: Work, n: number): Promise<string> {
  const KeyMaterial = randomBytes(32)
  const barcode = `${String(n).padStart(6, '0')}L8`
  const attributes = new AttributeSet()
  attributes.set('CryptographicAlgorithm', 'AES')
  attributes.set('CryptographicLength', 256)
  attributes.set('CryptographicUsageMask', 0x0c)
  const AlternativeNameType = 'UninterpretedTextString' as const
  attributes.add({
    tag: 'AlternativeName',
    value: { AlternativeNameValue: barcode, AlternativeNameType },
  })
  attributes.add({
    tag: 'ApplicationSpecificInformation',
    value: {
      ApplicationNamespace: 'LIBRARY-LTO',
      ApplicationData: randomBytes(12).toString('hex').toUpperCase(),
    },
  })
  const identity = {
    id: crypto.randomUUID(),
    group: 'default',
    objectType: 'SymmetricKey',
  } as const
  const vitals = {
    Owner: 'alpha',
    Fresh: false,
    Sensitive: false,
    Extractable: true,
    InitialDate: work.now,
    LastChangeDate: work.now,
    LeaseTime: 3600,
    KeyFormatType: 'Raw' as const,
  }
  const object = new ManagedObject(identity, vitals, attributes)
  setDigest(object, KeyMaterial, 'Raw')
  const KeyBlock = {
    KeyFormatType: 'Raw',
    KeyValue: { type: 'Structure', value: { KeyMaterial } },
    CryptographicAlgorithm: 'AES',
    CryptographicLength: 256,
  }
  await insertObject(work, object, sealedItem('SymmetricKey', { KeyBlock }))
  return object.id
}
