// Values that may be there already. SQLite answers at once, PostgreSQL later; what can go on at once does,
// because the steps of a Get, each with a promise of its own, cost more than its cryptography.

/** What is there at once where nothing needs to be waited for. */
export type Soon<T> = T | Promise<T>

/** Goes on with a value: at once when it is there. */
export function after<T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Goes on with what `fn` gives, or with what it throws, at once or later. */
export function either<T, R>(
  fn: () => Soon<T>,
  given: (value: T) => Soon<R>,
  thrown: (error: unknown) => Soon<R>,
): Soon<R> {
  let value: Soon<T>
  try {
    value = fn()
  } catch (error) {
    return thrown(error)
  }
  return value instanceof Promise ? value.then(given, thrown) : given(value)
}

/** Does it with one thing after the other, as long as it does not answer false. */
export function inTurn<T>(things: Iterable<T>, fn: (thing: T) => Soon<unknown>): Soon<void> {
  return goOn(things[Symbol.iterator](), fn)
}

function goOn<T>(things: Iterator<T>, fn: (thing: T) => Soon<unknown>): Soon<void> {
  for (let next = things.next(); next.done !== true; next = things.next()) {
    const result = fn(next.value)
    if (result instanceof Promise)
      return result.then((value) => (value === false ? undefined : goOn(things, fn)))
    if (result === false) return undefined
  }
  return undefined
}
