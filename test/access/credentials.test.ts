import { describe, expect, test } from 'vitest'
import { addCredential, type NewCredential } from '../../src/access/credential-add.ts'
import { CredentialCheck } from '../../src/access/credentials.ts'
import { enrolLibrary } from '../../src/access/enrolment.ts'
import { identify, type Principal } from '../../src/access/identity.ts'
import { initialisedStore, type TestStore } from './test-store.ts'

const password = 'correct horse'
const sent = (Username: string, Password?: string) => [
  {
    CredentialType: 'UsernameAndPassword',
    CredentialValue: Password === undefined ? { Username } : { Username, Password },
  },
]

interface Scene {
  store: TestStore
  check: CredentialCheck
  /** The principal as its certificate alone makes it. */
  principal(name: string): Promise<Principal>
}

async function scene(): Promise<Scene> {
  const store = await initialisedStore()
  const shown = new Map<string, Uint8Array>()
  for (const name of ['alpha', 'beta']) {
    const { certificate } = await enrolLibrary(store, { name, source: { generate: 'p256' } })
    shown.set(name, certificate.der)
  }
  return {
    store,
    check: new CredentialCheck(),
    async principal(name) {
      const der = shown.get(name) ?? new Uint8Array()
      const found = await store.read((work) => identify(work, der, work.now))
      if (!found.ok) throw new Error(found.reason)
      return found.principal
    },
  }
}

const add = (store: TestStore, library: string, username = 'tapes', ownOnly = false) =>
  addCredential(store, library, { username, password, ownOnly })

describe('a client with a credential', () => {
  test('must send it, and then owns what it makes under that name', async () => {
    const { store, check, principal } = await scene()
    await add(store, 'alpha')
    const alpha = await principal('alpha')
    expect(alpha.credentialRequired).toBe(true)
    expect(await check.authenticate(store, alpha, [])).toMatchObject({
      ok: false,
      reason: 'credential-missing',
    })
    expect(await check.authenticate(store, alpha, sent('tapes', password))).toEqual({
      ok: true,
      principal: { ...alpha, owner: 'alpha/tapes' },
    })
  })

  test.each([
    ['a wrong password', sent('tapes', 'wrong horse')],
    ['no password', sent('tapes')],
    ['an empty password', sent('tapes', '')],
    ['another name', sent('Tapes', password)],
    ['no name', sent('', password)],
    ['a right one and a wrong one', [...sent('tapes', password), ...sent('tapes', 'wrong')]],
    ['a password longer than any', sent('tapes', password + 'x'.repeat(100_000))],
    ['a credential of another kind', [{ CredentialType: 'Device', CredentialValue: {} }]],
    ['a credential without content', [{ CredentialType: 6, CredentialValue: undefined }]],
  ])('is refused with %s', async (_, presented) => {
    const { store, check, principal } = await scene()
    await add(store, 'alpha')
    expect(await check.authenticate(store, await principal('alpha'), presented)).toMatchObject({
      ok: false,
      reason: 'credential-wrong',
    })
  })

  test('is kept to its own objects when the credential says so', async () => {
    const { store, check, principal } = await scene()
    await add(store, 'alpha', 'night', true)
    const found = await check.authenticate(store, await principal('alpha'), sent('night', password))
    expect(found).toMatchObject({ ok: true, principal: { owner: 'alpha/night', ownOnly: true } })
  })

  test('may have several, each with its own name', async () => {
    const { store, check, principal } = await scene()
    await add(store, 'alpha', 'day')
    await add(store, 'alpha', 'night', true)
    const alpha = await principal('alpha')
    const day = await check.authenticate(store, alpha, sent('day', password))
    expect(day).toMatchObject({ ok: true, principal: { owner: 'alpha/day', ownOnly: false } })
    const both = [...sent('day', password), ...sent('night', password)]
    expect(await check.authenticate(store, alpha, both)).toMatchObject({
      principal: { owner: 'alpha/day', ownOnly: true },
    })
  })

  test('is never more than its certificate makes it', async () => {
    const { store, check, principal } = await scene()
    await add(store, 'alpha')
    const alpha = { ...(await principal('alpha')), ownOnly: true }
    const found = await check.authenticate(store, alpha, sent('tapes', password))
    expect(found).toMatchObject({
      principal: { profile: 'tape-library', group: 'default', ownOnly: true },
    })
  })
})

test('a credential of one client is none for another', async () => {
  const { store, check, principal } = await scene()
  await add(store, 'alpha')
  expect(
    await check.authenticate(store, await principal('beta'), sent('tapes', password)),
  ).toMatchObject({ ok: false, reason: 'credential-wrong' })
})

test('a client without one needs none, and must not send a wrong one', async () => {
  const { store, check, principal } = await scene()
  const beta = await principal('beta')
  expect(await check.authenticate(store, beta, [])).toEqual({ ok: true, principal: beta })
  expect(await check.authenticate(store, beta, sent('x', 'y'))).toMatchObject({ ok: false })
})

