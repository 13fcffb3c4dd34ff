// The two outputs of the process: a result counts only when it was written, remarks are written as far as they can be.
import type { Writable } from 'node:stream'
import { UserError } from '../errors.ts'

/** Milliseconds that the end of the process waits for somebody to take what was remarked. */
const patience = 1_000

/**
 * Writes a result, and resolves once it is out of our hands. A reader that has read enough and gone away is none to
 * complain to. @throws UserError when the result is lost
 */
export async function written(stream: Writable, text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | null | undefined>()
  stream.write(text, resolve)
  const error = await promise
  if (!error || error.code === 'EPIPE') return
  throw new UserError(
    'output-lost',
    `cannot write the result to standard output: ${reasons[error.code ?? ''] ?? error.message}`,
    'what the command did is done, only its result is not shown; let standard output go where it can be written',
    { cause: error },
  )
}

/** Resolves once what was written is taken; sooner when nobody takes it. */
export async function flushed(stream: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, patience)
  stream.write('', () => resolve())
  await promise
  clearTimeout(timer)
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'disk full',
  EDQUOT: 'disk quota used up',
  EFBIG: 'the file would become too large',
  EIO: 'the disk or terminal failed',
}
