// Tickets: Login, Delegated Login and Logout, and what a client may do that sends one.
import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import type { VersionText } from 'ttlv-codec'
import { hashPassword } from '../../../src/crypto/password-hash.ts'
import { putBody } from '../../../src/access/documents.ts'
import { keepHashes } from '../../../src/access/hashed-passwords.ts'
import type { RequestPayload } from '../../../src/kmip/model/payloads/index.ts'
import {
  answerOf,
  principal,
  requestBytes,
  tapeKey,
  testEngine,
  type Ask,
  type Header,
  type TestEngine,
} from './engine.ts'

const late: VersionText[] = ['2.0', '2.1']
const password = 'correct horse'
let hash: string
beforeAll(async () => void (hash = await hashPassword(password)))

const me = principal({ credentialRequired: true })
const create: Ask = ['Create', { ObjectType: 'SymmetricKey', Attributes: tapeKey('one') }]
const withPassword: Header = {
  Authentication: {
    Credential: [
      {
        CredentialType: 'UsernameAndPassword',
        CredentialValue: { Username: 'tapes', Password: password },
      },
    ],
  },
}

/** An engine whose client must send a user name and a password. */
async function locked(): Promise<TestEngine> {
  const engine = await testEngine()
  await engine.store.act(async (work) => {
    const user = { username: 'tapes', hash, ownOnly: true, added: Number(work.now) }
    await putBody(work, 'credential', 'alpha', { users: [user] })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'group', outcome: 'Success' })
  })
  return engine
}

type Terms = Partial<RequestPayload<'Login'>>

async function ticketOf(
  engine: TestEngine,
  as: VersionText,
  ask: Ask = ['Login', {}],
): Promise<Uint8Array> {
  const [item] = await engine.batch(as, [ask], withPassword, me)
  expect(item?.ResultStatus).toBe('Success')
  const { Ticket } = item!.ResponsePayload as { Ticket: { TicketValue: Uint8Array } }
  return Ticket.TicketValue
}

const withTicket = (TicketValue: Uint8Array): Header => ({
  Authentication: {
    Credential: [
      {
        CredentialType: 'Ticket',
        CredentialValue: { Ticket: { TicketType: 'Login', TicketValue } },
      },
    ],
  },
})

const asked = async (
  engine: TestEngine,
  as: VersionText,
  ticket: Uint8Array,
  ask: Ask = create,
  who = me,
) => {
  const [item] = await engine.batch(as, [ask], withTicket(ticket), who)
  return item!.ResultReason ?? item!.ResultStatus
}

