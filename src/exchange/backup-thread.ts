// Makes a backup in a thread beside the service; see backup-worker.ts for the other side.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { Problem } from '../keystore/audit-chain-walk.ts'
import type { MasterKey } from '../keystore/master-key.ts'
import type { OpenOptions } from '../keystore/store.ts'
import type { WrittenBackup } from './backup-create.ts'

/** What the thread is told at its start. */
export interface BackupOrder {
  readonly place: Pick<OpenOptions, 'directory' | 'database' | 'node'>
  /** Provider of the master key. */
  readonly provider: string
  readonly out: string
  readonly aside: string
}

/** What the thread says. */
export type FromWorker =
  | {
      readonly kind: 'unwrap'
      readonly call: number
      readonly bytes: Uint8Array
      readonly context: Uint8Array
    }
  | { readonly kind: 'written'; readonly backup: WrittenBackup }
  | { readonly kind: 'done'; readonly problems: readonly Problem[] }
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly stack: string | undefined
      readonly code?: string
      readonly hint?: string
    }

/** The answer to an unwrap. */
export interface Unwrapped {
  readonly call: number
  readonly bytes?: Uint8Array
  readonly error?: string
}

/** A backup under way. */
export interface RunningBackup {
  /** What is wrong with the backup; rejected when there is none, or it was stopped. */
  readonly done: Promise<readonly Problem[]>
  /** Gives it up; resolves when nothing of it runs any more. */
  stop(): Promise<void>
}

/** Begins a backup to `out`; `written` is told of the file before it is verified. */
export function backupInThread(
  place: BackupOrder['place'],
  masterKey: MasterKey,
  out: string,
  written: (backup: WrittenBackup) => void,
): RunningBackup {
  let worker: Worker | undefined
  let isStopped = false
  const run = async (): Promise<readonly Problem[]> => {
    const aside = await mkdtemp(join(tmpdir(), 'keyreel-backup-'))
    try {
      if (isStopped) throw stopped()
      const order: BackupOrder = { place, provider: masterKey.id, out, aside }
      worker = new Worker(program, { workerData: order, name: 'backup' })
      return await outcomeOf(worker, masterKey, written)
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
  }
  const done = run()
  return {
    done,
    async stop() {
      isStopped = true
      await worker?.terminate()
      await done.catch(() => undefined)
    },
  }
}

/** The program has the same ending as this one: the sources are run as they are, a build turns both. */
const program = new URL(`backup-worker${extname(import.meta.filename)}`, import.meta.url)

function outcomeOf(
  worker: Worker,
  masterKey: MasterKey,
  written: (backup: WrittenBackup) => void,
): Promise<readonly Problem[]> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly Problem[]>()
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'unwrap') void unwrap(worker, masterKey, message)
    else if (message.kind === 'written') written(message.backup)
    else if (message.kind === 'done') resolve(message.problems)
    else reject(errorOf(message))
  })
  worker.on('error', reject)
  worker.on('exit', () => reject(stopped()))
  return promise
}

async function unwrap(
  worker: Worker,
  masterKey: MasterKey,
  { call, bytes, context }: Extract<FromWorker, { kind: 'unwrap' }>,
): Promise<void> {
  try {
    const secret = await masterKey.unwrap(bytes, context)
    const moved = Uint8Array.from(secret)
    secret.fill(0)
    const answer: Unwrapped = { call, bytes: moved }
    worker.postMessage(answer, [moved.buffer])
  } catch (error) {
    const answer: Unwrapped = { call, error: (error as Error).message }
    worker.postMessage(answer)
  }
}

function errorOf({ message, stack, code, hint }: Extract<FromWorker, { kind: 'failed' }>): Error {
  if (code !== undefined && hint !== undefined) return new UserError(code, message, hint)
  const error = new Error(message)
  if (stack !== undefined) error.stack = stack
  return error
}

function stopped(): UserError {
  return new UserError(
    'backup-stopped',
    'the backup was given up',
    'it is made when a server runs again',
  )
}
