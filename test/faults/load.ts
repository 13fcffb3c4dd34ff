// Clients that make keys and take them through their lives, each by a seed of its own. Every line they tell
// is true when it is told: `try` before a request, `ok` once it is answered.
import { createHash } from 'node:crypto'
import type { ResponseBatchItem } from '../../src/kmip/model/messages.ts'
import { tapeKey, type Ask } from '../fixtures/responder.ts'
import { chance } from './ground.ts'

/** How a load reaches a server, and what it does with what it hears. */
export interface LoadOptions {
  readonly seed: number
  readonly clients: number
  readonly ask: (asks: readonly Ask[]) => Promise<readonly ResponseBatchItem[]>
  readonly tell: (line: string) => void
  /** Whether requests may be refused: what was asked for then may or may not have been done. */
  readonly mayFail?: boolean
  /** Ends the clients, each after the request under way; never by default. */
  readonly until?: () => boolean
}

const steps = { PreActive: 'Activate', Active: 'Revoke', Deactivated: 'Destroy' } as const
const after = { PreActive: 'Active', Active: 'Deactivated', Deactivated: 'Destroyed' } as const

/** Runs the clients until they are told to end. */
export async function runLoad(options: LoadOptions): Promise<void> {
  const { clients } = options
  await Promise.all(Array.from({ length: clients }, (_, number) => client(options, number)))
}

async function client(options: LoadOptions, number: number): Promise<void> {
  const { seed, ask, tell, until = () => false } = options
  const random = chance(seed * 1000 + number)
  const own: { id: string; state: keyof typeof steps }[] = []
  for (let at = 0; !until(); at++) {
    const [first] = own
    if (first === undefined || random(3) === 0) {
      const made = await make(options, `${seed}-${number}-${at}`, random(2) === 0)
      if (made !== undefined) own.push({ id: made, state: 'PreActive' })
      continue
    }
    const place = random(own.length)
    if (random(4) === 0) {
      await get(options, own[place]!.id)
      continue
    }
    const [{ id, state }] = own.splice(place, 1) as [(typeof own)[number]]
    const operation = steps[state]
    tell(`try ${id} ${after[state]}`)
    const reason = { RevocationReasonCode: 'CessationOfOperation' as const }
    const request = {
      UniqueIdentifier: id,
      ...(operation === 'Revoke' && { RevocationReason: reason }),
    }
    const [item] = await ask([[operation, request] as Ask])
    if (!isDone(options, operation, item)) continue
    tell(`ok ${id} ${after[state]}`)
    if (after[state] !== 'Destroyed') own.push({ id, state: after[state] })
  }
}

async function make(
  options: LoadOptions,
  data: string,
  isCreate: boolean,
): Promise<string | undefined> {
  const Attributes = tapeKey(data)
  options.tell(`make ${data}`)
  const KeyMaterial = createHash('sha256').update(data).digest()
  const block = { KeyFormatType: 'Raw', CryptographicAlgorithm: 'AES', CryptographicLength: 256 }
  const KeyBlock = { ...block, KeyValue: { type: 'Structure', value: { KeyMaterial } } }
  const register = { ObjectType: 'SymmetricKey', Attributes, SymmetricKey: { KeyBlock } }
  const [made, got] = await options.ask([
    isCreate
      ? ['Create', { ObjectType: 'SymmetricKey', Attributes }]
      : (['Register', register] as unknown as Ask),
    ['Get', {}],
  ])
  if (!isDone(options, 'making', made)) return undefined
  const { UniqueIdentifier } = made.ResponsePayload as { UniqueIdentifier: string }
  const digest = isDone(options, 'Get', got) ? digestIn(got) : 'unseen'
  options.tell(`made ${data} ${UniqueIdentifier} ${digest}`)
  return UniqueIdentifier
}

async function get(options: LoadOptions, UniqueIdentifier: string): Promise<void> {
  const [got] = await options.ask([['Get', { UniqueIdentifier }]])
  if (isDone(options, 'Get', got)) options.tell(`got ${UniqueIdentifier} ${digestIn(got)}`)
}

/** Whether it was answered with Success; a refusal is told, or is the end. */
function isDone(
  { mayFail, tell }: LoadOptions,
  what: string,
  item: ResponseBatchItem | undefined,
): item is ResponseBatchItem {
  if (item?.ResultStatus === 'Success') return true
  if (mayFail !== true) throw new Error(`${what}: ${item?.ResultMessage}`)
  tell(`refused ${what}`)
  return false
}

/** SHA-256 of the symmetric key that a Get has handed out, in hexadecimal. */
export function digestIn(item: ResponseBatchItem): string {
  const { SymmetricKey } = item.ResponsePayload as {
    SymmetricKey: { KeyBlock: { KeyValue: { value: { KeyMaterial: Uint8Array } } } }
  }
  return createHash('sha256').update(SymmetricKey.KeyBlock.KeyValue.value.KeyMaterial).digest('hex')
}
