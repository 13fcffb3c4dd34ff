/** Adjust Attribute – KMIP 2.1 §6.1.3, §11.1. Counts a number or a date up or down, or negates it. */
import type { ItemType, TypedValue } from 'ttlv-codec'
import { saveObject } from '../../keystore/keystore.ts'
import { instancesOf } from '../../keystore/object-attributes.ts'
import type {
  AttributeInstance,
  AttributeReference,
  VendorAttributeValue,
} from '../model/attribute-forms.ts'
import type { RequestPayload } from '../model/payloads/index.ts'
import { KmipError } from '../model/result.ts'
import { checkRoom, checkRules, writeAttribute } from './attribute-changes.ts'
import { checkKnown, nameOf, rowOf } from './attribute-rows.ts'
import { checkDates } from './given-attributes.ts'
import { operation } from './operation.ts'
import { subject } from './subject.ts'

export const adjustAttribute = operation('AdjustAttribute', {
  effect: 'act',
  async run(request, context) {
    const { AttributeReference: reference } = request
    const object = await subject(context, request.UniqueIdentifier, 'AdjustAttribute')
    checkKnown(reference, context.version)
    checkRules('adjust', reference, object, context)
    const [held, ...more] = instancesOf(object, reference, context.now)
    if (more.length > 0)
      throw new KmipError('MultiValuedAttribute', 'the attribute has several instances')
    const result = adjusted(reference, held, request)
    if (held === undefined) checkRoom(result, 0, object, context)
    writeAttribute(object, result, held)
    checkDates(object, { changed: reference.tag })
    object.vitals.LastChangeDate = context.now
    await saveObject(context.work, object)
    return { UniqueIdentifier: object.id }
  },
})

/** Numbers by type: what the smallest and the largest are, and what a missing one counts as. */
const numbers: Partial<Record<ItemType, { from?: bigint; to?: bigint; absent?: bigint }>> = {
  Integer: { from: -(2n ** 31n), to: 2n ** 31n - 1n, absent: 0n },
  LongInteger: { from: -(2n ** 63n), to: 2n ** 63n - 1n, absent: 0n },
  BigInteger: { absent: 0n },
  Interval: { from: 0n, to: 2n ** 32n - 1n, absent: 0n },
  DateTime: { from: -(2n ** 63n), to: 2n ** 63n - 1n },
  DateTimeExtended: { from: -(2n ** 63n), to: 2n ** 63n - 1n },
}

const negated: readonly ItemType[] = ['Integer', 'LongInteger', 'BigInteger']

type Adjustment = Pick<RequestPayload<'AdjustAttribute'>, 'AdjustmentType' | 'AdjustmentValue'>

/** The instance as it is after the adjustment. */
function adjusted(
  reference: AttributeReference,
  held: AttributeInstance | undefined,
  adjustment: Adjustment,
): AttributeInstance {
  const { tag, vendor, name } = reference
  const { type, value } = typed(reference, held, adjustment)
  const result = { type, value: resultOf(nameOf(reference), { type, value }, adjustment) }
  if (tag !== 'Attribute') return { tag, value: result.value }
  return {
    tag,
    value: {
      VendorIdentification: vendor!,
      AttributeName: name!,
      AttributeValue: result as TypedValue,
    } satisfies VendorAttributeValue,
  }
}

/** Type and value before; a vendor attribute that is not there takes its type from the adjustment. */
function typed(
  { tag }: AttributeReference,
  held: AttributeInstance | undefined,
  { AdjustmentType, AdjustmentValue }: Adjustment,
): { type: ItemType; value: unknown } {
  if (tag !== 'Attribute')
    return { type: rowOf(tag).schema.itemType as ItemType, value: held?.value }
  if (held !== undefined) return (held.value as VendorAttributeValue).AttributeValue
  const unsaid = AdjustmentType === 'Negate' ? 'Boolean' : 'Integer'
  return { type: AdjustmentValue?.type ?? unsaid, value: undefined }
}

function resultOf(
  name: string,
  { type, value }: { type: ItemType; value: unknown },
  { AdjustmentType: how, AdjustmentValue: by }: Adjustment,
): unknown {
  if (typeof how === 'number')
    throw new KmipError('UnknownEnumeration', `unknown Adjustment Type ${how}`)
  if (how === 'Negate' && type === 'Boolean') return value !== true
  const number = numbers[type]
  const before = (value as bigint | number | undefined) ?? number?.absent
  if (number === undefined || before === undefined || (how === 'Negate' && !negated.includes(type)))
    throw new KmipError(
      'InvalidDataType',
      `${name}, a ${type}, has nothing to ${how.toLowerCase()}`,
    )
  const step = how === 'Negate' ? 0n : stepOf(by)
  const after = how === 'Increment' ? BigInt(before) + step : BigInt(before) - step
  const result = how === 'Negate' ? -BigInt(before) : after
  if ((number.from ?? result) > result || result > (number.to ?? result))
    throw new KmipError('NumericRange', `${name} would leave the range of its type, ${type}`)
  return type === 'Integer' || type === 'Interval' ? Number(result) : result
}

/** What to count by: one, of the unit of the attribute, when nothing is said. */
function stepOf(by: TypedValue | undefined): bigint {
  if (by === undefined) return 1n
  if (numbers[by.type] === undefined)
    throw new KmipError('InvalidDataType', `Adjustment Value is a number, not a ${by.type}`)
  return BigInt(by.value as bigint | number)
}
