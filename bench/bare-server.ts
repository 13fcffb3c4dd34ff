/**
 * The limit: node:tls with the same certificates that cuts the stream into messages and answers each
 * with the same number of bytes, prepared. No KMIP server on this runtime can cost less.
 */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'

const [certificate, key, ca, answerBytes] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
]
const answer = Buffer.alloc(Number(answerBytes))
answer.writeUInt32BE(0x42007b01, 0)
answer.writeUInt32BE(answer.length - 8, 4)

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
    let pending = 0
    let header: Buffer = Buffer.alloc(0)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('data', (chunk: Buffer) => {
      let rest: Buffer = header.length === 0 ? chunk : Buffer.concat([header, chunk])
      header = Buffer.alloc(0)
      for (;;) {
        if (pending === 0) {
          if (rest.length < 8) break
          pending = rest.readUInt32BE(4) + 8
        }
        if (rest.length < pending) break
        rest = rest.subarray(pending)
        pending = 0
        socket.write(answer)
      }
      header = Buffer.from(rest)
    })
  },
)
server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 }, () => {
  process.stdout.write(`ready ${(server.address() as AddressInfo).port}\n`)
})
process.on('SIGTERM', () => process.exit(0))
