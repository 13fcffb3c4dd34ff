/** Query Asynchronous Requests – KMIP 2.1 §6.1.41, §7.2. The client's own whose results it has not had. */
import { Operation } from '../model/enumerations.ts'
import { requestsOf } from './asynchronous-records.ts'
import { operation } from './operation.ts'

/** Most requests that are looked at; a client cannot have more. */
const mostRequests = 100_000

export const queryAsynchronousRequests = operation('QueryAsynchronousRequests', {
  effect: 'read',
  async run({ AsynchronousCorrelationValues: values, Operations }, { work, principal }) {
    const wanted = values?.AsynchronousCorrelationValue.map((value) =>
      Buffer.from(value).toString('hex'),
    )
    const operations = Operations?.Operation.map(numberOf)
    const outstanding = (await requestsOf(work, principal.owner, mostRequests)).filter(
      ({ name, record }) =>
        record.obtained !== true &&
        record.canceled !== true &&
        (wanted === undefined || wanted.includes(name)) &&
        (operations === undefined || operations.includes(numberOf(record.operation))),
    )
    return {
      AsynchronousRequest: outstanding.map(({ name, record }) => ({
        AsynchronousCorrelationValue: Buffer.from(name, 'hex'),
        Operation: record.operation as 'Get',
        SubmissionDate: BigInt(record.submitted) * 1_000_000n,
        ProcessingStage: record.stage,
      })),
    }
  },
})

function numberOf(name: string | number): number {
  return typeof name === 'number' ? name : Operation.numberOf(name as 'Get')
}
