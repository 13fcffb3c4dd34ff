/** Whether the server is the one that was meant, and in words why not – RFC 9525, RFC 5280. */
import type { TLSSocket } from 'node:tls'
import { ConnectionError } from './errors.ts'

/**
 * The verdict on a finished handshake: undefined, or the error naming the certificate and what is
 * wrong with it. The handshake must have been told to go on after a refused certificate, because
 * node:tls keeps the certificate to itself when it refuses one.
 */
export function serverCertificateError(
  socket: TLSSocket,
  host: string,
  port: number,
): ConnectionError | undefined {
  if (socket.authorized) return undefined
  const code = String(socket.authorizationError ?? 'unknown')
  const certificate = socket.getPeerX509Certificate()
  const problem = problems[code] ?? code
  const shown =
    certificate === undefined
      ? 'it showed none'
      : [
          `subject ${oneLine(certificate.subject)}`,
          `names ${certificate.subjectAltName ?? 'none'}`,
          `issuer ${oneLine(certificate.issuer)}`,
          `valid ${certificate.validFrom} to ${certificate.validTo}`,
          `SHA-256 ${certificate.fingerprint256}`,
        ].join('; ')
  return new ConnectionError(
    'server-certificate',
    `certificate of ${host}:${port} refused: ${problem} (${shown})`,
    { cause: code },
  )
}

const oneLine = (name: string | undefined) => (name ?? '').split('\n').join(', ')

const problems: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired',
  CERT_NOT_YET_VALID: 'it is not valid yet: compare the clocks',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is self-signed and not the CA that was given',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not the one that was given',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not the one that was given',
  UNABLE_TO_GET_ISSUER_CERT: 'its CA is not the one that was given',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not the one that was given',
  CERT_SIGNATURE_FAILURE: 'its signature is not from the CA that was given',
  INVALID_PURPOSE: 'it is not made for servers',
  CERT_REVOKED: 'it is revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'it does not carry this host name or address',
}
