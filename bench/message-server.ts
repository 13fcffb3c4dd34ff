/** node:tls as the bare servers use it: the stream is cut into messages by their length, and nothing more. */
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'

/** Files of the server's certificate and key, and of the issuer of its clients'. */
export interface ServerFiles {
  certificate: string
  key: string
  ca: string
}

/** Listens on a free port and prints `ready PORT`; `onMessage` gets every whole message, header included. */
export function serveMessages(
  { certificate, key, ca }: ServerFiles,
  onMessage: (message: Buffer, socket: TLSSocket) => void,
): void {
  const server = createServer(
    {
      cert: readFileSync(certificate),
      key: readFileSync(key),
      ca: readFileSync(ca),
      requestCert: true,
      rejectUnauthorized: false,
      sessionIdContext: 'bench',
    },
    (socket) => {
      let rest: Buffer = Buffer.alloc(0)
      socket.setNoDelay(true)
      socket.on('error', () => socket.destroy())
      socket.on('data', (chunk: Buffer) => {
        rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
        while (rest.length >= 8) {
          const length = rest.readUInt32BE(4) + 8
          if (rest.length < length) return
          onMessage(rest.subarray(0, length), socket)
          rest = rest.subarray(length)
        }
      })
    },
  )
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
    process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`)
  })
  process.on('SIGTERM', () => process.exit(0))
}

/** A Response Message of that many bytes, empty. */
export function emptyAnswer(bytes: number): Buffer {
  const answer = Buffer.alloc(bytes)
  answer.writeUInt32BE(0x42007b01, 0)
  answer.writeUInt32BE(bytes - 8, 4)
  return answer
}
