// Questions to a person: only on a terminal, always on standard error, never needed in scripts
// (`--yes`, `--passphrase-file`).
import type { Readable, Writable } from 'node:stream'
import { exitStatus, UserError } from '../errors.ts'
import type { Context } from './command.ts'

/** Thrown when the person presses Ctrl-C or Escape in a question: exit status 130. */
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
  const { isCancel, text } = await import('@clack/prompts')
  const answer = await text({
    message: `${question.what}: type ${question.expected} to confirm`,
    ...streams(context),
  })
  if (isCancel(answer)) throw new Interrupted()
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
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message, ...streams(context) })
  if (isCancel(answer)) throw new Interrupted()
  if (options.fresh !== true) return answer
  const again = await password({ message: 'once more', ...streams(context) })
  if (isCancel(again)) throw new Interrupted()
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
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message, ...streams(context) })
  if (isCancel(answer)) throw new Interrupted()
  return answer
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

/** clack draws on standard error, so that standard output stays free for the result. */
function streams(context: Context): { input: Readable; output: Writable } {
  return { input: context.io.stdin, output: context.io.stderr }
}
