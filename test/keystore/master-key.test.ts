// Master-key providers: what they refuse, and that only the right key opens a store.
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from '../../src/crypto/secret.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { passphraseMasterKey } from '../../src/keystore/master-key-passphrase.ts'
import { actor, create, dataDirectory, get, materialOf, opened, temporaryFolder } from './sample.ts'

/** Cheap enough for tests; the real cost is the default. */
const cheap = { memory: 256, passes: 1, lanes: 1 }
const passphrase = (text: string) => passphraseMasterKey(new Secret(Buffer.from(text)), cheap)
const context = Buffer.from('store and epoch')

test('a master key file is private, 72 bytes, and opens what it wrapped', async () => {
  const path = join(temporaryFolder(), 'master.key')
  const made = createMasterKeyFile(path)
  const { mode, size } = statSync(path)
  expect([mode & 0o777, size]).toEqual([0o600, 72])
  const wrap = await made.wrap(materialOf(7), context)
  const again = openMasterKeyFile(path)
  expect(again.id).toBe(made.id)
  expect(Uint8Array.from(await again.unwrap(wrap, context))).toEqual(materialOf(7))
})

test('a wrap opens under its own context only', async () => {
  const keys = [
    createMasterKeyFile(join(temporaryFolder(), 'master.key')),
    passphrase('open sesame'),
  ]
  for (const key of keys) {
    const wrap = await key.wrap(materialOf(7), context)
    await expect(key.unwrap(wrap, Buffer.from('another epoch'))).rejects.toMatchObject({
      code: key.id === 'passphrase' ? 'wrong-passphrase' : 'wrong-master-key',
    })
  }
})

test('an existing master key is never overwritten, and nothing is left beside it', () => {
  const folder = temporaryFolder()
  const path = join(folder, 'master.key')
  createMasterKeyFile(path)
  const before = readFileSync(path)
  expect(() => createMasterKeyFile(path)).toThrow(/exists/)
  expect(readFileSync(path)).toEqual(before)
  expect(readdirSync(folder)).toEqual(['master.key'])
})

test.each([
  ['that is missing', 'master-key-missing', (path: string) => path + '.elsewhere'],
  ['that others may read', 'master-key-exposed', (path: string) => (chmodSync(path, 0o644), path)],
  [
    'that its group may read',
    'master-key-exposed',
    (path: string) => (chmodSync(path, 0o640), path),
  ],
  ['cut short', 'master-key-damaged', (path: string) => (truncateSync(path, 71), path)],
  ['that is empty', 'master-key-damaged', (path: string) => (truncateSync(path, 0), path)],
  [
    'that grew',
    'master-key-damaged',
    (path: string) => (writeFileSync(path, 'x', { flag: 'a' }), path),
  ],
  ['with a bit changed', 'master-key-damaged', (path: string) => (flipBit(path), path)],
  [
    'that is a directory',
    'master-key-damaged',
    (path: string) => (chmodSync(join(path, '..'), 0o700), join(path, '..')),
  ],
])('a master key file %s is refused with exit status 11', (_, code, spoil) => {
  const path = join(temporaryFolder(), 'master.key')
  createMasterKeyFile(path)
  const spoilt = spoil(path)
  expect(() => openMasterKeyFile(spoilt)).toThrow(expect.objectContaining({ code, exitStatus: 11 }))
})

// Only root can give a file to somebody else; for others there is no such test, which is no skip.
const isRoot = process.geteuid?.() === 0
if (isRoot)
  test('a master key file of another user is refused', () => {
    const path = join(temporaryFolder(), 'master.key')
    createMasterKeyFile(path)
    chownSync(path, 65_534, 65_534)
    expect(() => openMasterKeyFile(path)).toThrow(
      expect.objectContaining({ code: 'master-key-owner' }),
    )
  })

test('a store does not open with another master key file', async () => {
  const directory = await dataDirectory()
  const other = createMasterKeyFile(join(temporaryFolder(), 'other.key'))
  const opening = opened(directory, { masterKey: other })
  await expect(opening).rejects.toMatchObject({ code: 'wrong-master-key', exitStatus: 11 })
})

test('a store sealed by passphrase opens with it, and with no other: exit status 12', async () => {
  const directory = join(temporaryFolder(), 'data')
  await initialiseStore({ directory, masterKey: () => passphrase('correct horse') })
  const store = await opened(directory, { masterKey: passphrase('correct horse') })
  await create(store, 1)
  await store.close()
  const wrong = opened(directory, { masterKey: passphrase('battery staple') })
  await expect(wrong).rejects.toMatchObject({ code: 'wrong-passphrase', exitStatus: 12 })
  const again = await opened(directory, { masterKey: passphrase('correct horse') })
  expect(await get(again, 1)).toEqual(materialOf(1))
})

test('a wrap that demands too much memory is refused before it is spent', async () => {
  const key = passphrase('open sesame')
  const wrap = Buffer.from(await key.wrap(materialOf(1), context))
  wrap.writeUInt32BE(0xffffffff, 1)
  await expect(key.unwrap(wrap, context)).rejects.toMatchObject({ code: 'master-key-damaged' })
})

test('a second master key opens the store as well, until the first is taken away', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  await create(store, 1)
  await store.beginEpoch(actor)
  await create(store, 2)
  const own = openMasterKeyFile(join(directory, 'master.key')).id
  await expect(store.removeMasterKey(own, actor)).rejects.toMatchObject({ code: 'last-master-key' })
  await store.addMasterKey(passphrase('recovery'), actor)
  await store.removeMasterKey(own, actor)
  await store.close()

  await expect(opened(directory)).rejects.toMatchObject({ code: 'wrong-master-key' })
  const again = await opened(directory, { masterKey: passphrase('recovery') })
  for (const at of [1, 2]) expect(await get(again, at)).toEqual(materialOf(at))
  expect((await again.auditVerify()).problems).toEqual([])
})

test('a secret shows its length only', () => {
  const secret = new Secret(Buffer.from('hunter2hunter2'))
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ deep: { secret } })]
  for (const text of shown) {
    expect(text).toContain('[secret 14 bytes]')
    expect(text).not.toContain('hunter2')
  }
  secret.wipe()
  expect(Uint8Array.from(secret.bytes)).toEqual(new Uint8Array(14))
})

function flipBit(path: string): void {
  const bytes = readFileSync(path)
  bytes[20] = bytes[20]! ^ 1
  writeFileSync(path, bytes)
}
