// A whole server below TLS: real store in memory, real codec, real operations. Requests go in as bytes
// and answers come out as bytes, decoded by the strict schema of the version asked in.
import { onTestFinished } from 'vitest'
import {
  decode,
  decodeItem,
  encode,
  encodeItem,
  version,
  type InferInput,
  type Item,
  type VersionText,
} from 'ttlv-codec'
import { RandomSource } from '../../../src/crypto/random-source.ts'
import type { Principal } from '../../../src/access/identity.ts'
import { CredentialCheck } from '../../../src/access/credentials.ts'
import { setGroupPolicy } from '../../../src/access/groups.ts'
import { createStore } from '../../../src/keystore/create-store.ts'
import type { MasterKey } from '../../../src/keystore/master-key.ts'
import { openSqlite } from '../../../src/keystore/sqlite-driver.ts'
import type { SqlRow, SqlValue } from '../../../src/keystore/storage.ts'
import { openStore, type OpenOptions, type Store } from '../../../src/keystore/store.ts'
import type { AuditEntry, ChangeObserver } from '../../../src/keystore/work.ts'
import { Aftermath } from '../../../src/kmip/operations/aftermath.ts'
import { AsynchronousRequests } from '../../../src/kmip/operations/asynchronous-requests.ts'
import type { Engine } from '../../../src/kmip/operations/batch.ts'
import { LongWork } from '../../../src/kmip/operations/long-work.ts'
import { RunningJobs } from '../../../src/kmip/operations/running-jobs.ts'
import { PeerQuestions } from '../../../src/kmip/operations/peer-questions.ts'
import { UnknownTapes } from '../../../src/kmip/operations/unknown-tapes.ts'
import { Streams } from '../../../src/kmip/operations/streams.ts'
import { respond, type Responder } from '../../../src/kmip/server/respond.ts'
import type {
  AttributeInstance,
  AttributeReference,
} from '../../../src/kmip/model/attribute-forms.ts'
import {
  OutgoingRequestMessage,
  ResponseMessage,
  type ResponseBatchItem,
} from '../../../src/kmip/model/messages.ts'
import type {
  OperationName,
  RequestPayload,
  ResponsePayload,
} from '../../../src/kmip/model/payloads/index.ts'
import { tagNumber, type TagName } from '../../../src/kmip/model/tags.ts'

/** Every version spoken. */
export const everyVersion: VersionText[] = ['1.0', '1.1', '1.2', '1.3', '1.4', '2.0', '2.1']

/** True for the versions with tagged attributes and the long list of Result Reasons. */
export function isLate(as: VersionText): boolean {
  return as.startsWith('2')
}

/** A request header without what the fixture fills in. */
export type Header = Partial<InferInput<typeof OutgoingRequestMessage>['RequestHeader']>

/** One item to send. */
export type Ask = { [Name in OperationName]: [Name, Partial<RequestPayload<Name>>] }[OperationName]

/** A log line that an alarm or a refusal left. */
export interface LogLine {
  level: 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  text: string
}

export interface TestEngine {
  store: Store
  responder: Responder
  /** The store's clock, in seconds since 1970. */
  time: { seconds: bigint }
  lines: LogLine[]
  /** Texts of the alarms raised so far. */
  alarms(): string[]
  /** The audit record of KMIP operations, oldest first. */
  audited(): Promise<AuditEntry[]>
  /** Somebody writes to the database behind the keystore's back. */
  tamper(sql: string, ...parameters: SqlValue[]): Promise<readonly SqlRow[]>
  /** Sets policies of a group, as `group set` does. */
  policy(...words: string[]): Promise<void>
  /** Sends bytes as they are. */
  raw(bytes: Uint8Array, as?: Principal): Promise<Uint8Array>
  /** Sends a batch and answers its items; the answer has passed the strict schema. */
  batch(
    as: VersionText,
    asks: readonly Ask[],
    header?: Header,
    principal?: Principal,
  ): Promise<ResponseBatchItem[]>
  /** Sends one item that must succeed. */
  call<Name extends OperationName>(
    as: VersionText,
    name: Name,
    request: Partial<RequestPayload<Name>>,
    principal?: Principal,
  ): Promise<ResponsePayload<Name>>
  /** Sends one item that must fail; answers its Result Reason. */
  refused<Name extends OperationName>(
    as: VersionText,
    name: Name,
    request: Partial<RequestPayload<Name>>,
    principal?: Principal,
  ): Promise<string>
  /** Makes a tape key and answers its identifier. */
  key(as: VersionText, data: string, more?: readonly AttributeInstance[]): Promise<string>
  /** One attribute of an object as the version shows it, its instances in order. */
  attribute(as: VersionText, id: string, tag: AttributeReference['tag']): Promise<unknown[]>
}

