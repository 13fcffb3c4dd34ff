// T-16: the flows TL-M-1, TL-M-2 and TL-M-3 of the Tape Library Profile, through a library and its
// tapes, in every version of KMIP.

import assert from 'node:assert/strict'

import { versions } from '../../src/kmip/model/versions.ts'
import { strictDialect } from '../dialects.ts'
import { keyFilter, vendor } from '../key-attributes.ts'
import { keyBytes } from '../library-keys.ts'
import { write } from '../recording.ts'
import { Stage } from '../stage.ts'
import { endsWith, proveTape, recording, type Scenario } from './scenario.ts'

/** Configure, write, read, modify, destroy: once per version, each on a tape of its own. */
export const everyVersion: Scenario = {
  id: 'T-16',
  title: 'configure, write, read and destroy in KMIP 1.0, 1.1, 1.2, 1.3, 1.4, 2.0 and 2.1',
  async run(stage) {
    for (const { text } of versions) {
      const versioned = stage.speaking(strictDialect(text))
      try {
        await tapeLibraryFlows(versioned)
      } finally {
        await versioned.close()
      }
    }
  },
}

async function tapeLibraryFlows(stage: Stage): Promise<void> {
  const { dialect } = stage
  const client = await stage.client()

  // TL-M-1
  const configured = await client.call('Query', {
    QueryFunction: [
      'QueryOperations',
      'QueryObjects',
      'QueryServerInformation',
      'QueryApplicationNamespaces',
    ],
  })
  for (const needed of ['Create', 'Locate', 'Get', 'GetAttributes', 'Destroy'] as const) {
    assert.ok(configured.Operation.includes(needed), `${needed} in KMIP ${dialect.version}`)
  }
  assert.ok(configured.ObjectType.includes('SymmetricKey'))

  // TL-M-2
  const library = stage.library()
  const cartridge = await stage.cartridge('KR0016L8')
  await library.insert(cartridge)
  const written = recording(1)
  await write(await library.mount(cartridge, 0), written)
  await library.dismount(0)
  const [made] = library.journal.events('key-made')

  // TL-M-3
  await proveTape(library, cartridge, [written], { drive: 1 })
  const locate = {
    operation: 'Locate',
    payload: { Attributes: keyFilter(dialect, made!.identifier) },
  } as const
  const [, get] = await client.batch([locate, { operation: 'Get', payload: {} }])
  assert.equal(get.status, 'Success')
  keyBytes(get.payload)?.fill(0)
  assert.equal(get.payload.UniqueIdentifier, made!.id)

  const [, list] = await client.batch([locate, { operation: 'GetAttributeList', payload: {} }])
  assert.equal(list.status, 'Success')
  const [, all] = await client.batch([locate, { operation: 'GetAttributes', payload: {} }])
  assert.equal(all.status, 'Success')
  const state = all.payload.Attributes?.find(({ tag }) => tag === 'State')
  assert.equal(state?.value, 'PreActive')

  const modified = await client.batch([
    locate,
    {
      operation: 'ModifyAttribute',
      payload: { NewAttribute: vendor('VendorAttribute1', { type: 'TextString', value: 'seen' }) },
    },
    {
      operation: 'ModifyAttribute',
      payload: { NewAttribute: vendor('VendorAttribute2', { type: 'Integer', value: 1 }) },
    },
  ])
  assert.deepEqual(
    modified.map(({ status }) => status),
    ['Success', 'Success', 'Success'],
  )
  await proveTape(library, cartridge, [written])

  await client.call('Destroy', { UniqueIdentifier: made!.id })
  await endsWith('7/74/01', (await library.mount(cartridge, 0)).read())
  await library.dismount(0)
}
