// What a running server does when its master key is rotated or taken away, and sealing anew beside it.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { exitStatus, UserError } from '../../src/errors.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createMasterKeyFile, openMasterKeyFile } from '../../src/keystore/master-key-file.ts'
import {
  newPassphraseProvider,
  passphraseMasterKey,
} from '../../src/keystore/master-key-passphrase.ts'
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
  temporaryFolder,
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

const refusal = (code: string, status: number) =>
  new UserError(code, `${code}, as the token says`, 'give it', { exitStatus: status })

/** A watch over a server whose master key was rotated to one that is not to be had until it is there. */
async function missing(reason: UserError) {
  const site = await rotated()
  const { log, lines } = notebook()
  const state = { attempts: 0, milliseconds: 0, there: undefined as string | undefined }
  const watch = watchMasterKey({
    store: site.server,
    log,
    reopen() {
      state.attempts++
      return state.there === undefined
        ? Promise.reject(reason)
        : Promise.resolve(openMasterKeyFile(state.there))
    },
    lost: notLost,
    steady: () => state.milliseconds,
  })
  /** Looks every second, as a server does, for so many seconds. */
  const looks = async (seconds: number) => {
    for (let second = 0; second < seconds; second++, state.milliseconds += 1000) await watch.look()
  }
  return { ...site, watch, lines, state, looks }
}

/** Rotates once more. */
async function rotatedAgain(directory: string, key: string): Promise<string> {
  const cli = await opened(directory, { writer: 'cli', masterKey: openMasterKeyFile(key) })
  const next = `${key}.next`
  await cli.retireOthers(createMasterKeyFile(next), actor)
  await cli.close()
  return next
}

test('a master key that is not at hand is looked for less and less often, and told of once', async () => {
  const { server, next, state, lines, looks } = await missing(refusal('no-terminal', 11))
  await looks(60)
  // After 0, 1, 3, 7, 15 and 31 seconds.
  expect([state.attempts, lines.length]).toEqual([6, 1])
  expect(lines[0]).toMatchObject({ level: 'error', fields: { alarm: true } })
  await looks(3600)
  expect(state.attempts).toBeLessThan(6 + 62)
  expect(lines).toHaveLength(1)
  expect(await get(server, 1)).toEqual(materialOf(1))
  state.there = next
  await looks(61)
  expect(await server.followEpochs()).toBe('current')
  expect(lines.map(({ level }) => level)).toEqual(['error', 'info'])
})

test('another reason why it is not to be had is told as well', async () => {
  const reason = refusal('token-missing', 11)
  const { lines, looks } = await missing(reason)
  await looks(2)
  reason.message = 'the token is there, and its key is not'
  await looks(10)
  expect(lines.map(({ fields }) => (fields as { err: unknown }).err)).toEqual([reason, reason])
})

test.each([
  ['wrong-pin', exitStatus.wrongPassphrase],
  ['wrong-passphrase', exitStatus.wrongPassphrase],
  ['pin-not-tried', exitStatus.sealed],
  ['pin-locked', exitStatus.sealed],
])('after %s nothing is tried until somebody says so', async (code, status) => {
  const { server, watch, next, state, lines, looks } = await missing(refusal(code, status))
  await looks(3600)
  expect([state.attempts, lines.length]).toEqual([1, 1])
  state.there = next
  watch.tryAgain()
  await looks(1)
  expect(await server.followEpochs()).toBe('current')
})

test.each([
  ['wrong-passphrase', exitStatus.wrongPassphrase],
  ['token-missing', exitStatus.sealed],
])(
  'a later rotation is followed at once, whatever came of the one before (%s)',
  async (code, status) => {
    const { directory, server, next, state, looks } = await missing(refusal(code, status))
    await looks(40)
    const { attempts } = state
    state.there = await rotatedAgain(directory, next)
    await looks(1)
    expect(state.attempts).toBe(attempts + 1)
    expect(await server.followEpochs()).toBe('current')
    await server.beginEpoch(actor)
  },
)

test('a passphrase that was refused is not tried on the same keystore again, and the right one is', async () => {
  const directory = join(temporaryFolder(), 'data')
  const cheap = { memory: 64, passes: 1, lanes: 1 }
  const passphrase = (text: string, id?: string) =>
    passphraseMasterKey(new Secret(Buffer.from(text)), cheap, id)
  await initialiseStore({ directory, masterKey: () => passphrase('the first one') })
  const server = await opened(directory, { masterKey: passphrase('the first one') })
  const cli = await opened(directory, { writer: 'cli', masterKey: passphrase('the first one') })
  const id = newPassphraseProvider()
  await cli.retireOthers(passphrase('another one', id), actor)
  await cli.close()
  let typed = 'the first one'
  const { log, lines } = notebook()
  const watch = watchMasterKey({
    store: server,
    log,
    reopen: () => Promise.resolve(passphrase(typed, id)),
    lost: notLost,
  })
  await watch.look()
  watch.tryAgain()
  await watch.look()
  expect(lines.map(({ fields }) => (fields as { err: UserError }).err)).toMatchObject([
    { code: 'wrong-passphrase', message: 'this passphrase does not open the keystore' },
    {
      code: 'wrong-passphrase',
      message: expect.stringMatching(/refused before and is not tried again$/) as string,
    },
  ])
  typed = 'another one'
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