/** A library client of group `default`. */
export function principal(changes: Partial<Principal> = {}): Principal {
  return {
    name: 'alpha',
    kind: 'library',
    group: 'default',
    profile: 'general',
    fingerprint: '00'.repeat(32),
    owner: changes.name ?? 'alpha',
    ownOnly: false,
    credentialRequired: false,
    ...changes,
  }
}

const openMasterKey: MasterKey = {
  id: 'test',
  wrap: (key) => Promise.resolve(Uint8Array.from(key)),
  unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
  close: () => undefined,
}

export const started = 1_800_000_000n

/** Bytes of a request message. */
export function requestBytes(
  as: VersionText,
  asks: readonly Ask[],
  header: Header = {},
): Uint8Array {
  const number = version(as)
  return encode(
    OutgoingRequestMessage,
    tagNumber('RequestMessage'),
    {
      RequestHeader: {
        ProtocolVersion: { ProtocolVersionMajor: number >> 8, ProtocolVersionMinor: number & 255 },
        BatchCount: asks.length,
        ...header,
      },
      BatchItem: asks.map(([Operation, RequestPayload], at) => ({
        Operation,
        ...(asks.length > 1 && { UniqueBatchItemID: Uint8Array.of(at + 1) }),
        RequestPayload,
      })),
    } as InferInput<typeof OutgoingRequestMessage>,
    { version: number },
  )
}

/** Decodes an answer by the strict schema of the version it was asked in. */
export function answerOf(bytes: Uint8Array, as: VersionText, strict = true) {
  return decode(ResponseMessage, tagNumber('ResponseMessage'), bytes, {
    version: version(as),
    strict,
    order: 'strict',
  })
}

/** A message as a tree, changed, as bytes again. */
export function edited(bytes: Uint8Array, edit: (root: Item) => void): Uint8Array {
  const root = decodeItem(bytes)
  edit(root)
  return encodeItem(root)
}

/** The children of a structure; tests change the list in place. */
export function childrenOf(item: Item): Item[] {
  if (item.type !== 'Structure') throw new Error('not a structure')
  return item.value as Item[]
}

/** The first item of that tag anywhere below. */
export function found(root: Item, name: TagName): Item {
  const tag = tagNumber(name)
  const search = (item: Item): Item | undefined => {
    if (item.tag === tag) return item
    if (item.type !== 'Structure') return undefined
    for (const child of item.value) {
      const hit = search(child)
      if (hit !== undefined) return hit
    }
    return undefined
  }
  const hit = search(root)
  if (hit === undefined) throw new Error(`no ${name}`)
  return hit
}