describe.each(late)('KMIP %s', (as) => {
  test('a ticket stands for the credential that it was made with', async () => {
    const engine = await locked()
    const ticket = await ticketOf(engine, as)
    const [made] = await engine.batch(as, [create], withTicket(ticket), me)
    const { UniqueIdentifier } = made!.ResponsePayload as { UniqueIdentifier: string }
    const owned = await engine.store.read((work) => work.load('default', UniqueIdentifier))
    expect(owned?.columns.owner).toBe('alpha/tapes')
  })

  test('is worth nothing to another client, once over, or changed', async () => {
    const engine = await locked()
    const ticket = await ticketOf(engine, as)
    const other = principal({ name: 'beta' })
    expect(await asked(engine, as, ticket, create, other)).toBe('AuthenticationNotSuccessful')
    const changed = Uint8Array.from(ticket, (byte, at) => (at === 0 ? byte ^ 1 : byte))
    expect(await asked(engine, as, changed)).toBe('AuthenticationNotSuccessful')
    engine.time.seconds += 3600n
    expect(await asked(engine, as, ticket)).toBe('AuthenticationNotSuccessful')
  })

  test('Logout ends it, and ends none that is not there', async () => {
    const engine = await locked()
    const TicketValue = await ticketOf(engine, as)
    const logout: Ask = ['Logout', { Ticket: { TicketType: 'Login', TicketValue } }]
    expect(await asked(engine, as, TicketValue, logout)).toBe('Success')
    expect(await asked(engine, as, TicketValue)).toBe('AuthenticationNotSuccessful')
    const [again] = await engine.batch(as, [logout], withPassword, me)
    expect(again!.ResultReason).toBe('InvalidTicket')
  })

  test.each<[string, Terms, number]>([
    ['Request Count', { RequestCount: 2 }, 2],
    ['Usage Limits', { UsageLimits: { UsageLimitsTotal: 3n, UsageLimitsUnit: 'Object' } }, 3],
  ])('%s is counted down', async (_, terms, allowed) => {
    const engine = await locked()
    const ticket = await ticketOf(engine, as, ['Login', terms])
    const locate: Ask = ['Locate', { Attributes: [] }]
    for (let use = 0; use < allowed; use++)
      expect(await asked(engine, as, ticket, locate)).toBe('Success')
    expect(await asked(engine, as, ticket, locate)).toBe('AuthenticationNotSuccessful')
  })

  test('a lease ends when it was asked to, and never later than the server lets it', async () => {
    const engine = await locked()
    const until = { LeaseTime: { type: 'DateTime', value: engine.time.seconds + 10n } } as const
    const short = await ticketOf(engine, as, ['Login', until])
    const long = { LeaseTime: { type: 'Interval', value: 1_000_000 } } as const
    const bounded = await ticketOf(engine, as, ['Login', long])
    engine.time.seconds += 10n
    expect(await asked(engine, as, short)).toBe('AuthenticationNotSuccessful')
    expect(await asked(engine, as, bounded)).toBe('Success')
    engine.time.seconds += 7190n
    expect(await asked(engine, as, bounded)).toBe('AuthenticationNotSuccessful')
  })

  test('a delegated ticket allows what its rights name, and can hand on no more', async () => {
    const engine = await locked()
    const rights = (...Operation: ('Locate' | 'DelegatedLogin' | 'Create')[]): Ask => [
      'DelegatedLogin',
      { Rights: { Right: [{ Operations: { Operation } }] } },
    ]
    const ticket = await ticketOf(engine, as, rights('Locate', 'DelegatedLogin'))
    expect(await asked(engine, as, ticket, ['Locate', { Attributes: [] }])).toBe('Success')
    expect(await asked(engine, as, ticket)).toBe('PermissionDenied')
    const [item] = await engine.batch(as, [rights('Create', 'Locate')], withTicket(ticket), me)
    const { Ticket } = item!.ResponsePayload as { Ticket: { TicketValue: Uint8Array } }
    expect(await asked(engine, as, Ticket.TicketValue)).toBe('PermissionDenied')
    const locate: Ask = ['Locate', { Attributes: [] }]
    expect(await asked(engine, as, Ticket.TicketValue, locate)).toBe('Success')
  })

  test.each<[string, Ask, string]>([
    ['a Request Count of nothing', ['Login', { RequestCount: 0 }], 'InvalidField'],
    [
      'a lease that is over',
      ['Login', { LeaseTime: { type: 'DateTime', value: 1n } }],
      'InvalidField',
    ],
    [
      'Usage Limits in bytes',
      ['Login', { UsageLimits: { UsageLimitsTotal: 3n, UsageLimitsUnit: 'Byte' } }],
      'FeatureNotSupported',
    ],
    ['no Right at all', ['DelegatedLogin', { Rights: { Right: [] } }], 'InvalidField'],
    [
      'a Right about objects',
      ['DelegatedLogin', { Rights: { Right: [{ Objects: { UniqueIdentifier: ['a'] } }] } }],
      'FeatureNotSupported',
    ],
  ])('refuses %s', async (_, ask, reason) => {
    const engine = await locked()
    const [item] = await engine.batch(as, [ask], withPassword, me)
    expect(item!.ResultReason).toBe(reason)
  })

  test('a client has a bounded number of tickets', async () => {
    const engine = await locked()
    for (let at = 0; at < 3; at++) await ticketOf(engine, as)
    const [item] = await engine.batch(as, [['Login', {}]], withPassword, me)
    expect(item!.ResultReason).toBe('ServerLimitExceeded')
  })

  test('every credential must be right: a password does not help a wrong ticket', async () => {
    const engine = await locked()
    const ticket = withTicket(new Uint8Array(32)).Authentication!.Credential
    const Credential = [...withPassword.Authentication!.Credential!, ...ticket!]
    const [item] = await engine.batch(as, [create], { Authentication: { Credential } }, me)
    expect(item!.ResultReason).toBe('AuthenticationNotSuccessful')
  })
})

