/**
 * PKCS#11 – KMIP 2.1 §6.1.37, §7.26–§7.30. There is no token behind this server: of the interface that the
 * standard defines no function is supported, which is what every one of them returns.
 */
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

/** The interface of PKCS #11 3.0, §5.4; also what is meant when none is named. */
const standardInterface = 'PKCS 11'

/** Most bytes of parameters: those of the largest call, for data that nobody here will read. */
const longestInput = 65_536

export const pkcs11 = operation('PKCS_11', {
  effect: 'none',
  run({
    PKCS_11Interface: name,
    PKCS_11Function: called,
    CorrelationValue,
    PKCS_11InputParameters: input,
  }) {
    if (name !== undefined && name !== standardInterface)
      throw new KmipError('PKCS_11InvalidInterface', 'the PKCS#11 Interface is not known here')
    // A number is a function of a vendor, or none; no vendor has any here.
    if (typeof called.value === 'number')
      throw new KmipError('PKCS_11InvalidFunction', 'the interface has no such PKCS#11 Function')
    if (CorrelationValue !== undefined)
      throw new KmipError(
        'InvalidField',
        'no PKCS#11 answer of this server has a Correlation Value',
      )
    if (input !== undefined && input.length > longestInput)
      throw new KmipError(
        'PKCS_11CodecError',
        `PKCS#11 Input Parameters have at most ${longestInput} bytes`,
      )
    return Promise.resolve({
      ...(name !== undefined && { PKCS_11Interface: name }),
      PKCS_11Function: called,
      PKCS_11ReturnCode: 'CKR_FUNCTION_NOT_SUPPORTED',
    })
  },
})
