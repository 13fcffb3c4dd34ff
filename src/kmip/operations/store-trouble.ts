/**
 * What a client is told while the key store is in trouble: General Failure (KMIP 2.1 §11.46, KMIP 1.4 §9.1.3.2.29)
 * and a few words by which whoever looks after the library knows what to look for. Words of ours only: what the
 * store itself says names paths, hosts and SQL, and stays in the log.
 */
import { exitStatus, UserError } from '../../errors.ts'
import { KmipError } from '../model/result.ts'

/** One kind of trouble: its words, and whether it concerns the whole store, so that no item would fare better alone. */
interface Trouble {
  readonly words: string
  readonly isOfAll: boolean
}

const ofAll = (words: string): Trouble => ({ words, isOfAll: true })
const ofSome = (words: string): Trouble => ({ words, isOfAll: false })

const refused = ofAll('the database of the key store refuses the server')
const damaged = 'the database of the key store is damaged'

/** Code of the store's error → what a client hears. */
const troubles: Readonly<Record<string, Trouble>> = {
  'disk-full': ofAll('the disk of the server is full: nothing is recorded'),
  'database-unwritable': ofAll('the key store is read-only: nothing is recorded'),
  'database-io': ofAll('the disk of the key store fails'),
  // One page may be damaged and the next one sound.
  'database-damaged': ofSome(damaged),
  'not-a-database': ofAll(damaged),
  'wrong-schema': ofAll(damaged),
  'database-busy': ofAll('the key store is busy with others: try again'),
  'database-unreachable': ofAll('the database of the key store is away'),
  'database-behind': ofAll('the database of the key store is not the newest: nothing is served'),
  'database-refused': refused,
  'database-privileges': refused,
  'database-tls': refused,
  'no-database': refused,
  'standby-away': ofAll('the standby of the database is away: nothing is recorded'),
  'commit-waits': ofAll(
    'the standby of the database is away: nothing is promised, and this may be kept once it is back',
  ),
  'commit-not-replicated': ofAll(
    'the standby of the database was not waited for: what was recorded is on one machine only',
  ),
  'commit-in-doubt': ofAll(
    'the database of the key store broke off: whether this was recorded is not known',
  ),
  // What was sealed before is served meanwhile.
  'master-key-retired': ofSome(
    'the master key of the key store was changed, and the server lacks the new one',
  ),
  'audit-unwritable': ofAll('the audit record cannot be written: nothing is done without it'),
}

const sealed = ofAll('the key store is sealed: its master key is away')
const sealing: readonly number[] = [exitStatus.sealed, exitStatus.wrongPassphrase]

/** Whether the trouble is one of the store as a whole. */
export function isOfStore(error: unknown): boolean {
  return troubleOf(error)?.isOfAll === true
}

/**
 * The refusal that an error of our own amounts to: in words where the store is in known trouble, else with no
 * more than where to look it up.
 */
export function refusalOfOurs(error: unknown, correlation: string): KmipError {
  const words = troubleOf(error)?.words
  return new KmipError(
    'GeneralFailure',
    words ?? `internal error, see the server's log under ${correlation}`,
    { cause: error },
  )
}

function troubleOf(error: unknown): Trouble | undefined {
  if (!(error instanceof UserError)) return undefined
  return troubles[error.code] ?? (sealing.includes(error.exitStatus) ? sealed : undefined)
}
