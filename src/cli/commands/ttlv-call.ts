// `keyreel ttlv call`: sends the KMIP messages of a file to a server over mutual TLS, as they are, and
// prints the answers with keys masked. For finding out what a server says, ours or another.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeItem, encodeItem } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { exitStatus, UserError } from '../../errors.ts'
import { connect, ConnectionError } from '../../kmip/client/client.ts'
import type { Client } from '../../kmip/client/client.ts'
import { ResultStatus } from '../../kmip/model/enumerations.ts'
import { tagNumber } from '../../kmip/model/tags.ts'
import { settingKinds, splitAddress } from '../../setting-kinds.ts'
import { command, optional, text, textOr } from '../command.ts'
import { jsonOf, readMessages, writeMessages } from '../messages.ts'
import { outOption, treeOf } from './ttlv.ts'

export const ttlvCall = command({
  words: 'ttlv call',
  summary: 'send KMIP messages to a server and print its answers, key bytes masked',
  details:
    'Takes the request messages of FILE in any form that ttlv decode takes, and sends them one after another over ' +
    'one connection, just as they are: no version is agreed on and nothing is added. The client is that of ' +
    'an enrolment kit (--kit), or of --ca, --cert and --key. Ends with 1 when an item was not a success.',
  arguments: { FILE: optional('messages to send; - is standard input') },
  options: {
    server: textOr('HOST:PORT', '127.0.0.1:5696', 'the server'),
    kit: text('DIR', 'directory of an enrolment kit: ca.pem, certificate.pem and key.pem'),
    ca: text('FILE', 'certificates of the authority that issued the server certificate, PEM'),
    cert: text('FILE', "the client's certificate with its chain, PEM"),
    key: text('FILE', "the client's private key, PEM"),
    servername: text('NAME', "the name in the server's certificate, where it is not HOST"),
    out: outOption,
  },
  examples: [
    'ttlv call query.xml --kit alpha-kit',
    'ttlv call get.json --server kms.example.org:5696 --kit alpha-kit --out answer.xml',
  ],
  async run({ arguments: { FILE }, options, context }) {
    const requests = (await readMessages(FILE, context)).filter(isRequest)
    if (requests.length === 0) {
      throw new UserError(
        'no-request',
        'there is no RequestMessage to send',
        'give messages that begin with <RequestMessage>, "tag": "RequestMessage" or 42 00 78',
      )
    }
    const { host, port } = serverOf(options.server)
    const files = await clientFiles(options)
    const { servername, out } = options
    const answers: Item[] = []
    let client: Client | undefined
    try {
      // One version wanted means that none is negotiated: the messages say theirs themselves.
      const versions = ['1.0'] as const
      client = await connect({ host, port, ...files, ...(servername && { servername }), versions })
      for (const request of requests) {
        answers.push(decodeItem(await client.send(encodeItem(request))))
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error
      throw unanswered(error)
    } finally {
      await client?.close()
    }
    const failed = answers.some((answer) => !isSuccess(answer))
    if (out !== undefined) await writeMessages(out, answers)
    return {
      json: jsonOf(answers),
      text: treeOf(answers),
      ...(failed && { exitStatus: exitStatus.failed }),
    }
  },
})

interface ClientOptions {
  readonly kit: string | undefined
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

async function clientFiles({ kit, ca, cert, key }: ClientOptions) {
  const inKit = (name: string) => (kit === undefined ? undefined : join(kit, name))
  const names = {
    ca: ca ?? inKit('ca.pem'),
    cert: cert ?? inKit('certificate.pem'),
    key: key ?? inKit('key.pem'),
  }
  if (names.ca === undefined || names.cert === undefined || names.key === undefined) {
    throw new UserError(
      'no-client',
      'no client to connect as',
      'give the directory of an enrolment kit with --kit, or --ca, --cert and --key',
      { exitStatus: exitStatus.usage },
    )
  }
  return {
    ca: await readFile(names.ca),
    cert: await readFile(names.cert),
    key: await readFile(names.key),
  }
}

function serverOf(address: string): { host: string; port: number } {
  const parsed = settingKinds.address.schema.safeParse(address)
  if (parsed.success) return splitAddress(parsed.data)
  throw new UserError(
    'server-address',
    `--server is ${JSON.stringify(address)}: ${parsed.error.issues[0]?.message}`,
    'give it like kms.example.org:5696',
    { exitStatus: exitStatus.usage },
  )
}

function isRequest({ tag }: Item): boolean {
  return tag === tagNumber('RequestMessage')
}

/** Whether every item of an answer is a success, or goes on behind it. */
function isSuccess(answer: Item): boolean {
  const parts = answer.type === 'Structure' ? answer.value : []
  return parts
    .filter(({ tag }) => tag === tagNumber('BatchItem'))
    .every((item) => {
      const fields = item.type === 'Structure' ? item.value : []
      const status = fields.find(({ tag }) => tag === tagNumber('ResultStatus'))
      const name = status?.type === 'Enumeration' ? ResultStatus.nameOf(status.value) : undefined
      return name === 'Success' || name === 'OperationPending'
    })
}

function unanswered(error: ConnectionError): UserError {
  const hint = hints[error.code] ?? 'look into the log of the server, which says why'
  return new UserError('no-answer', error.message, hint, { cause: error })
}

const hints: Readonly<Partial<Record<ConnectionError['code'], string>>> = {
  unreachable: 'name the server with --server HOST:PORT, and check that it runs',
  'server-certificate':
    'give the right authority with --ca, and the name in the certificate with --servername',
  timeout: 'check the address and the network between',
}
