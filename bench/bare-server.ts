/**
 * The limit: node:tls with the same certificates that cuts the stream into messages and answers each
 * with the same number of bytes, prepared. No KMIP server on this runtime can cost less.
 */
import { emptyAnswer, serveMessages } from './message-server.ts'

const [certificate, key, ca, answerBytes] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
]
const answer = emptyAnswer(Number(answerBytes))

serveMessages({ certificate, key, ca }, (_message, socket) => socket.write(answer))
