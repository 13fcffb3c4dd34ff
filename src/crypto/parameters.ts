/** The words of the model that the cryptographic modules are asked in. */
import type { AttributeValueOf } from '../kmip/model/attributes.ts'

/** Cryptographic Parameters – KMIP 2.1 §4.16. */
export type CryptographicParameters = AttributeValueOf<'CryptographicParameters'>

/** Cryptographic Algorithm by name; a number where there is no name for it. */
export type Algorithm = NonNullable<CryptographicParameters['CryptographicAlgorithm']>

export type HashingAlgorithm = NonNullable<CryptographicParameters['HashingAlgorithm']>
export type BlockCipherMode = NonNullable<CryptographicParameters['BlockCipherMode']>
export type PaddingMethod = NonNullable<CryptographicParameters['PaddingMethod']>

/** How an enumeration value is written in a message. */
export function named(value: string | number): string {
  return typeof value === 'string' ? value : `0x${value.toString(16).padStart(8, '0')}`
}
