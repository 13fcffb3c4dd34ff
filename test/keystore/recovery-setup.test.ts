// A store and its recovery key: what the shares open, now and later, and whose key it can be.
import { expect, test } from 'vitest'
import { Secret } from '../../src/crypto/secret.ts'
import { createMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { recoveryMasterKey } from '../../src/keystore/recovery-key.ts'
import type { RecoveryShare } from '../../src/keystore/recovery-share.ts'
import { findRecovery, isComplete, setUpRecovery } from '../../src/keystore/recovery-setup.ts'
import { joinShares } from '../../src/keystore/recovery-shares.ts'
import type { Store } from '../../src/keystore/store.ts'
import { actor, create, dataDirectory, get, materialOf, opened, tamper } from './sample.ts'

/** Sets a recovery key up and keeps copies of the shares, which are wiped otherwise. */
async function setUp(store: Store): Promise<RecoveryShare[]> {
  const kept: RecoveryShare[] = []
  await setUpRecovery(store, {
    threshold: 2,
    holders: [{ number: 1 }, { number: 2 }, { number: 3 }],
    actor,
    handOut(_, shares) {
      for (const share of shares)
        kept.push({ ...share, value: new Secret(Uint8Array.from(share.value.bytes)) })
    },
  })
  return kept
}

const providersOf = async (store: Store) =>
  (await store.epochs()).flatMap(({ providers }) => providers)

const byShares = (shares: RecoveryShare[], providers: readonly string[]) =>
  recoveryMasterKey(joinShares(shares.slice(1), providers))

test('shares open epochs of before and of after, also once the master key was changed', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  const shares = await setUp(store)
  await store.beginEpoch(actor)
  await create(store, 2)
  await store.retireOthers(createMasterKeyFile(`${directory}/lost.key`), actor)
  const key = (await store.read(findRecovery))!
  expect(await isComplete(store, key)).toBe(true)
  const providers = await providersOf(store)
  await store.close()

  const again = await opened(directory, { masterKey: byShares(shares, providers) })
  for (const at of [1, 2]) expect(await get(again, at)).toEqual(materialOf(at))
  await again.beginEpoch(actor)
  await create(again, 3)
  const fresh = createMasterKeyFile(`${directory}/fresh.key`)
  await again.retireOthers(fresh, actor)
  await again.close()
  const last = await opened(directory, { masterKey: fresh })
  for (const at of [1, 2, 3]) expect(await get(last, at)).toEqual(materialOf(at))
  expect((await last.auditVerify()).problems).toEqual([])
})

test('a new recovery key makes the shares of before worthless', async () => {
  const store = await opened(await dataDirectory())
  const before = await setUp(store)
  const after = await setUp(store)
  const providers = await providersOf(store)
  expect(() => joinShares(before, providers)).toThrow(/is of recovery key/)
  expect(joinShares(after, providers).length).toBe(32)
})

test('when handing the shares out fails, the recovery key of before stays', async () => {
  const store = await opened(await dataDirectory())
  const before = await setUp(store)
  const failing = setUpRecovery(store, {
    threshold: 2,
    holders: [{ number: 1 }, { number: 2 }],
    actor,
    handOut() {
      throw new Error('disk full')
    },
  })
  await expect(failing).rejects.toThrow('disk full')
  expect(joinShares(before, await providersOf(store)).length).toBe(32)
})

test('nobody who writes the database can have new epochs wrapped for a key of theirs', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await setUp(store)
  const stranger = await opened(await dataDirectory())
  await setUp(stranger)
  const { ec, mlKem } = (await stranger.read(findRecovery))!
  tamper(
    directory,
    `UPDATE documents SET body = json_set(body, '$.ec', ?, '$.mlKem', ?) WHERE kind = 'recovery'`,
    ec,
    mlKem,
  )
  await expect(store.beginEpoch(actor)).rejects.toMatchObject({ code: 'changed' })
  tamper(directory, `DELETE FROM documents WHERE kind = 'recovery'`)
  await expect(store.beginEpoch(actor)).rejects.toMatchObject({ code: 'replayed' })
})

test('a server that shares have opened goes on with the master key that it is given', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const shares = await setUp(store)
  const providers = await providersOf(store)
  await store.close()
  const server = await opened(directory, { masterKey: byShares(shares, providers) })
  expect(await server.followEpochs()).toBe('current')
  const cli = await opened(directory, { writer: 'cli', masterKey: byShares(shares, providers) })
  const fresh = createMasterKeyFile(`${directory}/fresh.key`)
  await cli.retireOthers(fresh, actor)
  expect(await server.followEpochs()).toBe('retired')
  await expect(server.beginEpoch(actor)).rejects.toMatchObject({ code: 'master-key-retired' })
  await server.adoptMasterKey(fresh)
  expect(await server.followEpochs()).toBe('current')
  await server.beginEpoch(actor)
  expect((await server.epochs()).at(-1)?.providers).toContain(fresh.id)
})

test('a master key that does not know epochs begun without it opens nothing', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const shares = await setUp(store)
  const providers = await providersOf(store)
  await store.close()
  const server = await opened(directory, { masterKey: byShares(shares, providers) })
  await server.beginEpoch(actor)
  await server.close()
  await expect(opened(directory)).rejects.toMatchObject({
    code: 'wrong-master-key',
    exitStatus: 11,
  })
})
