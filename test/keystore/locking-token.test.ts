// What a token says of its PIN: a wrong one was given, one more locks it, it is locked. No PIN is tried twice.
import { beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../../src/crypto/secret.ts'
import { createTokenKey, openTokenKey } from '../../src/keystore/master-key-pkcs11.ts'
import type { MasterKey } from '../../src/keystore/master-key.ts'
import type { Pin } from '../../src/keystore/pkcs11-token.ts'
import { lockingToken, type LockingToken } from '../fixtures/locking-token.ts'
import { softhsmTokens, withoutSofthsm } from '../fixtures/softhsm.ts'
import { materialOf, temporaryFolder } from './sample.ts'

const context = Buffer.from('store and epoch')
const right = '4711'

describe.skipIf(withoutSofthsm !== false)('a token that locks its PIN', () => {
  let token: LockingToken
  let provider: string

  beforeEach(async () => {
    const folder = temporaryFolder()
    const tokens = softhsmTokens(folder)
    tokens.make('kms', right)
    token = lockingToken(folder)
    Object.assign(process.env, token.env, { SOFTHSM2_CONF: tokens.conf })
    const made = await createTokenKey(place(), filed(right))
    provider = made.id
    made.close()
  })

  const place = () => ({ module: token.module, token: 'kms' })
  const open = (pin: Pin): Promise<MasterKey> => openTokenKey(place(), [provider], pin)

  test('a token on its last try is not asked with a PIN out of a file, and a person is told', async () => {
    token.setWrong(2)
    const before = token.tries()
    const fromFile = filed(right)
    await expect(open(fromFile)).rejects.toMatchObject({
      code: 'pin-not-tried',
      exitStatus: 11,
      message: expect.stringContaining('one more wrong PIN locks it') as string,
      hint: expect.stringContaining('keyreel master-key unseal') as string,
    })
    expect(fromFile.asked).toEqual([])
    expect(token.tries()).toBe(before)

    const person = typed(right)
    const key = await open(person)
    expect(person.asked).toEqual([' (the token says: one more wrong PIN locks it)'])
    expect(token.tries()).toBe(before + 1)
    key.close()
    const usual = await open(filed(right))
    usual.close()
  })

  test('wrong PINs are counted down in words until the token is locked, each tried once', async () => {
    const before = token.tries()
    await expect(open(typed('1111'))).rejects.toMatchObject({
      code: 'wrong-pin',
      exitStatus: 12,
      message: expect.stringContaining('a wrong PIN was given since the last right one') as string,
    })
    await expect(open(typed('1111'))).rejects.toMatchObject({ code: 'wrong-pin' })
    expect(token.tries()).toBe(before + 1)
    await expect(open(typed('2222'))).rejects.toMatchObject({
      code: 'wrong-pin',
      message: expect.stringContaining('one more wrong PIN locks it') as string,
    })
    await expect(open(typed('3333'))).rejects.toMatchObject({
      code: 'pin-locked',
      exitStatus: 11,
      hint: expect.stringContaining('--share FILE') as string,
    })
    expect(token.tries()).toBe(before + 3)
  })

  test('a locked token is asked nothing, not even with the right PIN', async () => {
    token.setWrong(3)
    const before = token.tries()
    for (const pin of [filed(right), typed(right)]) {
      await expect(open(pin)).rejects.toMatchObject({ code: 'pin-locked', exitStatus: 11 })
      expect(pin.asked).toEqual([])
    }
    expect(token.tries()).toBe(before)
  })

  test('a PIN that was changed while the session was lost is tried once, then never again', async () => {
    const key = await open(filed(right))
    try {
      const wrap = await key.wrap(materialOf(7), context)
      const before = token.tries()
      token.meddle('other-pin')
      token.meddle('lose-session')
      await expect(key.unwrap(wrap, context)).rejects.toMatchObject({
        code: 'wrong-pin',
        message: expect.stringContaining('it was changed while the token was away') as string,
      })
      expect(token.tries()).toBe(before + 1)
      for (let again = 0; again < 3; again++) {
        await expect(key.check?.()).rejects.toThrow(/it was changed while the token was away/)
        await expect(open(typed(right))).rejects.toMatchObject({ code: 'wrong-pin' })
      }
      expect(token.tries()).toBe(before + 1)
    } finally {
      key.close()
    }
  })

  test('a device that is pulled out and put back goes on with the PIN that was right', async () => {
    const key = await open(filed(right))
    try {
      const wrap = await key.wrap(materialOf(7), context)
      const before = token.tries()
      token.meddle('away')
      await expect(key.check?.()).rejects.toMatchObject({ code: 'token-missing', exitStatus: 11 })
      await expect(key.unwrap(wrap, context)).rejects.toMatchObject({ code: 'token-missing' })
      expect(token.tries()).toBe(before)
      token.undo('away')
      expect(Uint8Array.from(await key.unwrap(wrap, context))).toEqual(materialOf(7))
      expect(token.tries()).toBe(before + 1)
    } finally {
      key.close()
    }
  })
})

/** A PIN and what was said when it was asked for. */
function filed(text: string, attended = false): Pin & { readonly asked: string[] } {
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

function typed(text: string) {
  return filed(text, true)
}
