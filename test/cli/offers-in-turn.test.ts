import { expect, test } from 'vitest'
import { OffersInTurn } from '../../src/cli/offers-in-turn.ts'
import { Secret } from '../../src/crypto/secret.ts'
import { UserError } from '../../src/errors.ts'

const offer = (text: string) => ({
  kind: 'passphrase' as const,
  secret: new Secret(Buffer.from(text)),
})

test('offers are taken in their order, each as a copy, and answered each to its giver', async () => {
  const offers = new OffersInTurn()
  const first = offer('first')
  const answers = [offers.put(first), offers.put(offer('second'))]
  first.secret.wipe()
  await offers.arrived
  const taken = [offers.take(), offers.take()]
  expect(taken.map((one) => Buffer.from(one!.offer.secret.bytes).toString())).toEqual([
    'first',
    'second',
  ])
  taken[1]!.answer('it is open')
  taken[0]!.answer(new UserError('wrong', 'it does not open', 'try another'))
  await expect(answers[0]).rejects.toThrow('it does not open')
  expect(await answers[1]).toBe('it is open')
  expect(offers.take()).toBeUndefined()
})

test('what arrives later wakes again', async () => {
  const offers = new OffersInTurn()
  const answer = offers.put(offer('first'))
  offers.take()!.answer('done')
  expect(await answer).toBe('done')
  const next = offers.arrived
  const later = offers.put(offer('later'))
  await next
  await offers.answerAll(({ kind }) => Promise.resolve(`tried the ${kind}`))
  expect(await later).toBe('tried the passphrase')
})

test('too many that wait are refused, and all are answered and wiped in the end', async () => {
  const offers = new OffersInTurn()
  const waiting = Array.from({ length: 8 }, (_, at) => offers.put(offer(`${at}`)))
  await expect(offers.put(offer('one more'))).rejects.toThrow('others wait')
  const seen: Secret[] = []
  await offers.answerAll(({ secret }) => {
    seen.push(secret)
    return Promise.reject(new UserError('unsealing', 'the server is ending', 'start it again'))
  })
  for (const one of waiting) await expect(one).rejects.toThrow('the server is ending')
  expect(seen).toHaveLength(8)
  for (const secret of seen) expect(secret.bytes.every((byte) => byte === 0)).toBe(true)
})
