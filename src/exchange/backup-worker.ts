// The thread in which a server makes a backup: it opens the keystore a second time, for reading, so that the service
// goes on undisturbed. The master key stays where it is: epochs are unwrapped there.
import { parentPort, workerData } from 'node:worker_threads'
import { UserError } from '../errors.ts'
import type { MasterKey } from '../keystore/master-key.ts'
import { openStore } from '../keystore/store.ts'
import { backUp } from './backup-job.ts'
import { unwritten } from './unwritten.ts'
import type { BackupOrder, FromWorker, Unwrapped } from './backup-thread.ts'

const port = parentPort
if (port === null) throw new Error('backup-worker.ts is the program of a thread')
const { place, provider, out, aside } = workerData as BackupOrder
const tell = (message: FromWorker): void => port.postMessage(message)

/** Unwraps that the other side has not answered yet, by their number. */
const waiting = new Map<number, PromiseWithResolvers<Uint8Array>>()
port.on('message', ({ call, bytes, error }: Unwrapped) => {
  const asked = waiting.get(call)
  waiting.delete(call)
  if (bytes !== undefined) asked?.resolve(bytes)
  else asked?.reject(new Error(error))
})

let calls = 0
const masterKey: MasterKey = {
  id: provider,
  wrap: () => Promise.reject(new Error('a backup makes no epochs')),
  unwrap(bytes, context) {
    const call = ++calls
    const asked = Promise.withResolvers<Uint8Array>()
    waiting.set(call, asked)
    tell({ kind: 'unwrap', call, bytes, context })
    return asked.promise
  },
  close: () => undefined,
}

try {
  const store = await openStore({ ...place, masterKey, writer: 'backup' })
  try {
    const problems = await backUp({
      ...{ store, masterKey, out, aside },
      written: (backup) => tell({ kind: 'written', backup }),
      now: () => BigInt(Math.floor(Date.now() / 1000)),
    })
    tell({ kind: 'done', problems })
  } finally {
    await store.close()
  }
} catch (cause) {
  // A code of the system does not get through to the other thread.
  const error = unwritten(out, cause)
  const { message, stack } = error as Error
  const known = error instanceof UserError ? { code: error.code, hint: error.hint } : {}
  tell({ kind: 'failed', message, stack, ...known })
} finally {
  port.close()
}
