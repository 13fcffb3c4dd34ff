// A master key in a token: it never leaves it, a wrong PIN is tried once, and a lost session is found again.
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { Secret } from '../../src/crypto/secret.ts'
import { describeStore } from '../../src/keystore/describe-store.ts'
import { initialiseStore } from '../../src/keystore/initialise.ts'
import { createTokenKey, openTokenKey } from '../../src/keystore/master-key-pkcs11.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import { loadModule, type Pkcs11Module } from '../../src/keystore/pkcs11-module.ts'
import type { Pin } from '../../src/keystore/pkcs11-token.ts'
import { softhsmModule, softhsmTokens, withoutSofthsm, type Tokens } from '../fixtures/softhsm.ts'
import { clock, create, get, materialOf, opened, temporaryFolder } from './sample.ts'

const module = softhsmModule ?? 'softhsm is missing'
const context = Buffer.from('store and epoch')
const place = { module, token: 'kms' }

/** A PIN and how often it was asked for. */
function pin(text: string, attended = false): Pin & { asked: string[] } {
  const asked: string[] = []
  return {
    attended,
    asked,
    read(remark) {
      asked.push(remark)
      return Promise.resolve(new Secret(Buffer.from(text)))
    },
  }
}

/** The key is closed when the test is over: all of a process share a module and its login. */
async function closing(key: Promise<MasterKey>): Promise<MasterKey> {
  const made = await key
  let isClosed = false
  const close = () => {
    if (!isClosed) made.close()
    isClosed = true
  }
  onTestFinished(close)
  return { ...made, close }
}

describe.skipIf(withoutSofthsm !== false)(
  `a token${withoutSofthsm ? `: ${withoutSofthsm}` : ''}`,
  () => {
    let tokens: Tokens

    beforeEach(() => {
      tokens = softhsmTokens(temporaryFolder())
      tokens.make('kms', '4711')
      process.env.SOFTHSM2_CONF = tokens.conf
    })

    test('a key is made in the token, cannot leave it, and opens what it wrapped', async () => {
      const made = await closing(createTokenKey(place, pin('4711')))
      const wrap = await made.wrap(materialOf(7), context)
      expect(Buffer.from(wrap).includes(Buffer.from(materialOf(7)))).toBe(false)
      expect(await attributesIn(made.id)).toEqual({ sensitive: 1, extractable: 0, never: 1 })
      made.close()
      const again = await closing(openTokenKey(place, [made.id], pin('4711')))
      expect(Uint8Array.from(await again.unwrap(wrap, context))).toEqual(materialOf(7))
      await expect(again.unwrap(wrap, Buffer.from('another epoch'))).rejects.toMatchObject({
        code: 'master-key-damaged',
      })
      const changed = Uint8Array.from(wrap)
      changed[20]! ^= 1
      await expect(again.unwrap(changed, context)).rejects.toMatchObject({
        code: 'master-key-damaged',
      })
      await expect(again.unwrap(wrap.subarray(0, 5), context)).rejects.toMatchObject({
        code: 'master-key-damaged',
      })
    })

    test('a store is opened by the token and by nothing else', async () => {
      const directory = join(temporaryFolder(), 'data')
      await initialiseStore({
        directory,
        masterKey: () => createTokenKey(place, pin('4711')),
        now: () => clock,
      })
      const provider = (await describeStore(directory))!.providers[0]!
      const store = await opened(directory, {
        masterKey: await openTokenKey(place, [provider], pin('4711')),
      })
      await create(store, 1)
      expect(await get(store, 1)).toEqual(materialOf(1))
      await store.close()
      await expect(
        opened(directory, { masterKey: await closing(createTokenKey(place, pin('4711'))) }),
      ).rejects.toMatchObject({ code: 'wrong-master-key' })
    })

    test('a wrong PIN is tried once, and not without a person until a right one was given', async () => {
      const made = await createTokenKey(place, pin('4711'))
      made.close()
      const open = (given: Pin) => openTokenKey(place, [made.id], given)
      await expect(open(pin('0000'))).rejects.toMatchObject({ code: 'wrong-pin', exitStatus: 12 })
      await expect(open(pin('0000', true))).rejects.toThrow(/refused before and is not tried again/)
      const filed = pin('4711')
      await expect(open(filed)).rejects.toMatchObject({ code: 'pin-not-tried', exitStatus: 11 })
      expect(filed.asked).toEqual([])
      const typed = pin('4711', true)
      const key = await open(typed)
      expect(typed.asked).toEqual([
        ' (the token says: a wrong PIN was given since the last right one)',
      ])
      key.close()
      ;(await closing(open(pin('4711')))).close()
    })

    test('a token that is taken away is missing, and is found again when it is back', async () => {
      const made = await closing(createTokenKey(place, pin('4711')))
      const wrap = await made.wrap(materialOf(7), context)
      await made.check?.()
      renameSync(tokens.directory, `${tokens.directory}.away`)
      await expect(made.check?.()).rejects.toMatchObject({ code: 'token-missing', exitStatus: 11 })
      await expect(made.unwrap(wrap, context)).rejects.toMatchObject({ code: 'token-missing' })
      renameSync(`${tokens.directory}.away`, tokens.directory)
      await made.check?.()
      expect(Uint8Array.from(await made.unwrap(wrap, context))).toEqual(materialOf(7))
    })

    test('a session that was lost is opened again with the PIN that was right', async () => {
      const asked = pin('4711')
      const made = await closing(createTokenKey(place, asked))
      const wrap = await made.wrap(materialOf(7), context)
      await loseSessions()
      await made.check?.()
      await loseSessions()
      expect(Uint8Array.from(await made.unwrap(wrap, context))).toEqual(materialOf(7))
      expect(asked.asked.length).toBe(1)
    })

    test('a token is named by label or serial number, and must be named where there are several', async () => {
      tokens.make('other', '1234')
      const code = async (token: string | undefined) =>
        createTokenKey({ module, token }, pin('4711')).then(
          (key) => (key.close(), 'opened'),
          (error: { code: string; hint: string }) => error.code,
        )
      expect(await code(undefined)).toBe('token-missing')
      expect(await code('nobody')).toBe('token-missing')
      expect(await code('kms')).toBe('opened')
    })

    test('a token that holds another key is refused', async () => {
      const wrong = openTokenKey(place, ['pkcs11:0011223344556677'], pin('4711'))
      await expect(wrong).rejects.toMatchObject({ code: 'token-without-key', exitStatus: 11 })
    })
  },
)

