// What keyreel sends clients of itself – KMIP 1.4 §5, KMIP 2.1 §6.2: to a real listener, in every version; and
// what happens when there is none, or another, or one that does not answer.
import { generateKeyPairSync as createPair } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { version, type VersionText } from 'ttlv-codec'
import { createServerIdentity, openAuthority, serverIdentity } from '../../src/access/authority.ts'
import { addCredential } from '../../src/access/credential-add.ts'
import { enrolLibrary, revokeLibrary } from '../../src/access/enrolment.ts'
import { removeListener, setListener, type ListenerWish } from '../../src/access/listeners.ts'
import { issueCertificate } from '../../src/crypto/certificates-issue.ts'
import { privateKeyPem } from '../../src/crypto/key-pairs.ts'
import type { Store } from '../../src/keystore/store.ts'
import type { JsonValue } from '../../src/keystore/work.ts'
import type { AttributeInstance } from '../../src/kmip/model/attribute-forms.ts'
import { countWaiting, PushQueue } from '../../src/push/push-queue.ts'
import { Pusher } from '../../src/push/pusher.ts'
import { everyVersion, isLate, principal, testEngine } from '../kmip/operations/engine.ts'
import { contact, custom, name } from '../kmip/operations/refusals.ts'
import { listening as listens, type Certificates, type Listening } from './listening.ts'

const mask: AttributeInstance = { tag: 'CryptographicUsageMask', value: 12 }
const aes: AttributeInstance = { tag: 'CryptographicAlgorithm', value: 'AES' }
const length: AttributeInstance = { tag: 'CryptographicLength', value: 256 }
const key = (...more: AttributeInstance[]) =>
  ({ ObjectType: 'SymmetricKey', Attributes: [aes, length, mask, ...more] }) as const

const listening = (certificates: Certificates) => listens(certificates, onTestFinished)

interface Site {
  readonly engine: Awaited<ReturnType<typeof testEngine>>
  readonly pusher: Pusher
  readonly queue: PushQueue
  readonly certificates: Certificates
  readonly logged: { fields: Record<string, unknown>; text: string }[]
  /** Moves the pusher's clock. */
  wait(milliseconds: number): void
  /** Sends what waits now. */
  push(): Promise<void>
  /** Says where the library alpha listens. */
  at(listener: Listening | undefined, wish?: Partial<ListenerWish>): Promise<void>
  waiting(): Promise<number>
}

/** A server with the library alpha, and nobody listening yet. */
async function site({ most = 1000 } = {}): Promise<Site> {
  const queue = new PushQueue(most)
  const begun = BigInt(Math.floor(Date.now() / 1000))
  const engine = await testEngine({ begun, changed: queue.observe })
  const { store, responder } = engine
  await giveIdentity(store)
  const alpha = await enrolLibrary(store, {
    name: 'alpha',
    profile: 'general',
    source: { generate: 'p256' },
  })
  const { authority } = await store.read((work) => serverIdentity(work))
  let clock = 0
  const logged: Site['logged'] = []
  const tell = (fields: object, text: string) =>
    void logged.push({ fields: fields as Record<string, unknown>, text })
  const log = { debug: tell, info: tell, warn: tell, error: tell }
  const pusher = new Pusher({
    ...{ store, queue, most, log, engine: responder },
    keptFor: 86_400_000,
    clock: () => clock,
    times: { connect: 2_000, answer: 200, close: 100 },
  })
  onTestFinished(() => pusher.close())
  return {
    ...{ engine, pusher, queue, logged },
    certificates: {
      key: privateKeyPem(alpha.privateKey!),
      cert: alpha.certificate.pem,
      ca: authority.pem,
    },
    wait: (milliseconds) => void (clock += milliseconds),
    async push() {
      await pusher.run()
      await pusher.settled()
    },
    async at(listener, wish = {}) {
      const address = listener && { address: `127.0.0.1:${listener.port}` }
      await setListener(store, 'alpha', { notify: true, put: true, ...address, ...wish })
      queue.forget()
    },
    waiting: () => store.read((work) => countWaiting(work, 'alpha')),
  }
}

type Kept = {
  kind: 'authority' | 'server-certificate'
  name: string
  body: JsonValue
  secret: Uint8Array
}
let identity: Promise<Kept[]> | undefined

