// Every answer is decoded once more with the strict schema of its version: fields in their order,
// and nothing that the version does not know, be it a field, an enumeration value or a mask bit.
import { decode, DecodeError, type Version } from 'ttlv-codec'
import { ResponseMessage } from '../../src/kmip/model/messages.ts'
import { tagNumber } from '../../src/kmip/model/tags.ts'

/** What is wrong with the answer as a message of that version; undefined when nothing is. */
export function strictProblem(answer: Uint8Array, version: Version): string | undefined {
  try {
    decode(ResponseMessage, tagNumber('ResponseMessage'), answer, {
      version,
      strict: true,
      order: 'strict',
    })
    return undefined
  } catch (error) {
    if (error instanceof DecodeError) return `strict decoding: ${error.message}`
    throw error
  }
}
