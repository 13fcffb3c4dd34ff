/** Keys of another site are for reading: their usage mask without what makes something new. */
import type { AttributeInstance } from '../kmip/model/attribute-forms.ts'
import { CryptographicUsageMask } from '../kmip/model/masks.ts'

const { bits } = CryptographicUsageMask
const writing = bits.Sign | bits.Encrypt | bits.WrapKey | bits.MACGenerate | bits.DeriveKey

/** The attribute as it is without writing. */
export function readingOnly(instance: AttributeInstance): AttributeInstance {
  const { tag, value } = instance
  if (tag !== 'CryptographicUsageMask' || typeof value !== 'number') return instance
  return { ...instance, value: value & ~writing }
}
