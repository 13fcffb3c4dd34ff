// Work that takes long: so much at a time, and clients take turns.
import { expect, test } from 'vitest'
import { LongWork } from '../../../src/kmip/operations/long-work.ts'
import { principal, testEngine } from './engine.ts'
import { active, bytes, symmetric, usage } from './keys.ts'

/** Work that ends when it is told to, and what has begun so far. */
function watched(limits: ConstructorParameters<typeof LongWork>[0]) {
  const line = new LongWork(limits)
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const run = (client: string, name: string) =>
    line.run(client, () => {
      begun.push(name)
      const { promise, resolve } = Promise.withResolvers<void>()
      ends.set(name, resolve)
      return promise
    })
  const settle = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  }
  const end = async (name: string) => {
    ends.get(name)!()
    await settle()
  }
  return { run, begun, end, settle }
}

test('so much runs at a time in all and for one client, and nothing is forgotten', async () => {
  const { run, begun, end, settle } = watched({ atOnce: 3, perClient: 2 })
  const names = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1']
  const all = names.map((name) => run(name[0]!, name))
  await settle()
  expect(begun).toEqual(['a1', 'a2', 'b1'])
  await end('a1')
  // Client c has had no turn yet.
  expect(begun.at(-1)).toBe('c1')
  for (const name of ['a2', 'b1', 'c1', 'a3', 'b2', 'a4']) await end(name)
  expect(begun.toSorted()).toEqual(names)
  await Promise.all(all)
})

test('work that fails makes room', async () => {
  const line = new LongWork({ atOnce: 1, perClient: 1 })
  const failing = line.run('a', () => Promise.reject(new Error('no')))
  const next = line.run('a', () => Promise.resolve('done'))
  await expect(failing).rejects.toThrow('no')
  expect(await next).toBe('done')
})

test('derivations by PBKDF2 and key pairs of many clients at once all get done', async () => {
  const engine = await testEngine()
  const id = await symmetric(engine, '2.1', '00'.repeat(16), [usage('DeriveKey'), active])
  const derive = (name: string) =>
    engine.call(
      '2.1',
      'DeriveKey',
      {
        ObjectType: 'SymmetricKey',
        UniqueIdentifier: [id],
        DerivationMethod: 'PBKDF2',
        DerivationParameters: { DerivationData: [], Salt: bytes('00'), IterationCount: 1000 },
        Attributes: [
          { tag: 'CryptographicAlgorithm', value: 'AES' },
          { tag: 'CryptographicLength', value: 128 },
          usage('Encrypt'),
        ],
      },
      principal({ name }),
    )
  const pair = (name: string) =>
    engine.call(
      '2.1',
      'CreateKeyPair',
      { CommonAttributes: [{ tag: 'CryptographicAlgorithm', value: 'EC' }] },
      principal({ name }),
    )
  const made = await Promise.all(['a', 'b', 'c'].flatMap((name) => [derive(name), pair(name)]))
  expect(made).toHaveLength(6)
})
