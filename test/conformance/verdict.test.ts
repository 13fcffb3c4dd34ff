import { expect, test } from 'vitest'
import { exceptions } from './exceptions.ts'
import { judge } from './verdict.ts'

const row = {
  case: 'A-1-14',
  clause: 'KMIP 1.4 §1',
  why: 'its answer is of another version',
  differences: ['request 1: expected 3, found 4', 'request 2: expected …, found "b"'],
}
const told = ['request 1: expected 3, found 4', 'request 2: expected "a", found "b"']

test('a case without a row conforms when there are no differences, and fails otherwise', () => {
  expect(judge({ name: 'B-1-14', differences: [] }, [row]).result).toBe('conforms')
  expect(judge({ name: 'B-1-14', differences: told }, [row]).result).toBe('fails')
})

test('an exception may differ as its row says', () => {
  expect(judge({ name: 'A-1-14', differences: told }, [row])).toEqual({
    name: 'A-1-14',
    result: 'exception',
    differences: told,
    exception: row,
  })
})

test('an exception fails with one difference more, less or other than its row says', () => {
  for (const differences of [
    [...told, 'request 3: closed'],
    told.slice(1),
    ['request 1: expected 3, found 2', told[1]!],
  ]) {
    expect(judge({ name: 'A-1-14', differences }, [row]).result).toBe('fails')
  }
})

test('an exception that conforms is an error that says to take its row out', () => {
  const { result, differences } = judge({ name: 'A-1-14', differences: [] }, [row])
  expect(result).toBe('fails')
  expect(differences).toEqual(['it is listed in exceptions.ts, but conforms: take its row out'])
})

test('the list only shrinks: each row names a case once, its clause and its differences', () => {
  expect(exceptions.length).toBeLessThanOrEqual(21)
  expect(new Set(exceptions.map((one) => one.case)).size).toBe(exceptions.length)
  for (const { clause, why, differences } of exceptions) {
    expect(clause).toMatch(/^KMIP \d\.\d §/)
    expect(why).not.toBe('')
    expect(differences.length).toBeGreaterThan(0)
  }
})
