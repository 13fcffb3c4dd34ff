/** Login – KMIP 2.1 §6.1.30. A ticket that stands for the credential of the message. */
import { operation } from './operation.ts'
import { ticketFor } from './ticket-terms.ts'

export const login = operation('Login', {
  effect: 'act',
  run: (request, context) => ticketFor(request, undefined, context),
})
