/** Delegated Login – KMIP 2.1 §6.1.12, §7.34. A ticket that allows certain operations and no others. */
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'
import { ticketFor } from './ticket-terms.ts'

export const delegatedLogin = operation('DelegatedLogin', {
  effect: 'act',
  run(request, context) {
    const rights = request.Rights.Right.map(
      ({ Operations, UsageLimits, Objects, ObjectGroups }) => {
        if (UsageLimits !== undefined || Objects !== undefined || ObjectGroups !== undefined)
          throw new KmipError('FeatureNotSupported', 'a Right may name Operations and nothing else')
        return Operations?.Operation.map(String)
      },
    )
    if (rights.length === 0) throw new KmipError('InvalidField', 'there is no Right')
    // One Right without Operations allows them all.
    const all = rights.includes(undefined)
    return ticketFor(request, all ? undefined : rights.flatMap((names) => names ?? []), context)
  },
})