/** Authority and certificates, made once for the whole file: an RSA-3072 key takes its time. */
async function giveIdentity(store: Store): Promise<void> {
  const first = identity === undefined
  identity ??= createServerIdentity(store, ['localhost']).then(() =>
    store.act(async (work) => {
      const kept: Kept[] = []
      for (const kind of ['authority', 'server-certificate'] as const)
        for (const { name: of, body } of await work.documents(kind))
          kept.push({ kind, name: of, body, secret: (await work.documentSecret(kind, of)).bytes })
      return kept
    }),
  )
  const documents = await identity
  if (first) return
  await store.act(async (work) => {
    for (const { kind, name: of, body, secret } of documents)
      await work.putDocument(kind, of, body, secret)
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
}

const asLibrary = principal({ name: 'beta' })

describe.each(everyVersion)('KMIP %s', (as) => {
  const speak = { kmip: as }

  test('Notify tells what has changed, with its values, and what is gone', async () => {
    const { engine, certificates, at, push, waiting } = await site()
    const listener = await listening(certificates)
    await at(listener, { ...speak, put: false })
    const { UniqueIdentifier } = await engine.call(as, 'Create', key(contact), asLibrary)
    await push()
    expect(listener.received).toEqual([])
    engine.time.seconds += 5n
    const added = custom('x', 'bay', '3')
    await engine.call(as, 'AddAttribute', { UniqueIdentifier, NewAttribute: added }, asLibrary)
    await engine.call(
      as,
      'DeleteAttribute',
      { UniqueIdentifier, AttributeReference: { tag: 'ContactInformation' } },
      asLibrary,
    )
    expect(await waiting()).toBe(1)
    await push()
    const [told, ...more] = listener.received
    expect(more).toEqual([])
    expect(told).toMatchObject({
      version: version(as),
      operation: 'Notify',
      header: { BatchCount: 1 },
      payload: { UniqueIdentifier },
    })
    for (const field of ['MaximumResponseSize', 'AsynchronousIndicator', 'BatchOrderOption'])
      expect(told!.header).not.toHaveProperty(field)
    const { Attributes, AttributeReference } = told!.payload
    expect(Attributes).toEqual(
      expect.arrayContaining([
        { tag: 'LastChangeDate', value: engine.time.seconds },
        expect.objectContaining({ tag: 'Attribute', value: added.value }),
      ]),
    )
    const gone = { tag: 'ContactInformation' }
    if (isLate(as)) expect(AttributeReference).toEqual([gone])
    else expect(Attributes).toContainEqual({ ...gone, value: undefined })
    expect(await waiting()).toBe(0)
    expect(JSON.stringify(Attributes, (_, one) => (typeof one === 'bigint' ? 0 : one))).not.toMatch(
      /Fresh|Digest/,
    )
  })

  test('Put brings a new key, and the one that has replaced it, each on record', async () => {
    const { engine, certificates, at, push } = await site()
    const listener = await listening(certificates)
    await at(listener, { ...speak, notify: false })
    const made = await engine.call(as, 'Create', key(name('tape')), asLibrary)
    await push()
    const replaced = await engine.call(
      as,
      'ReKey',
      { UniqueIdentifier: made.UniqueIdentifier },
      asLibrary,
    )
    await push()
    expect(listener.received.map(({ operation }) => operation)).toEqual(['Put', 'Put'])
    const [first, second] = listener.received.map(({ payload }) => payload)
    expect(first).toMatchObject({
      UniqueIdentifier: made.UniqueIdentifier,
      PutFunction: 'New',
      SymmetricKey: { KeyBlock: { CryptographicAlgorithm: 'AES', CryptographicLength: 256 } },
      Attributes: expect.arrayContaining([{ tag: 'CryptographicUsageMask', value: 12 }]),
    })
    expect(first).not.toHaveProperty('ReplacedUniqueIdentifier')
    expect(second).toMatchObject({
      UniqueIdentifier: replaced.UniqueIdentifier,
      PutFunction: 'Replace',
      ReplacedUniqueIdentifier: made.UniqueIdentifier,
    })
    const got = await engine.call(as, 'Get', { UniqueIdentifier: made.UniqueIdentifier }, asLibrary)
    expect(first!.SymmetricKey).toEqual(got.SymmetricKey)
    const records = (await engine.audited()).filter(({ operation }) => operation === 'library put')
    expect(records).toMatchObject([
      {
        object: made.UniqueIdentifier,
        actor: { name: 'keyreel', kind: 'server' },
        details: { library: 'alpha' },
      },
      { object: replaced.UniqueIdentifier },
    ])
  })
})

test('another keyreel takes what is sent', async () => {
  const { engine, certificates, at, push } = await site()
  const other = await testEngine()
  const listener = await listening(certificates)
  await at(listener)
  const { UniqueIdentifier } = await engine.call('2.1', 'Create', key(name('tape')), asLibrary)
  await engine.call('2.1', 'Activate', { UniqueIdentifier }, asLibrary)
  await push()
  await engine.call('2.1', 'AddAttribute', { UniqueIdentifier, NewAttribute: contact }, asLibrary)
  await push()
  expect(listener.received.map(({ operation }) => operation)).toEqual(['Put', 'Notify'])
  for (const { bytes } of listener.received) await other.raw(bytes)
  expect(await other.attribute('2.1', UniqueIdentifier, 'State')).toEqual(['Active'])
  expect((await other.audited()).map(({ operation }) => operation)).toEqual(['Put', 'Notify'])
})

test('the version is agreed on where none is named', async () => {
  const { engine, certificates, at, push } = await site()
  const listener = await listening(certificates)
  listener.offered = [version('1.3'), version('1.1')]
  await at(listener)
  await engine.call('2.1', 'Create', key(), asLibrary)
  await push()
  expect(listener.received).toMatchObject([{ operation: 'Put', version: version('1.3') }])
})

test('nothing is sent of what Get would refuse, of other groups, or to whom nothing is to be sent', async () => {
  const { engine, certificates, at, push, waiting } = await site()
  const listener = await listening(certificates)
  await engine.call('2.1', 'Create', key(), asLibrary)
  await at(listener)
  const sensitive: AttributeInstance = { tag: 'Sensitive', value: true }
  const { UniqueIdentifier } = await engine.call('2.1', 'Create', key(sensitive), asLibrary)
  const stranger = principal({ name: 'gamma', group: 'other' })
  await engine.call('2.1', 'Create', key(), stranger)
  await push()
  expect(listener.received).toEqual([])
  expect(await waiting()).toBe(0)
  await engine.call('2.1', 'AddAttribute', { UniqueIdentifier, NewAttribute: contact }, asLibrary)
  await push()
  expect(listener.received).toMatchObject([{ operation: 'Notify' }])
  await removeListener(engine.store, 'alpha')
  expect(await listened(engine)).toEqual([])
})

async function listened(engine: Site['engine']) {
  return engine.store.read(async (work) =>
    (await work.documents('listener')).map(({ name: of }) => of),
  )
}

test('an attribute that is only looked at, or handed out for the first time, is no news', async () => {
  const { engine, certificates, at, push, waiting } = await site()
  const listener = await listening(certificates)
  await at(listener, { put: false })
  const { UniqueIdentifier } = await engine.call('2.1', 'Create', key(), asLibrary)
  await engine.call('2.1', 'Get', { UniqueIdentifier }, asLibrary)
  expect(await waiting()).toBe(0)
  await push()
  expect(listener.received).toEqual([])
})

test('a state that time has brought about is told once somebody was shown it', async () => {
  const { engine, certificates, at, push } = await site()
  const listener = await listening(certificates)
  await at(listener, { put: false })
  const ends: AttributeInstance = { tag: 'ActivationDate', value: engine.time.seconds + 60n }
  const { UniqueIdentifier } = await engine.call('2.1', 'Create', key(ends), asLibrary)
  engine.time.seconds += 61n
  await engine.call('2.1', 'GetAttributes', { UniqueIdentifier }, asLibrary)
  await push()
  expect(listener.received).toMatchObject([
    {
      operation: 'Notify',
      payload: { Attributes: [{ tag: 'LastChangeDate' }, { tag: 'State', value: 'Active' }] },
    },
  ])
})

test('an object that is replaced under its identifier is put in its own place', async () => {
  const { engine, certificates, at, push } = await site()
  const listener = await listening(certificates)
  await at(listener, { notify: false })
  const brought = (byte: number, ReplaceExisting: boolean) => ({
    UniqueIdentifier: 'moved',
    ReplaceExisting,
    ObjectType: 'SymmetricKey' as const,
    Attributes: [mask],
    SymmetricKey: {
      KeyBlock: {
        KeyFormatType: 'Raw',
        KeyValue: {
          type: 'Structure',
          value: { KeyMaterial: new Uint8Array(16).fill(byte), Attributes: undefined },
        },
        CryptographicAlgorithm: 'AES',
        CryptographicLength: 128,
      },
    },
  })
  await engine.call('2.1', 'Import', brought(1, false) as never, asLibrary)
  await push()
  await engine.call('2.1', 'Import', brought(2, true) as never, asLibrary)
  await push()
  expect(listener.received.map(({ payload }) => payload)).toMatchObject([
    { UniqueIdentifier: 'moved', PutFunction: 'New' },
    { UniqueIdentifier: 'moved', PutFunction: 'Replace', ReplacedUniqueIdentifier: 'moved' },
  ])
})

test('a batch that is undone leaves nothing to send', async () => {
  const { engine, certificates, at, waiting } = await site()
  await at(await listening(certificates))
  await engine.batch(
    '2.1',
    [
      ['Create', key()],
      ['Get', { UniqueIdentifier: 'none' }],
    ],
    { BatchErrorContinuationOption: 'Undo' },
    asLibrary,
  )
  expect(await waiting()).toBe(0)
})

describe('a listener that', () => {
  test('is not there is tried again, less and less often, and gets everything later', async () => {
    const { engine, certificates, at, push, wait, waiting, logged } = await site()
    const dead = { port: 1 } as Listening
    await at(dead)
    await engine.call('2.1', 'Create', key(), asLibrary)
    await push()
    expect(logged.at(-1)).toMatchObject({ fields: { client: 'alpha', failures: 1 } })
    await push()
    expect(logged).toHaveLength(1)
    wait(1_000)
    await push()
    expect(logged.at(-1)!.fields.failures).toBe(2)
    wait(1_999)
    await push()
    expect(logged).toHaveLength(2)
    const listener = await listening(certificates)
    await at(listener)
    wait(1)
    await push()
    expect(listener.received).toMatchObject([{ operation: 'Put' }])
    expect(await waiting()).toBe(0)
  })

  test('shows another certificate is told nothing', async () => {
    const { engine, certificates, at, push, wait, logged } = await site()
    const beta = await enrolLibrary(engine.store, { name: 'beta', source: { generate: 'p256' } })
    const listener = await listening({
      ...certificates,
      key: privateKeyPem(beta.privateKey!),
      cert: beta.certificate.pem,
    })
    await at(listener)
    await engine.call('2.1', 'Create', key(), asLibrary)
    await push()
    expect(listener.connections).toBe(1)
    expect(listener.received).toEqual([])
    expect(String(logged.at(-1)!.fields.err)).toContain('a certificate')
    const { fingerprint } = beta.certificate
    await at(listener, { fingerprint })
    wait(1_000)
    await push()
    expect(listener.received).toMatchObject([{ operation: 'Put' }])
  })

  test.each([
    ['hangs', 'hang'],
    ['closes', 'close'],
    ['answers garbage', 'garbage'],
  ] as const)('%s holds up no request, and the message is given up in the end', async (_, how) => {
    const { engine, certificates, at, push, wait, waiting } = await site()
    const listener = await listening(certificates)
    listener.answering = how
    await at(listener, { put: false, kmip: '1.4' })
    const { UniqueIdentifier } = await engine.call('2.1', 'Create', key(), asLibrary)
    const NewAttribute = contact
    await engine.call('2.1', 'AddAttribute', { UniqueIdentifier, NewAttribute }, asLibrary)
    await engineRunsMeanwhile(push(), engine)
    expect(await waiting()).toBe(1)
    for (let tries = 1; tries < 8; tries++) {
      wait(300_000)
      await push()
    }
    expect(listener.received).toHaveLength(8)
    expect(await waiting()).toBe(0)
    expect((await engine.audited()).at(-1)).toMatchObject({
      operation: 'library push given up',
      object: UniqueIdentifier,
      details: { library: 'alpha' },
    })
  })

  test('refuses a message is not asked again', async () => {
    const { engine, certificates, at, push, waiting } = await site()
    const listener = await listening(certificates)
    listener.answering = 'refuse'
    await at(listener)
    await engine.call('1.4', 'Create', key(), asLibrary)
    await engine.call('1.4', 'Create', key(), asLibrary)
    await push()
    expect(listener.received).toHaveLength(2)
    expect(listener.connections).toBe(1)
    expect(await waiting()).toBe(0)
  })

  test('does not know our authority lets nobody in', async () => {
    const { engine, certificates, at, push, waiting, logged } = await site()
    const listener = await listening({ ...certificates, ca: certificates.cert })
    await at(listener)
    await engine.call('2.1', 'Create', key(), asLibrary)
    await push()
    expect(listener.received).toEqual([])
    expect(await waiting()).toBe(1)
    expect(logged.at(-1)!.text).toContain('could not be delivered')
  })
})

/** While something is sent, and not answered, the server answers requests as ever. */
async function engineRunsMeanwhile(sending: Promise<void>, engine: Site['engine']): Promise<void> {
  const outcome = await Promise.race([
    sending.then(() => 'sent'),
    engine.call('2.1', 'Create', key(), principal({ group: 'other' })).then(() => 'answered'),
  ])
  expect(outcome).toBe('answered')
  await sending
}

test('what nobody takes for a day is given up, with a record', async () => {
  const { engine, at, push, waiting } = await site()
  await at({ port: 1 } as Listening)
  await engine.call('2.1', 'Create', key(), asLibrary)
  engine.time.seconds += 86_401n
  await push()
  expect(await waiting()).toBe(0)
  expect((await engine.audited()).at(-1)).toMatchObject({
    operation: 'library push given up',
    details: { why: 'nobody took it in time' },
  })
})

test('a full queue takes no more, and says so', async () => {
  const { engine, at, push, waiting, logged } = await site({ most: 2 })
  await at({ port: 1 } as Listening)
  for (let made = 0; made < 4; made++) await engine.call('2.1', 'Create', key(), asLibrary)
  expect(await waiting()).toBe(2)
  const lost = (await engine.audited()).filter(({ operation }) => operation === 'library push lost')
  expect(lost).toMatchObject([{ details: { library: 'alpha', waiting: 2 } }])
  await push()
  expect(logged[0]).toMatchObject({ fields: { alarm: true, client: 'alpha', waiting: 2 } })
})

test('a server certificate from before is for servers only, and has to be renewed', async () => {
  const { engine, certificates, at } = await site()
  const { store } = engine
  const listener = await listening(certificates)
  await store.act(async (work) => {
    const authority = await openAuthority(work)
    const { publicKey } = createPair('ec', { namedCurve: 'P-256' })
    const validity = { notBefore: work.now - 60n, notAfter: work.now + 86_400n }
    const subject = { commonName: 'old' }
    const old = issueCertificate({ subject, publicKey, use: 'server', ...validity }, authority)
    const document = await work.document('server-certificate', 'p256')
    const body = { ...(document!.body as object), pem: old.pem }
    await work.putDocument('server-certificate', 'p256', body)
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'set', outcome: 'Success' })
  })
  await expect(at(listener)).rejects.toMatchObject({
    code: 'listener',
    hint: expect.stringContaining('keyreel server certificate renew'),
  })
  await expect(at(undefined)).resolves.toBeUndefined()
})

