// Credentials other than user name and password: devices, one-time passwords, hashed passwords.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { addCredential } from '../../src/access/credential-add.ts'
import { CredentialCheck } from '../../src/access/credentials.ts'
import type { Principal } from '../../src/access/identity.ts'
import { enrolLibrary } from '../../src/access/enrolment.ts'
import { initialisedStore, now, type TestStore } from './test-store.ts'

const password = 'correct horse'
const username = 'tapes'
const refused = { ok: false, reason: 'credential-wrong' }

const alpha: Principal = {
  name: 'alpha',
  kind: 'library',
  group: 'default',
  profile: 'tape-library',
  fingerprint: '00',
  owner: 'alpha',
  ownOnly: false,
  credentialRequired: true,
}

async function scene() {
  const store = await initialisedStore()
  await enrolLibrary(store, { name: 'alpha', source: { generate: 'p256' } })
  const check = new CredentialCheck()
  const present = (CredentialType: string, CredentialValue: object, by = alpha) =>
    check.authenticate(store, by, [{ CredentialType, CredentialValue }])
  return { store, check, present }
}

describe('a device', () => {
  const device = { username: 'S-1', kind: 'device' as const, ownOnly: false }

  test('is known by its serial number, and owns what it makes under it', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', device)
    expect(await present('Device', { DeviceSerialNumber: 'S-1' })).toEqual({
      ok: true,
      principal: { ...alpha, owner: 'alpha/S-1' },
    })
    const more = { DeviceSerialNumber: 'S-1', MachineIdentifier: 'unknown here' }
    expect(await present('Device', more)).toMatchObject({ ok: true })
  })

  test('must send the password that is kept, and none where none is', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', device)
    const right = { DeviceSerialNumber: 'S-1', Password: password }
    expect(await present('Device', right)).toMatchObject(refused)
    await addCredential(store, 'alpha', { ...device, password })
    expect(await present('Device', right)).toMatchObject({ ok: true })
    for (const wrong of [{ ...right, Password: 'x' }, { DeviceSerialNumber: 'S-1' }])
      expect(await present('Device', wrong)).toMatchObject(refused)
  })

  test('must send every identifier that is kept of it', async () => {
    const { store, present } = await scene()
    const identifiers = { device: 'D', network: 'N', machine: 'M', media: 'V' }
    await addCredential(store, 'alpha', { ...device, identifiers })
    const all = {
      DeviceSerialNumber: 'S-1',
      DeviceIdentifier: 'D',
      NetworkIdentifier: 'N',
      MachineIdentifier: 'M',
      MediaIdentifier: 'V',
    }
    expect(await present('Device', all)).toMatchObject({ ok: true })
    for (const field of Object.keys(all)) {
      expect(await present('Device', { ...all, [field]: undefined })).toMatchObject(refused)
      expect(await present('Device', { ...all, [field]: 'other' })).toMatchObject(refused)
    }
  })

  test('is no user, and a user is no device', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', { ...device, password })
    await addCredential(store, 'alpha', { username, password, ownOnly: false })
    const asUser = { Username: 'S-1', Password: password }
    expect(await present('UsernameAndPassword', asUser)).toMatchObject(refused)
    const asDevice = { DeviceSerialNumber: username, Password: password }
    expect(await present('Device', asDevice)).toMatchObject(refused)
    expect(await present('Device', {})).toMatchObject(refused)
  })
})