test('a new password takes the place of the old one at once', async () => {
  const { store, check, principal } = await scene()
  await add(store, 'alpha')
  const alpha = await principal('alpha')
  expect(await check.authenticate(store, alpha, sent('tapes', password))).toMatchObject({
    ok: true,
  })
  const renewed = { username: 'tapes', password: 'another horse', ownOnly: false }
  await addCredential(store, 'alpha', renewed)
  expect(await check.authenticate(store, alpha, sent('tapes', password))).toMatchObject({
    ok: false,
  })
  expect(await check.authenticate(store, alpha, sent('tapes', 'another horse'))).toMatchObject({
    ok: true,
  })
})

test('what was proven once is not hashed again, also for many at the same time', async () => {
  const { store, check, principal } = await scene()
  await add(store, 'alpha')
  const alpha = await principal('alpha')
  const all = await Promise.all(
    Array.from({ length: 200 }, () => check.authenticate(store, alpha, sent('tapes', password))),
  )
  expect(all.every(({ ok }) => ok)).toBe(true)
})

test('the guesses of one client hold up neither itself with the right one nor another', async () => {
  const { store, check, principal } = await scene()
  await add(store, 'alpha')
  await add(store, 'beta')
  const [alpha, beta] = [await principal('alpha'), await principal('beta')]
  await check.authenticate(store, alpha, sent('tapes', password))
  const answered: string[] = []
  const guesses = [1, 2, 3].map(async (guess) => {
    await check.authenticate(store, alpha, sent('tapes', `guess ${guess}`))
    answered.push('guess')
  })
  const proven = check.authenticate(store, alpha, sent('tapes', password)).then((found) => {
    answered.push('proven')
    return found
  })
  const other = check.authenticate(store, beta, sent('tapes', password)).then((found) => {
    answered.push('other')
    return found
  })
  expect(await proven).toMatchObject({ ok: true })
  expect(await other).toMatchObject({ ok: true })
  await Promise.all(guesses)
  expect(answered[0]).toBe('proven')
  expect(answered.at(-1)).toBe('guess')
})

test('memory of proven credentials is bounded and forgets the oldest', async () => {
  const { store, principal } = await scene()
  const check = new CredentialCheck({ remembered: 1 })
  await add(store, 'alpha', 'day')
  await add(store, 'alpha', 'night')
  const alpha = await principal('alpha')
  for (const name of ['day', 'night', 'day', 'night'])
    expect(await check.authenticate(store, alpha, sent(name, password))).toMatchObject({ ok: true })
})

describe('adding a credential', () => {
  test('keeps a hash, audits the name, and keeps the password nowhere', async () => {
    const { store } = await scene()
    await add(store, 'alpha')
    expect(await store.stored()).toContain('$argon2id$')
    expect(await store.stored()).not.toContain(password)
    const record = (await store.audited()).at(-1)
    expect(record).toMatchObject({
      operation: 'library credential add',
      details: { library: 'alpha', username: 'tapes', ownOnly: false },
    })
    expect(JSON.stringify(record, (_, value: unknown) => String(value))).not.toContain(password)
  })

  test.each([
    ['username', { username: '', password, ownOnly: false }],
    ['username', { username: 'a'.repeat(129), password, ownOnly: false }],
    ['username', { username: 'a\u0000b', password, ownOnly: false }],
    ['password', { username: 'tapes', password: '', ownOnly: false }],
    ['password', { username: 'tapes', ownOnly: false }],
    ['password', { username: 'tapes', password: '', ownOnly: false, kind: 'device' as const }],
    ['device', { username: '', ownOnly: false, kind: 'device' as const }],
    [
      'identifier',
      { username: 'S', ownOnly: false, kind: 'device' as const, identifiers: { media: '' } },
    ],
    ['password', { username: 'tapes', password: 'x'.repeat(1025), ownOnly: false }],
  ] satisfies [string, NewCredential][])('refuses a bad %s', async (code, credential) => {
    const { store } = await scene()
    await expect(addCredential(store, 'alpha', credential)).rejects.toMatchObject({ code })
  })

  test('takes a short password, and warns of it', async () => {
    const { store, check, principal } = await scene()
    const short = { username: 'tapes', password: 'seven77', ownOnly: false }
    expect(await addCredential(store, 'alpha', short)).toEqual([
      'the password has 7 characters; 8 or more are harder to guess',
    ])
    expect(await addCredential(store, 'beta', { ...short, password })).toEqual([])
    const found = await check.authenticate(
      store,
      await principal('alpha'),
      sent('tapes', 'seven77'),
    )
    expect(found).toMatchObject({ ok: true })
  })

  test('refuses a library that is not there', async () => {
    const { store } = await scene()
    await expect(add(store, 'gamma')).rejects.toMatchObject({ code: 'no-such-library' })
  })
})
