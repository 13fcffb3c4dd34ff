/** Which option of `connect` cannot be used, and in words why not: node:tls and OpenSSL only say what they stumbled over. */
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { ConnectionError } from './errors.ts'

/** What is looked at; `port` already with its default. */
export type CheckedOptions = Pick<
  SecureContextOptions,
  'ca' | 'cert' | 'key' | 'pfx' | 'passphrase' | 'ciphers' | 'minVersion' | 'maxVersion'
> & { readonly host: string; readonly port: number; readonly acceptAnyServer?: boolean }

/** Throws ConnectionError `options` for CA certificates of which OpenSSL would silently take none, and for a wrong port. */
export function checkOptions({ ca, host, port, acceptAnyServer }: CheckedOptions): void {
  if (typeof host !== 'string' || host === '') throw unusable('host', 'it is no name or address')
  // A text of digits is taken, as node:net takes it.
  const number = Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw unusable('port', `${String(port)} is none from 1 to 65535`)
  if (ca === undefined || acceptAnyServer === true) return
  // Read as a certificate of ours, because what is wrong with a CA is never said.
  for (const one of [ca].flat()) tryOption('ca', { cert: one })
}

/** The error for what node:tls threw at `options`: names the option that is to blame. */
export function optionsError(options: CheckedOptions, cause: unknown): ConnectionError {
  const { cert, key, pfx, passphrase, ciphers, minVersion, maxVersion } = options
  const tries = [
    ['cert', { cert }],
    ['key', { key, passphrase }],
    ['key', { cert, key, passphrase }],
    ['pfx', { pfx, passphrase }],
    ['ciphers', { ciphers }],
    ['minVersion', { minVersion }],
    ['maxVersion', { maxVersion }],
  ] as const
  try {
    for (const [name, fields] of tries) tryOption(name, fields)
  } catch (error) {
    if (error instanceof ConnectionError) return error
    throw error
  }
  return unusable(undefined, textOf(cause), cause)
}

function tryOption(name: string, fields: object): void {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined)
  try {
    createSecureContext(Object.fromEntries(given))
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException
    const text = textOf(cause)
    throw unusable(name, problems[`${name} ${code}`] ?? problems[`${name} ${text}`] ?? text, cause)
  }
}

/** The last words of `error:0480006C:PEM routines::no start line`. */
const textOf = (cause: unknown): string => {
  const text = cause instanceof Error ? cause.message : String(cause)
  return text.startsWith('error:') ? text.slice(text.lastIndexOf(':') + 1) : text
}

function unusable(name: string | undefined, problem: string, cause?: unknown): ConnectionError {
  const which = name === undefined ? 'the options' : `option ${name}`
  return new ConnectionError('options', `${which} cannot be used: ${problem}`, { cause })
}

const noCertificate = 'there is no certificate in PEM in it'
const noKey = 'there is no private key in PEM in it, or not one that this passphrase opens'

const problems: Readonly<Record<string, string>> = {
  'ca ERR_OSSL_PEM_NO_START_LINE': noCertificate,
  'cert ERR_OSSL_PEM_NO_START_LINE': noCertificate,
  'key ERR_OSSL_UNSUPPORTED': noKey,
  'key ERR_OSSL_BAD_DECRYPT': noKey,
  'key ERR_OSSL_X509_KEY_VALUES_MISMATCH': 'it is not the key of the certificate in cert',
  'pfx not enough data': 'it is no PKCS#12',
  'pfx mac verify failure': 'the passphrase does not open it',
}
