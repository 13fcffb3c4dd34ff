/** Header fields that a caller chooses, on the wire of each version. */
import { expect, test } from 'vitest'
import { decode, version } from 'ttlv-codec'
import { encodeRequest } from '../../../src/kmip/client/batch.ts'
import { OutgoingRequestMessage } from '../../../src/kmip/model/messages.ts'
import { tagNumber } from '../../../src/kmip/model/tags.ts'

test.each([
  ['1.3', undefined],
  ['1.4', 'drive 7'],
  ['2.1', 'drive 7'],
] as const)('a Client Correlation Value in KMIP %s is %s', (text, sent) => {
  const bytes = encodeRequest([{ operation: 'Get', payload: {} }], version(text), {
    clientCorrelationValue: 'drive 7',
  })
  const { RequestHeader } = decode(OutgoingRequestMessage, tagNumber('RequestMessage'), bytes, {
    version: version(text),
  })
  expect(RequestHeader.ClientCorrelationValue).toBe(sent)
})
