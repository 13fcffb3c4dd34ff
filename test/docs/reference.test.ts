// The reference pages are what the tables of the code say, and say all that the code does.
import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { outOfDate } from '../../scripts/reference.ts'
import { events } from '../../scripts/reference/audit.ts'
import { reasonsDescribed } from '../../scripts/reference/kmip-reasons.ts'
import { ResultReason } from '../../src/kmip/model/enumerations.ts'
import { payloads } from '../../src/kmip/model/payloads/index.ts'
import { versions } from '../../src/kmip/model/versions.ts'

const root = resolve(import.meta.dirname, '../..')

/** Text of every source file but the tables of the model, which name everything. */
async function sourceText(): Promise<string> {
  const texts: string[] = []
  for await (const file of glob('src/**/*.ts', { cwd: root })) {
    if (!file.startsWith('src/kmip/model/')) texts.push(readFileSync(join(root, file), 'utf8'))
  }
  return texts.join('\n')
}

test('docs/reference is in sync with the code: node scripts/reference.ts', async () => {
  expect(await outOfDate()).toEqual([])
}, 120_000)

test('every result reason the server gives is described, and no other', async () => {
  const source = await sourceText()
  const names = new Set(versions.flatMap(({ number }) => ResultReason.names(number)))
  const named = [...names].filter((name) => source.includes(`'${name}'`))
  expect([...reasonsDescribed].sort()).toEqual(named.sort())
})

test('every event of the audit record is described, and no other', async () => {
  const source = await sourceText()
  const missing = events.map(([name]) => name).filter((name) => !source.includes(`'${name}'`))
  expect(missing).toEqual([])
  const used = [...source.matchAll(/\boperation: '([^']+)'/g)].map((found) => found[1]!)
  const described = new Set<string>(events.map(([name]) => name))
  const kmip = new Set(Object.keys(payloads))
  expect(used.filter((name) => !described.has(name) && !kmip.has(name))).toEqual([])
})
