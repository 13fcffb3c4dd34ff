/** Payloads of Poll, Cancel, Process and Query Asynchronous Requests – KMIP 2.1 §6.1.38, §6.1.5, §6.1.39, §6.1.41. */
import { bytes, dateTimeExtended, many, opt, req } from 'ttlv-codec'
import { CancellationResult, Operation, ProcessingStage } from '../enumerations.ts'
import { struct } from '../tags.ts'

const correlated = struct({ AsynchronousCorrelationValue: req(bytes) })

/** The answer to a Poll that has a result is that of the operation polled for. */
export const Poll = { request: correlated, response: struct({}) }
export const Cancel = {
  request: correlated,
  response: struct({
    AsynchronousCorrelationValue: req(bytes),
    CancellationResult: req(CancellationResult),
  }),
}
export const Process = { request: correlated, response: struct({}) }
export const QueryAsynchronousRequests = {
  request: struct({
    AsynchronousCorrelationValues: opt(struct({ AsynchronousCorrelationValue: many(bytes) })),
    Operations: opt(struct({ Operation: many(Operation) })),
  }),
  response: struct({
    AsynchronousRequest: many(
      struct({
        AsynchronousCorrelationValue: req(bytes),
        Operation: req(Operation),
        SubmissionDate: req(dateTimeExtended),
        ProcessingStage: req(ProcessingStage),
      }),
    ),
  }),
}
