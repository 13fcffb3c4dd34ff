// A device carries out one command after the other, whoever sends them.

/** Makes a queue: each piece of work starts when the one before has ended, well or badly. */
export function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve()
  return (work) => {
    const result = turn.then(work, work)
    turn = result
    return result
  }
}
