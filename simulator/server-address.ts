// Addresses of key servers as people type them.

import { usage } from './command-line.ts'
import type { ServerAddress } from './library-servers.ts'

const kmipPort = 5696

/** `HOST`, `HOST:PORT`, `[V6]` or `[V6]:PORT`; the port of KMIP unless given. @throws UserError */
export function addressOf(text: string): ServerAddress {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]+))(?::(\d{1,5}))?$/u.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? kmipPort : Number(digits)
  if (host === undefined || port < 1 || port > 65_535) {
    throw usage(`not HOST:PORT: ${JSON.stringify(text)}`, '--server 127.0.0.1:5696')
  }
  return { host, port }
}