test('a module that is none is one clear error', async () => {
  for (const path of ['/nowhere/module.so', import.meta.filename]) {
    await expect(
      createTokenKey({ module: path, token: undefined }, pin('1')),
    ).rejects.toMatchObject({
      code: 'pkcs11-module',
      exitStatus: 11,
    })
  }
})

/** What another program sees of the key. */
function attributesIn(provider: string) {
  return withSession(({ api, constants: c }, session) => {
    const id = Buffer.from(provider.slice('pkcs11:'.length), 'hex')
    api.C_FindObjectsInit(session, [{ type: c.CKA_ID, value: id }])
    const [key] = api.C_FindObjects(session, 1)
    api.C_FindObjectsFinal(session)
    const types = [c.CKA_SENSITIVE, c.CKA_EXTRACTABLE, c.CKA_NEVER_EXTRACTABLE]
    const wanted = types.map((type) => ({ type }))
    const found = api.C_GetAttributeValue(session, key!, wanted)
    expect(() => api.C_GetAttributeValue(session, key!, [{ type: c.CKA_VALUE }])).toThrow(
      /SENSITIVE/,
    )
    const [sensitive, extractable, never] = found.map(({ value }) => (value as Buffer)[0])
    return { sensitive, extractable, never }
  })
}

/** All sessions of this process with the token end, and its login with them. */
function loseSessions(): Promise<void> {
  return withSession(({ api }, _, slot) => api.C_CloseAllSessions(slot))
}

/** The module as the keystore has it loaded, with a session of the test's own. */
async function withSession<T>(
  act: (module: Pkcs11Module, session: Buffer, slot: Buffer) => T,
): Promise<T> {
  const loaded = await loadModule(module)
  const { api, constants } = loaded
  const isOurs = (slot: Buffer) => api.C_GetTokenInfo(slot).label.trim() === 'kms'
  const slot = api.C_GetSlotList(true).find(isOurs)!
  try {
    return act(loaded, api.C_OpenSession(slot, constants.CKF_SERIAL_SESSION), slot)
  } finally {
    loaded.release()
  }
}
