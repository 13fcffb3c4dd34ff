// What a running server does when its master key is rotated or taken away, and sealing anew beside it.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitStatus, UserError } from '../../src/errors.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import { watchMasterKey } from '../../src/keystore/master-key-watch.ts'
import { reseal, resealInBackground } from '../../src/keystore/resealing.ts'
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

/** A log that keeps what it is told. */
function notebook() {
  const lines: { level: string; text: string; fields: object }[] = []
  const at = (level: string) => (fields: object, text: string) =>
    void lines.push({ level, text, fields })
  return { lines, log: { info: at('info'), error: at('error') } }
}

const notLost = () => {
  throw new Error('the master key is not lost')
}

async function rotated(): Promise<{ directory: string; server: Store; next: string }> {
  const directory = await dataDirectory()
  const server = await opened(directory)
  await create(server, 1)
  const cli = await opened(directory, { writer: 'cli' })
  const next = join(directory, '..', 'next.key')
  await cli.retireOthers(createMasterKeyFile(next), actor)
  await cli.close()
  return { directory, server, next }
}

test('a server goes on with the master key that is configured after a rotation', async () => {
  const { server, next } = await rotated()
  const { log, lines } = notebook()
  const reopen = () => Promise.resolve(openMasterKeyFile(next))
  const watch = watchMasterKey({ store: server, log, reopen, lost: notLost })
  await watch.look()
  await watch.look()
  expect(lines.map(({ level }) => level)).toEqual(['info'])
  expect(server.provider()).toBe(openMasterKeyFile(next).id)
  await server.beginEpoch(actor)
})

test('a second rotation between two looks is followed as well', async () => {
  const { directory, server, next } = await rotated()
  const { log, lines } = notebook()
  let configured = next
  const reopen = () => Promise.resolve(openMasterKeyFile(configured))
  const watch = watchMasterKey({ store: server, log, reopen, lost: notLost })
  await watch.look()
  const cli = await opened(directory, { writer: 'cli', masterKey: openMasterKeyFile(next) })
  configured = join(directory, '..', 'second.key')
  await cli.retireOthers(createMasterKeyFile(configured), actor)
  await cli.close()
  await watch.look()
  expect(lines.map(({ level }) => level)).toEqual(['info', 'info'])
  expect(server.provider()).toBe(openMasterKeyFile(configured).id)
})

/** A store whose master key was rotated, and what it holds sealed anew with the next one, before the server has looked. */
async function sealedByTheNext() {
  const directory = await dataDirectory()
  const server = await opened(directory)
  for (let at = 1; at <= 3; at++) await createKey(server, at)
  const next = join(directory, '..', 'next.key')
  const cli = await opened(directory, { writer: 'cli' })
  await cli.retireOthers(createMasterKeyFile(next), actor)
  await cli.close()
  const after = await opened(directory, { writer: 'cli', masterKey: openMasterKeyFile(next) })
  await after.beginEpoch(actor)
  await reseal(after, { actor, goesOn: () => true })
  await createKey(after, 4)
  await after.close()
  return { server, next }
}

test('what was sealed with the next master key is served at once, before the server looks for that', async () => {
  const { server, next } = await sealedByTheNext()
  const { log, lines } = notebook()
  const reopen = () => Promise.resolve(openMasterKeyFile(next))
  const watch = watchMasterKey({ store: server, log, reopen, lost: notLost })
  server.onRetired(() => watch.look())
  const all = await Promise.all([1, 2, 3, 4].map((at) => get(server, at)))
  expect(all).toEqual([1, 2, 3, 4].map(materialOf))
  while (await server.catchUpAuditIndex());
  expect(lines.map(({ level }) => level)).toEqual(['info'])
})

test('while the next master key is not at hand only what it sealed is refused, and is served once it is', async () => {
  const { server, next } = await sealedByTheNext()
  const { log, lines } = notebook()
  let isThere = false
  const sealed = { exitStatus: exitStatus.sealed }
  const reopen = () =>
    isThere
      ? Promise.resolve(openMasterKeyFile(next))
      : Promise.reject(new UserError('no-terminal', 'not at hand', 'give it', sealed))
  const watch = watchMasterKey({ store: server, log, reopen, lost: notLost })
  server.onRetired(() => watch.look())
  const [old, made] = await Promise.allSettled([get(server, 1), create(server, 9)])
  expect(old).toMatchObject({ reason: { code: 'master-key-retired', exitStatus: 11 } })
  expect(made.status).toBe('fulfilled')
  await expect(get(server, 4)).rejects.toMatchObject({ code: 'master-key-retired' })
  expect(lines).toMatchObject([{ level: 'error', fields: { alarm: true } }])
  isThere = true
  watch.tryAgain()
  await watch.look()
  for (const at of [1, 4]) expect(await get(server, at)).toEqual(materialOf(at))
})

test('a master key that is not at hand is asked for once, then again when told to', async () => {
  const { server, next } = await rotated()
  const { log, lines } = notebook()
  let attempts = 0
  let isThere = false
  const reopen = () => {
    attempts++
    const sealed = { exitStatus: exitStatus.sealed }
    return isThere
      ? Promise.resolve(openMasterKeyFile(next))
      : Promise.reject(new UserError('no-terminal', 'not at hand', 'give it', sealed))
  }
  const watch = watchMasterKey({ store: server, log, reopen, lost: notLost })
  for (let look = 0; look < 3; look++) await watch.look()
  expect([attempts, lines.length]).toEqual([1, 1])
  expect(lines[0]).toMatchObject({ level: 'error', fields: { alarm: true } })
  expect(await get(server, 1)).toEqual(materialOf(1))
  isThere = true
  watch.tryAgain()
  await watch.look()
  expect(await server.followEpochs()).toBe('current')
})

test.each([
  ['is taken away', exitStatus.sealed],
  ['wants another PIN than before', exitStatus.wrongPassphrase],
])('a master key that %s is said to be lost, once', async (_, status) => {
  const directory = await dataDirectory()
  const file = openMasterKeyFile(join(directory, 'master.key'))
  let isThere = true
  const gone = new UserError('token-missing', 'the token is gone', 'plug it in', {
    exitStatus: status,
  })
  const check = () => (isThere ? Promise.resolve() : Promise.reject(gone))
  const store = await opened(directory, { masterKey: { ...file, check } })
  const lost: UserError[] = []
  const watch = watchMasterKey({
    store,
    log: notebook().log,
    reopen: () => Promise.resolve(file),
    lost: (reason) => void lost.push(reason),
  })
  await watch.look()
  expect(lost).toEqual([])
  isThere = false
  for (let look = 0; look < 3; look++) await watch.look()
  expect(lost).toEqual([gone])
})

test('the server seals anew in steps, is through some time, and names what is damaged once', async () => {
  const directory = await dataDirectory()
  const store = await opened(directory)
  for (let at = 1; at <= 150; at++) await createKey(store, at)
  tamper(directory, 'UPDATE objects SET sealed = zeroblob(60) WHERE n = 2')
  await store.beginEpoch(actor)
  const { log, lines } = notebook()
  const step = resealInBackground(store, log, 0)
  await step()
  expect((await store.epochs()).map(({ objects }) => objects)).toEqual([51, 99])
  for (let turn = 0; turn < 3; turn++) await step()
  expect((await store.epochs()).map(({ objects }) => objects)).toEqual([1, 149])
  expect(lines).toMatchObject([
    { level: 'error', fields: { subject: idOf(2), alarm: true } },
    { level: 'info', fields: { sealed: 149 } },
  ])
})
