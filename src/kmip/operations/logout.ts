/** Logout – KMIP 2.1 §6.1.31. The ticket is worth nothing any more. */
import { endTicket } from '../../access/tickets.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

export const logout = operation('Logout', {
  effect: 'act',
  async run({ Ticket: { TicketValue } }, { work, principal }) {
    if (!(await endTicket(work, principal.name, TicketValue)))
      throw new KmipError('InvalidTicket', 'this client has no such ticket')
    return {}
  },
})
