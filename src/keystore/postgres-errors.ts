// What PostgreSQL and the network say, sorted: connection lost, transaction to be run again, or a
// failure in the administrator's words. SQLSTATE codes: PostgreSQL documentation, appendix A.
// Messages name user, host and database of a URL, never its password or parameters.
import { UserError } from '../errors.ts'

/** Five characters of SQLSTATE; undefined for errors that the server did not send. */
export function sqlState(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code)
    ? code
    : undefined
}

/** Ended by the server: shut down, crashed, starting, idle too long in a transaction, no longer the primary. */
const endings = new Set(['57P01', '57P02', '57P03', '57P05', '25P03', '25006'])

/** Whether a write was refused because the transaction only reads, or because the server does. */
export function isRefusedWrite(error: unknown): boolean {
  return sqlState(error) === '25006'
}

/** Whether the error says that the connection is of no more use. */
export function isConnectionLost(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return state.startsWith('08') || endings.has(state)
  return error instanceof Error && isNetworkError(error)
}

function isNetworkError(error: Error): boolean {
  const code = 'code' in error ? String(error.code) : ''
  // A certificate that does not fit does not get better by waiting.
  if (/^E[A-Z_]+$/.test(code)) return !/^ERR_(TLS|SSL|OSSL)_/.test(code)
  return /^(Connection terminated|timeout expired|Client (has encountered|was closed))/.test(
    error.message,
  )
}

/** Whether the transaction lost against another one and may be run again (serialisation, deadlock). */
export function isConflict(error: unknown): boolean {
  const state = sqlState(error)
  return state === '40001' || state === '40P01'
}

/** Whether a table, column or schema is missing. */
export function isMissingTable(error: unknown): boolean {
  return ['42P01', '42703', '3F000'].includes(sqlState(error) ?? '')
}

/** Whether the server does not know a statement, function, setting, table or column: feature_not_supported and the like. */
export function isNotKnown(error: unknown): boolean {
  return (
    isMissingTable(error) || ['0A000', '42601', '42883', '42704'].includes(sqlState(error) ?? '')
  )
}

type Row = readonly [code: string, message: (text: string) => string, hint: string]

const tooFull = 'free space on the database server; nothing was half-written'
const wrongLogin =
  'check user and password of the URL; a password may also stand in ~/.pgpass or PGPASSWORD'

/** SQLSTATE, or its class of two characters → what it means for an administrator. */
const failures: Readonly<Record<string, Row>> = {
  '28': ['database-refused', (text) => `the database refused the login (${text})`, wrongLogin],
  '3D000': [
    'no-database',
    (text) => text,
    'check the URL; a keystore that was in it comes back from a backup (keyreel backup restore), a new one wants  createdb NAME  first, owned by the user of the URL',
  ],
  '42501': [
    'database-privileges',
    (text) => text,
    'make the user of the URL the owner of the database or of the schema',
  ],
  '42P07': [
    'wrong-schema',
    (text) => `the schema holds tables that are not keyreel's (${text})`,
    'give keyreel a database, or a schema, of its own',
  ],
  '42P01': [
    'wrong-schema',
    (text) => `the keystore's tables are not whole (${text})`,
    'a database or schema of another program, or one restored in part: check the URL, restore it whole',
  ],
  '42703': [
    'wrong-schema',
    (text) => `the keystore's tables are not as this release knows them (${text})`,
    'a database or schema of another program, or one restored in part: check the URL, restore it whole',
  ],
  '3F000': ['wrong-schema', (text) => text, 'make the schema that the URL names, or correct it'],
  '53100': ['disk-full', () => 'no space left to write', tooFull],
  '53300': [
    'database-unreachable',
    (text) => text,
    'raise max_connections of the database; a node uses up to 6 connections',
  ],
  '55P03': [
    'database-busy',
    () => 'another node or command keeps writing',
    'wait until the other keyreel command has finished and try again',
  ],
  '57014': ['database-busy', (text) => text, 'try again; somebody cancelled the statement'],
  '58': ['database-io', (text) => `its disk failed (${text})`, 'look at the log of the database'],
  XX: [
    'database-damaged',
    (text) => `the database is damaged (${text})`,
    'look at the log of the database, and fail over to a standby that is sound',
  ],
}

/** The failure in the administrator's words; any other error unchanged. `where` names the database. */
export function explained(error: unknown, where: string): unknown {
  if (error instanceof UserError) return error
  if (isConnectionLost(error)) return unreachable(`${where}: ${reasonOf(error)}`, error)
  if (wantsPassword(error)) {
    const message = `${where}: the database wants a password and none is given`
    return new UserError('database-refused', message, wrongLogin, { cause: error })
  }
  if (isFromTls(error)) {
    const message = `${where}: no encrypted connection (${tlsReason(error)})`
    return new UserError('database-tls', message, wrongTls, { cause: error })
  }
  const state = sqlState(error)
  if (state === '28000' && wantsTls.test((error as Error).message)) {
    const message = `${where}: the database takes no connection that is not encrypted`
    return new UserError('database-tls', message, wrongTls, { cause: error })
  }
  const row = state && (failures[state] ?? failures[state.slice(0, 2)])
  if (!row) return error
  const [code, message, hint] = row
  return new UserError(code, `${where}: ${message((error as Error).message)}`, hint, {
    cause: error,
  })
}

/** What a server says, in English, whose pg_hba.conf has no line for a connection without TLS. */
const wantsTls = /no pg_hba\.conf entry.*(no encryption|SSL off)/

const wrongTls =
  'name the CA of the database with ?sslmode=verify-full&sslrootcert=FILE, and the host as its certificate does'

function wantsPassword(error: unknown): boolean {
  return error instanceof Error && /password must be a (non-empty )?string/.test(error.message)
}

/** What OpenSSL calls a certificate that leads to no CA it was told of. */
const ofAnotherCa = /^(UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|SELF_SIGNED_|DEPTH_ZERO_)/

function tlsReason(error: Error): string {
  return 'code' in error && ofAnotherCa.test(String(error.code))
    ? 'its certificate is not of the CA that is named'
    : error.message
}

function isFromTls(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? String(error.code) : ''
  return (
    /CERT|SSL|TLS/.test(code) ||
    ofAnotherCa.test(code) ||
    /server does not support SSL/.test(error.message)
  )
}

/** No database of those named takes writes. */
export function unreachable(message: string, cause?: unknown): UserError {
  return new UserError(
    'database-unreachable',
    message,
    'check that the database runs and that this machine reaches it; keyreel goes on as soon as it does',
    { cause },
  )
}

const networkWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOENT: 'there is no such socket',
  EACCES: 'this user may not use its socket',
  ENOTFOUND: 'unknown host name',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'no way to that host',
}

/** Why a connection failed, in a few words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0])
  if (error.message === 'timeout expired') return 'it does not answer'
  return networkWords[code] ?? error.message
}
