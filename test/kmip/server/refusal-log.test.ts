// The log of refused connections stays readable whoever knocks, and however often.
import { expect, test } from 'vitest'
import { RefusalLog } from '../../../src/kmip/server/refusal-log.ts'
import { ManualClock } from '../../fixtures/listener.ts'

function started(lines: number) {
  const written: { fields: Record<string, unknown>; message: string }[] = []
  const write = (fields: object, message: string) =>
    void written.push({ fields: { ...fields }, message })
  const clock = new ManualClock()
  const log = new RefusalLog({ debug: write, info: write, warn: write, error: write }, clock, lines)
  return { log, clock, written }
}

test('different addresses, reasons and certificates each get a line', () => {
  const { log, written } = started(10)
  log.write({ reason: 'no-certificate', remoteAddress: '10.0.0.1' })
  log.write({ reason: 'no-certificate', remoteAddress: '10.0.0.2' })
  log.write({ reason: 'closed-early', remoteAddress: '10.0.0.1' })
  log.write({ reason: 'no-certificate', remoteAddress: '10.0.0.1' })
  expect(written).toHaveLength(3)
})

test('beyond the bound only the number is written, and every one is in the totals', () => {
  const { log, clock, written } = started(2)
  for (let host = 0; host < 50; host++)
    log.write({ reason: 'no-certificate', remoteAddress: `10.0.0.${host}` })
  expect(written).toHaveLength(2)
  clock.advance(60_000)
  log.sweep()
  expect(written.at(-1)).toEqual({
    fields: { times: 48 },
    message: 'further connections refused, not listed',
  })
  log.write({ reason: 'no-certificate', remoteAddress: '10.0.0.9' })
  expect(written).toHaveLength(4)
  expect(log.totals).toEqual({ 'no-certificate': 51 })
})

test('names from a certificate are one line of bounded length', () => {
  const { log, written } = started(2)
  const certificate = {
    fingerprint256: 'AA:BB',
    raw: new Uint8Array(),
    subject: `CN=${'x'.repeat(5000)}`,
    issuer: 'O=Test\nCN=CA',
    validFrom: '',
    validTo: '',
  }
  log.write({ reason: 'not-enrolled', remoteAddress: '10.0.0.1', certificate })
  expect(written[0]?.fields.issuer).toBe('O=Test, CN=CA')
  expect(String(written[0]?.fields.subject)).toHaveLength(300)
})
