// Messages to a syslog receiver: RFC 5424 over UDP (RFC 5426) or over TCP with octet counting (RFC 6587
// §3.4.1). UDP tells nobody whether anything arrived; TCP that the receiver's machine took it.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { splitAddress } from '../setting-kinds.ts'

/** Facility 13, "log audit"; severity 5, notice (RFC 5424 §6.2.1). */
const priority = 13 * 8 + 5

/** Milliseconds until a receiver must have taken a message over TCP. */
const patience = 5_000

/** A whole message. `id` says what kind it is; the text is UTF-8. */
export function syslogMessage(id: string, text: string, now: Date): Buffer {
  const header = [`<${priority}>1`, now.toISOString(), hostText(), 'keyreel', process.pid, id, '-']
  return Buffer.concat([Buffer.from(`${header.join(' ')} `), byteOrderMark, Buffer.from(text)])
}

/** Sends messages to `udp://HOST:PORT` or `tcp://HOST:PORT`, in order. */
export async function sendToSyslog(
  receiver: string,
  id: string,
  texts: readonly string[],
): Promise<void> {
  const { host, port } = splitAddress(receiver.slice('udp://'.length))
  const messages = texts.map((text) => syslogMessage(id, text, new Date()))
  await (receiver.startsWith('udp:') ? byUdp(host, port, messages) : byTcp(host, port, messages))
}

/** Marks the text as UTF-8 (RFC 5424 §6.4). */
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

function hostText(): string {
  const name = hostname()
    .replaceAll(/[^\x21-\x7e]/g, '')
    .slice(0, 255)
  return name === '' ? '-' : name
}

async function byUdp(host: string, port: number, messages: readonly Buffer[]): Promise<void> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4')
  try {
    for (const message of messages) {
      await new Promise<void>((resolve, reject) => {
        socket.send(message, port, host, (error) => (error ? reject(error) : resolve()))
      })
    }
  } finally {
    socket.close()
  }
}

async function byTcp(host: string, port: number, messages: readonly Buffer[]): Promise<void> {
  const socket = connect({ host, port, signal: AbortSignal.timeout(patience) })
  try {
    await once(socket, 'connect')
    for (const message of messages)
      socket.write(Buffer.concat([Buffer.from(`${message.length} `), message]))
    const closed = once(socket, 'close')
    socket.end()
    socket.resume()
    await closed
  } finally {
    socket.destroy()
  }
}