test.each<VersionText>(['1.2', '1.4', '2.1'])(
  'KMIP %s: attestation is refused, also when nothing else is asked for',
  async (as) => {
    const engine = await testEngine()
    const CredentialValue = {
      Nonce: { NonceID: Uint8Array.of(1), NonceValue: Uint8Array.of(2) },
      AttestationType: 'TPMQuote' as const,
      AttestationMeasurement: Uint8Array.of(3),
    }
    const Credential = [{ CredentialType: 'Attestation' as const, CredentialValue }]
    const [item] = await engine.batch(as, [create], { Authentication: { Credential } })
    expect(item!.ResultReason).toBe('AttestationFailed')
  },
)

test.each(late)(
  'KMIP %s: a Hashed Password is answered with what proves the server',
  async (as) => {
    const engine = await testEngine()
    await engine.store.act(async (work) => {
      const user = { username: 'tapes', hash, ownOnly: true, added: Number(work.now) }
      await putBody(work, 'credential', 'alpha', { users: [user] })
      await keepHashes(work, 'alpha', { username: 'tapes', password })
      work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'group', outcome: 'Success' })
    })
    const sha256 = (...parts: (string | Uint8Array)[]) =>
      createHash('sha256')
        .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
        .digest()
    const TimeStamp = 1_800_000_000_000_000n
    const time = Buffer.alloc(8)
    time.writeBigInt64BE(TimeStamp)
    const [s1, s2] = [sha256('tapes', password), sha256(password, 'tapes')]
    const CredentialValue = {
      Username: 'tapes',
      TimeStamp,
      HashedPassword: new Uint8Array(Buffer.concat([sha256(s1, time), s2])),
    }
    const header: Header = {
      Authentication: { Credential: [{ CredentialType: 'HashedPassword', CredentialValue }] },
    }
    const request = requestBytes(as, [create], header)
    const { ResponseHeader, BatchItem } = answerOf(await engine.raw(request, me), as)
    expect(BatchItem[0]!.ResultStatus).toBe('Success')
    expect(Buffer.from(ResponseHeader.ServerHashedPassword!)).toEqual(sha256(time, s1, sha256(s2)))
    const again = answerOf(await engine.raw(request, me), as)
    expect(again.BatchItem[0]!.ResultReason).toBe('AuthenticationNotSuccessful')
    expect(again.ResponseHeader.ServerHashedPassword).toBeUndefined()
  },
)

test.each<VersionText>(['1.1', '1.2', '1.3', '1.4', '2.0', '2.1'])(
  'KMIP %s: a device is known by its serial number and password',
  async (as) => {
    const engine = await testEngine()
    await engine.store.act(async (work) => {
      const kind = 'device' as const
      const device = { kind, username: 'S-1', hash, ownOnly: false, added: Number(work.now) }
      await putBody(work, 'credential', 'alpha', { users: [device] })
      work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'group', outcome: 'Success' })
    })
    const asDevice = (Password: string): Header => {
      const CredentialValue = { DeviceSerialNumber: 'S-1', Password }
      return { Authentication: { Credential: [{ CredentialType: 'Device', CredentialValue }] } }
    }
    const [made] = await engine.batch(as, [create], asDevice(password), me)
    expect(made!.ResultStatus).toBe('Success')
    const [wrong] = await engine.batch(as, [create], asDevice('wrong'), me)
    expect(wrong!.ResultReason).toBe('AuthenticationNotSuccessful')
  },
)
