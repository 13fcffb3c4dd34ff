// The two ways a conversion fails: DecodeError (the bytes or the text are wrong) and EncodeError
// (the value cannot be written). Reasons name tags, types and sizes, never contents.

/** What is wrong with the bytes or the text; stable, for tests and for mapping to answers. */
export type DecodeErrorCode =
  | 'truncated'
  | 'length'
  | 'type'
  | 'padding'
  | 'boolean'
  | 'utf8'
  | 'value'
  | 'unknown-item'
  | 'duplicate'
  | 'missing'
  | 'order'
  | 'depth'
  | 'items'
  | 'size'
  | 'tag'
  | 'trailing'
  | 'version'
  | 'xml'
  | 'json'

/** Where a fault was found: tag names from the root, and the offset of the item at fault. */
export interface Place {
  readonly path?: string
  readonly offset?: number
}

/**
 * The input is malformed or does not fit its schema. `path` is like
 * `RequestMessage/BatchItem[2]/RequestPayload` (indices count from 0, and only where a tag
 * repeats); `offset` is in bytes, or in characters for text forms.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeErrorCode
  readonly path: string
  readonly offset: number
  readonly reason: string

  constructor(code: DecodeErrorCode, reason: string, { path = '', offset = 0 }: Place = {}) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.code = code
    this.reason = reason
    this.path = path
    this.offset = offset
  }
}

/**
 * Why a value cannot be written: a name that is not part of the version written (too new, or
 * already removed), a value outside its type or absent though required, or too many bytes.
 */
export type EncodeErrorCode = 'newer-than-version' | 'value' | 'size'

/** The value does not fit the schema, the version or the size allowed; nothing was written. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
  readonly code: EncodeErrorCode
  readonly path: string
  readonly reason: string

  constructor(code: EncodeErrorCode, reason: string, { path = '' }: Place = {}) {
    super(path === '' ? reason : `${path}: ${reason}`)
    this.code = code
    this.reason = reason
    this.path = path
  }
}
