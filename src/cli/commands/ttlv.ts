// `keyreel ttlv decode`, `encode`: KMIP messages (KMIP 2.1 §9.1) between their forms, keys masked on the screen.
import { encodeItem, prettyPrint } from 'ttlv-codec'
import type { Item } from 'ttlv-codec'
import { UserError } from '../../errors.ts'
import { textVocabulary } from '../../kmip/model/text-vocabulary.ts'
import { command, optional, text } from '../command.ts'
import { hasSecrets, jsonOf, readMessages, writeMessages } from '../messages.ts'

const forms =
  'Takes TTLV as bytes or hexadecimal (spaces, colons and line ends are free), XML or JSON, from FILE, or ' +
  'from standard input without FILE or with -. Several messages may follow one another; in XML they ' +
  'stand in one KMIP element, in JSON in an array.'

/** `--out FILE` of the three commands. */
export const outOption = text(
  'FILE',
  'write the messages there as they are, keys included (0600): XML for .xml, JSON for .json, else TTLV',
)

/** Messages as a tree for people. */
export function treeOf(items: readonly Item[]): string {
  return items.map((item) => prettyPrint(item, textVocabulary).trimEnd()).join('\n')
}

export const ttlvDecode = command({
  words: 'ttlv decode',
  summary: 'print a KMIP message as an indented tree, key bytes masked',
  details: forms,
  arguments: { FILE: optional('message to print; - is standard input') },
  options: { out: outOption },
  examples: ['ttlv decode request.bin', 'ttlv decode answer.hex --out answer.xml'],
  async run({ arguments: { FILE }, options: { out }, context }) {
    const items = await readMessages(FILE, context)
    if (out === undefined) return { json: jsonOf(items), text: treeOf(items) }
    await writeMessages(out, items)
    return { json: { messages: items.length, out }, text: writtenText(items.length, out) }
  },
})

export const ttlvEncode = command({
  words: 'ttlv encode',
  summary: 'make a TTLV message from XML or JSON',
  details:
    `${forms} Prints hexadecimal, unless the message holds keys or passwords: such a message is only ` +
    'written into a file, with --out.',
  arguments: { FILE: optional('message to encode; - is standard input') },
  options: { out: outOption },
  examples: ['ttlv encode request.xml --out request.bin', 'ttlv encode < query.json'],
  async run({ arguments: { FILE }, options: { out }, context }) {
    const items = await readMessages(FILE, context)
    if (out !== undefined) {
      await writeMessages(out, items)
      return { json: { messages: items.length, out }, text: writtenText(items.length, out) }
    }
    if (items.some((item) => hasSecrets(item))) {
      throw new UserError(
        'secrets',
        'the message holds keys or passwords, which are not printed',
        'write it into a file: --out request.bin',
      )
    }
    const hex = items.map((item) => Buffer.from(encodeItem(item)).toString('hex'))
    return { json: { hex }, text: hex.join('\n') }
  },
})

function writtenText(count: number, file: string): string {
  return `${count} ${count === 1 ? 'message' : 'messages'} written to ${file}`
}
