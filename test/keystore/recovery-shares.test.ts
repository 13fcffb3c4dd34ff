// Recovery shares on paper and put together: every slip is found and located, every wrong set refused.
import { expect, test } from 'vitest'
import fc from 'fast-check'
import { Secret } from '../../src/crypto/secret.ts'
import { UserError } from '../../src/errors.ts'
import { readShare, shareLines, type RecoveryShare } from '../../src/keystore/recovery-share.ts'
import { joinShares, makeRecoveryKey } from '../../src/keystore/recovery-shares.ts'

const share = (value: Uint8Array = Uint8Array.from({ length: 32 }, (_, at) => at * 7)) => ({
  key: 'cf9e4b6b8f323071',
  threshold: 3,
  number: 2,
  value: new Secret(value),
})

const plain = ({ key, threshold, number, value }: RecoveryShare) => ({
  key,
  threshold,
  number,
  value: Buffer.from(value.bytes).toString('hex'),
})

function refusalOf(act: () => unknown): UserError {
  try {
    act()
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

test('a share is three lines of six groups, always the same for the same share', () => {
  expect(shareLines(share())).toEqual([
    expect.stringMatching(/^([0-9A-HJKMNP-TV-Z]{5} ){5}[0-9A-HJKMNP-TV-Z]{5}$/),
    expect.stringMatching(/^([0-9A-HJKMNP-TV-Z]{5} ){5}[0-9A-HJKMNP-TV-Z]{5}$/),
    expect.stringMatching(/^([0-9A-HJKMNP-TV-Z]{5} ){5}[0-9A-HJKMNP-TV-Z]{5}$/),
  ])
  expect(shareLines(share())).toEqual(shareLines(share()))
})

test('what was printed is read back, in whatever way it was typed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (value) => {
      const lines = shareLines(share(value))
      expect(plain(readShare(lines.join('\n'), 'x'))).toEqual(plain(share(value)))
    }),
    { seed: 7, numRuns: 200 },
  )
  const [first, second, third] = shareLines(share()) as [string, string, string]
  const sheet = `keyreel\nneeded  3 of 5 shares\n\n  1)  ${first}\n\n  2)  ${second}\r\n  3)  ${third}\nKeep this.\n`
  const ways = [
    sheet,
    `${first} ${second} ${third}`.toLowerCase(),
    `${first}-${second}-${third}`.replaceAll(' ', '-'),
    `1)${first}\n2)${second}\n3)${third}`.replaceAll(' ', ''),
    `1. ${first}\n2. ${second}\n3. ${third}`,
    `1: ${first}\n2:${second}\n 3: ${third}`,
    `1 ${first}\n2 ${second}\n3\t${third}\n`,
    `${first}\n${second}\n${third}`.replaceAll(' ', ''),
    `${first}\n${second}\n${third}`.replaceAll('0', 'O').replaceAll('1', 'l'),
  ]
  for (const typed of ways) expect(plain(readShare(typed, 'x'))).toEqual(plain(share()))
})

test('every character mistyped is found, and the group that holds it is named', () => {
  const text = shareLines(share()).join('\n')
  const digits = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
  const groups = text.split(/\s/)
  for (const [at, group] of groups.entries()) {
    for (let place = 0; place < 5; place++) {
      for (const digit of digits) {
        if (digit === group[place]) continue
        const typed = groups.with(at, group.slice(0, place) + digit + group.slice(place + 1))
        const { code, message } = refusalOf(() => readShare(typed.join(' '), 'share.txt'))
        expect(code).toBe('share-typo')
        expect(message).toContain(
          `share.txt: group ${(at % 6) + 1} of line ${Math.floor(at / 6) + 1} is mistyped`,
        )
        expect(message).not.toContain(group)
      }
    }
  }
})

test('neighbours that changed places are found, characters as well as groups', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.nat(17),
      fc.nat(3),
      (value, at, place) => {
        const groups = shareLines(share(value)).join(' ').split(' ')
        const characters = [...groups[at]!]
        const swapped = characters
          .with(place, characters[place + 1]!)
          .with(place + 1, characters[place]!)
        const next = (at + 1) % 18
        for (const typed of [
          groups.with(at, swapped.join('')),
          groups.with(at, groups[next]!).with(next, groups[at]!),
        ]) {
          if (typed.join() === groups.join()) continue
          expect(refusalOf(() => readShare(typed.join(' '), 'x')).code).toBe('share-typo')
        }
      },
    ),
    { seed: 8, numRuns: 500 },
  )
})

test.each([
  ['nothing', () => '', 'share-length'],
  [
    'a line that is missing',
    (text: string) => text.split('\n').slice(0, 2).join('\n'),
    'share-length',
  ],
  ['a group that is too short', (text: string) => text.replace(/\w /, ' '), 'share-typo'],
  ['a letter that shares do not have', (text: string) => text.replace(/^\w/, 'U'), 'share-typo'],
  ['text of another kind', () => 'the quick brown fox', 'share-length'],
])('%s is refused', (_, spoil, code) => {
  const refusal = refusalOf(() => readShare(spoil(shareLines(share()).join('\n')), 'x'))
  expect([refusal.code, refusal.hint.length > 0]).toEqual([code, true])
})

test('any combination of enough shares gives the same seed, fewer none', async () => {
  const { id, shares } = await makeRecoveryKey(2, 4)
  const providers = ['file:1', `recovery:${id}`]
  const seeds = shares.flatMap((first) =>
    shares.filter((other) => other !== first).map((other) => joinShares([first, other], providers)),
  )
  seeds.push(joinShares(shares, providers))
  expect(new Set(seeds.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(1)
  for (const too of [[], shares.slice(0, 1)]) {
    expect(refusalOf(() => joinShares(too, providers)).code).toBe('shares-too-few')
  }
})

test('shares of another keystore, doubled ones and such as do not fit are refused', async () => {
  const one = await makeRecoveryKey(2, 3)
  const two = await makeRecoveryKey(2, 3)
  const own = [`recovery:${one.id}`]
  const both = [...own, `recovery:${two.id}`]
  const [a, b] = one.shares as [RecoveryShare, RecoveryShare]
  const [foreign] = two.shares as [RecoveryShare]
  const wrong = { ...b, value: new Secret(new Uint8Array(32)) }
  const cases = [
    [[foreign, a], own, 'share-foreign'],
    [[a, foreign], both, 'share-foreign'],
    [[a], ['file:1'], 'share-foreign'],
    [[a, a], own, 'share-twice'],
    [[a, wrong], own, 'shares-wrong'],
    [[...one.shares.slice(0, 2), { ...one.shares[2]!, value: wrong.value }], own, 'shares-wrong'],
  ] as const
  for (const [given, providers, code] of cases) {
    const refusal = refusalOf(() => joinShares(given, providers))
    expect([refusal.code, refusal.exitStatus]).toEqual([code, 1])
  }
})

test.each([
  [1, 3],
  [4, 3],
  [2, 256],
  [2, 1],
])('%i of %i shares are refused', async (threshold, count) => {
  await expect(makeRecoveryKey(threshold, count)).rejects.toMatchObject({
    code: 'share-numbers',
    exitStatus: 2,
  })
})
