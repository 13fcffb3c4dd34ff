/** Objects of keys as they are sealed: the TTLV item of the whole object, in the newest version. */
import { decode, encode, type Schema } from 'ttlv-codec'
import { KeyFormatType } from '../model/enumerations.ts'
import { objectFields, type KeyBlock } from '../model/objects.ts'
import { tagNumber } from '../model/tags.ts'
import { newest } from '../model/versions.ts'

/** Object types whose material is sealed. */
export type SealedType = keyof typeof objectFields

/** The item to be sealed. The caller wipes it. */
export function sealedItem(objectType: SealedType, fields: object): Uint8Array {
  const schema = objectFields[objectType] as Schema<object>
  return encode(schema, tagNumber(objectType), lasting(fields), { version: newest.number })
}

/** The fields of a sealed item. Byte strings are views of `item`. */
export function unsealedFields(objectType: SealedType, item: Uint8Array): object {
  const schema = objectFields[objectType] as Schema<object>
  return decode(schema, tagNumber(objectType), item, {
    version: newest.number,
    limits: { maxBytes: Infinity, maxItems: Infinity, maxDepth: 64 },
  })
}

/** The format by its number: some names went with 2.0, and their keys stay. */
function lasting(fields: object): object {
  if (!('KeyBlock' in fields)) return fields
  const { KeyBlock: block } = fields as { KeyBlock: KeyBlock }
  const format = KeyFormatType.numberOf(block.KeyFormatType)
  return { ...fields, KeyBlock: { ...block, KeyFormatType: format } }
}
