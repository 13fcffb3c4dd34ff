/**
 * Asks a peer over KMIP whether it holds the keys of tapes: by namespace and Application Data, nothing else. The
 * peer learns which tapes we have and cannot read; we learn yes or no, and an identifier that says nothing else.
 */
import type { Store } from '../keystore/store.ts'
import type { Client } from '../kmip/client/client.ts'
import { connectPeer, explaining } from './peer-session.ts'
import type { ForeignTape } from './tape-requests.ts'

/** A tape by what is written on it. */
export type AskedTape = Exclude<ForeignTape, { readonly barcode: string }>

/** What the peer answers about one tape; `refused` with its reason when it does not answer. */
export interface TapeAnswer {
  readonly tape: AskedTape
  readonly answer: 'held' | 'not held' | 'refused'
  /** Identifiers of the keys there. */
  readonly keys: readonly string[]
  readonly reason: string | undefined
}

/** Tapes asked for in one message. */
const tapesPerBatch = 50

/** Asks for each tape once. Throws UserError where there is no connection. */
export async function askPeer(
  store: Store,
  wish: { peer: string; classical: boolean; tapes: readonly AskedTape[] },
): Promise<TapeAnswer[]> {
  const { client } = await connectPeer(store, wish)
  try {
    const answers: TapeAnswer[] = []
    for (let first = 0; first < wish.tapes.length; first += tapesPerBatch) {
      const some = wish.tapes.slice(first, first + tapesPerBatch)
      answers.push(...(await explaining(wish.peer, () => asked(client, some))))
    }
    return answers
  } finally {
    await client.close()
  }
}

async function asked(client: Client, tapes: readonly AskedTape[]): Promise<TapeAnswer[]> {
  const results = await client.batch(
    tapes.map(({ namespace, data }) => ({
      operation: 'Locate' as const,
      payload: {
        Attributes: [
          { tag: 'ObjectType' as const, value: 'SymmetricKey' },
          {
            tag: 'ApplicationSpecificInformation' as const,
            value: { ApplicationNamespace: namespace, ApplicationData: data },
          },
        ],
      },
    })),
    { onError: 'Continue', safe: true },
  )
  return tapes.map((tape, at) => {
    const result = results[at]
    if (result?.status === 'Success') {
      const keys = result.payload.UniqueIdentifier
      return { tape, answer: keys.length > 0 ? 'held' : 'not held', keys, reason: undefined }
    }
    const reason =
      result?.status === 'Failed'
        ? (result.error.resultMessage ?? result.error.message)
        : 'the peer did not come to it'
    return { tape, answer: 'refused', keys: [], reason }
  })
}
