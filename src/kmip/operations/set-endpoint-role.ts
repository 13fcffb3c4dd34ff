/**
 * Set Endpoint Role – KMIP 2.1 §6.1.54. A client to which something is sent may turn its connection round: the
 * server then sends Notify and Put on it, and the client answers. For any other the server stays the server.
 */
import { listenerOf } from '../../access/listeners.ts'
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

export const setEndpointRole = operation('SetEndpointRole', {
  effect: 'read',
  async run({ EndpointRole }, { work, principal, turnable }) {
    if (typeof EndpointRole === 'number')
      throw new KmipError('UnknownEnumeration', `unknown Endpoint Role ${EndpointRole}`)
    if (EndpointRole === 'Server') return { EndpointRole }
    if ((await listenerOf(work, principal.name)) === undefined)
      throw new KmipError('PermissionDenied', `nothing is sent to ${principal.name}`)
    if (!turnable)
      throw new KmipError('FeatureNotSupported', 'the roles of this connection cannot be exchanged')
    return { EndpointRole }
  },
})
