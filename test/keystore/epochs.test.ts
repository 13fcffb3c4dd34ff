// Changing the master key and beginning epochs: at each step the key of before or the key of after opens.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recoveryKeyFrom, recoveryPublicKey } from '../../src/crypto/recovery-keys.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { recoveryMasterKey, recoveryWrapper } from '../../src/keystore/recovery-key.ts'
import { reseal } from '../../src/keystore/resealing.ts'
import { scrubStart } from '../../src/keystore/scrub.ts'
import type { Store } from '../../src/keystore/store.ts'
import {
  actor,
  create,
  createKey,
  dataDirectory,
  get,
  idOf,
  materialOf,
  opened,
  tamper,
} from './sample.ts'

const keyFile = (directory: string, name: string) => join(directory, '..', name)

test('a new master key takes the place of the old one for every epoch', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.beginEpoch(actor)
  await create(store, 2)
  const before = store.provider()
  const next = createMasterKeyFile(keyFile(directory, 'next.key'))
  expect(await store.retireOthers(next, actor)).toEqual([before])
  await store.close()

  await expect(opened(directory)).rejects.toMatchObject({ code: 'wrong-master-key' })
  const again = await opened(directory, { masterKey: next })
  for (const at of [1, 2]) expect(await get(again, at)).toEqual(materialOf(at))
  expect((await again.auditVerify()).problems).toEqual([])
  expect((await again.epochs()).map(({ providers }) => providers)).toEqual([[next.id], [next.id]])
})

test('between adding the new key and forgetting the old one either opens', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.addMasterKey(createMasterKeyFile(keyFile(directory, 'next.key')), actor)
  // The process dies here.
  await store.close()
  for (const path of [join(directory, 'master.key'), keyFile(directory, 'next.key')]) {
    const again = await opened(directory, { masterKey: openMasterKeyFile(path) })
    expect(await get(again, 1)).toEqual(materialOf(1))
    await again.close()
  }
  const cli = await opened(directory, {
    masterKey: openMasterKeyFile(keyFile(directory, 'next.key')),
  })
  await cli.retireOthers(openMasterKeyFile(keyFile(directory, 'next.key')), actor)
  await cli.close()
  await expect(opened(directory)).rejects.toMatchObject({ code: 'wrong-master-key' })
})

test('a wrap that another process made of an epoch begun meanwhile is not forgotten', async () => {
  const directory = await dataDirectory()
  const server = await opened(directory)
  const cli = await opened(directory, { writer: 'cli' })
  const next = createMasterKeyFile(keyFile(directory, 'next.key'))
  await cli.addMasterKey(next, actor)
  await server.beginEpoch(actor)
  await create(server, 2)
  await cli.retireOthers(next, actor)
  const third = await opened(directory, { writer: 'third', masterKey: next })
  expect(await get(third, 2)).toEqual(materialOf(2))
})

test('a server whose master key was rotated away serves on, and makes no epoch that nobody could open', async () => {
  const directory = await dataDirectory()
  const server = await opened(directory)
  await create(server, 1)
  const cli = await opened(directory, { writer: 'cli' })
  const next = createMasterKeyFile(keyFile(directory, 'next.key'))
  expect(await server.followEpochs()).toBe('current')
  await cli.retireOthers(next, actor)
  expect(await server.followEpochs()).toBe('retired')
  expect(await get(server, 1)).toEqual(materialOf(1))
  await create(server, 2)
  await expect(server.beginEpoch(actor)).rejects.toMatchObject({
    code: 'master-key-retired',
    exitStatus: 11,
  })
  await server.adoptMasterKey(openMasterKeyFile(keyFile(directory, 'next.key')))
  expect(await server.followEpochs()).toBe('current')
  await server.beginEpoch(actor)
  await create(server, 3)
  const third = await opened(directory, { writer: 'third', masterKey: next })
  for (const at of [1, 2, 3]) expect(await get(third, at)).toEqual(materialOf(at))
})

test('what another process writes under an epoch it has begun is read at once, whatever asks first', async () => {
  const directory = await dataDirectory()
  const asks = [
    (server: Store) => server.catchUpAuditIndex(),
    (server: Store) => server.auditHeads(),
    (server: Store) => server.auditVerify(),
    (server: Store) => server.objectHistory(idOf(1)),
    (server: Store) => server.scrub(scrubStart, 100),
    (server: Store) => get(server, 1),
  ]
  const first = await opened(directory)
  await createKey(first, 1)
  await first.close()
  for (const ask of asks) {
    const server = await opened(directory)
    while (await server.catchUpAuditIndex());
    const cli = await opened(directory, { writer: 'cli' })
    await cli.beginEpoch(actor)
    await reseal(cli, { actor, goesOn: () => true })
    await ask(server)
    expect((await server.objectHistory(idOf(1))).entries.length).toBeGreaterThan(0)
    await Promise.all([server.close(), cli.close()])
  }
})

test('a master key that does not open the store is not adopted', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  const stranger = createMasterKeyFile(keyFile(directory, 'stranger.key'))
  await expect(store.adoptMasterKey(stranger)).rejects.toMatchObject({ code: 'master-key-retired' })
  expect(await store.followEpochs()).toBe('current')
  await store.beginEpoch(actor)
})

const seed = () => new Secret(new Uint8Array(32).fill(9))
const publicKey = recoveryPublicKey(recoveryKeyFrom(seed()))

test('what is wrapped for a recovery key opens by its seed, and stays when master keys change', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.addMasterKey(recoveryWrapper(publicKey), actor)
  await store.retireOthers(createMasterKeyFile(keyFile(directory, 'lost.key')), actor)
  await store.close()
  const again = await opened(directory, { masterKey: recoveryMasterKey(seed()) })
  expect(await get(again, 1)).toEqual(materialOf(1))
})

test.each([
  [
    'in its seal',
    `CAST(substr(bytes, 1, length(bytes) - 1) || iif(substr(bytes, -1) = x'00', x'01', x'00') AS BLOB)`,
  ],
  ['in its first key', `CAST(x'ff' || substr(bytes, 2) AS BLOB)`],
  ['into text', `hex(bytes)`],
])('a wrap that was changed %s is said to be damaged', async (_, changed) => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await store.addMasterKey(recoveryWrapper(publicKey), actor)
  await store.close()
  tamper(directory, `UPDATE epoch_wraps SET bytes = ${changed} WHERE provider LIKE 'recovery:%'`)
  const wrong = opened(directory, { masterKey: recoveryMasterKey(seed()) })
  await expect(wrong).rejects.toMatchObject({ code: 'master-key-damaged', exitStatus: 11 })
})
