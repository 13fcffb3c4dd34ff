// Questions to a person: only on a terminal, always on standard error, never needed in scripts
// (`--yes`, `--passphrase-file`).
import { exitStatus, UserError } from '../errors.ts'
import type { Context } from './command.ts'

/** Thrown when the person presses Ctrl-C, Ctrl-D or Escape in a question: exit status 130. */
export class Interrupted extends Error {}

/**
 * Wants `expected` (a barcode, an id, a count) typed back before a dangerous act; `--yes` is
 * consent beforehand. @throws UserError when nobody can be asked or the answer differs
 */
export async function confirmTyped(
  context: Context,
  question: { what: string; expected: string },
): Promise<void> {
  if (context.yes) return
  demandTerminal(context, `confirmation to ${question.what}`, 'add --yes to consent beforehand')
  const message = `${question.what}: type ${question.expected} to confirm`
  const answer = await answered(context, 'text', message)
  if (answer.trim() === question.expected) return
  throw new UserError(
    'not-confirmed',
    `not confirmed: ${question.expected} was not typed back; nothing was changed`,
    'run the command again, or look first with --dry-run',
  )
}

/**
 * A passphrase typed at the terminal, twice when `fresh`. The caller encodes and forgets it.
 * @throws UserError when there is no terminal: an existing keystore is sealed then (exit status 11)
 */
export async function askPassphrase(
  context: Context,
  message: string,
  options: { fresh?: boolean } = {},
): Promise<string> {
  const hint = 'name a file that holds it with --passphrase-file FILE'
  demandTerminal(context, message, hint, options.fresh ? exitStatus.usage : exitStatus.sealed)
  const answer = await answered(context, 'password', message)
  if (options.fresh !== true) return answer
  const again = await answered(context, 'password', 'once more')
  if (again === answer) return answer
  throw new UserError(
    'passphrases-differ',
    'the two passphrases differ; nothing was changed',
    'run the command again and type the same passphrase twice',
  )
}

/** The PIN of a token; without a terminal the keystore stays sealed. `remark` is what the token says. */
export function askPin(context: Context, remark: string): Promise<string> {
  const hint = 'name a file that holds it with --pkcs11-pin-file FILE'
  return askHidden(context, `PIN of the token${remark}`, hint, exitStatus.sealed)
}

/** Something secret typed once. @throws UserError 2 when there is no terminal */
export async function askHidden(
  context: Context,
  message: string,
  hint: string,
  status: number = exitStatus.usage,
): Promise<string> {
  demandTerminal(context, message, hint, status)
  return answered(context, 'password', message)
}

function demandTerminal(
  context: Context,
  what: string,
  hint: string,
  status: number = exitStatus.usage,
): void {
  if (context.io.interactive) return
  throw new UserError('no-terminal', `no terminal to ask for ${what}`, hint, { exitStatus: status })
}

/**
 * Asks, on standard error, so that standard output stays free for the result. The end of the input, as Ctrl-D or a
 * terminal that goes away, is an answer like Ctrl-C: clack would wait for ever. @throws Interrupted
 */
async function answered(
  { io, ending }: Context,
  kind: 'text' | 'password',
  message: string,
): Promise<string> {
  const clack = await import('@clack/prompts')
  const { stdin: input, stderr: output } = io
  const ended = new AbortController()
  const end = () => ended.abort()
  const onKey = (_text: unknown, key: { ctrl?: boolean; name?: string }) => {
    if (key.ctrl === true && key.name === 'd') end()
  }
  const ends = ['end', 'close', 'error'] as const
  const signal = ending === undefined ? ended.signal : AbortSignal.any([ended.signal, ending])
  try {
    const answer = clack[kind]({ message, input, output, signal })
    input.on('keypress', onKey)
    for (const name of ends) input.on(name, end)
    if (input.readableEnded || input.destroyed) end()
    const given = await answer
    if (clack.isCancel(given)) throw new Interrupted()
    return given
  } finally {
    input.off('keypress', onKey)
    for (const name of ends) input.off(name, end)
  }
}
