/** Which attributes of an object an act has changed – what Notify tells of (KMIP 2.1 §6.2.2). */
import { objectOf } from '../keystore/keystore.ts'
import { covers } from '../keystore/matching.ts'
import { attributesOf } from '../keystore/object-attributes.ts'
import type { ObjectChange } from '../keystore/work.ts'
import {
  referenceOf,
  sameReference,
  type AttributeInstance,
  type AttributeReference,
} from '../kmip/model/attribute-forms.ts'

/**
 * Told with every change, and by themselves no news: Last Change Date, and Fresh, which only says whether
 * the object has been handed out.
 */
const noNews: ReadonlySet<string> = new Set(['LastChangeDate', 'Fresh'])

/** References to the attributes whose values differ, those that came or went among them. */
export function changedAttributes(
  { before, after }: ObjectChange,
  now: bigint,
): AttributeReference[] {
  if (before === undefined) return []
  const [old, made] = [objectOf(before), objectOf(after)]
  const was = attributesOf(old, now).filter(({ tag }) => !noNews.has(tag))
  const is = attributesOf(made, now).filter(({ tag }) => !noNews.has(tag))
  const named: AttributeReference[] = []
  for (const instance of [...was, ...is]) {
    const reference = referenceOf(instance)
    if (named.some((other) => sameReference(other, reference))) continue
    if (!sameValues(of(reference, was), of(reference, is))) named.push(reference)
  }
  // A state that time has brought about changes nothing that is kept but this.
  const isReached = old.vitals.ShownState !== made.vitals.ShownState
  if (isReached && !named.some(({ tag }) => tag === 'State')) named.push({ tag: 'State' })
  return named
}

/** Both lists as one, each reference once. */
export function united(
  one: readonly AttributeReference[],
  other: readonly AttributeReference[],
): AttributeReference[] {
  const more = other.filter((each) => !one.some((known) => sameReference(known, each)))
  return [...one, ...more]
}

function of(reference: AttributeReference, instances: readonly AttributeInstance[]): unknown[] {
  return instances
    .filter((instance) => sameReference(referenceOf(instance), reference))
    .map(({ value }) => value)
}

function sameValues(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && covers(one, other) && covers(other, one)
}
