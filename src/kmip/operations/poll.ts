/**
 * Poll – KMIP 2.1 §6.1.38. The answer of an asynchronous request, or that there is none yet. It waits a
 * moment for one, so that a client need not ask again for what is done quickly.
 */
import { decode } from 'ttlv-codec'
import { ResponseBatchItem } from '../model/messages.ts'
import { KmipError } from '../model/result.ts'
import { tagNumber } from '../model/tags.ts'
import { answerOf, changeRequest, type KeptRequest } from './asynchronous-records.ts'
import { operation, type Context } from './operation.ts'
import { ownRequest, unknownCorrelation } from './own-request.ts'

/** Seconds for which an answer can be fetched again, should it have been lost on its way. */
const fetchedAgainFor = 600n

export const poll = operation('Poll', {
  effect: 'act',
  async run({ AsynchronousCorrelationValue }, context) {
    const request = await ownRequest(context, AsynchronousCorrelationValue)
    if (request === undefined) throw unknownCorrelation()
    const { job, stage, canceled, hurried } = request.record
    if (canceled === true)
      throw new KmipError('OperationCanceledByRequester', 'this request was canceled')
    if (stage === 'Completed') {
      context.become(await obtained(request, context))
      return {}
    }
    // Once processed as if it were synchronous (Process), it is not pending any more.
    const patience = hurried === true ? longestPatience : context.facts.pollTime
    context.aside(`Poll ${request.name}`, () => context.jobs.settled(job, patience))
    context.noted.details = { pending: true }
    context.become({
      Operation: 'Poll',
      ResultStatus: 'OperationPending',
      AsynchronousCorrelationValue,
      MessageExtension: [],
    })
    return {}
  },
})

/** Milliseconds; no job takes that long. */
const longestPatience = 600_000

async function obtained(request: KeptRequest, context: Context): Promise<ResponseBatchItem> {
  const { work, now, secrets } = context
  const secret = await answerOf(work, request)
  secrets.push(secret)
  const { expires } = request.kept
  const soon = now + fetchedAgainFor
  await changeRequest(
    work,
    request,
    { obtained: true },
    { expires: soon < expires ? soon : expires },
  )
  const { version } = request.record
  const limits = { maxBytes: secret.length, maxDepth: 64, maxItems: secret.length }
  return decode(ResponseBatchItem, tagNumber('BatchItem'), secret.bytes, { version, limits })
}
