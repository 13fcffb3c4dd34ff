// A rotation that dies at any step: the configuration names a key that opens, and the same command ends it.
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { nextKeyFile, rotateMasterKey } from '../../src/keystore/master-key-rotation.ts'
import type { Store } from '../../src/keystore/store.ts'
import { actor, create, dataDirectory, get, materialOf, opened } from './sample.ts'

const died = new Error('died')
type Rotating = Pick<Store, 'addMasterKey' | 'retireOthers'>

/** Where a rotation may die, and how many keys open the keystore then. */
const deaths: readonly [
  when: string,
  opens: number,
  rotate: (store: Store, path: string) => Promise<unknown>,
][] = [
  [
    'once the new key is made',
    1,
    (store, path) =>
      rotating(store, path, { addMasterKey: () => Promise.reject(died) }, () => undefined),
  ],
  [
    'once every epoch is wrapped for the new key',
    2,
    (store, path) =>
      rotating(store, path, {}, () => {
        throw died
      }),
  ],
  [
    'once the new key has the place of the old one',
    2,
    (store, path) => rotating(store, path, { retireOthers: () => Promise.reject(died) }),
  ],
]

function rotating(store: Store, path: string, changed: Partial<Rotating>, takePlace?: () => void) {
  const next = nextKeyFile(path)
  const steps: Rotating = {
    addMasterKey: (key, who) => store.addMasterKey(key, who),
    retireOthers: (key, who) => store.retireOthers(key, who),
    ...changed,
  }
  return rotateMasterKey(steps, { ...next, ...(takePlace && { takePlace }) }, actor)
}

test.each(deaths)(
  '%s it dies: what is configured opens, and the same ends it',
  async (_, opens, rotate) => {
    const directory = await dataDirectory()
    const path = join(directory, 'master.key')
    const first = openMasterKeyFile(path).id
    const store = await opened(directory)
    await create(store, 1)
    await store.beginEpoch(actor)
    await create(store, 2)
    await expect(rotate(store, path)).rejects.toBe(died)
    await store.close()

    const again = await opened(directory, { masterKey: openMasterKeyFile(path) })
    for (const at of [1, 2]) expect(await get(again, at)).toEqual(materialOf(at))
    const [epoch] = await again.epochs()
    expect(epoch!.providers).toHaveLength(opens)

    const { provider, retired } = await rotateMasterKey(again, nextKeyFile(path), actor)
    expect(retired).toContain(first)
    await again.close()
    expect(openMasterKeyFile(path).id).toBe(provider)
    expect(existsSync(`${path}.next`)).toBe(false)
    expect(
      readdirSync(dirname(path)).filter((name) => name.startsWith('master.key.old-')),
    ).toContain(`master.key.old-${first.slice('file:'.length).slice(0, 8)}`)
    const last = await opened(directory, { masterKey: openMasterKeyFile(path) })
    for (const at of [1, 2]) expect(await get(last, at)).toEqual(materialOf(at))
    expect((await last.epochs()).map(({ providers }) => providers)).toEqual([
      [provider],
      [provider],
    ])
    expect((await last.auditVerify()).problems).toEqual([])
  },
)
