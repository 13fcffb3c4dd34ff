/**
 * The attributes of one object, in the order they were set. Keeps the Attribute Index of 1.x:
 * given from 0 upwards per attribute, never renumbered (KMIP 1.4 §2.1.1).
 */
import {
  referenceOf,
  sameReference,
  type AttributeInstance,
  type AttributeReference,
} from '../kmip/model/attribute-forms.ts'
import type { AttributeName, AttributeValueOf } from '../kmip/model/attributes.ts'

/** One instance held by an object; its index is always known. */
export interface HeldInstance extends AttributeInstance {
  index: number
}

export class AttributeSet {
  #instances: HeldInstance[]

  constructor(instances: Iterable<HeldInstance> = []) {
    this.#instances = [...instances]
  }

  /** Every instance, oldest first. */
  get instances(): readonly HeldInstance[] {
    return this.#instances
  }

  /** The value of an attribute's first instance. */
  first<Name extends AttributeName>(tag: Name): AttributeValueOf<Name> | undefined {
    return this.#instances.find((instance) => instance.tag === tag)?.value as
      AttributeValueOf<Name> | undefined
  }

  /** All values of one attribute. */
  values<Name extends AttributeName>(tag: Name): AttributeValueOf<Name>[] {
    return this.#instances
      .filter((instance) => instance.tag === tag)
      .map(({ value }) => value as AttributeValueOf<Name>)
  }

  /** All instances of what `reference` names. */
  of(reference: AttributeReference): HeldInstance[] {
    return this.#instances.filter((instance) => sameReference(referenceOf(instance), reference))
  }

  /** Adds an instance and answers it with the index it got. */
  add({ tag, value }: AttributeInstance): HeldInstance {
    const instance: HeldInstance = { tag, value, index: 0 }
    const indexes = this.of(referenceOf(instance)).map(({ index }) => index)
    instance.index = indexes.length === 0 ? 0 : Math.max(...indexes) + 1
    this.#instances.push(instance)
    return instance
  }

  /** Gives an attribute that has one instance at most its value. */
  set<Name extends AttributeName>(tag: Name, value: AttributeValueOf<Name>): void {
    const held = this.#instances.findIndex((instance) => instance.tag === tag)
    if (held === -1) this.#instances.push({ tag, value, index: 0 })
    else this.#instances[held] = { ...this.#instances[held]!, value }
  }

  /** Puts another value in an instance's place. */
  replace(held: HeldInstance, value: unknown): HeldInstance {
    const replaced = { ...held, value }
    this.#instances[this.#instances.indexOf(held)] = replaced
    return replaced
  }

  /** Takes instances away. */
  remove(instances: readonly HeldInstance[]): void {
    this.#instances = this.#instances.filter((instance) => !instances.includes(instance))
  }

  /** Takes an attribute away whole. */
  clear(tag: AttributeName): void {
    this.#instances = this.#instances.filter((instance) => instance.tag !== tag)
  }
}
