/** Cancel – KMIP 2.1 §6.1.5, §11.7. Takes back an asynchronous request that has not begun. */
import { changeRequest } from './asynchronous-records.ts'
import { operation, type Context } from './operation.ts'
import { ownRequest } from './own-request.ts'

export const cancel = operation('Cancel', {
  effect: 'act',
  async run({ AsynchronousCorrelationValue }, context) {
    const CancellationResult = await canceled(context, AsynchronousCorrelationValue)
    context.noted.details = { result: CancellationResult }
    return { AsynchronousCorrelationValue, CancellationResult }
  },
})

async function canceled(context: Context, correlation: Uint8Array) {
  const request = await ownRequest(context, correlation)
  if (request === undefined) return 'Unavailable'
  const { stage, succeeded, canceled: already } = request.record
  if (already === true) return 'Canceled'
  if (stage === 'Completed') return succeeded === true ? 'Completed' : 'Failed'
  if (stage === 'InProcess') return 'UnableToCancel'
  await changeRequest(context.work, request, { canceled: true })
  return 'Canceled'
}
