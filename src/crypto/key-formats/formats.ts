/** The words of the model for how keys are written. */
import type { KeyBlock } from '../../kmip/model/objects.ts'

/** Key Format Type – KMIP 2.1 §11.25 – by name; a number where there is no name for it. */
export type KeyFormatType = KeyBlock['KeyFormatType']

/** Key Compression Type – KMIP 2.1 §11.24. */
export type KeyCompressionType = NonNullable<KeyBlock['KeyCompressionType']>

/** Key Material: bytes, or the structure of a transparent format. */
export type KeyMaterial = Uint8Array | object
