// A client's own listener, real TLS and our codec: takes what a server sends of itself, and answers as told.
import { createServer, type TLSSocket } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { decode, decodeRaw, encode, Frames, peekVersion, type Raw, type Version } from 'ttlv-codec'
import {
  RequestBatchItem,
  RequestMessage,
  ResponseMessage,
  type RequestHeader,
} from '../../src/kmip/model/messages.ts'
import { payloads, type OperationName } from '../../src/kmip/model/payloads/index.ts'
import { tagNumber } from '../../src/kmip/model/tags.ts'

/** A message that has arrived. */
export interface Received {
  readonly version: Version
  readonly header: RequestHeader
  readonly operation: OperationName
  readonly payload: Record<string, unknown>
  readonly bytes: Uint8Array
}

/** What is answered: success, a refusal, these bytes, nothing, or the end of the connection. */
export type Answering = 'success' | 'refuse' | 'garbage' | 'hang' | 'close'

export interface Listening {
  readonly port: number
  /** Notify and Put in the order of their arrival. */
  readonly received: Received[]
  /** Fingerprints of the certificates that were shown here. */
  readonly callers: string[]
  connections: number
  answering: Answering
  /** Versions that Discover Versions offers. */
  offered: readonly Version[]
}

export interface Certificates {
  readonly key: string
  readonly cert: string
  readonly ca: string
}

/** Listens until `atEnd` says so. Only callers whose certificate `ca` has issued for clients get in. */
export async function listening(
  certificates: Certificates,
  atEnd: (stop: () => Promise<void>) => void,
): Promise<Listening> {
  const sockets = new Set<TLSSocket>()
  const server = createServer({ ...certificates, requestCert: true, rejectUnauthorized: true })
  const state = {
    received: [] as Received[],
    callers: [] as string[],
    connections: 0,
    answering: 'success' as Answering,
    offered: [0x0201, 0x0200, 0x0104, 0x0103, 0x0102, 0x0101, 0x0100] as readonly Version[],
  }
  server.on('connection', () => state.connections++)
  server.on('tlsClientError', () => undefined)
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    state.callers.push(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
    const frames = new Frames({ maxBytes: 1024 * 1024 })
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      frames.push(chunk)
      for (let bytes = frames.next(); bytes !== undefined; bytes = frames.next()) {
        const answer = answerTo(state, Uint8Array.from(bytes))
        if (answer === undefined) socket.destroy()
        else if (answer.length > 0) socket.write(answer)
      }
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return Object.assign(state, { port: (server.address() as AddressInfo).port })
}

/** Reads a message of a server as a client does: by the strict schema of its version. */
export function readPushed(bytes: Uint8Array): Received {
  const version = peekVersion(bytes)!
  const options = { version, strict: true, order: 'strict' } as const
  const message = decode(RequestMessage, tagNumber('RequestMessage'), bytes, options)
  const item = decodeRaw(RequestBatchItem, message.BatchItem[0]!, options)
  const operation = item.Operation as OperationName
  const payload = decodeRaw(payloads[operation].request, item.RequestPayload as Raw, options)
  return {
    version,
    header: message.RequestHeader,
    operation,
    payload: payload as Record<string, unknown>,
    bytes,
  }
}

/** The answer to a message, without payload where it is a push. */
export function successTo({ version, operation }: Received, payload?: object): Uint8Array {
  return answered(version, { Operation: operation, ResultStatus: 'Success' }, payload)
}

function answerTo(state: Omit<Listening, 'port'>, bytes: Uint8Array): Uint8Array | undefined {
  const message = readPushed(bytes)
  if (message.operation === 'DiscoverVersions') {
    const ProtocolVersion = state.offered.map((number) => ({
      ProtocolVersionMajor: number >> 8,
      ProtocolVersionMinor: number & 0xff,
    }))
    return successTo(message, { ProtocolVersion })
  }
  state.received.push(message)
  const { version, operation } = message
  switch (state.answering) {
    case 'success':
      return successTo(message)
    case 'refuse':
      return answered(version, {
        Operation: operation,
        ResultStatus: 'OperationFailed',
        ResultReason: 'PermissionDenied',
      })
    case 'garbage':
      return Buffer.from('HTTP/1.1 200 OK\r\n\r\n')
    case 'hang':
      return new Uint8Array()
    case 'close':
      return undefined
  }
}

function answered(version: Version, item: object, payload?: object): Uint8Array {
  return encode(
    ResponseMessage,
    tagNumber('ResponseMessage'),
    {
      ResponseHeader: {
        ProtocolVersion: {
          ProtocolVersionMajor: version >> 8,
          ProtocolVersionMinor: version & 0xff,
        },
        TimeStamp: 1n,
        BatchCount: 1,
      },
      BatchItem: [{ ...item, ...(payload && { ResponsePayload: payload }) }],
    } as never,
    { version },
  )
}
