/** How a request fails for a client: the connection did, or the server refused it. */

/**
 * Why there is no answer.
 * `unreachable` no TCP connection; `server-certificate` not the server that was meant;
 * `handshake` TLS failed, often because the server refuses us; `timeout` nothing came in time;
 * `lost` the connection broke before the answer; `no-kmip` what came is no KMIP answer, or not one
 * to what was asked, and `cause` says what of it could not be decoded;
 * `server-password` the server does not prove that it knows the password that was proven to it;
 * `version` no protocol version in common; `closed` this client was closed; `options` what `connect`
 * was given cannot be used, such as a file that is no certificate.
 */
export type ConnectionErrorCode =
  | 'unreachable'
  | 'server-certificate'
  | 'handshake'
  | 'timeout'
  | 'lost'
  | 'no-kmip'
  | 'server-password'
  | 'version'
  | 'closed'
  | 'options'

/** There is no answer. The message names the server, and its certificate where that was refused. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly code: ConnectionErrorCode
  /**
   * Whether the server may have executed the request: it was sent, wholly or in part. False means
   * that it may be sent again, whatever it does.
   */
  readonly mayHaveRun: boolean

  constructor(
    code: ConnectionErrorCode,
    message: string,
    options: { mayHaveRun?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.mayHaveRun = options.mayHaveRun ?? false
  }
}

/** The server answered that an operation did not succeed – KMIP 2.1 §9.19 "Result Status". */
export class ResultError extends Error {
  override readonly name = 'ResultError'
  /** Undefined when the whole message was refused. */
  readonly operation: string | number | undefined
  /** Result Status, such as `OperationFailed`; a number where its name is not known. */
  readonly status: string | number
  /** Result Reason, such as `ItemNotFound`; a number where its name is not known. */
  readonly reason: string | number | undefined
  /** Result Message: the server's own words. */
  readonly resultMessage: string | undefined

  constructor(result: {
    operation?: string | number | undefined
    status: string | number
    reason?: string | number | undefined
    message?: string | undefined
  }) {
    const { operation = 'request', status, reason, message } = result
    const why = [reason, message].filter((part) => part !== undefined && part !== '')
    super([`${operation}: ${status}`, ...why].join(', '))
    this.operation = result.operation
    this.status = status
    this.reason = reason
    this.resultMessage = message
  }
}
