import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pending } from './pending.ts'
import { selectCases } from './selection.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyreel-cases-'))
  const text = '<RequestMessage></RequestMessage><ResponseMessage></ResponseMessage>'
  for (const name of ['TL-M-1-10', 'QS-M-1-10', 'QS-M-2-10', ...pending]) {
    await writeFile(join(folder, `${name}.xml`), text)
  }
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

test('without a folder of published cases only ours run, in all seven versions', async () => {
  const { cases, outside, folders } = await selectCases({ env: {} })
  expect(folders).toHaveLength(1)
  expect(new Set(cases.map(({ version }) => version)).size).toBe(7)
  expect(outside).toEqual([])
})

test('pending cases are left out and counted', async () => {
  const { cases, outside } = await selectCases({ env: { KEYREEL_OASIS_CASES: folder } })
  expect(cases.map(({ name }) => name)).toContain('TL-M-1-10')
  expect(new Set(outside.map(({ name }) => name))).toEqual(new Set(pending))
})

test('a variable that names no folder is an error that says so', async () => {
  const env = { KEYREEL_OASIS_CASES: join(folder, 'absent') }
  await expect(selectCases({ env })).rejects.toMatchObject({
    code: 'no-such-folder',
    exitStatus: 2,
    message: expect.stringContaining('KEYREEL_OASIS_CASES'),
  })
})

test('cases and families can be named, also those that this release leaves out', async () => {
  const named = async (...only: string[]): Promise<string[]> => {
    const { cases } = await selectCases({ folders: [folder], only, env: {} })
    return cases.map(({ name }) => name)
  }
  expect(await named('QS-M-2-10')).toEqual(['QS-M-2-10'])
  expect(await named('QS-M')).toEqual(['QS-M-1-10', 'QS-M-2-10'])
  await expect(named('QS-M-9-10')).rejects.toMatchObject({ code: 'no-such-case' })
})
