// A whole server below TLS: real store in memory, real codec, real operations. Requests go in as bytes
// and answers come out as bytes, decoded by the strict schema of the version asked in.
import { onTestFinished } from 'vitest'
import { decodeItem, encodeItem, type Item, type VersionText } from 'ttlv-codec'
import type { Principal } from '../../../src/access/identity.ts'
import { setGroupPolicy } from '../../../src/access/groups.ts'
import { createStore } from '../../../src/keystore/create-store.ts'
import type { MasterKey } from '../../../src/keystore/master-key.ts'
import { openSqlite } from '../../../src/keystore/sqlite-driver.ts'
import type { SqlDriver, SqlRow, SqlValue } from '../../../src/keystore/storage.ts'
import { openStore, type OpenOptions, type Store } from '../../../src/keystore/store.ts'
import type { AuditEntry, ChangeObserver } from '../../../src/keystore/work.ts'
import { respond, type Responder } from '../../../src/kmip/server/respond.ts'
import type {
  AttributeInstance,
  AttributeReference,
} from '../../../src/kmip/model/attribute-forms.ts'
import type { ResponseBatchItem } from '../../../src/kmip/model/messages.ts'
import type {
  OperationName,
  RequestPayload,
  ResponsePayload,
} from '../../../src/kmip/model/payloads/index.ts'
import { tagNumber, type TagName } from '../../../src/kmip/model/tags.ts'
import {
  answerOf,
  principal,
  requestBytes,
  responderOver,
  tapeKey,
  type Ask,
  type Header,
} from '../../fixtures/responder.ts'

export { answerOf, principal, requestBytes, tapeKey, type Ask, type Header }

/** Every version spoken. */
export const everyVersion: VersionText[] = ['1.0', '1.1', '1.2', '1.3', '1.4', '2.0', '2.1']

/** True for the versions with tagged attributes and the long list of Result Reasons. */
export function isLate(as: VersionText): boolean {
  return as.startsWith('2')
}

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

const openMasterKey: MasterKey = {
  id: 'test',
  wrap: (key) => Promise.resolve(Uint8Array.from(key)),
  unwrap: (bytes) => Promise.resolve(Uint8Array.from(bytes)),
  close: () => undefined,
}

export const started = 1_800_000_000n

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

/**
 * A new engine over an empty store, begun at `begun`, in memory or over `database`, which is closed with it;
 * `changed` is told of the objects that acts write.
 */
export async function testEngine({
  begun = started,
  database,
  changed,
  room,
}: { begun?: bigint; database?: SqlDriver; changed?: ChangeObserver } & Pick<
  OpenOptions,
  'room'
> = {}): Promise<TestEngine> {
  const time = { seconds: begun }
  const now = () => time.seconds
  const driver = database ?? (await openSqlite({ file: ':memory:' }))
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
  const responder = responderOver(store, log, () => Number(time.seconds - begun) * 1000)
  onTestFinished(() => responder.requests.close())
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
