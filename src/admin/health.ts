// Named checks of a data directory, each with a remedy: one row each, used by `doctor` and `status`.
import { stat } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { expiries } from '../access/expiries.ts'
import type { Expiry } from '../access/expiries.ts'
import type { UserError } from '../errors.ts'
import { contentsCheck } from '../keystore/contents-check.ts'
import { openDatabase, urlsOf } from '../keystore/database.ts'
import { describeStore } from '../keystore/describe-store.ts'
import { recoveryProvider } from '../keystore/master-key.ts'
import { pkcs11Provider } from '../keystore/master-key-pkcs11.ts'
import { isPassphrase } from '../keystore/master-key-passphrase.ts'
import { findRecovery, isComplete } from '../keystore/recovery-setup.ts'
import { readLastSeen } from '../keystore/last-seen.ts'
import { knownSchema } from '../keystore/migrate.ts'
import { fileCheck } from '../keystore/sqlite-driver-check.ts'
import { databaseFile } from '../keystore/data-directory.ts'
import type { Store } from '../keystore/store.ts'
import { backupCheck } from './backup-check.ts'
import type { BackupThresholds } from './backup-state.ts'
import { checkpointAge } from './checkpoint.ts'
import { failed, ok, warning, type Finding } from './finding.ts'
import { accepts, durability } from './health-probes.ts'
import { readiness } from './ready-state.ts'
import { scrubProgress, scrubText } from './scrubbing.ts'
import { diskState } from './disk.ts'
import { isRunning, readServerState } from './server-state.ts'

/** What checks look at. */
export interface HealthContext {
  readonly directory: string
  /** URLs of the database, when the keystore is not in the directory. */
  readonly database: readonly string[] | undefined
  /** Absolute path of the master key file, whether or not one is used. */
  readonly masterKeyPath: string
  /** Where checkpoints are kept, if anywhere. */
  readonly checkpoint: string | undefined
  /** From when on keys in no verified backup are a failure. */
  readonly backupThresholds: BackupThresholds
  /** Bytes of room that the server keeps. */
  readonly diskReserve: number
  /** Where the server sends checkpoints, if anywhere. */
  readonly syslog: string | undefined
  /** The opened keystore, or why it is sealed. */
  readonly keystore: Store | UserError
  /** Seconds since 1970. */
  readonly now: bigint
  /** Verify everything instead of the newest records. */
  readonly full: boolean
}

/** One check. */
export interface Check {
  readonly name: string
  /** What it looks at, for help pages. */
  readonly about: string
  run(context: HealthContext): Promise<Finding>
}

const gibibyte = 2 ** 30
const recordsSampled = 1000
const checkpointDays = 30n
const scrubDays = 7n
const day = 86_400n
/** Clocks before this are wrong: keyreel did not exist. */
const earliest = 1_767_225_600n