/** A new engine over an empty store, begun at `begun`; `changed` is told of the objects that acts write. */
export async function testEngine({
  begun = started,
  changed,
  room,
}: { begun?: bigint; changed?: ChangeObserver } & Pick<
  OpenOptions,
  'room'
> = {}): Promise<TestEngine> {
  const time = { seconds: begun }
  const now = () => time.seconds
  const driver = await openSqlite({ file: ':memory:' })
  await createStore({ driver, masterKey: openMasterKey, now, chain: 'test' })
  const store = await openStore({
    driver,
    masterKey: openMasterKey,
    writer: 'test',
    now,
    room,
    ...(changed && { changed }),
  })
  onTestFinished(() => store.close())
  await store.act(async (work) => {
    await work.putDocument('group', 'default', { created: Number(started) })
    work.audit({ actor: { name: 'test', kind: 'cli' }, operation: 'init', outcome: 'Success' })
  })
  const lines: LogLine[] = []
  const tell = (level: LogLine['level']) => (fields: object, text: string) =>
    void lines.push({ level, fields: fields as Record<string, unknown>, text })
  const log = { info: tell('info'), warn: tell('warn'), error: tell('error'), debug: tell('info') }
  const engineOf: Engine = {
    store,
    log,
    aftermath: new Aftermath(log),
    streams: new Streams(
      { streams: 6, perClient: 4, idleTime: 60_000, bytes: 4096 },
      () => Number(time.seconds - begun) * 1000,
    ),
    jobs: new RunningJobs(),
    unknownTapes: new UnknownTapes(),
    peerQuestions: new PeerQuestions(5),
    facts: {
      vendor: 'keyreel',
      locate: { maximumItems: 1000, maximumScanned: 5000, maximumTime: 60_000 },
      maximumInstances: 64,
      maximumAttributes: 128,
      testingSince: undefined,
      https: true,
      tickets: 3,
      ticketTime: 7200,
      random: new RandomSource(),
      longWork: new LongWork({ atOnce: 2, perClient: 1 }),
      pollTime: 5000,
    },
  }
  const decoding = { maxBytes: 1024 * 1024, maxDepth: 32, maxItems: 65_536 }
  const waiting = { requests: 100, bytes: 1024 * 1024, keptFor: 3600 }
  const requests = new AsynchronousRequests(engineOf, decoding, waiting)
  onTestFinished(() => requests.close())
  const responder: Responder = {
    ...engineOf,
    credentials: new CredentialCheck(),
    requests,
    limits: { ...decoding, maxBatchItems: 1024 },
  }
  const raw = async (bytes: Uint8Array, as = principal()) =>
    (await respond(responder, bytes, as)).bytes
  const batch: TestEngine['batch'] = async (as, asks, header, who) =>
    answerOf(await raw(requestBytes(as, asks, header), who), as).BatchItem
  const engine: TestEngine = {
    store,
    responder,
    time,
    lines,
    raw,
    batch,
    alarms: () => lines.filter(({ fields }) => fields.alarm === true).map(({ text }) => text),
    async audited() {
      const entries = await store.readAudit({ chain: 'test', limit: 10_000, after: 0 })
      return entries.filter(({ operation }) => !/^(init|store|group|epoch)/iu.test(operation))
    },
    tamper: (sql, ...parameters) => driver.transaction((session) => session.query(sql, parameters)),
    policy: async (...words) => void (await setGroupPolicy(store, 'default', words)),
    async key(as, data, more = []) {
      const Attributes = [...tapeKey(data), ...more]
      const made = await engine.call(as, 'Create', { ObjectType: 'SymmetricKey', Attributes })
      return made.UniqueIdentifier
    },
    async attribute(as, id, tag) {
      const request = { UniqueIdentifier: id, AttributeReference: [{ tag }] }
      const { Attributes } = await engine.call(as, 'GetAttributes', request)
      return Attributes!.map(({ value }) => value)
    },
    async call(as, name, request, who) {
      const [item] = await batch(as, [[name, request] as unknown as Ask], {}, who)
      if (item?.ResultStatus !== 'Success') {
        throw new Error(`${name}: ${item?.ResultReason} ${item?.ResultMessage}`)
      }
      return item.ResponsePayload as never
    },
    async refused(as, name, request, who) {
      const [item] = await batch(as, [[name, request] as unknown as Ask], {}, who)
      if (item?.ResultStatus !== 'OperationFailed') throw new Error(`${name} was not refused`)
      return String(item.ResultReason)
    },
  }
  return engine
}

/** Attributes of a tape key as a library gives them. */
export function tapeKey(data: string, name = `name of ${data}`): AttributeInstance[] {
  return [
    { tag: 'Name' as const, value: { NameValue: name, NameType: 'UninterpretedTextString' } },
    { tag: 'CryptographicAlgorithm' as const, value: 'AES' },
    { tag: 'CryptographicLength' as const, value: 256 },
    { tag: 'CryptographicUsageMask' as const, value: 12 },
    {
      tag: 'ApplicationSpecificInformation' as const,
      value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: data },
    },
  ]
}
