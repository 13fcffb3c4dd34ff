// Objects that an act has made and not written yet: what it still changes of them is no second write.
import type { HeldObject } from './held-object.ts'

/** New objects as the act last left them, in the order of their making. */
export class MadeObjects {
  readonly #made = new Map<string, HeldObject>()
  /** Identifier by claim; of an object that has given a claim up since, what it claims now counts. */
  readonly #claims = new Map<string, string>()

  get isEmpty(): boolean {
    return this.#made.size === 0
  }

  has(id: string): boolean {
    return this.#made.has(id)
  }

  /** Whether that is how the act last left the object. */
  isNewest(object: HeldObject): boolean {
    return this.#made.get(object.id) === object
  }

  put(object: HeldObject): void {
    this.#made.set(object.id, object)
    for (const { kind, value } of object.unique)
      this.#claims.set(claimOf(object.group, kind, value), object.id)
  }

  /** The object of the group that claims the value. */
  holder(group: string, kind: string, value: string): string | undefined {
    const id = this.#claims.get(claimOf(group, kind, value))
    const object = id === undefined ? undefined : this.#made.get(id)
    const claims = object?.unique.some((entry) => entry.kind === kind && entry.value === value)
    return claims === true ? id : undefined
  }

  /** All of them, which are forgotten here. */
  take(): HeldObject[] {
    const objects = [...this.#made.values()]
    this.#made.clear()
    this.#claims.clear()
    return objects
  }
}

function claimOf(group: string, kind: string, value: string): string {
  return `${group}\0${kind}\0${value}`
}
