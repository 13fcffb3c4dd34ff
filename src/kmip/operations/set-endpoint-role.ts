/**
 * Set Endpoint Role – KMIP 2.1 §6.1.54. The server stays the server of a connection that a client has
 * made: only the role that it has already is accepted.
 */
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

export const setEndpointRole = operation('SetEndpointRole', {
  effect: 'none',
  run({ EndpointRole }) {
    if (typeof EndpointRole === 'number')
      throw new KmipError('UnknownEnumeration', `unknown Endpoint Role ${EndpointRole}`)
    if (EndpointRole !== 'Server')
      throw new KmipError('FeatureNotSupported', 'this server does not take the role of the client')
    return Promise.resolve({ EndpointRole })
  },
})
