/**
 * Log – KMIP 2.1 §6.1.29. The server's log of what clients do is the audit record: the message stands
 * there, with who sent it, and cannot be changed any more.
 */
import { KmipError } from '../model/result.ts'
import { operation } from './operation.ts'

/** Most characters of a message: a log is no store. */
const longestMessage = 4096

export const log = operation('Log', {
  effect: 'act',
  run({ LogMessage }, { noted }) {
    if (LogMessage.length > longestMessage)
      throw new KmipError('InvalidField', `a Log Message has at most ${longestMessage} characters`)
    noted.details = { message: LogMessage.replaceAll(/[\p{Cc}\p{Cs}]/gu, '?') }
    return Promise.resolve({})
  },
})
