// One thing after the other: what is asked for while another runs waits for its turn.

/** A queue: each function given to it begins when the one before has ended, however it ended. */
export function inOrder(): <T>(fn: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve()
  return (fn) => {
    const result = last.then(fn)
    // The next turn only waits; whoever asked for this one gets its error.
    last = result.then(
      () => undefined,
      () => undefined,
    )
    return result
  }
}