describe('a one-time password', () => {
  const once = { username, password, kind: 'one-time' as const, ownOnly: true }
  const right = { Username: username, OneTimePassword: password }

  test('is good once, also for another process, and its use is audited', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', once)
    expect(await present('OneTimePassword', right)).toMatchObject({
      ok: true,
      principal: { owner: 'alpha/tapes', ownOnly: true },
    })
    expect(await present('OneTimePassword', right)).toMatchObject(refused)
    const value = { CredentialType: 'OneTimePassword', CredentialValue: right }
    const elsewhere = await new CredentialCheck().authenticate(store, alpha, [value])
    expect(elsewhere).toMatchObject(refused)
    expect((await store.audited()).at(-1)).toMatchObject({
      operation: 'one-time password',
      actor: { name: 'alpha/tapes' },
    })
  })

  test('is good for one of many that come at the same time', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', once)
    const all = await Promise.all(
      Array.from({ length: 8 }, () => present('OneTimePassword', right)),
    )
    expect(all.filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('is not used up by a wrong one, and a new one takes its place', async () => {
    const { store, present } = await scene()
    await addCredential(store, 'alpha', once)
    for (const wrong of [
      { ...right, OneTimePassword: 'x' },
      { ...right, Username: 'y' },
      { ...right, Password: password },
    ])
      expect(await present('OneTimePassword', wrong)).toMatchObject(refused)
    const asUser = { Username: username, Password: password }
    expect(await present('UsernameAndPassword', asUser)).toMatchObject(refused)
    expect(await present('OneTimePassword', right)).toMatchObject({ ok: true })
    await addCredential(store, 'alpha', { ...once, password: 'another horse' })
    const next = { ...right, OneTimePassword: 'another horse' }
    expect(await present('OneTimePassword', next)).toMatchObject({ ok: true })
  })
})

/** KMIP 2.1 §9.11 and §8.5, computed here from the text. */
function hashed(TimeStamp: bigint, { name = 'sha256', secret = password } = {}) {
  const digest = (...parts: (string | Uint8Array)[]) => {
    const state = createHash(name)
    for (const part of parts) state.update(part)
    return state.digest()
  }
  const time = Buffer.alloc(8)
  time.writeBigInt64BE(TimeStamp)
  const [s1, s2] = [digest(username, secret), digest(secret, username)]
  return {
    value: {
      Username: username,
      TimeStamp,
      HashedPassword: new Uint8Array(Buffer.concat([digest(s1, time), s2])),
    },
    server: digest(time, s1, digest(s2)),
  }
}

describe('a hashed password', () => {
  const time = now * 1_000_000n
  const add = (store: TestStore, hashes = true) =>
    addCredential(store, 'alpha', { username, password, ownOnly: false, hashed: hashes })

  test('is answered with what proves the server', async () => {
    const { store, present } = await scene()
    await add(store)
    const { value, server } = hashed(time)
    const found = await present('HashedPassword', value)
    expect(found).toMatchObject({ ok: true, principal: { owner: 'alpha/tapes' } })
    expect(found.ok && Buffer.from(found.serverHashedPassword!)).toEqual(server)
  })

  test('may be made with any of the hashes that are not broken', async () => {
    const { store, present } = await scene()
    await add(store)
    const names = ['sha384', 'sha512', 'sha3-256', 'sha3-384', 'sha3-512']
    const kinds = ['SHA_384', 'SHA_512', 'SHA3_256', 'SHA3_384', 'SHA3_512']
    for (const [at, name] of names.entries()) {
      const { value, server } = hashed(time + BigInt(at), { name })
      const found = await present('HashedPassword', { ...value, HashingAlgorithm: kinds[at] })
      expect(found.ok && Buffer.from(found.serverHashedPassword!)).toEqual(server)
    }
  })

  test('has a Timestamp that only grows', async () => {
    const { store, present } = await scene()
    await add(store)
    expect(await present('HashedPassword', hashed(time).value)).toMatchObject({ ok: true })
    for (const late of [time, time - 1n])
      expect(await present('HashedPassword', hashed(late).value)).toMatchObject(refused)
    expect(await present('HashedPassword', hashed(time + 1n).value)).toMatchObject({ ok: true })
    const tooFar = hashed(time + 3_601_000_000n).value
    expect(await present('HashedPassword', tooFar)).toMatchObject(refused)
  })

  test('is refused when wrong, cut, of a broken algorithm, or of nobody', async () => {
    const { store, present } = await scene()
    await add(store)
    const { value } = hashed(time)
    for (const wrong of [
      hashed(time, { secret: 'x' }).value,
      { ...value, HashedPassword: value.HashedPassword.subarray(1) },
      { ...value, TimeStamp: time + 1n },
      { ...value, Username: 'other' },
      { ...hashed(time, { name: 'sha1' }).value, HashingAlgorithm: 'SHA_1' },
      { ...value, HashingAlgorithm: 99 },
      { Username: username },
    ])
      expect(await present('HashedPassword', wrong)).toMatchObject(refused)
    expect(await present('HashedPassword', value)).toMatchObject({ ok: true })
  })

  test('is taken only where the administrator said so, and ends with its password', async () => {
    const { store, present } = await scene()
    await add(store, false)
    expect(await present('HashedPassword', hashed(time).value)).toMatchObject(refused)
    await add(store)
    const plain = { Username: username, Password: password }
    expect(await present('UsernameAndPassword', plain)).toMatchObject({ ok: true })
    expect(await present('HashedPassword', hashed(time).value)).toMatchObject({ ok: true })
    await add(store, false)
    expect(await present('HashedPassword', hashed(time + 1n).value)).toMatchObject(refused)
  })

  test('leaves no hash that is not sealed', async () => {
    const { store } = await scene()
    await add(store)
    const s1 = createHash('sha256')
      .update(username + password)
      .digest()
    const stored = await store.stored()
    for (const form of ['hex', 'base64', 'latin1'] as const)
      expect(stored).not.toContain(s1.toString(form))
  })
})