/** Every check, in the order they are run. */
export const checks: readonly Check[] = [
  {
    name: 'directory',
    about: 'who may read the data directory',
    async run({ directory }) {
      const { mode, uid } = await stat(directory)
      const user = process.geteuid?.()
      if (user !== undefined && uid !== user && user !== 0) {
        return failed(
          `${directory} belongs to user ${uid}, not to ${user}`,
          `chown -R ${user} ${directory}`,
        )
      }
      if ((mode & 0o077) === 0) return ok(`${directory} is readable by its owner alone`)
      return failed(
        `${directory} is open to others (mode ${octal(mode)})`,
        `chmod 700 ${directory}`,
      )
    },
  },
  {
    name: 'master-key',
    about: 'whether the keystore opens, and where its master key lies',
    async run({ directory, database, keystore, masterKeyPath }) {
      if (!isOpen(keystore)) return failed(`sealed: ${keystore.message}`, keystore.hint)
      const all = (await describeStore(directory, database))?.providers ?? []
      const providers = all.filter((provider) => !provider.startsWith(recoveryProvider))
      if (providers.length > 1) {
        return warning(
          `more than one master key opens the keystore: ${providers.join(', ')}`,
          'a rotation was cut off; end it with  keyreel master-key rotate',
        )
      }
      if (providers.some((provider) => provider.startsWith(pkcs11Provider))) {
        return ok('opened by a key in a token')
      }
      if (providers.some(isPassphrase)) {
        return ok('opened by a passphrase')
      }
      if (relative(resolve(directory), masterKeyPath).startsWith('..')) {
        return ok(`opened by ${masterKeyPath}`)
      }
      return warning(
        `the master key lies beside the data it protects (${masterKeyPath})`,
        'move it to another disk and name it with --master-key-file or KEYREEL_MASTER_KEY_FILE',
      )
    },
  },
  {
    name: 'epochs',
    about: 'whether everything is sealed under the newest epoch',
    run: opened(async (store) => {
      const epochs = await store.epochs()
      const count = (rows: typeof epochs): number =>
        rows.reduce((sum, { objects, documents }) => sum + objects + documents, 0)
      const [total, waiting] = [count(epochs), count(epochs.slice(0, -1))]
      const { epoch } = epochs.at(-1)!
      if (waiting === 0) return ok(`everything is sealed under epoch ${epoch}`)
      const done = Math.floor((100 * (total - waiting)) / total)
      return warning(
        `${total - waiting} of ${total} objects and documents are sealed under epoch ${epoch} (${done} %)`,
        'a running server goes on with it, or: keyreel master-key reseal --continue',
      )
    }),
  },
  {
    name: 'recovery',
    about: 'whether people can open the keystore when its master key is lost',
    run: opened(async (store) => {
      const remedy = 'keyreel recovery setup --threshold 2 --shares 3 --out DIR'
      const key = await store.read(findRecovery)
      if (key === undefined) {
        return warning('no recovery shares: with the master key every key would be lost', remedy)
      }
      const shares = `${key.threshold} of ${key.shares.length} shares`
      if (await isComplete(store, key)) return ok(`${shares} of recovery key ${key.id} open it`)
      return failed(`recovery key ${key.id} does not open everything`, remedy)
    }),
  },
  {
    name: 'backup',
    about:
      'whether every key is in a verified backup, how old that is, and whether schedules are kept',
    run: opened((store, { directory, now, backupThresholds }) =>
      backupCheck(store, { directory, now, thresholds: backupThresholds }),
    ),
  },
  {
    name: 'database',
    about: 'whether the database is sound; with --full every index of it',
    async run({ directory, database, full }) {
      const driver = await openDatabase({ directory, database })
      try {
        if (driver.dialect === 'postgres') return await durability(driver)
        const [first, ...others] = await fileCheck(driver, full)
        if (first === undefined) return ok('the database file is sound')
        const more = others.length === 0 ? '' : ` (and ${others.length} more)`
        return failed(
          `${first}${more}`,
          'stop the server, copy the data directory, go back to the last good copy of it',
        )
      } finally {
        await driver.close()
      }
    },
  },
  {
    name: 'ready',
    about: 'whether new keys are on as many copies as their groups want; how the journal is',
    run: opened((store, place) => readiness(store, place)),
  },
  {
    name: 'schema',
    about: 'whether this release knows the form of the database',
    async run({ directory, database }) {
      const schema = (await describeStore(directory, database))?.schema ?? 0
      if (schema === knownSchema()) return ok(`schema ${schema}, the newest`)
      return warning(
        `schema ${schema}, this release writes ${knownSchema()}`,
        'start the server once: it brings the database up to date',
      )
    },
  },
  {
    name: 'disk',
    about: 'free space for the data directory',
    async run({ directory, diskReserve }) {
      const { free, isReleased } = await diskState(directory, diskReserve)
      const found = `${(free / gibibyte).toFixed(1)} GiB free`
      const remedy = `make room on the file system of ${directory}: without it no key can be made`
      if (isReleased) return failed(`${found}, the reserve is used: new keys are refused`, remedy)
      if (free < gibibyte / 8) return failed(found, remedy)
      return free < gibibyte ? warning(found, remedy) : ok(found)
    },
  },
  {
    name: 'certificates',
    about:
      'when the certificates of CA, server, libraries and peers end (90, 30, 14, 7 and 1 days before)',
    run: opened(async (store, { now }) => {
      const rows = (await store.read((work) => expiries(work, now))).filter(isUrgent)
      const [first, ...others] = rows
      if (first === undefined) return ok('no certificate ends within 90 days')
      const more = others.length === 0 ? '' : ` (and ${others.length} more: keyreel status)`
      const found = `${expiryText(first)}${more}`
      return rows.some(({ warning: days }) => days === 0)
        ? failed(found, expiryRemedy(first))
        : warning(found, expiryRemedy(first))
    }),
  },
  {
    name: 'clock',
    about: 'whether the clock can be right',
    run: opened(async (store, { now }) => {
      const remedy = 'set the clock, and keep it right by NTP (timedatectl set-ntp true)'
      if (now < earliest) return failed('the clock is years behind', remedy)
      const newest = await newestRecord(store)
      if (newest <= now + 60n) return ok('the clock is not behind the last record')
      return failed(`the clock is ${newest - now} s behind the last audit record`, remedy)
    }),
  },
  {
    name: 'audit',
    about: 'the newest audit records; with --full every chain, record and object',
    run: opened(async (store, { full }) => {
      const remedy = 'keyreel audit verify  lists what is wrong; keep a copy of the data directory'
      if (!full) {
        const chains = await store.auditChains()
        const limit = recordsSampled
        const read = await Promise.all(chains.map((chain) => store.readAudit({ chain, limit })))
        return ok(`the newest ${read.flat().length} records are as they were written`)
      }
      const { problems, objects, documents } = await store.auditVerify({ contents: contentsCheck })
      const [first] = problems
      if (first === undefined) return ok(`${objects} objects and ${documents} documents are sound`)
      return failed(`${first.subject}: ${first.message}`, remedyOf(problems, remedy))
    }),
  },
  {
    name: 'scrub',
    about: 'what the server found when it last looked through everything that is stored',
    run: opened(async (store, { now }) => {
      const progress = await store.read((work) => scrubProgress(work))
      const { problems = [], last, started } = progress ?? {}
      const [first] = problems
      const found = scrubText(progress, now)
      if (first !== undefined)
        return failed(
          `${found}; ${first.subject}: ${first.message}`,
          remedyOf(
            problems,
            'keyreel audit verify  lists all of it; docs/how-to/check-that-nothing-was-changed.md',
          ),
        )
      const quiet = 'start the server: it looks through the keystore by itself (keyreel serve)'
      if (last === undefined) return started === undefined ? warning(found, quiet) : ok(found)
      return now - BigInt(last.finished) <= scrubDays * day ? ok(found) : warning(found, quiet)
    }),
  },
  {
    name: 'checkpoint',
    about: 'whether the heads of the audit chains are kept elsewhere',
    async run({ directory, database, checkpoint, syslog, now }) {
      const remedy =
        'keyreel serve --checkpoint FILE, FILE on another machine or disk; or --syslog URL'
      if (checkpoint === undefined && syslog !== undefined)
        return ok(`the server sends checkpoints to ${syslog}; none is compared at its start`)
      if (checkpoint === undefined) {
        const seen = urlsOf({ database }) && (await readLastSeen(directory))
        if (seen) {
          const time = new Date(seen.time * 1000).toISOString()
          return ok(`this node refuses a database that is behind what it saw at ${time}`)
        }
        return warning(
          'no checkpoint is kept elsewhere: a store put back whole would go unnoticed',
          remedy,
        )
      }
      if (!relative(resolve(directory), resolve(checkpoint)).startsWith('..')) {
        return warning(`the checkpoint ${checkpoint} lies in the data directory`, remedy)
      }
      const written = await checkpointAge(checkpoint)
      if (written === undefined) return warning(`there is no checkpoint ${checkpoint} yet`, remedy)
      const days = (now - written) / day
      if (days <= checkpointDays) return ok(`the checkpoint is ${days} days old`)
      return warning(`the checkpoint is ${days} days old`, remedy)
    },
  },
  {
    name: 'server',
    about: 'whether a server runs on this data directory and accepts connections',
    async run({ directory }) {
      const state = await readServerState(directory)
      if (state === undefined || !isRunning(state)) {
        return warning('no server is running on this data directory', 'keyreel serve')
      }
      const { pid, kmip, https, sealed } = state
      if (sealed !== undefined) {
        return failed(`process ${pid} is sealed: ${sealed}`, 'keyreel master-key unseal')
      }
      for (const address of https === undefined ? [kmip] : [kmip, https]) {
        if (await accepts(address)) continue
        const found = `process ${pid} runs, but ${address} accepts no connection`
        return failed(found, 'look at its log, then start it again')
      }
      const second = https === undefined ? '' : `, over HTTPS on ${https}`
      return ok(`process ${pid} serves KMIP on ${kmip}${second}`)
    },
  },
]

