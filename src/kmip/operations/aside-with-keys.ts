/** Work outside the act with keys that the act has unsealed. */
import type { Secret } from '../../crypto/secret.ts'
import { NeedsAside, type Context, type WhenSettled } from './operation.ts'
import { copyOf, wipeCopy, type UsableKey } from './usable-key.ts'

/**
 * `context.aside` for work with keys in use. What the act has unsealed is wiped when `aside` gives the act
 * up, so the work gets copies, which are wiped when it ends.
 */
export function asideWithKeys<T>(
  context: Context,
  keys: readonly UsableKey[],
  name: string,
  work: (copies: readonly UsableKey[], whenSettled: WhenSettled) => Promise<T>,
  secretsOf?: (result: T) => readonly Secret[],
): T {
  const copies = keys.map(copyOf)
  const wipe = () => copies.forEach(wipeCopy)
  let isAhead = false
  try {
    return context.aside(name, (tell) => work(copies, tell).finally(wipe), secretsOf)
  } catch (error) {
    isAhead = error instanceof NeedsAside
    throw error
  } finally {
    if (!isAhead) wipe()
  }
}
