/** The messages that the benchmark sends, as bytes, and where in them a counter is written. */
import { encode, type InferInput } from 'ttlv-codec'
import { OutgoingRequestMessage } from '../src/kmip/model/messages.ts'
import { tagNumber } from '../src/kmip/model/tags.ts'
import { version20 } from '../src/kmip/model/versions.ts'

/** KMIP 1.2: what tape libraries in the field speak. */
const version = 0x0102

/** A message; `patches` are offsets of characters that differ from request to request. */
export interface Request {
  bytes: Uint8Array
  patches: number[]
  /** What is written there, one after the other; a counter of 24 characters when absent. */
  texts?: readonly string[]
}

const placeholder = '0'.repeat(24)

type Items = InferInput<typeof OutgoingRequestMessage>['BatchItem']

function request(items: NonNullable<Items>, patched = placeholder): Request {
  const bytes = encode(
    OutgoingRequestMessage,
    tagNumber('RequestMessage'),
    {
      RequestHeader: {
        ProtocolVersion: { ProtocolVersionMajor: 1, ProtocolVersionMinor: 2 },
        ...(items.length > 1 && { BatchOrderOption: true }),
        BatchCount: items.length,
      },
      BatchItem: items.map((item, at) =>
        items.length > 1 ? { ...item, UniqueBatchItemID: Uint8Array.of(at + 1) } : item,
      ),
    },
    { version },
  )
  const patches: number[] = []
  const text = Buffer.from(bytes)
  for (let at = text.indexOf(patched); at !== -1; at = text.indexOf(patched, at + 1)) {
    patches.push(at)
  }
  return { bytes, patches }
}

const information = {
  tag: 'ApplicationSpecificInformation',
  value: { ApplicationNamespace: 'LIBRARY-LTO', ApplicationData: placeholder },
} as const

const create = {
  Operation: 'Create',
  RequestPayload: {
    ObjectType: 'SymmetricKey',
    Attributes: [
      { tag: 'CryptographicAlgorithm', value: 'AES' },
      { tag: 'CryptographicLength', value: 256 },
      { tag: 'CryptographicUsageMask', value: 12 },
      information,
      {
        tag: 'AlternativeName',
        value: {
          AlternativeNameValue: 'KR0001L8',
          AlternativeNameType: 'UninterpretedTextString',
        },
      },
    ],
  },
} as const
const locate = {
  Operation: 'Locate',
  RequestPayload: { Attributes: [{ tag: 'ObjectType', value: 'SymmetricKey' }, information] },
} as const
const get = { Operation: 'Get', RequestPayload: {} } as const

/** Every operation measured, by name; `knownKeys` are the identifiers that Get asks for in turn. */
export function requests(knownKeys: readonly [string, ...string[]]) {
  const [first] = knownKeys
  const getKnown = { Operation: 'Get', RequestPayload: { UniqueIdentifier: first } } as const
  if (version >= version20) throw new Error('attributes are written in their 1.x form here')
  return {
    Get: { ...request([getKnown], first), texts: knownKeys },
    Create: request([create]),
    'Create+Get': request([create, get]),
    'Locate+Get': request([locate, get]),
    Query: request([
      {
        Operation: 'Query',
        RequestPayload: { QueryFunction: ['QueryOperations', 'QueryObjects'] },
      },
    ]),
  }
}

export type RequestName = keyof ReturnType<typeof requests>

/** Writes a counter, or the text that is its turn, into every patch of a copy of the message. */
export function numbered({ bytes, patches, texts }: Request, number: number): Buffer {
  const copy = Buffer.from(bytes)
  const counter = number.toString(16).toUpperCase().padStart(24, '0')
  const text = texts?.[number % texts.length] ?? counter
  for (const at of patches) copy.write(text, at, 'latin1')
  return copy
}