/** Runs checks in order; one that cannot be done counts as failed, and the others still run. */
export async function runChecks(
  selected: readonly Check[],
  context: HealthContext,
): Promise<(Finding & { name: string })[]> {
  const findings: (Finding & { name: string })[] = []
  for (const { name, run } of selected) {
    const finding = await run(context).catch((error: unknown) => {
      const { message, hint } = error as Error & { hint?: string }
      return failed(message, hint ?? `look at ${dirname(join(context.directory, databaseFile))}`)
    })
    findings.push({ name, ...finding })
  }
  return findings
}

/** Whether a certificate is to be warned about: one that a newer one has replaced is not. */
export function isUrgent({ warning: days, superseded }: Expiry): boolean {
  return days !== undefined && !superseded
}

/** `library alpha ends in 12 days`. */
export function expiryText({ of, name, daysLeft }: Expiry): string {
  const when = daysLeft < 0 ? `ended ${-daysLeft} days ago` : `ends in ${daysLeft} days`
  if (of === 'exchange') return `the Encryption Certificate of this server ${when}`
  return `the certificate of ${of === 'authority' ? 'the CA' : `${of} ${name}`} ${when}`
}

function expiryRemedy({ of, name }: Expiry): string {
  if (of === 'server') return 'keyreel server certificate renew'
  if (of === 'exchange') return 'keyreel exchange certificate renew, and send it to every peer'
  if (of === 'peer')
    return `ask that site for a new one:  keyreel exchange certificate import FILE --peer ${name}`
  if (of === 'library') return `keyreel library renew ${name} --out DIR`
  return 'a new CA means enrolling every library again: plan it before the end'
}

/** A check that needs the opened keystore. */
function opened(check: (store: Store, context: HealthContext) => Promise<Finding>): Check['run'] {
  return async (context) => {
    const { keystore } = context
    if (isOpen(keystore)) return check(keystore, context)
    return warning('not checked: the keystore is sealed', keystore.hint)
  }
}

function isOpen(keystore: Store | UserError): keystore is Store {
  return 'act' in keystore
}

/** What merely follows from records can be made again. */
function remedyOf(problems: readonly { kind: string }[], otherwise: string): string {
  return problems.every(({ kind }) => kind === 'derived') ? 'keyreel doctor --repair' : otherwise
}

async function newestRecord(store: Store): Promise<bigint> {
  const chains = await store.auditChains()
  const newest = await Promise.all(chains.map((chain) => store.readAudit({ chain, limit: 1 })))
  return newest.flat().reduce((latest, { time }) => (time > latest ? time : latest), 0n)
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}
