/**
 * Process – KMIP 2.1 §6.1.39. From now on the request is as if it were synchronous: the next Poll for
 * it waits until it is done.
 */
import { changeRequest } from './asynchronous-records.ts'
import { operation } from './operation.ts'
import { ownRequest, unknownCorrelation } from './own-request.ts'

export const processRequest = operation('Process', {
  effect: 'act',
  async run({ AsynchronousCorrelationValue }, context) {
    const request = await ownRequest(context, AsynchronousCorrelationValue)
    if (request === undefined) throw unknownCorrelation()
    await changeRequest(context.work, request, { hurried: true })
    return {}
  },
})
