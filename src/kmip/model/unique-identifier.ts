/**
 * Unique Identifier – KMIP 2.1 §4.58. A text; since 2.0 also a placeholder kind, or a zero-based
 * position among the identifiers made in this batch (negative: counted back from the current item).
 */
import { integer, map, oneOf, text, version, type Infer } from 'ttlv-codec'
import { UniqueIdentifier as UniqueIdentifierKind } from './enumerations.ts'
import { KmipError } from './result.ts'

/** How a request names an object. */
export type ObjectName =
  string | { placeholder: Infer<typeof UniqueIdentifierKind> } | { position: number }

/** Wire form of an object's name; 1.x knows the text form alone. */
export const UniqueIdentifier = map(oneOf(text, UniqueIdentifierKind, integer), {
  read(item, peer): ObjectName {
    if (item.type === 'TextString') return item.value
    if (peer < version('2.0')) {
      throw new KmipError(
        'InvalidMessage',
        `Unique Identifier is a ${item.type}, not a Text String`,
      )
    }
    return item.type === 'Integer' ? { position: item.value } : { placeholder: item.value }
  },
  write(name: ObjectName) {
    if (typeof name === 'string') return { type: 'TextString' as const, value: name }
    if ('position' in name) return { type: 'Integer' as const, value: name.position }
    return { type: 'Enumeration' as const, value: name.placeholder }
  },
})
