// Keeps checkpoints while the server runs: compared at the start, then written and sent again and again.
// One that does not fit is never written over.
import { setTimeout as delay } from 'node:timers/promises'
import type { Certificate } from '../crypto/certificates.ts'
import type { Signer } from '../crypto/detached-signatures.ts'
import { UserError } from '../errors.ts'
import type { Problem } from '../keystore/audit-chain-walk.ts'
import type { Store } from '../keystore/store.ts'
import { readCheckpoint, signCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { sendToSyslog } from './syslog.ts'

/** Chains in one message: a receiver may cut what is longer than 2048 bytes (RFC 5424 §6.1). */
const chainsPerMessage = 8

/** Milliseconds for the file: it may lie on another machine that does not answer. */
const fileTime = 10_000

/** Where checkpoints go and who signs them. */
export interface KeeperOptions {
  /** A file outside the data directory. */
  readonly file?: string | undefined
  /** `udp://HOST:PORT` or `tcp://HOST:PORT`. */
  readonly syslog?: string | undefined
  /** Opens the key that signs, for one checkpoint. */
  readonly signer: () => Promise<{ readonly identity: Certificate; readonly signer: Signer }>
  readonly log: {
    info(fields: object, text: string): void
    error(fields: object, text: string): void
  }
}

type KeptStore = Pick<Store, 'id' | 'auditHeads' | 'compareCheckpoint' | 'read'>

/** Keeps the checkpoints of one store. */
export class CheckpointKeeper {
  readonly #store: KeptStore
  readonly #options: KeeperOptions
  #newest: string | undefined

  constructor(store: KeptStore, options: KeeperOptions) {
    this.#store = store
    this.#options = options
  }

  /**
   * Compares the store with the file, before anything is served from it.
   * @throws UserError 'rolled-back', and what `readCheckpoint` throws but for a file that cannot be read
   */
  async start(): Promise<void> {
    const { file, log } = this.#options
    if (file === undefined) return
    const { identity } = await this.#options.signer()
    const kept = await this.#kept(file, identity)
    if (kept === undefined) {
      log.info({ file }, 'there is no checkpoint to compare the keystore with yet')
      return
    }
    const [problem] = await this.#store.compareCheckpoint(kept.chains)
    if (problem === undefined) return
    const taken = new Date(kept.time * 1000).toISOString()
    throw new UserError(
      'rolled-back',
      `the keystore is not what it was at the checkpoint ${file} of ${taken}: ${problem.subject}: ${problem.message}`,
      'an older database was put in its place, or its end cut off: put the newest one back. If the older one is meant, move the checkpoint file away',
    )
  }

  /** Writes and sends the heads as they are now, unless nothing was recorded since the last time. */
  async run(): Promise<void> {
    const { file, syslog, log } = this.#options
    if (file === undefined && syslog === undefined) return
    const { identity, signer } = await this.#options.signer()
    const chains = await this.#store.auditHeads()
    const state = JSON.stringify(chains)
    if (state === this.#newest) return
    if (file !== undefined) {
      const kept = await this.#kept(file, identity)
      const problems = kept === undefined ? [] : await this.#store.compareCheckpoint(kept.chains)
      if (problems.length > 0) return this.#alarm(file, problems)
    }
    const time = Number(await this.#store.read((work) => Promise.resolve(work.now)))
    const heads = { store: this.#store.id, time, chains: [...chains] }
    const outcomes = await Promise.allSettled([
      file === undefined ? undefined : inTime(writeCheckpoint(file, signCheckpoint(heads, signer))),
      syslog === undefined ? undefined : this.#send(syslog, heads, signer),
    ])
    const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    for (const err of failures)
      log.error(
        { err, alarm: true },
        'a checkpoint of the audit record could not be kept elsewhere',
      )
    if (failures.length === 0) this.#newest = state
  }

  async #send(
    syslog: string,
    { chains, ...rest }: Parameters<typeof signCheckpoint>[0],
    signer: Signer,
  ): Promise<void> {
    const messages: string[] = []
    for (let first = 0; first < chains.length; first += chainsPerMessage) {
      const some = { ...rest, chains: chains.slice(first, first + chainsPerMessage) }
      messages.push(JSON.stringify(signCheckpoint(some, signer)))
    }
    await sendToSyslog(syslog, 'checkpoint', messages)
  }

  /** What cannot be read now, such as a share that is away, must not stop the service: it alarms. */
  async #kept(file: string, identity: Certificate) {
    try {
      return await inTime(readCheckpoint(file, this.#store.id, identity))
    } catch (err) {
      if (err instanceof UserError && err.code !== 'too-late') throw err
      const text =
        'the checkpoint cannot be read: nothing would show that the keystore was put back'
      this.#options.log.error({ err, file, alarm: true }, text)
      return undefined
    }
  }

  #alarm(file: string, problems: readonly Problem[]): void {
    for (const { kind, subject, message } of problems)
      this.#options.log.error({ alarm: true, file, kind, subject }, `checkpoint: ${message}`)
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const patience = new AbortController()
  const late = delay(fileTime, undefined, { signal: patience.signal, ref: false }).then(() => {
    throw new UserError(
      'too-late',
      `the checkpoint file did not answer within ${fileTime / 1000} s`,
      'look at the disk or share that it lies on',
    )
  })
  late.catch(() => undefined)
  try {
    return await Promise.race([work, late])
  } finally {
    patience.abort()
  }
}
