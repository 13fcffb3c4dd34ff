import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { encodeItem, peekVersion, version } from 'ttlv-codec'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CaseError, findCases, readExchanges } from './case-files.ts'
import { expectedMessage } from './expected.ts'
import { strictProblem } from './strict.ts'

const own = resolve(import.meta.dirname, '../vectors/profiles')
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyreel-cases-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

const one = '<RequestMessage></RequestMessage><ResponseMessage></ResponseMessage>'

async function given(files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
}

test('cases run by version, then by family and number, whatever their files add to the name', async () => {
  await given({
    'TL-M-10-21.xml': one,
    'TL-M-2-21.xml': one,
    'TL-M-1-14.xml': one,
    'TL_M_3_10_tape_read.xml': one,
    'SUITEB_128-M-1-14.xml': one,
    'notes.txt': 'no case',
  })
  const cases = await findCases([folder])
  expect(cases.map(({ name, family }) => [name, family])).toEqual([
    ['TL-M-3-10', 'TL-M'],
    ['SUITEB-128-M-1-14', 'SUITEB-128-M'],
    ['TL-M-1-14', 'TL-M'],
    ['TL-M-2-21', 'TL-M'],
    ['TL-M-10-21', 'TL-M'],
  ])
  expect(cases[0]?.version).toBe(version('1.0'))
})

test('a case that counts the keys of others runs before those that leave some', async () => {
  await given({ 'TC-CS-CORVAL-1-14.xml': one, 'TC-OFFSET-1-14.xml': one, 'TL-M-1-13.xml': one })
  const cases = await findCases([folder])
  expect(cases.map(({ name }) => name)).toEqual([
    'TL-M-1-13',
    'TC-OFFSET-1-14',
    'TC-CS-CORVAL-1-14',
  ])
})

test('a file whose name tells no version, and a name that occurs twice, are refused', async () => {
  await given({ 'tape.xml': one })
  await expect(findCases([folder])).rejects.toThrow(CaseError)
  await rm(join(folder, 'tape.xml'))
  await given({ 'TL-M-1-14.xml': one, 'TL_M_1_14_again.xml': one })
  await expect(findCases([folder])).rejects.toThrow('two cases are named TL-M-1-14')
})

test('a folder that is not there is an error', async () => {
  await expect(findCases([join(folder, 'absent')])).rejects.toThrow('ENOENT')
})

test('messages are read in pairs, with or without a root around them', async () => {
  await given({ 'A-1-14.xml': `<KMIP># TIME 0 ${one} 0012 ${one}</KMIP>`, 'A-2-14.xml': one })
  const [wrapped, bare] = await findCases([folder])
  expect(await readExchanges(wrapped!)).toHaveLength(2)
  expect(await readExchanges(bare!)).toHaveLength(1)
})

test('a request without its answer is refused', async () => {
  await given({ 'A-1-14.xml': '<KMIP><RequestMessage></RequestMessage></KMIP>' })
  const [file] = await findCases([folder])
  await expect(readExchanges(file!)).rejects.toThrow(CaseError)
})

test('every case of our own is written in the version of its name', async () => {
  const cases = await findCases([own])
  expect(new Set(cases.map((file) => file.version)).size).toBe(7)
  for (const file of cases) {
    for (const { request, answer } of await readExchanges(file)) {
      for (const message of [request, answer]) {
        const bytes = encodeItem(expectedMessage(message).item)
        expect([file.name, peekVersion(bytes)]).toEqual([file.name, file.version])
      }
    }
  }
})

test('every answer published by our own cases passes the strict decoding of its version', async () => {
  for (const file of await findCases([own])) {
    for (const { answer } of await readExchanges(file)) {
      const problem = strictProblem(encodeItem(expectedMessage(answer).item), file.version)
      expect([file.name, problem]).toEqual([file.name, undefined])
    }
  }
})
