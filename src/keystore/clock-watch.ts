/**
 * Watches the machine's clock against one that never jumps. A jump is no reason to stop: states that
 * were shown do not go back. But an administrator must hear of it.
 */

/** Seconds of difference between two looks that count as a jump. */
const jump = 300

/** A function that, called now and then, answers the jump since its last call in seconds, or 0. */
export function clockWatch(
  date: () => number = Date.now,
  steady: () => number = () => performance.now(),
): () => number {
  let before = date() - steady()
  return () => {
    const now = date() - steady()
    const seconds = Math.round((now - before) / 1000)
    before = now
    return Math.abs(seconds) > jump ? seconds : 0
  }
}