test('a client that is revoked, or has to send a credential, is sent nothing', async () => {
  const { engine, certificates, at, push, waiting } = await site()
  const listener = await listening(certificates)
  await at(listener)
  await engine.call('2.1', 'Create', key(), asLibrary)
  const credential = { username: 'u', password: 'a long password', ownOnly: false }
  await addCredential(engine.store, 'alpha', credential as never)
  await push()
  expect(listener.received).toEqual([])
  expect(await waiting()).toBe(0)
  await expect(at(listener)).rejects.toMatchObject({ code: 'listener' })
  await revokeLibrary(engine.store, 'alpha')
  await expect(at(listener)).rejects.toMatchObject({ code: 'listener' })
})

const versionsTried: VersionText[] = ['1.0', '2.1']
test.each(versionsTried)(
  'KMIP %s: a key of a type that the version does not have is not put',
  async (as) => {
    const { engine, certificates, at, push } = await site()
    const listener = await listening(certificates)
    await at(listener, { kmip: as })
    const template = { Template: { Attribute: [contact] }, ObjectType: 'Template' as const }
    await engine.call(
      '1.0',
      'Register',
      { ...template, Attributes: [name('t')] } as never,
      asLibrary,
    )
    await push()
    expect(listener.received).toEqual([])
  },
)
