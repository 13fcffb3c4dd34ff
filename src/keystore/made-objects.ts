// Objects that an act has made and not written yet: what it still changes of them is no second write.
import type { HeldObject } from './held-object.ts'

/** New objects as the act last left them, in the order of their making. */
export class MadeObjects {
  readonly #made = new Map<string, HeldObject>()

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
  }

  /** The object of the group that claims the value. */
  holder(group: string, kind: string, value: string): string | undefined {
    for (const object of this.#made.values()) {
      if (object.group !== group) continue
      if (object.unique.some((entry) => entry.kind === kind && entry.value === value))
        return object.id
    }
    return undefined
  }

  /** All of them, which are forgotten here. */
  take(): HeldObject[] {
    const objects = [...this.#made.values()]
    this.#made.clear()
    return objects
  }
}
